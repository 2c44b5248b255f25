"""Looks into one file: has its content changed, what does it say, which passages does it give."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from engine.errors import CarrelError, SourceError
from engine.indexing.file_identity import Stat, content_hash, recorded_mtime, stat_of
from engine.indexing.journal import BLAME, DEATHS_BEFORE_BLAME, Journal
from engine.indexing.work_items import Failed, Gone, Outcome, Read, Same, Unsettled, Work
from engine.records import Document, Passage

log = logging.getLogger(__name__)


class DocumentParser(Protocol):
    """What reads a file for a sync: `engine.sources.parser.Parser`, or a test's stand-in."""

    def read(self, path: bytes) -> Document:
        """Return what the file at this absolute path says. Raises SourceError."""

    def close(self) -> None:
        """End whatever reads, at once, even while another thread is in `read`."""


class ReaderLeft(CarrelError):
    """The sync that looks into files is to end; the file itself is not at fault."""


class FileReader:
    """Looks into files, one after another."""

    def __init__(
        self,
        parser: DocumentParser,
        cut: Callable[[Document, Callable[[], None]], list[Passage]],
        journal: Journal,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        """`ready` loads what `cut` needs, so that no file is blamed for a death while that loads."""
        self._parser = parser
        self._cut = cut
        self._journal = journal
        self._ready = ready
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
            stat, digest = _settled(work.absolute)
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
            document = self._parser.read(work.absolute)
            self._ready()
            self._journal.begin(work.absolute)
            passages = tuple(self._cut(document, self._go_on))
            self._journal.end(work.absolute)
        except SourceError as error:
            if not os.path.lexists(work.absolute):
                return Gone(work, stat, None)
            return self._unless_changed(Failed(work, stat, digest, error.reason))
        except (CarrelError, OSError):
            raise  # the model, the journal, or an order to end; not the file
        except MemoryError:
            return Failed(work, stat, digest, "too large for this machine's memory")
        except Exception as error:
            log.exception("cutting failed: %r", work.absolute)
            return Failed(work, stat, digest, f"could not be cut into passages ({type(error).__name__})")
        return self._unless_changed(Read(work, stat, digest, document, passages))

    def _unless_changed(self, outcome: Read | Failed) -> Outcome:
        """Hold the file against what it was before it was read; a half-written one is never taken as settled."""
        work = outcome.work
        try:
            now = stat_of(work.absolute)
        except OSError:
            return Gone(work, outcome.stat, None)
        then = outcome.stat
        if (now.size, now.inode) == (then.size, then.inode) and now.mtime_ns - then.mtime_ns in (0, 1):
            return outcome
        if not work.again:
            return Unsettled(work, now, None)
        return replace(outcome, content_hash=None)


def _settled(path: bytes) -> tuple[Stat, bytes]:
    """Return a file's stat, as it is to be recorded, and the hash of its content."""
    read_at = time.time_ns()
    found = stat_of(path)
    stat = Stat(found.size, recorded_mtime(found.mtime_ns, read_at), found.inode, found.device)
    return stat, content_hash(path)


def _reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "permission denied"
    return (error.strerror or type(error).__name__).lower()
