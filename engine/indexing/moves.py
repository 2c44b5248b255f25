"""Finds which new files are old documents that were moved or renamed, within a watched folder or across two."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from engine.indexing.work import Vanished, Work


@dataclass(frozen=True, slots=True)
class Move:
    """A document whose file now lies at `work`. Its content is the same, so passages and vectors stay."""

    vanished: Vanished
    work: Work
    content_hash: bytes | None


@dataclass(frozen=True, slots=True)
class Matched:
    """What `match` made of new and vanished files: those that belong together, and the rest of each."""

    moves: tuple[Move, ...]
    work: tuple[Work, ...]
    vanished: tuple[Vanished, ...]


def match(work: Iterable[Work], vanished: Sequence[Vanished], hash_of: Callable[[Work], bytes | None]) -> Matched:
    """Pair files with the documents they were.

    The same inode, size and time tell a move without reading the file. Else a new file is hashed, but only where a
    vanished document had its size. A file that took the place of a known one is a move only by its inode: by content
    it is an edit.
    """
    by_size: dict[int, list[Vanished]] = {}
    for each in vanished:
        if each.known.failure is None and each.known.content_hash:
            by_size.setdefault(each.known.size, []).append(each)
    moves: list[Move] = []
    rest: list[Work] = []
    for item in work:
        candidates = by_size.get(item.stat.size, [])
        found = _moved(item, candidates, hash_of) if candidates else None
        if found is None:
            rest.append(item)
            continue
        candidates.remove(found)
        moves.append(Move(found, item, found.known.content_hash))
    taken = {move.vanished.known.id for move in moves}
    return Matched(tuple(moves), tuple(rest), tuple(each for each in vanished if each.known.id not in taken))


def same_suffix(one: bytes, other: bytes) -> bool:
    """Whether two names have the same suffix, and so are read by the same reader in the same way."""
    return os.path.splitext(one)[1].lower() == os.path.splitext(other)[1].lower()


def _moved(item: Work, candidates: Sequence[Vanished], hash_of: Callable[[Work], bytes | None]) -> Vanished | None:
    for each in candidates:
        known = each.known
        if (known.inode, known.device, known.mtime_ns) == (item.stat.inode, item.stat.device, item.stat.mtime_ns):
            return each
    if item.known is not None:
        return None
    found = hash_of(item)
    alike = [each for each in candidates if each.known.content_hash == found]
    name = os.path.basename(item.path)
    # Of several documents with this content, the one whose file kept its inode, else its name.
    alike.sort(key=lambda each: (each.known.inode != item.stat.inode, os.path.basename(each.known.path) != name))
    return alike[0] if alike else None
