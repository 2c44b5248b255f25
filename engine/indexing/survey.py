"""Walks the watched folders and gathers what a sync has to do. Writes nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import apsw

from engine.errors import PathError
from engine.indexing.hints import below, collapsed
from engine.indexing.plan import Plan, compare
from engine.indexing.roots import rules_from, watched
from engine.paths import display
from engine.records import Folder
from engine.sources.discovery import FoundFile, LeftOut, Rules, decide, discover
from engine.store import folders
from engine.store.documents import KnownFile, known_files


@dataclass(slots=True)
class Survey:
    """What was found: a plan for each folder that is there, and the folders that are not."""

    plans: list[tuple[Folder, Plan]] = field(default_factory=list)
    missing: list[Folder] = field(default_factory=list)
    whole: bool = True  # whether whole folders were walked, so that what was left out is known


def survey(
    conn: apsw.Connection, paths: Sequence[bytes], own_files: Collection[bytes], wanted: Callable[[KnownFile], bool]
) -> Survey:
    """Walk all watched folders, or only `paths` in them. Raises PathError where a path lies in none.

    A paused folder is walked only where a path names it or something in it. `wanted` names the known files that need
    work though they look untouched.
    """
    found = Survey(whole=not paths)
    for folder, prefixes in _scopes(watched(conn), paths):
        known = known_files(conn, folder.id)
        if not is_there(folder.path, known):
            found.missing.append(folder)
            continue
        rules = rules_from(folders.rules(conn, folder.id))
        if prefixes is None:
            lying = discover(folder.path, rules, own_files)
        else:
            known = {path: each for path, each in known.items() if any(below(path, prefix) for prefix in prefixes)}
            lying = _lying(folder.path, rules, own_files, prefixes)
        found.plans.append((folder, compare(folder.id, folder.path, lying, known, wanted)))
    return found


def is_there(root: bytes, known: dict[bytes, KnownFile]) -> bool:
    """Whether a watched folder is there. The empty mount point of a disk that is not mounted does not count.

    It is told by its device, which is not that of the documents that were read from the disk.
    """
    try:
        with os.scandir(root) as entries:
            empty = next(entries, None) is None
        device = os.stat(root).st_dev
    except OSError:
        return False
    return not (empty and known and all(each.device != device for each in known.values()))


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
    for relative in prefixes:
        try:
            found = os.lstat(os.path.join(root, relative))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            yield LeftOut(relative, "not readable", True)
            continue
        refused = decide(root, relative, rules, own_files)
        if refused is not None:
            yield refused
        elif stat.S_ISDIR(found.st_mode):
            yield from discover(root, rules, own_files, below=relative)
        else:
            yield FoundFile(relative, found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev)
