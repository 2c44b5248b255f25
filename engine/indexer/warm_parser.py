"""Keeps a parser's process from one sync to the next, and lets it read on when the sync gives way.

A saved note need not wait for a child process to start, nor for a long file to be read to its end; and that file is not
read from its beginning again, else one note a minute would keep a large PDF out of the library for good.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from engine.indexing.file_identity import Stat, recorded_mtime, stat_of
from engine.indexing.file_reader import DocumentParser
from engine.indexing.stop_signal import Signal
from engine.records import Cutting, Document
from engine.sources.parser import ParserClosed

LISTEN_SECONDS = 0.1  # how often one who waits for a file looks whether they are to give way

Request = tuple[bytes, bytes | None] | tuple[bytes, bytes | None, Cutting]  # what `DocumentParser.read` is given


class WarmParser:
    """Lends its parsers to sync after sync; one file at a time is read for a sync, and one may be left reading."""

    def __init__(self, make: Callable[[], DocumentParser]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._idle: list[DocumentParser] = []
        self._present: _Reading | None = None
        self._left: _Reading | None = None

    def read(self, path: bytes, root: bytes | None = None, cutting: Cutting | None = None) -> Document:
        """Return what the file says; see `DocumentParser`. Raises ParserClosed where `close` comes meanwhile."""
        reading = self._begin(_request(path, root, cutting))
        try:
            return reading.result()
        finally:
            self._end(reading)

    def lent(self, stop: Signal) -> Callable[[], DocumentParser]:
        """Return what gives this parser to one who waits for it in the thread that is to hear of `stop`."""
        parser = HeedingParser(self, stop)
        return lambda: parser

    def read_until(self, request: Request, stop: Signal) -> Document:
        """Read as `read` does, and leave the file to itself once `stop` is set."""
        reading = self._begin(request)
        try:
            while not reading.wait(LISTEN_SECONDS):
                if stop.is_set():
                    self.close()
                    break
            return reading.result()
        finally:
            self._end(reading)

    def _begin(self, request: Request) -> _Reading:
        with self._lock:
            reading = None
            if self._left is not None and self._left.is_of(request):
                reading, self._left = self._left, None
                reading.take_up()
            if reading is None:
                reading = _Reading(self._idle.pop() if self._idle else self._make(), request, self._idle.append)
            self._present = reading
            return reading

    def _end(self, reading: _Reading) -> None:
        """Forget a reading whose waiter goes, but not the one that another began meanwhile."""
        with self._lock:
            if self._present is reading:
                self._present = None

    def close(self) -> None:
        """Interrupt the sync that waits for a file; the file is read on, and kept for the next who asks for it."""
        with self._lock:
            reading = self._present
            if reading is None:
                return
            if self._left is None or self._left.is_over():
                self._left = reading
            else:
                reading.parser.close()
            reading.leave()

    def end(self) -> None:
        """End all parsers' processes, whatever they read."""
        with self._lock:
            under_way = [reading for reading in (self._present, self._left) if reading is not None]
            self._left = None
            idle, self._idle[:] = list(self._idle), []
        for reading in under_way:
            reading.leave()
            reading.parser.close()
        for parser in idle:
            parser.close()


class HeedingParser:
    """A warm parser whose reader gives way; see `WarmParser.lent`."""

    def __init__(self, parser: WarmParser, stop: Signal) -> None:
        self._parser = parser
        self._stop = stop

    def read(self, path: bytes, root: bytes | None = None, cutting: Cutting | None = None) -> Document:
        """Return what the file says. Raises ParserClosed once `stop` is set."""
        return self._parser.read_until(_request(path, root, cutting), self._stop)

    def close(self) -> None:
        """Leave what is being read to itself."""
        self._parser.close()


class _Reading:
    """One file being read in a thread of its own, whether or not anybody waits for it."""

    def __init__(self, parser: DocumentParser, request: Request, give_back: Callable[[DocumentParser], None]) -> None:
        self.parser = parser
        self._request = request
        self._stat = _settled(request[0])
        self._give_back = give_back
        self._news = threading.Condition()
        self._over = self._deserted = False
        self._document: Document | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="reading", daemon=True).start()

    def is_of(self, request: Request) -> bool:
        """Whether this is the reading of a file as it is now."""
        return self._request == request and self._stat is not None and self._stat == _settled(request[0])

    def is_over(self) -> bool:
        """Whether the file is read."""
        with self._news:
            return self._over

    def take_up(self) -> None:
        """Wait for it again."""
        with self._news:
            self._deserted = False

    def wait(self, seconds: float) -> bool:
        """Wait so long at most, and return whether there is something to know."""
        with self._news:
            return self._news.wait_for(lambda: self._over or self._deserted, seconds)

    def leave(self) -> None:
        """Let the waiting thread go without the document."""
        with self._news:
            self._deserted = True
            self._news.notify_all()

    def result(self) -> Document:
        """Wait for the document, and raise what its parser raised; ParserClosed once left."""
        with self._news:
            self._news.wait_for(lambda: self._over or self._deserted)
            if not self._over:
                raise ParserClosed("The sync that asked for this file gave way.")
            if self._error is not None:
                raise self._error
            assert self._document is not None
            return self._document

    def _run(self) -> None:
        document, error = None, None
        try:
            document = self.parser.read(*self._request)
        except BaseException as raised:
            error = raised
        if not isinstance(error, ParserClosed):
            self._give_back(self.parser)
        with self._news:
            self._document, self._error, self._over = document, error, True
            self._news.notify_all()


def _request(path: bytes, root: bytes | None, cutting: Cutting | None) -> Request:
    return (path, root) if cutting is None else (path, root, cutting)


def _settled(path: bytes) -> Stat | None:
    """Return the stat of a file that was not changed so lately that the next change could look the same, else None."""
    try:
        found = stat_of(path)
    except OSError:
        return None
    return found if recorded_mtime(found.mtime_ns, time.time_ns()) == found.mtime_ns else None
