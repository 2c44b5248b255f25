"""Walks the watched folders and gathers what a sync has to do. Writes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import apsw

from engine.errors import PathError
from engine.indexing.sync_plan import Plan, compare, other_names
from engine.paths import display
from engine.records import Folder
from engine.sources.discovery import GONE, FoundFile, LeftOut, Rules, discover, discover_each
from engine.store import folders
from engine.store.documents import KnownFile, known_devices, known_files
from engine.watching.hints import below, collapsed
from engine.watching.watched_roots import rules_from, watched


@dataclass(slots=True)
class Survey:
    """What was found: a plan for each folder that is there, and the folders that are not."""

    plans: list[tuple[Folder, Plan]] = field(default_factory=list)
    missing: list[Folder] = field(default_factory=list)
    whole: bool = True  # whether whole folders were walked, so that what was left out is known


def survey(
    conn: apsw.Connection,
    paths: Sequence[bytes],
    own_files: Collection[bytes],
    wanted: Callable[[KnownFile], bool],
    doubted: Collection[bytes] = (),
) -> Survey:
    """Walk all watched folders, or only `paths` in them. Raises PathError where a path lies in none.

    A paused folder is walked only where a path names it or something in it. `wanted` names the known files that need
    work though they look untouched; files at `doubted` paths are held against their content.
    """
    found = Survey(whole=not paths)
    for folder, prefixes in _scopes(watched(conn), paths):
        if not is_there(folder.path, partial(known_devices, conn, folder.id)):
            found.missing.append(folder)
            continue
        rules = rules_from(folders.rules(conn, folder.id))
        known = known_files(conn, folder.id, prefixes)
        if prefixes is None:
            lying = discover(folder.path, rules, own_files)
        else:
            lying = _lying(folder.path, rules, own_files, prefixes)
        here = frozenset(os.path.relpath(path, folder.path) for path in doubted if below(path, folder.path))
        found.plans.append((folder, compare(folder.id, folder.path, lying, known, wanted, here)))
    twins = [path for path in other_names(conn, found.plans, paths) if path not in paths] if paths else []
    return survey(conn, [*paths, *twins], own_files, wanted, [*doubted, *twins]) if twins else found


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


def _scopes(every: Sequence[Folder], paths: Sequence[bytes]) -> Iterator[tuple[Folder, list[bytes] | None]]:
    """Give each folder to walk with the relative paths to restrict the walk to, None for all of it."""
    if not paths:
        yield from ((folder, None) for folder in every if folder.state != "paused")
        return
    wanted = collapsed((os.path.abspath(path) for path in paths), [folder.path for folder in every])
    unplaced = [path for path in wanted if not any(_touches(path, folder.path) for folder in every)]
    if unplaced:
        raise PathError(
            f"{display(unplaced[0])} is not in a watched folder.",
            fix="Add its folder with `carrel add FOLDER`, or see the watched ones with `carrel folders`.",
        )
    for folder in every:
        inside = [path for path in wanted if _touches(path, folder.path)]
        if any(below(folder.path, path) for path in inside):
            yield folder, None
        elif inside:
            yield folder, [os.path.relpath(path, folder.path) for path in inside]


def _touches(path: bytes, root: bytes) -> bool:
    return below(path, root) or below(root, path)


def _lying(
    root: bytes, rules: Rules, own_files: Collection[bytes], prefixes: Sequence[bytes]
) -> Iterator[FoundFile | LeftOut]:
    """Give what lies at or below relative paths. What is not there is not given, and so counts as vanished."""
    for found in discover_each(root, prefixes, rules, own_files):
        if not (isinstance(found, LeftOut) and found.reason == GONE):
            yield found
