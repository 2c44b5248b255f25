"""Holds what lies in a folder against what the library knows of it, and says what has to be done."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

import apsw

from engine.indexing.file_identity import Stat
from engine.indexing.work_items import Vanished, Work
from engine.records import Failure, Folder
from engine.sources.discovery import UNREADABLE, FoundFile, LeftOut
from engine.store.documents import KnownFile
from engine.watching.hard_links import documents_of, inode_of_many_names


@dataclass(slots=True)
class Plan:
    """What one watched folder needs. `still_failed` are files that failed before and have not changed since."""

    files: int = 0
    unchanged: int = 0
    work: list[Work] = field(default_factory=list)
    vanished: list[Vanished] = field(default_factory=list)
    still_failed: list[Failure] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


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


def _same(found: FoundFile, known: KnownFile) -> bool:
    """Whether a file looks untouched since its content was known: it is not where the file could not be opened,
    changed while it was read, or was moved and is still to be read under its new name.

    The device is not compared, for it changes when a disk is mounted anew.
    """
    same = found.mtime_ns == known.mtime_ns and found.size == known.size and found.inode == known.inode
    return same and known.content_hash is not None
