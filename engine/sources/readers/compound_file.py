"""Reads compound files, the small file system inside old Office and Outlook files ([MS-CFB]), without trust.

Every chain is followed for no longer than the file could be, so that a circle ends.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from engine.errors import SourceError

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_ENTRIES = 20_000
_LAST_SECTOR = 0xFFFFFFFA  # numbers from here on are no sectors
_HEADER_DIFAT = 109
_NO_ENTRY = 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the directory; `left`, `right` and `child` are numbers of others."""

    name: str
    kind: int
    left: int
    right: int
    child: int
    start: int
    size: int


class CompoundFile:
    """A compound file in memory; streams are asked for by their path, parts joined by `/`."""

    def __init__(self, raw: bytes) -> None:
        """Read its tables; raises SourceError where they are none."""
        if not raw.startswith(SIGNATURE) or len(raw) < 512:
            raise SourceError("not an Outlook message")
        shift, mini_shift = struct.unpack_from("<HH", raw, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise SourceError("truncated or damaged message")
        self._raw = raw
        self._size = 1 << shift
        directory, self._cutoff, mini_table = struct.unpack_from("<I4xII", raw, 48)
        self._table = self._numbers(b"".join(map(self._sector, self._table_sectors())))
        self._mini_table = self._numbers(self._chain(mini_table, len(raw)))
        self._entries = self._read_directory(self._chain(directory, len(raw)))
        if not self._entries or self._entries[0].kind != _ROOT:
            raise SourceError("truncated or damaged message")
        self._mini = self._chain(self._entries[0].start, self._entries[0].size)
        self._paths = self._walk()

    @property
    def names(self) -> frozenset[str]:
        """The paths of all streams."""
        return frozenset(self._paths)

    def read(self, name: str) -> bytes:
        """Return what a stream holds, as much of it as there is; b"" where there is none of that name."""
        entry = self._paths.get(name)
        if entry is None:
            return b""
        if entry.size >= self._cutoff:
            return self._chain(entry.start, entry.size)
        pieces, sector, left = [], entry.start, entry.size
        while left > 0 and sector < len(self._mini_table):
            pieces.append(self._mini[sector * 64 : sector * 64 + 64])
            sector, left = self._mini_table[sector], left - 64
        return b"".join(pieces)[: entry.size]

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        return self._raw[start : start + self._size]

    @staticmethod
    def _numbers(raw: bytes) -> tuple[int, ...]:
        return struct.unpack(f"<{len(raw) // 4}I", raw[: len(raw) // 4 * 4])

    def _table_sectors(self) -> list[int]:
        """Return the sectors of the allocation table: those named in the header, then those named in a chain."""
        sectors = list(struct.unpack_from(f"<{_HEADER_DIFAT}I", self._raw, 76))
        (more,) = struct.unpack_from("<I", self._raw, 68)
        most = len(self._raw) // self._size + 1
        while more < _LAST_SECTOR and len(sectors) <= most + _HEADER_DIFAT:
            numbers = self._numbers(self._sector(more))
            if len(numbers) < self._size // 4:
                break
            sectors += numbers[:-1]
            more = numbers[-1]
        return [number for number in dict.fromkeys(sectors) if number < most]

    def _chain(self, sector: int, size: int) -> bytes:
        """Return `size` bytes at most of the sectors that follow one another from `sector` on."""
        pieces, left = [], min(size, len(self._raw))
        while left > 0 and sector < len(self._table):
            pieces.append(self._sector(sector))
            sector, left = self._table[sector], left - self._size
        return b"".join(pieces)[:size]

    @staticmethod
    def _read_directory(raw: bytes) -> list[_Entry]:
        entries = []
        for at in range(0, min(len(raw), 128 * MAX_ENTRIES) - 127, 128):
            length, kind = struct.unpack_from("<HB", raw, at + 64)
            left, right, child = struct.unpack_from("<III", raw, at + 68)
            start, size = struct.unpack_from("<II", raw, at + 116)
            name = raw[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            entries.append(_Entry(name, kind, left, right, child, start, size))
        return entries

    def _walk(self) -> dict[str, _Entry]:
        """Give every stream its path; an entry is visited once, whatever points at it."""
        paths: dict[str, _Entry] = {}
        seen: set[int] = set()
        stack = [(self._entries[0].child, "")]
        while stack:
            number, folder = stack.pop()
            if number == _NO_ENTRY or number >= len(self._entries) or number in seen:
                continue
            seen.add(number)
            entry = self._entries[number]
            stack += [(entry.left, folder), (entry.right, folder)]
            if entry.kind == _STORAGE:
                stack.append((entry.child, f"{folder}{entry.name}/"))
            elif entry.kind == _STREAM:
                paths[folder + entry.name] = entry
        return paths
