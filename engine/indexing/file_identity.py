"""Tells one state of a file from another: by its stat, and by a hash of its bytes.

A file is known by size, modification time and inode first, since asking costs a microsecond, and by its content only
where these differ.
"""

from __future__ import annotations

import os
import stat

from engine.lazy_dataclass import dataclass
from engine.sources.file_times import kept_ns
from engine.sources.safe_open import HASH_BYTES, open_beneath

READ_BYTES = 1 << 20  # one read of a file that is hashed
FINE_NS = 20_000_000  # two ticks of a slow kernel clock: a write this soon after may leave the same time on the file
COARSE_NS = 2_000_000_000  # FAT keeps even seconds


@dataclass(frozen=True, slots=True)
class Stat:
    """What tells one state of a file from another without reading it."""

    size: int
    mtime_ns: int
    inode: int
    device: int


def stat_of(path: bytes) -> Stat:
    """Return the stat of a regular file, links followed. Raises OSError where there is none."""
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise FileNotFoundError(path)
    return _stat_as_kept(found)


def _stat_as_kept(found: os.stat_result) -> Stat:
    return Stat(found.st_size, kept_ns(found.st_mtime_ns), found.st_ino, found.st_dev)


def identity(path: bytes, root: bytes | None = None) -> tuple[Stat, bytes]:
    """Return the stat of a regular file and the hash of its bytes, both of what was opened at `path` below `root`.

    The bytes are as many as it had when it was opened: it may grow for ever. Raises OSError where it cannot be read.
    """
    import hashlib  # 5 ms: it loads OpenSSL

    digest = hashlib.blake2b(digest_size=HASH_BYTES)
    with open(open_beneath(path, root), "rb", buffering=0) as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise FileNotFoundError(path)
        left = found.st_size
        while left > 0 and (piece := stream.read(min(READ_BYTES, left))):
            digest.update(piece)
            left -= len(piece)
    return _stat_as_kept(found), digest.digest()


def content_hash(path: bytes, root: bytes | None = None) -> bytes:
    """Return the 16-byte BLAKE2b of a file's bytes. Raises OSError where it cannot be read."""
    return identity(path, root)[1]


def recorded_mtime(mtime_ns: int, read_at_ns: int) -> int:
    """Return the modification time to record for a file that was read at `read_at_ns` on the same clock.

    A file written within one tick of the file system's clock before it was read could be written again and look the
    same. Its recorded time is put off by one, so that the next sync looks at its content once more.
    """
    tick = COARSE_NS if mtime_ns % 1_000_000_000 == 0 else FINE_NS
    return mtime_ns - 1 if abs(read_at_ns - mtime_ns) < tick else mtime_ns
