"""Vectors of a large document that is still being embedded, in a file beside the library.

A document reaches the library whole or not at all, and a large one takes minutes to embed. What was done of it is kept
here, so that neither a stop nor a death costs more than a few seconds of work, and so that memory holds none of it.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SPOOLED_FROM = 512  # passages: below, embedding takes seconds and a death costs no more than that
HASH_BYTES = 16


class Spool(Mapping[bytes, "NDArray[np.float32]"]):
    """An append-only file of (passage hash, vector) records, read back as a mapping. Belongs to one model."""

    def __init__(self, path: Path, fingerprint: str, dimension: int) -> None:
        self._path = path
        self._head = hashlib.sha256(fingerprint.encode()).digest()
        self._record = HASH_BYTES + 4 * dimension
        self._file: int | None = None
        self._places: dict[bytes, int] = {}
        self._end = len(self._head)
        if path.exists():
            self._take_up()

    def __getitem__(self, digest: bytes) -> NDArray[np.float32]:
        """Read one vector back."""
        import numpy as np

        place = self._places[digest]
        return np.frombuffer(os.pread(self._opened(), self._record - HASH_BYTES, place + HASH_BYTES), dtype=np.float32)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, digest: object) -> bool:
        return digest in self._places

    def add(self, vectors: list[tuple[bytes, NDArray[np.float32]]]) -> None:
        """Append vectors. Raises OSError where not all of them could be written; then none is kept."""
        records = b"".join(digest + vector.astype("<f4").tobytes() for digest, vector in vectors)
        if os.pwrite(self._opened(), records, self._end) < len(records):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        for digest, _ in vectors:
            self._places[digest] = self._end
            self._end += self._record

    def forget(self, digests: Iterable[bytes]) -> None:
        """Drop vectors that are in the library now; with the last one the file goes too."""
        for digest in digests:
            self._places.pop(digest, None)
        if not self._places:
            self.close()
            self._end = len(self._head)
            self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file and leave it where it is."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.pwrite(self._file, self._head, 0)
        return self._file

    def _take_up(self) -> None:
        """Read what an earlier sync left; the file of another model is removed. A torn last record is dropped."""
        with self._path.open("rb") as stream:
            if stream.read(len(self._head)) != self._head:
                self._path.unlink(missing_ok=True)
                return
            whole = (os.fstat(stream.fileno()).st_size - len(self._head)) // self._record
            for _ in range(whole):
                self._places[os.pread(stream.fileno(), HASH_BYTES, self._end)] = self._end
                self._end += self._record
