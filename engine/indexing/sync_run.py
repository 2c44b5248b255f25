"""The part of a sync that reads, embeds and writes files; it is loaded only where there is something to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from engine.events import Event
from engine.indexing.batch_writer import BatchWriter
from engine.indexing.crash_recovery import SPOOLED_FROM, Journal, Spool
from engine.indexing.file_reader import DocumentParser, FileReader, ReadAhead
from engine.indexing.passage_encoder import Embedder, LazyEncoder
from engine.indexing.stop_signal import Signal
from engine.indexing.sync_progress import ProgressMeter
from engine.indexing.work_items import Gone, Outcome, Read, Unsettled, Work
from engine.store.document_writer import Writer
from engine.store.vector_tables import Vector, dimension

LEAVING_SECONDS = 0.4  # for a thread without a parser to end; one that hangs in a file system is left to itself
PARSER_PATIENCE_SECONDS = 0.3  # most files are read by then, and the parser's process need not be started anew


class Run:
    """Brings files into the library: read ahead in one thread, embedded and written here."""

    def __init__(
        self,
        writer: Writer,
        batch_writer: BatchWriter,
        encoder: LazyEncoder,
        parser: Callable[[], DocumentParser],
        journal: Path,
        spool: Path,
        fingerprint: str,
        on_event: Callable[[Event], None],
        stop: Signal,
    ) -> None:
        self._writer = writer
        self._batch_writer = batch_writer
        self._encoder = encoder
        self._new_parser = parser
        self._journal_file = journal
        self._spool = Spool(spool, fingerprint, dimension(writer.conn, writer.model_id))
        self._on_event = on_event
        self._stop = stop
        self._embedder = Embedder(lambda texts: encoder.get().encode_passages(texts), stop)

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
            self._spool.close()
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
                self._write(settled, written)
        finally:
            ended = ahead.close(PARSER_PATIENCE_SECONDS)
            reader.leave()
            parser.close()
            if not ended:
                ahead.close(LEAVING_SECONDS)
        return changing

    def _write(self, outcomes: list[Outcome], written: Callable[[Work], None]) -> None:
        """Embed what has no vector and write what is complete; a stop in the midst leaves the rest for next time."""
        while outcomes:
            vectors, lacking = self._vectors(outcomes)
            if lacking:
                outcomes = [each for each in outcomes if not (isinstance(each, Read) and _hashes(each) & lacking)]
            short = self._batch_writer.record(outcomes, vectors, written)
            self._spool.forget([each for each in vectors if each in self._spool] if not (lacking or short) else ())
            if lacking:
                return
            outcomes = list(short)

    def _vectors(self, outcomes: Sequence[Outcome]) -> tuple[dict[bytes, Vector], set[bytes]]:
        """Return new vectors for what the library has none of, and the hashes that a stop has left without one."""
        reads = [outcome for outcome in outcomes if isinstance(outcome, Read)]
        texts = {passage.hash: passage.embedded for read in reads for passage in read.passages}
        places = {passage.hash: read.work.absolute for read in reads for passage in read.passages}
        missing = self._writer.missing(texts)
        fresh: dict[bytes, Vector] = {}
        to_embed = {digest: text for digest, text in texts.items() if digest in missing and digest not in self._spool}
        large = len(to_embed) >= SPOOLED_FROM
        for step in self._embedder.embed(to_embed):
            if large:
                self._spool.add(step)
            else:
                fresh.update(step)
            self._meter.embedded(len(step), places[step[-1][0]])
        fresh |= {digest: self._spool[digest] for digest in missing if digest in self._spool}
        return fresh, missing - fresh.keys()


def _hashes(read: Read) -> set[bytes]:
    return {passage.hash for passage in read.passages}
