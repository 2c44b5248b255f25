"""What a sync keeps beside the library so that a killed indexer costs little: the files being cut, and vectors."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEATHS_BEFORE_BLAME = 3  # the first beside others, then twice alone
BLAME = "the indexer died while reading this file"
SPOOLED_FROM = 512  # passages: below, embedding takes seconds and a death costs no more than that
DIGEST_BYTES = 16  # of a passage's hash


def journal_file(library: Path) -> Path:
    """Return the file beside a library that says what is being read."""
    return library.with_name(library.name + ".reading")


def spool_file(library: Path) -> Path:
    """Return the file beside a library that keeps vectors of a document that is still being embedded."""
    return library.with_name(library.name + ".vectors")


class Journal:
    """Records which files are being cut right now. `deaths` counts, by absolute path, the deaths a file was present at.

    A file that kills the indexer itself would otherwise do so again at every start. Only cutting can do that, where an
    encoder has no folder whose tokenizer the reading child could use (`engine.sources.document_cutter`): a child reads
    the file, and the encoder sees pieces of one size whatever file they are from. Cutting takes milliseconds, so an
    indexer that is killed for reasons of its own is hardly ever in it, and one write of a few hundred bytes into the
    page cache survives the death of the process, where a row in the library would cost a transaction.

    A death with several files in flight accuses nobody: the suspects are read alone, after everything else, and only a
    file that was there at several deaths is recorded as failed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._reading: set[bytes] = set()
        self._closed = False
        self.deaths = _left_by_the_last(path)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._write()

    def begin(self, path: bytes) -> None:
        """Record that the text of `path` is about to be cut."""
        with self._lock:
            self._reading.add(path)
            self._write()

    def end(self, path: bytes) -> None:
        """Record that `path` did no harm."""
        with self._lock:
            self._reading.discard(path)
            self.deaths.pop(path, None)
            self._write()

    def close(self) -> None:
        """Leave in order: what is still in flight was stopped, not killed. Suspects not yet read stay recorded."""
        with self._lock:
            self._reading.clear()
            self._write()
            self._closed = True
            os.close(self._file)
            if not self.deaths:
                self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        if self._closed:  # by one who did not wait for a thread that hangs
            return
        record = {
            "reading": [_text(path) for path in self._reading],
            "deaths": {_text(path): count for path, count in self.deaths.items()},
        }
        line = json.dumps(record).encode("ascii") + b"\n"
        os.pwrite(self._file, line, 0)
        os.ftruncate(self._file, len(line))  # after the write: a death between them leaves the new line and a rest


def _left_by_the_last(path: Path) -> dict[bytes, int]:
    """Return the deaths that the last run recorded, with one more for each file it had in flight when it ended."""
    try:
        record = json.loads(path.read_bytes().split(b"\n", 1)[0])
        deaths = {_bytes(name): int(count) for name, count in record["deaths"].items()}
        for name in record["reading"]:
            deaths[_bytes(name)] = deaths.get(_bytes(name), 0) + 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # none was left, or the machine lost power while it was written
    return deaths


def forget_readings(library: Path, folder: bytes) -> None:
    """Drop what the journal says of files below a folder that is forgotten; no sync is under way."""
    file = journal_file(library)
    deaths = _left_by_the_last(file)
    kept = {_text(path): count for path, count in deaths.items() if not path.startswith(os.path.join(folder, b""))}
    if len(kept) == len(deaths):
        return
    if kept:
        file.write_text(json.dumps({"reading": [], "deaths": kept}) + "\n", encoding="ascii")
    else:
        file.unlink(missing_ok=True)


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


class Spool(Mapping[bytes, "NDArray[np.float32]"]):
    """Vectors of a large document that is still being embedded, by passage hash. Belongs to one model.

    A document reaches the library whole or not at all, and a large one takes minutes to embed. What was done of it is
    appended to a file, so that neither a stop nor a death costs more than a few seconds of work, and so that memory
    holds none of it.
    """

    def __init__(self, path: Path, fingerprint: str, dimension: int) -> None:
        self._path = path
        import hashlib  # 5 ms: it loads OpenSSL

        self._head = hashlib.sha256(fingerprint.encode()).digest()
        self._record = DIGEST_BYTES + 4 * dimension
        self._file: int | None = None
        self._places: dict[bytes, int] = {}
        self._end = len(self._head)
        if path.exists():
            self._take_up()

    def __getitem__(self, digest: bytes) -> NDArray[np.float32]:
        """Read one vector back."""
        import numpy as np

        place = self._places[digest]
        return np.frombuffer(
            os.pread(self._opened(), self._record - DIGEST_BYTES, place + DIGEST_BYTES), dtype=np.float32
        )

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
                self._places[os.pread(stream.fileno(), DIGEST_BYTES, self._end)] = self._end
                self._end += self._record
