"""What a sync keeps beside the library: which files are being cut, so that one that kills the indexer is known."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

DEATHS_BEFORE_BLAME = 3  # the first beside others, then twice alone
BLAME = "the indexer died while reading this file"


def journal_file(library: Path) -> Path:
    """Return the file beside a library that says what is being read."""
    return library.with_name(library.name + ".reading")


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
