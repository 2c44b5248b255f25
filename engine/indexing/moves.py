"""Finds which new files are old documents that were moved or renamed, and which of those must be read again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import apsw

from engine.indexing.work_items import Vanished, Work
from engine.sources.readers.file_types import kind_of, language_of, suffix_of, unpacked_name
from engine.sources.readers.source_file import Source

CALLED_BY_WHOLE_NAME = frozenset(("code", "json", "yaml", "toml"))  # a program's files are known with their suffix
SPACES = "".join(letter for letter in map(chr, range(0x3001)) if letter.isspace())  # U+3000 is the last of them


@dataclass(frozen=True, slots=True)
class Move:
    """A document whose file now lies at `work`. Its content is the same, so passages and vectors stay.

    With `reread` it says something else under its new name, and is read again.
    """

    vanished: Vanished
    work: Work
    content_hash: bytes | None
    reread: bool = False


@dataclass(frozen=True, slots=True)
class Matched:
    """What `match` made of new and vanished files: those that belong together, and the rest of each."""

    moves: tuple[Move, ...]
    work: tuple[Work, ...]
    vanished: tuple[Vanished, ...]

    def looked_into(self) -> frozenset[int]:
        """Return the documents whose files are read, or are gone."""
        known = [item.known.id for item in self.work if item.known is not None]
        return frozenset((*known, *(each.known.id for each in self.vanished)))


def match(
    work: Iterable[Work],
    vanished: Sequence[Vanished],
    hash_of: Callable[[Work], bytes | None],
    doubted: Callable[[Work, Vanished], bool] = lambda work, vanished: False,
) -> Matched:
    """Pair files with the documents they were.

    The same inode, size and time tell a move without reading the file, unless it is `doubted`. Else a new file is
    hashed, but only where a vanished document had its size. A file that took the place of a known one is a move only by
    its inode: by content it is an edit. A known file that kept its inode is no move, though a hard link of it vanished.
    """
    by_size: dict[int, list[Vanished]] = {}
    for each in vanished:
        if each.known.failure is None and each.known.content_hash:
            by_size.setdefault(each.known.size, []).append(each)
    moves: list[Move] = []
    rest: list[Work] = []
    for item in work:
        stayed = item.known is not None and item.known.inode == item.stat.inode
        candidates = by_size.get(item.stat.size, []) if not stayed else []
        found = _moved(item, candidates, hash_of, doubted) if candidates else None
        if found is None:
            rest.append(item)
            continue
        candidates.remove(found)
        moves.append(Move(found, item, found.known.content_hash))
    taken = {move.vanished.known.id for move in moves}
    return Matched(tuple(moves), tuple(rest), tuple(each for each in vanished if each.known.id not in taken))


def reads_alike(one: bytes, other: bytes) -> bool:
    """Whether files of these two paths are read by the same reader in the same way."""
    names = os.path.basename(one), os.path.basename(other)
    before, after = ((suffix_of(name), kind_of(name), language_of(name)) for name in names)
    return before == after


def title_of(path: bytes) -> str:
    """Return the title that a document without one of its own has from its file's name."""
    name = os.path.basename(path)
    source = Source(unpacked_name(name) or name, b"")
    return source.display_name if kind_of(source.name) in CALLED_BY_WHOLE_NAME else source.spoken_name


def must_be_read(conn: apsw.Connection, move: Move) -> bool:
    """Whether a moved file says something else under its new name.

    It does where the name chooses another reader, and where a passage has no words: then the name is what is embedded.
    """
    known, path = move.vanished.known, move.work.path
    if not reads_alike(known.path, path):
        return True
    if known.title_written or title_of(path) == known.title:
        return False
    found = conn.execute(
        "SELECT 1 FROM passage WHERE document_id = ? AND trim(text, ?) = '' LIMIT 1", (known.id, SPACES)
    )
    return found.get is not None


def _moved(
    item: Work,
    candidates: Sequence[Vanished],
    hash_of: Callable[[Work], bytes | None],
    doubted: Callable[[Work, Vanished], bool],
) -> Vanished | None:
    for each in candidates:
        known = each.known
        if (known.inode, known.device, known.mtime_ns) == (item.stat.inode, item.stat.device, item.stat.mtime_ns):
            if not doubted(item, each) or hash_of(item) == known.content_hash:
                return each
            break
    if item.known is not None:
        return None
    found = hash_of(item)
    alike = [each for each in candidates if each.known.content_hash == found]
    name = os.path.basename(item.path)
    # Of several documents with this content, the one whose file kept its inode, else its name.
    alike.sort(key=lambda each: (each.known.inode != item.stat.inode, os.path.basename(each.known.path) != name))
    return alike[0] if alike else None
