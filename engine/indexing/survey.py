"""Walks the watched folders, holds what lies there against what the library knows, and says what a sync has to do.

Nothing is written here.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import apsw

from engine.errors import PathError
from engine.indexing.file_identity import Stat
from engine.indexing.removal_guard import FEWEST_GONE
from engine.indexing.work_items import Vanished, Work
from engine.paths import display
from engine.records import Failure, Folder
from engine.sources.discovery import GONE, UNREADABLE, FoundFile, LeftOut, Rules, discover, discover_each
from engine.store import folders
from engine.store.documents import KnownFile, known_devices, known_files
from engine.watching.hard_links import documents_of, inode_of_many_names
from engine.watching.hints import below, collapsed
from engine.watching.watched_roots import rules_from, watched

NANOSECONDS = 1_000_000_000


@dataclass(slots=True)
class Plan:
    """What one watched folder needs. `still_failed` are files that failed before and have not changed since."""

    files: int = 0
    unchanged: int = 0
    work: list[Work] = field(default_factory=list)
    vanished: list[Vanished] = field(default_factory=list)
    still_failed: list[Failure] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    whole: bool = True  # whether all of the folder was walked, so that what was left out is known


@dataclass(slots=True)
class Survey:
    """What was found: a plan for each folder that is there, and the folders that are not."""

    plans: list[tuple[Folder, Plan]] = field(default_factory=list)
    missing: list[Folder] = field(default_factory=list)


def survey(
    conn: apsw.Connection,
    paths: Sequence[bytes],
    own_files: Collection[bytes],
    wanted: Callable[[KnownFile], bool],
    doubted: Collection[bytes] = (),
) -> Survey:
    """Walk all watched folders, or only `paths` in them. Raises PathError where a path lies in none.

    A paused folder is walked only where a path names it or something in it. All of a folder is walked where documents
    of it are held back, or many at `paths` are gone. `wanted` names the known files that need work though they look
    untouched; files at `doubted` paths are held against their content.
    """
    found = Survey()
    for folder, prefixes in scopes(watched(conn), paths):
        if not is_there(folder.path, partial(known_devices, conn, folder.id)):
            found.missing.append(folder)
            continue
        rules = rules_from(folders.rules(conn, folder.id))
        here = frozenset(os.path.relpath(path, folder.path) for path in doubted if below(path, folder.path))
        plan = _plan(conn, folder, rules, own_files, prefixes, wanted, here)
        if prefixes is not None and len(plan.vanished) >= FEWEST_GONE:  # is it the folder that is gone?
            plan = _plan(conn, folder, rules, own_files, None, wanted, here)
        found.plans.append((folder, plan))
    twins = [path for path in other_names(conn, found.plans, paths) if path not in paths] if paths else []
    return survey(conn, [*paths, *twins], own_files, wanted, [*doubted, *twins]) if twins else found


def _plan(
    conn: apsw.Connection,
    folder: Folder,
    rules: Rules,
    own_files: Collection[bytes],
    prefixes: list[bytes] | None,
    wanted: Callable[[KnownFile], bool],
    doubted: Collection[bytes],
) -> Plan:
    """Walk one folder, or only what lies at or below `prefixes` in it, and compare it."""
    known = known_files(conn, folder.id, prefixes)
    if prefixes is None:
        lying = discover(folder.path, rules, own_files)
    else:
        lying = _lying(folder.path, rules, own_files, prefixes)
    plan = compare(folder.id, folder.path, lying, known, wanted, doubted)
    plan.whole = prefixes is None
    return plan


def compare(
    folder_id: int,
    root: bytes,
    lying: Iterable[FoundFile | LeftOut],
    known: dict[bytes, KnownFile],
    wanted: Callable[[KnownFile], bool] = lambda _: False,
    doubted: Collection[bytes] = (),
) -> Plan:
    """Compare by size, time and inode. `known` is used up: what is left of it at the end has vanished.

    A file that looks untouched is read again where it is `wanted`, and held against its content where its path is
    `doubted`: it may have been changed with its size and time kept. Documents below a folder that cannot be looked into
    are kept as they are.
    """
    plan = Plan()
    closed: list[bytes] = []
    take = known.pop
    for each in lying:
        if isinstance(each, LeftOut):
            plan.left_out[each.reason] += each.count
            if each.is_folder and each.reason == UNREADABLE:
                closed.append(each.path + b"/" if each.path else b"")
            continue
        plan.files += 1
        before = take(each.path, None)
        reread = before is not None and wanted(before)
        if before is None or reread or each.path in doubted or not _same(each, before):
            stat = Stat(each.size, each.mtime_ns, each.inode, each.device)
            plan.work.append(Work(folder_id, root, each.path, stat, before, reread))
        elif before.failure is None:
            plan.unchanged += 1
        else:
            plan.still_failed.append(Failure(os.path.join(root, each.path), before.failure))
    for path, before in known.items():
        if not any((path + b"/").startswith(prefix) for prefix in closed):
            plan.vanished.append(Vanished(folder_id, before))
    return plan


def other_names(
    conn: apsw.Connection, plans: Sequence[tuple[Folder, Plan]], paths: Iterable[bytes] = ()
) -> list[bytes]:
    """Return the absolute paths of documents that are the same file as one that these plans look into.

    So are those of a file at one of `paths`, where a change was heard of: it may be left out under that name, or gone.
    Only names that are in no plan are returned. Most files have one name, and then nothing is asked of the library.
    """
    looked_at = {work.absolute for _, plan in plans for work in plan.work}
    inodes = {inode for path in {*looked_at, *paths} if (inode := inode_of_many_names(path)) is not None}
    inodes |= {each.known.inode for _, plan in plans for each in plan.vanished}
    return [path for path in documents_of(conn, inodes) if path not in looked_at]


def is_there(root: bytes, known_devices: Callable[[], Collection[int]]) -> bool:
    """Whether a watched folder is there. The empty mount point of a disk that is not mounted does not count.

    It is told by its device, which is not that of the documents that were read from the disk.
    """
    try:
        with os.scandir(root) as entries:
            empty = next(entries, None) is None
        device = os.stat(root).st_dev
    except OSError:
        return False
    return not (empty and (known := known_devices()) and device not in known)


def scopes(every: Sequence[Folder], paths: Sequence[bytes]) -> Iterator[tuple[Folder, list[bytes] | None]]:
    """Give each folder to walk with the relative paths to restrict the walk to, None for all of it.

    Raises PathError where a path lies in no watched folder.
    """
    if not paths:
        yield from ((folder, None) for folder in every if folder.state != "paused")
        return
    named = (_watched_name(os.path.abspath(path), every) for path in paths)
    wanted = collapsed(named, [folder.path for folder in every])
    unplaced = [path for path in wanted if not any(_touches(path, folder.path) for folder in every)]
    if unplaced:
        raise PathError(
            f"{display(unplaced[0])} is not in a watched folder.",
            fix="Add its folder with `carrel add FOLDER`, or see the watched ones with `carrel folders`.",
        )
    for folder in every:
        inside = [path for path in wanted if _touches(path, folder.path)]
        if any(below(folder.path, path) for path in inside) or (inside and folder.held):
            yield folder, None
        elif inside:
            yield folder, [os.path.relpath(path, folder.path) for path in inside]


def _watched_name(path: bytes, every: Sequence[Folder]) -> bytes:
    """Return a path as it lies in a watched folder, also where a link leads to it."""
    return path if any(_touches(path, folder.path) for folder in every) else os.path.realpath(path)


def _touches(path: bytes, root: bytes) -> bool:
    return below(path, root) or below(root, path)


def _lying(
    root: bytes, rules: Rules, own_files: Collection[bytes], prefixes: Sequence[bytes]
) -> Iterator[FoundFile | LeftOut]:
    """Give what lies at or below relative paths. What is not there is not given, and so counts as vanished."""
    for found in discover_each(root, prefixes, rules, own_files):
        if not (isinstance(found, LeftOut) and found.reason == GONE):
            yield found


def _same(found: FoundFile, known: KnownFile) -> bool:
    """Whether a file looks untouched since its content was known: it is not where the file could not be opened,
    changed while it was read, or was moved and is still to be read under its new name.

    A program may write a file and set its time back; its ctime tells, for that no program sets.

    The device is not compared, for it changes when a disk is mounted anew.
    """
    same = found.mtime_ns == known.mtime_ns and found.size == known.size and found.inode == known.inode
    return same and known.content_hash is not None and found.ctime_ns <= known.checked_at * NANOSECONDS
