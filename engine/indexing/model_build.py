"""Gives the library another model, and makes the vectors that it lacks.

A model that cuts text as the active one does (same prefix, passage rules and tokenizer, as every retrained model) is
built beside it: the files are read again, since a passage's embedded text is not kept, only missing vectors are made,
and one UPDATE swaps the models at the end. One that differs from it for queries only takes over its vectors as they
are. A model that cuts differently changes every passage, so nothing could be searched beside the old one: it takes over
at once, words are found as before, and the sync that follows cuts and embeds every document anew, with more of the
library found by meaning the further it is. Both ways can be stopped and taken up again, since what is missing is told
by the vectors that are not there.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import apsw
import numpy as np
from numpy.typing import NDArray

from engine.embedding.manifest import Manifest
from engine.embedding.multi_vector_input import refuse_for_meaning
from engine.errors import ModelError, SourceError
from engine.events import Event, Preparing
from engine.indexing.embedding_queue import EmbeddingQueue
from engine.indexing.file_reader import DocumentParser
from engine.indexing.outdated_documents import documents_with_gaps, gaps_of
from engine.indexing.passage_encoder import Embedder, PassageEncoder, cutting, faults_told, passages_of
from engine.indexing.stop_signal import Never, Signal
from engine.indexing.sync_progress import ProgressMeter
from engine.store import change_log, models, vector_tables
from engine.store.document_writer import Writer
from engine.store.transactions import transaction
from engine.store.vector_tables import Vector

log = logging.getLogger(__name__)

AT_ONCE = 64  # passages: about two seconds of embedding, which is what a stop may cost


@dataclass(frozen=True, slots=True)
class _Gap:
    """A document that lacks vectors of the new model: where its file is, and its passages without one, hash by id."""

    path: bytes
    size: int
    passages: Mapping[int, bytes]


def use_model(
    conn: apsw.Connection,
    name: str,
    encoder: PassageEncoder,
    parser: Callable[[], DocumentParser],
    *,
    on_event: Callable[[Event], None] = lambda _: None,
    stop: Signal | None = None,
) -> bool:
    """Make `encoder`'s model the library's. Returns whether it is by now; False where `stop` came first.

    A whole sync must follow: it embeds what could not be read here. `name` is the catalogue's. The caller holds the
    indexer lock. Raises ModelError where the model gives no vectors of texts.
    """
    refuse_for_meaning(encoder.manifest)
    stop = stop or Never()
    active = models.active(conn)
    fingerprint = encoder.manifest.fingerprint
    if active is not None and active.fingerprint == fingerprint:
        return True
    model = written_down(conn, name, encoder.manifest)
    alike = active is not None and Manifest.from_json(active.manifest).cuts_as(encoder.manifest)
    if active is None or not alike:
        on_event(Preparing(what=f"taking over to {name}; every document is cut and embedded anew"))
    else:
        if Manifest.from_json(active.manifest).passage_fingerprint == encoder.manifest.passage_fingerprint:
            _take_over(conn, active.id, model.id, stop)
        if not build(conn, model, encoder, parser, on_event=on_event, stop=stop):
            return False
    with transaction(conn):
        models.activate(conn, model.id, same_passages=alike)
    return True


def written_down(conn: apsw.Connection, name: str, manifest: Manifest) -> models.StoredModel:
    """Return a model as the library knows it, which is told of it where it was not."""
    model_id = next((each.id for each in models.every(conn) if each.fingerprint == manifest.fingerprint), None)
    if model_id is None:
        model_id = models.write_down(conn, manifest, state="building", name=name)
    return next(each for each in models.every(conn) if each.id == model_id)


def _take_over(conn: apsw.Connection, source: int, target: int, stop: Signal) -> None:
    """Copy the vectors that one model has and another lacks."""
    missing = vector_tables.without_vectors(conn, target)
    for start in range(0, len(missing), AT_ONCE):
        if stop.is_set():
            return
        ids, matrix = vector_tables.vectors_of(conn, source, missing[start : start + AT_ONCE])
        with transaction(conn):
            vector_tables.put(conn, target, ids.tolist(), matrix)


def build(
    conn: apsw.Connection,
    model: models.StoredModel,
    encoder: PassageEncoder,
    new_parser: Callable[[], DocumentParser],
    *,
    on_event: Callable[[Event], None],
    stop: Signal,
) -> bool:
    """Make the vectors that a model lacks, of texts that wait for it and of files; False where it was stopped.

    What cannot be read now is left out. The caller holds the indexer lock. Raises ModelError where the model fails on a
    text.
    """

    def encoded(texts: Sequence[str]) -> NDArray[np.float32]:
        with faults_told(model.name):
            return encoder.encode_passages(texts)

    model_id = model.id
    on_event(Preparing(what=f"building the vectors of {model.name}"))
    _work_off(conn, model, encoder, stop)
    gaps = [_gap(conn, model_id, each) for each in sorted(documents_with_gaps(conn, model_id))]
    meter = ProgressMeter(len(gaps), sum(gap.size for gap in gaps), on_event)
    embedder = Embedder(encoded, stop)
    writer = Writer(conn, model_id)
    parser = new_parser()
    try:
        for group in _groups(gaps):
            texts: dict[bytes, str] = {}
            for gap in group:
                if stop.is_set():
                    return False
                texts |= _texts(gap, parser, encoder)
            wanted = {digest for gap in group for digest in gap.passages.values()}
            ready = writer.known_vectors(wanted)
            for step in embedder.embed({each: texts[each] for each in texts.keys() & wanted - ready.keys()}):
                ready.update(step)
                meter.passages_done(len(step), group[-1].path)
            _write(conn, model_id, group, ready)
            for gap in group:
                meter.file_done(gap.path, gap.size)
    finally:
        parser.close()
    return not stop.is_set()


def _work_off(conn: apsw.Connection, model: models.StoredModel, encoder: PassageEncoder, stop: Signal) -> None:
    """Embed the texts that wait for a model; one on which it fails goes on waiting."""
    with suppress(ModelError):
        EmbeddingQueue(conn, lambda: encoder, lambda _: None, model).work(stop)


def _gap(conn: apsw.Connection, model_id: int, document_id: int) -> _Gap:
    ((folder, path, size),) = conn.execute(
        """SELECT folder.path, document.path, size FROM document JOIN folder ON folder.id = folder_id
        WHERE document.id = ?""",
        (document_id,),
    )
    return _Gap(os.path.join(folder, path), size, gaps_of(conn, model_id, document_id))


def _groups(gaps: Sequence[_Gap]) -> Iterator[list[_Gap]]:
    """Yield documents that are embedded and written together: of `AT_ONCE` passages at most, a longer one alone."""
    group: list[_Gap] = []
    passages = 0
    for gap in gaps:
        if group and passages + len(gap.passages) > AT_ONCE:
            yield group
            group, passages = [], 0
        group.append(gap)
        passages += len(gap.passages)
    if group:
        yield group


def _texts(gap: _Gap, parser: DocumentParser, encoder: PassageEncoder) -> dict[bytes, str]:
    """Return the texts of a document as the encoder is to see them, by hash; none where it cannot be read now."""
    how = cutting(encoder)
    try:
        document = parser.read(gap.path) if how is None else parser.read(gap.path, None, how)
    except SourceError as error:
        log.info("left for the sync: %r: %s", gap.path, error.reason)
        return {}
    return {passage.hash: passage.embedded for passage in passages_of(document, encoder)}


def _write(conn: apsw.Connection, model_id: int, group: Sequence[_Gap], ready: Mapping[bytes, Vector]) -> None:
    rows = {each: ready[digest] for gap in group for each, digest in gap.passages.items() if digest in ready}
    if rows:
        with transaction(conn):
            vector_tables.put(conn, model_id, list(rows), np.stack(list(rows.values())))
            change_log.record_vectors(conn, model_id, rows)
            change_log.prune(conn)
