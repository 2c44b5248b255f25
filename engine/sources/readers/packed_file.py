"""Single files that are packed, as `note.md.gz`: unpacked in memory, as far as a reader would take them."""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import Protocol

from engine.errors import SourceError
from engine.figures import size
from engine.sources.readers.file_types import unpacked_name
from engine.sources.readers.source_file import MAX_CHARACTERS

MAX_UNPACKED_BYTES = 4 * MAX_CHARACTERS  # more than any text that is read takes
MAX_PARTS = 1000  # packed streams after one another, as programs that append to a log leave them
XZ_MEMORY_BYTES = 128 * 2**20  # what one may ask for
_DAMAGED = "truncated or damaged packed file"


class _Unpacker(Protocol):
    """What the modules of the standard library have in common."""

    @property
    def eof(self) -> bool:
        """Whether the end of a packed stream was reached."""

    @property
    def unused_data(self) -> bytes:
        """What follows the packed stream."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Unpack, and return so many bytes at most."""


def unpacked(name: bytes, raw: bytes) -> tuple[bytes, bytes]:
    """Return the name and the bytes of a file as they were before it was packed; one that is not packed as it is.

    Raises SourceError where it is damaged, or larger than any reader would take.
    """
    inner = unpacked_name(name)
    if inner is None:
        return name, raw
    return inner, _unpack(raw, name.rpartition(b".")[2].lower()) if raw else b""


def _unpack(raw: bytes, suffix: bytes) -> bytes:
    pieces: list[bytes] = []
    room = MAX_UNPACKED_BYTES
    try:
        for _ in range(MAX_PARTS):
            unpacker = _unpacker(suffix)
            piece = unpacker.decompress(raw, room + 1)
            pieces.append(piece)
            room -= len(piece)
            if room < 0:
                raise SourceError(f"unpacks to more than {size(MAX_UNPACKED_BYTES)}")
            if not unpacker.eof:
                raise SourceError(_DAMAGED)
            raw = unpacker.unused_data.lstrip(b"\0")
            if not raw:
                return b"".join(pieces)
    except (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError, MemoryError):
        raise SourceError(_DAMAGED) from None
    raise SourceError(f"more than {MAX_PARTS} packed parts")


def _unpacker(suffix: bytes) -> _Unpacker:
    if suffix == b"bz2":
        return bz2.BZ2Decompressor()
    if suffix == b"xz":
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)
    return zlib.decompressobj(zlib.MAX_WBITS | 16)
