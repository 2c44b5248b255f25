"""Writes what a sync has read into the library, many small files at a time, in commits that hold nobody up."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from engine.errors import CarrelError
from engine.events import Committed, Event, FileFailed
from engine.indexing.file_identity import Stat
from engine.indexing.moves import Move, title_of
from engine.indexing.sync_progress import Tally
from engine.indexing.work_items import Failed, Gone, Outcome, Read, Same, Unsettled, Vanished, Work
from engine.paths import display
from engine.records import Failure
from engine.store.document_writer import Writer
from engine.store.documents import KnownFile
from engine.store.row_mapping import FileFacts
from engine.store.segment_merge import together

COMMIT_SECONDS = 0.025  # after so long in a transaction it is committed: with the commit itself, 50 ms
PAUSE_SECONDS = 0.003  # between two commits: SQLite asks for a busy lock again after 1 and 2 ms
REMOVED_AT_ONCE = 2  # documents between two looks at the clock: 50 ms of overwriting their words

_Item = TypeVar("_Item")


class BatchWriter:
    """Writes outcomes, moves and removals, and counts them."""

    def __init__(self, writer: Writer, tally: Tally, on_event: Callable[[Event], None]) -> None:
        self._writer = writer
        self._tally = tally
        self._on_event = on_event
        self._told = (0, 0)
        self.gone: list[Vanished] = []  # known documents whose files went before they could be read

    def move(self, moves: Iterable[Move]) -> None:
        """Give documents their new places; passages and vectors stay."""
        moves = list(moves)
        with together(self._writer.conn, [each.vanished.known.id for each in moves]):
            for _ in in_short_transactions(self._writer, moves, self._move):
                self._tell()

    def remove(self, vanished: Sequence[Vanished]) -> None:
        """Forget documents whose files are gone."""
        ids = [each.known.id for each in vanished]
        with together(self._writer.conn, ids):
            for _ in in_short_transactions(self._writer, _groups(ids), self._remove):
                self._tell()

    def record(self, outcomes: Iterable[Outcome], written: Callable[[Work], None]) -> None:
        """Write outcomes, and say of each that it is `written` once it is committed."""
        done: list[Work] = []

        def write(outcome: Outcome) -> None:
            """Write one outcome."""
            if isinstance(outcome, Read):
                self._put(outcome)
            else:
                self._write_other(outcome)
            done.append(outcome.work)

        for _ in in_short_transactions(self._writer, outcomes, write):
            for work in done:
                written(work)
            done.clear()
            self._tell()

    def _tell(self) -> None:
        tally = self._tally
        now = (tally.changes + tally.moved, tally.pending + tally.reused)
        if now != self._told:
            documents, passages = now[0] - self._told[0], now[1] - self._told[1]
            self._told = now
            self._on_event(Committed(documents=documents, passages=passages))

    def _move(self, move: Move) -> None:
        known, work = move.vanished.known, move.work
        if work.known is not None:
            self._tally.passages_removed += self._writer.remove([work.known.id])
            self._tally.removed += 1
        title = known.title if known.title_written else title_of(work.path)
        # Without a hash the next sync sees that it is still to be read, should that be cut short.
        facts = _facts(work.path, work.stat, None if move.reread else move.content_hash)
        self._writer.move(known.id, work.folder_id, facts, title)
        self._writer.note_checked(known.id)  # a new name changes the file's ctime
        self._tally.moved += 1

    def _remove(self, ids: Sequence[int]) -> None:
        self._tally.passages_removed += self._writer.remove(ids)
        self._tally.removed += len(ids)

    def _put(self, read: Read) -> None:
        work, tally = read.work, self._tally
        facts = _facts(work.path, read.stat, read.content_hash)
        count = self._writer.put(work.folder_id, facts, read.document, read.passages)
        tally.pending += count.pending
        tally.reused += count.reused
        tally.passages_removed += count.removed
        tally.wordless += count.wordless
        known = work.known
        if known is None:
            tally.added += 1
        elif known.failure is None and known.content_hash is not None and known.content_hash == read.content_hash:
            tally.unchanged += not work.moved
        else:
            tally.updated += not work.moved

    def _write_other(self, outcome: Outcome) -> None:
        work, known = outcome.work, outcome.work.known
        match outcome:
            case Same():
                assert known is not None
                if _differs(known, outcome.stat):
                    self._writer.touch(known.id, _facts(work.path, outcome.stat, outcome.content_hash))
                self._writer.note_checked(known.id)
                self._tally.unchanged += 1
            case Failed(reason=reason):
                self._fail(outcome, reason)
            case Gone():
                if known is not None:
                    self.gone.append(Vanished(work.folder_id, known))
            case Unsettled():
                raise CarrelError("A file that is still changing cannot be written.")

    def _fail(self, outcome: Failed, reason: str) -> None:
        work, known = outcome.work, outcome.work.known
        self._tally.failed.append(Failure(work.absolute, reason))
        unheard = known is None or known.failure != reason
        same_stat = known is not None and (known.size, known.mtime_ns, known.inode) == (
            outcome.stat.size,
            outcome.stat.mtime_ns,
            outcome.stat.inode,
        )
        if unheard or not same_stat or work.reread:  # the moment is written down too: it was tried again
            facts = _facts(work.path, outcome.stat, outcome.content_hash)
            self._tally.passages_removed += self._writer.fail(work.folder_id, facts, reason)
        if unheard:
            self._on_event(FileFailed(path=display(work.absolute), reason=reason))


def _differs(known: KnownFile, stat: Stat) -> bool:
    return Stat(known.size, known.mtime_ns, known.inode, known.device) != stat


def _facts(path: bytes, stat: Stat, content_hash: bytes | None) -> FileFacts:
    return FileFacts(path, stat.size, stat.mtime_ns, stat.inode, stat.device, content_hash)


def _groups(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + REMOVED_AT_ONCE] for start in range(0, len(ids), REMOVED_AT_ONCE)]


def in_short_transactions(writer: Writer, items: Iterable[_Item], write: Callable[[_Item], object]) -> Iterator[None]:
    """Write items, as many in one transaction as take 25 ms, and yield after each commit."""
    left = deque(items)
    while left:
        with writer.transaction():
            until = time.monotonic() + COMMIT_SECONDS
            while left:
                write(left.popleft())
                if time.monotonic() >= until:
                    break
        yield
        if left:
            time.sleep(PAUSE_SECONDS)
