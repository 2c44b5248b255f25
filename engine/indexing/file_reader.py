"""Reads the files of a sync ahead of the writer: has one changed, what does it say, which passages does it give."""

from __future__ import annotations

import errno
import logging
import math
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from engine.errors import CarrelError, SourceChanged, SourceError
from engine.indexing.crash_recovery import BLAME, DEATHS_BEFORE_BLAME, Journal
from engine.indexing.file_identity import Stat, identity, recorded_mtime, stat_of
from engine.indexing.stop_signal import Signal
from engine.indexing.work_items import Failed, Gone, Outcome, Read, Same, Unsettled, Work
from engine.records import Cutting, Document, Passage

log = logging.getLogger(__name__)

BYTES_UNDER_WAY = 8 * 2**20  # of files between reading and commit; a larger file travels alone
FILES_UNDER_WAY = 256
BATCH_PASSAGES = 64  # some 50 ms of writing: how soon readers see something new
BATCH_FILES = 256  # small files whose passages are known already
PATIENCE_SECONDS = 0.05  # how long a batch that has something waits for more
LISTEN_SECONDS = 0.2  # how often one who waits for a file looks whether it is to stop
MAKING_ROOM_SECONDS = 0.1  # how often the thread that reads ahead does, while there is no room for another file


class DocumentParser(Protocol):
    """What reads a file for a sync: `engine.sources.parser.Parser`, or a test's stand-in."""

    def read(self, path: bytes, root: bytes | None = None, cutting: Cutting | None = None) -> Document:
        """Return what the file at this absolute path below `root` says, cut as `cutting` says.

        Raises SourceError, SourceChanged.
        """

    def close(self) -> None:
        """End whatever reads, at once, even while another thread is in `read`."""


class ReaderLeft(CarrelError):
    """The sync that looks into files is to end; the file itself is not at fault."""


class FileReader:
    """Looks into files, one after another."""

    def __init__(
        self,
        parser: DocumentParser,
        cut: Callable[[Document, Callable[[], None]], Sequence[Passage]],
        journal: Journal,
        cutting: Callable[[], Cutting | None] = lambda: None,
    ) -> None:
        """`cutting` says how the parser is to cut a file; where it says None, `cut` cuts what the parser gives.

        It also loads what that needs, so that no file is blamed for a death while that loads.
        """
        self._parser = parser
        self._cut = cut
        self._journal = journal
        self._cutting = cutting
        self._left = False

    def leave(self) -> None:
        """End the cutting of a long text at once; no file is looked into after that."""
        self._left = True

    def _go_on(self) -> None:
        if self._left:
            raise ReaderLeft("The sync gave way in the midst of a file.")

    def look(self, work: Work) -> Outcome:
        """Return what came of a file; never raises for anything that is wrong with the file."""
        try:
            stat, digest = _settled(work)
        except (FileNotFoundError, NotADirectoryError):
            return Gone(work, work.stat, None)
        except OSError as error:
            return Failed(work, work.stat, None, _reason(error))
        known = work.known
        if known is not None and not work.reread and known.failure is None and known.content_hash == digest:
            return Same(work, stat, digest)
        if self._journal.deaths.get(work.absolute, 0) >= DEATHS_BEFORE_BLAME:
            return Failed(work, stat, digest, BLAME)
        return self._read(work, stat, digest)

    def _read(self, work: Work, stat: Stat, digest: bytes) -> Outcome:
        try:
            self._go_on()
            cutting = self._cutting()
            request = (work.absolute, work.root)
            document = self._parser.read(*request) if cutting is None else self._parser.read(*request, cutting)
            self._journal.begin(work.absolute)
            passages = tuple(self._cut(document, self._go_on))
            self._journal.end(work.absolute)
        except SourceError as error:
            if not os.path.lexists(work.absolute):
                return Gone(work, stat, None)
            if isinstance(error, SourceChanged):
                return Failed(work, stat, None, error.reason) if work.again else Unsettled(work, stat, None)
            return self._unless_changed(Failed(work, stat, digest, error.reason))
        except (CarrelError, OSError):
            raise  # the model, the journal, or an order to end; not the file
        except MemoryError:
            return Failed(work, stat, digest, "too large for this machine's memory")
        except Exception as error:
            log.exception("cutting failed: %r", work.absolute)
            return Failed(work, stat, digest, f"could not be cut into passages ({type(error).__name__})")
        same = document.content_hash in (None, digest)
        return self._unless_changed(Read(work, stat, digest, document, passages), same)

    def _unless_changed(self, outcome: Read | Failed, same: bool = True) -> Outcome:
        """Hold the file against what it was before it was read; a half-written one is never taken as settled.

        `same` is whether what was read had the bytes that were hashed.
        """
        work = outcome.work
        try:
            now = stat_of(work.absolute)
        except OSError:
            return Gone(work, outcome.stat, None)
        then = outcome.stat
        untouched = (now.size, now.inode) == (then.size, then.inode)
        if same and untouched and now.mtime_ns - then.mtime_ns in (0, 1):
            return outcome
        if not work.again:
            return Unsettled(work, now, None)
        return replace(outcome, content_hash=None)


class Budget:
    """Counts bytes of files under way, so that memory stays bounded. A file above the limit is let in alone."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._changed = threading.Condition()

    def take(self, weight: int, halted: Callable[[], bool]) -> bool:
        """Wait until `weight` fits, then take it. Returns False where `halted` says so first."""
        with self._changed:
            while not halted():
                if self._used == 0 or self._used + weight <= self._limit:
                    self._used += weight
                    return True
                self._changed.wait(MAKING_ROOM_SECONDS)
        return False

    def give_back(self, weight: int) -> None:
        """Return what `take` took, once the file is written."""
        with self._changed:
            self._used -= weight
            self._changed.notify()


class ReadAhead:
    """Looks into `work` in order, in its own thread, and gives what came of it in batches.

    `alone` says which files must have no company while they are under way. The caller says `done` for each outcome
    once it is written. An error that is not about one file is raised where the batches are taken.
    """

    def __init__(
        self,
        work: Sequence[Work],
        look: Callable[[Work], Outcome],
        stop: Signal,
        alone: Callable[[Work], bool] = lambda _: False,
    ) -> None:
        self._work = work
        self._look = look
        self._stop = stop
        self._alone = alone
        self._budget = Budget(BYTES_UNDER_WAY)
        self._closed = False
        self._outcomes: queue.Queue[Outcome | BaseException | None] = queue.Queue(FILES_UNDER_WAY)
        self._thread = threading.Thread(target=self._run, name="read-ahead", daemon=True)

    def batches(self) -> Iterator[list[Outcome]]:
        """Give outcomes as they come, as many at once as are there, until all are given or `stop` is set."""
        self._thread.start()
        ended = False
        while not ended and not self._stop.is_set():
            batch, ended = self._gather()
            if batch:
                yield batch

    def done(self, work: Work) -> None:
        """Let another file take the place of one that is written."""
        self._budget.give_back(self._weight(work))

    def close(self, patience: float = math.inf) -> bool:
        """End the thread after the file that it reads, waiting so many seconds; return whether it has ended."""
        self._closed = True
        until = time.monotonic() + patience
        while self._thread.is_alive() and time.monotonic() < until:
            while not self._outcomes.empty():
                self._outcomes.get_nowait()
            self._thread.join(0.01)
        return not self._thread.is_alive()

    def _gather(self) -> tuple[list[Outcome], bool]:
        batch: list[Outcome] = []
        passages = 0
        while passages < BATCH_PASSAGES and len(batch) < BATCH_FILES and not self._stop.is_set():
            try:
                outcome = self._outcomes.get(timeout=PATIENCE_SECONDS if batch else LISTEN_SECONDS)
            except queue.Empty:
                if batch:
                    break
                continue
            if outcome is None:
                return batch, True
            if isinstance(outcome, BaseException):
                raise outcome
            batch.append(outcome)
            passages += len(outcome.passages) if isinstance(outcome, Read) else 0
        return batch, False

    def _run(self) -> None:
        try:
            for work in self._work:
                if not self._budget.take(self._weight(work), self._halted):
                    return
                self._outcomes.put(self._look(work))
        except BaseException as error:
            self._outcomes.put(error)
        else:
            self._outcomes.put(None)

    def _halted(self) -> bool:
        return self._closed or self._stop.is_set()

    def _weight(self, work: Work) -> int:
        return BYTES_UNDER_WAY if self._alone(work) else min(work.stat.size, BYTES_UNDER_WAY)


def _settled(work: Work) -> tuple[Stat, bytes]:
    """Return a file's stat, as it is to be recorded, and the hash of its content."""
    read_at = time.time_ns()
    found, digest = identity(work.absolute, work.root)
    return Stat(found.size, recorded_mtime(found.mtime_ns, read_at), found.inode, found.device), digest


def _reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "permission denied"
    if error.errno == errno.ELOOP:
        return "symbolic link"
    return (error.strerror or type(error).__name__).lower()
