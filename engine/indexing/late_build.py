"""Makes the pooled token vectors of the late model, in the background like any vectors, and keeps them current.

Only the indexer does it, in short turns when nothing else is due. What is missing is told by the rows that are not
there, so that a stop or a kill at any line costs a turn; rows of text that is gone are deleted as they are found.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import apsw

from engine.errors import CarrelError, ModelError
from engine.events import Event, Preparing
from engine.indexing.passage_encoder import faults_told
from engine.indexing.stop_signal import Signal
from engine.store import change_log
from engine.store.transactions import transaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.embedding.token_pooling import Codes, Method
    from engine.embedding.token_vectors import TokenVectors
    from engine.indexing.passage_encoder import PassageEncoder
    from engine.store.late_vectors import LateModel

log = logging.getLogger(__name__)

AT_ONCE = 16  # passages a transaction: a quarter of a second of encoding
TURN_SECONDS = 1.0  # then it is looked whether something else is due
SAMPLED = 200  # passages whose tokens are counted for an estimate
AFTER_TROUBLE_SECONDS = 60.0  # until a model that could not be used is tried again


@runtime_checkable
class TokenPassages(Protocol):
    """An encoder that gives the vectors of a passage's tokens."""

    def encode_passage_tokens(self, text: str) -> TokenVectors | None:
        """Return them; None where the model gives one vector for a whole text."""


def switch_on(conn: apsw.Connection, name: str, encoder: PassageEncoder, factor: int, method: Method) -> None:
    """Make a model the library's late model, and switch it on; its vectors are made by `LateTurns`.

    The rows that it has from before stay where model and pooling are the same. Raises ModelError where the model gives
    no token vectors.
    """
    from engine.store import late_vectors

    dimension = token_dimension(encoder)
    known = late_vectors.stored(conn)
    wanted = (name, encoder.manifest.fingerprint, factor, method)
    with transaction(conn):
        if known is not None and (known.name, known.fingerprint, known.factor, known.method) == wanted:
            late_vectors.set_state(conn, "on")
        else:
            late_vectors.create(
                conn, name=name, fingerprint=wanted[1], dimension=dimension, factor=factor, method=method
            )


def switch(conn: apsw.Connection, order: str, encoder_of: Callable[[str | None], PassageEncoder]) -> None:
    """Carry out `on FACTOR METHOD MODEL`, `off` or `remove`. Raises ModelError where the model cannot be used."""
    from engine.embedding.token_pooling import LEAST_FACTOR, METHODS, MOST_FACTOR
    from engine.store import late_vectors

    what, _, rest = order.partition(" ")
    factor, method, name = (*rest.split(" ", 2), "", "", "")[:3]
    if what == "on" and method in METHODS and factor.isdecimal() and LEAST_FACTOR <= int(factor) <= MOST_FACTOR:
        switch_on(conn, name, encoder_of(name), int(factor), "ward" if method == "ward" else "kmeans")
        return
    if what not in ("off", "remove"):
        raise ModelError(
            f"Late interaction knows no order '{order}'.", fix="Restart Carrel: an older one may be running."
        )
    with transaction(conn):
        if what == "remove":
            late_vectors.remove(conn)
        elif late_vectors.stored(conn) is not None:
            late_vectors.set_state(conn, "off")


def token_dimension(encoder: PassageEncoder) -> int:
    """Return how many components a model's token vectors have. Raises ModelError where it gives none."""
    with faults_told(encoder.manifest.id):
        found = encoder.encode_passage_tokens("a word") if isinstance(encoder, TokenPassages) else None
    if found is None or not len(found.vectors):
        raise ModelError(
            f"The model {encoder.manifest.id} cannot be used for late interaction.",
            cause="It gives one vector for a whole text, and none for the words in it.",
            fix="Choose another from `carrel models list`, such as the one that comes with Carrel.",
        )
    return int(found.vectors.shape[1])


def estimated_bytes(conn: apsw.Connection, encoder: PassageEncoder, factor: int) -> tuple[int, int]:
    """Return how many passages there are to make vectors of, and the bytes that these would take, by a sample."""
    from engine.store import late_vectors, passage_counts

    passages = passage_counts.embeddable(conn)
    step = max(1, passages // SAMPLED)
    sql = f"SELECT id FROM passage WHERE {passage_counts.WORDS} AND id % ? = 0 LIMIT ?"
    ids = [int(row[0]) for row in conn.execute(sql, (step, SAMPLED))]
    window = encoder.manifest.window
    tokens = [min(window, len(encoder.token_starts(text))) for text in texts_of(conn, ids).values()]
    dimension = token_dimension(encoder)
    return passages, round(late_vectors.bytes_told(tokens, dimension, factor) * passages / max(1, len(tokens)))


def texts_of(conn: apsw.Connection, ids: Sequence[int]) -> dict[int, str]:
    """Return the texts of passages as a late model sees them: the title, the headings, the words."""
    from engine.store.documents import rows_for

    return {
        each: "\n".join((*dict.fromkeys((row.title, *row.headings)), row.text))
        for each, row in rows_for(conn, list(ids)).items()
    }


class LateTurns:
    """The late model's vectors of one library, in its indexer's process."""

    def __init__(
        self,
        conn: apsw.Connection,
        encoder_of: Callable[[str | None], PassageEncoder],
        on_event: Callable[[Event], None],
    ) -> None:
        self._conn = conn
        self._encoder_of = encoder_of
        self._on_event = on_event
        self._current: tuple[int, LateModel | None] | None = None  # the change at which all was there, and of what
        self._told = False
        self._after = 0.0  # when it may be tried again

    @property
    def due(self) -> bool:
        """Whether passages may lack a row; a library without a late model, or with one that is off, costs a look."""
        if time.monotonic() < self._after:
            return False
        late = self._on()
        return late is not None and self._current != (change_log.latest(self._conn), late)

    def take(self, signal: Signal) -> None:
        """Make rows for a second, or until `signal` is set. Raises ModelError, and then rests for a minute."""
        from engine.store import late_vectors

        late = self._on()
        if late is None:
            return
        try:
            encoder = self._encoder(late)
        except ModelError:
            self._after = time.monotonic() + AFTER_TROUBLE_SECONDS
            raise
        ends = time.monotonic() + TURN_SECONDS
        sequence = change_log.latest(self._conn)
        for wanted in self._batches(late):
            if signal.is_set() or time.monotonic() > ends:
                return
            self._tell(late)
            rows = _rows(texts_of(self._conn, [each for each, _ in wanted]), dict(wanted), encoder, late)
            with transaction(self._conn):
                late_vectors.put(self._conn, late, rows)
        with transaction(self._conn):
            late_vectors.forget_gone(self._conn, late)
        self._current, self._told = (sequence, late), False

    def _on(self) -> LateModel | None:
        if self._conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'late_model'").get is None:
            return None
        from engine.store import late_vectors  # numpy, which an indexer without work does without

        late = late_vectors.stored(self._conn)
        return late if late is not None and late.state == "on" else None

    def _encoder(self, late: LateModel) -> PassageEncoder:
        try:
            encoder = self._encoder_of(late.name)
        except ModelError as error:
            fix = f"`carrel late on {late.name}` fetches it, and `carrel late off` does without it."
            raise ModelError(error.message, cause=error.cause, fix=fix) from error
        if encoder.manifest.fingerprint != late.fingerprint:
            raise ModelError(
                f"The late model {late.name} is not the one that made the library's token vectors.",
                fix=f"Make them anew with `carrel late on {late.name}`.",
            )
        token_dimension(encoder)
        return encoder

    def _batches(self, late: LateModel) -> Iterator[list[tuple[int, bytes]]]:
        from engine.store import late_vectors

        while wanted := late_vectors.missing(self._conn, late, AT_ONCE):
            yield wanted

    def _tell(self, late: LateModel) -> None:
        if not self._told:
            self._told = True
            self._on_event(Preparing(what=f"making token vectors with {late.name} for late interaction"))


def _rows(
    texts: dict[int, str], hashes: dict[int, bytes], encoder: PassageEncoder, late: LateModel
) -> dict[int, tuple[bytes, Codes]]:
    """Return the rows of passages; one that gives no token at all has a row of one zero vector.

    So has one on which the model fails.
    """
    import numpy as np

    from engine.embedding.token_pooling import encoded, pool

    rows = {}
    for each, digest in hashes.items():
        assert isinstance(encoder, TokenPassages)  # asked when its dimension was
        try:
            found = encoder.encode_passage_tokens(texts.get(each, ""))
        except CarrelError:
            raise
        except Exception:  # whatever runs the model raises; the others are not to wait for this one
            log.warning("%s gives passage %d no token vectors", late.name, each, exc_info=True)
            found = None
        vectors = (
            found.vectors if found is not None and len(found.vectors) else np.zeros((1, late.dimension), np.float32)
        )
        rows[each] = digest, encoded(pool(vectors, late.factor, late.method))
    return rows
