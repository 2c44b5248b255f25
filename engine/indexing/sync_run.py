"""The part of a sync that reads files and writes their words; it is loaded only where there is something to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from engine.events import Event
from engine.indexing.batch_writer import BatchWriter
from engine.indexing.crash_recovery import Journal
from engine.indexing.file_reader import DocumentParser, FileReader, ReadAhead
from engine.indexing.passage_encoder import LazyEncoder
from engine.indexing.stop_signal import Signal
from engine.indexing.sync_progress import ProgressMeter
from engine.indexing.work_items import Gone, Outcome, Read, Unsettled, Work

LEAVING_SECONDS = 0.4  # for a thread without a parser to end; one that hangs in a file system is left to itself
PARSER_PATIENCE_SECONDS = 0.3  # most files are read by then, and the parser's process need not be started anew


class Run:
    """Brings files into the library: read ahead in one thread and written here, where their words are found at once."""

    def __init__(
        self,
        batch_writer: BatchWriter,
        encoder: LazyEncoder,
        parser: Callable[[], DocumentParser],
        journal: Path,
        on_event: Callable[[Event], None],
        stop: Signal,
    ) -> None:
        self._batch_writer = batch_writer
        self._encoder = encoder
        self._new_parser = parser
        self._journal_file = journal
        self._on_event = on_event
        self._stop = stop

    def bring_in(self, work: Sequence[Work]) -> None:
        """Look into all files; those that change meanwhile once more at the end. Returns early where it is to stop."""
        journal = Journal(self._journal_file)
        self._meter = ProgressMeter(len(work), sum(item.stat.size for item in work), self._on_event)
        try:
            # A file that was there when an indexer died is read last, with no other beside it.
            self._suspects = frozenset(journal.deaths)
            changing = self._pass(sorted(work, key=self._is_suspect), journal)
            self._meter.more(len(changing), sum(item.stat.size for item in changing))
            self._pass(changing, journal)
        finally:
            journal.close()
        self._meter.tell(at_once=True)

    def _is_suspect(self, work: Work) -> bool:
        return work.absolute in self._suspects

    def _pass(self, work: Sequence[Work], journal: Journal) -> list[Work]:
        """Look into files once, and return those that changed while they were read."""
        changing: list[Work] = []
        if not work or self._stop.is_set():
            return changing
        parser = self._new_parser()
        reader = FileReader(parser, self._encoder.cut, journal, self._encoder.cutting)
        ahead = ReadAhead(work, reader.look, self._stop, self._is_suspect)

        def written(item: Work) -> None:
            journal.end(item.absolute)
            ahead.done(item)
            self._meter.file_done(item.absolute, item.stat.size)

        try:
            for batch in ahead.batches():
                settled: list[Outcome] = []
                for outcome in batch:
                    if isinstance(outcome, Unsettled):
                        changing.append(replace(outcome.work, stat=outcome.stat, again=True))
                        written(outcome.work)
                    elif isinstance(outcome, Gone) and outcome.work.known is None:
                        written(outcome.work)
                    else:
                        settled.append(outcome)
                        self._count(outcome)
                self._batch_writer.record(settled, written)
        finally:
            ended = ahead.close(PARSER_PATIENCE_SECONDS)
            reader.leave()
            parser.close()
            if not ended:
                ahead.close(LEAVING_SECONDS)
        return changing

    def _count(self, outcome: Outcome) -> None:
        if isinstance(outcome, Read):
            self._meter.passages_done(len(outcome.passages), outcome.work.absolute)
