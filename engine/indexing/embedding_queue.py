"""Embeds the texts that wait for their vector, in the order in which a person needs them.

What was asked for comes first, then what changed last. Each step takes the next texts anew, so that what comes
meanwhile is not kept waiting, and is committed by itself: a stop or a death costs no more than one step. A step is
broken off between two texts where something more urgent comes, as a saved note. A text on which the model fails keeps
no other from its vector.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import apsw

from engine.errors import (
    CarrelError,
    LibraryBusy,
    LibraryDamaged,
    LibraryFull,
    LibraryMissing,
    LibraryReadOnly,
    ModelError,
)
from engine.events import Committed, Event
from engine.indexing.passage_encoder import Embedder, GaveWay, LazyEncoder, broken_off_by, refuse_other
from engine.indexing.stop_signal import Signal
from engine.indexing.survey import scopes
from engine.indexing.sync_progress import MeaningMeter
from engine.store import change_log, models, passage_counts, pending_vectors
from engine.store.documents import known_files
from engine.store.transactions import transaction
from engine.watching.watched_roots import watched

if TYPE_CHECKING:
    from engine.indexing.passage_encoder import PassageEncoder


# What ends a step though no text is at fault; a vector that SQLite refuses is a plain LibraryError.
NO_TEXTS_FAULT = (apsw.Error, LibraryBusy, LibraryDamaged, LibraryFull, LibraryMissing, LibraryReadOnly)


class EmbeddingQueue:
    """Works through the texts that wait in one library, whose lock the caller holds.

    They wait for the active model, unless a `model` is given that follows the library beside it. `encoder` is called
    when there is something to embed, and gives that model's.
    """

    def __init__(
        self,
        conn: apsw.Connection,
        encoder: Callable[[], PassageEncoder],
        on_event: Callable[[Event], None],
        model: models.StoredModel | None = None,
    ) -> None:
        self._conn = conn
        self._make = encoder
        self._model = model
        self._waiting_for = None if model is None else model.id
        self._on_event = on_event
        self._meter = MeaningMeter(on_event)
        self._size = 0

    def work(self, stop: Signal, seconds: float = math.inf, *, asked: bool = False) -> int:
        """Embed until nothing waits, `stop` is set, or so much time has passed; return how many texts were.

        Only what was `asked` for is, if so wanted. Raises ModelError where the model cannot be used; what is found by
        words stays so. A text on which the model fails waits behind the others from then on.
        """
        model = self._model or models.active(self._conn)
        if model is None or not pending_vectors.any_wait(self._conn, model_id=self._waiting_for):
            return 0
        encoder = LazyEncoder(self._make, refuse_other(model.fingerprint))
        embedder = Embedder(lambda texts: encoder.get().encode_passages(texts), stop)
        embedder.size = self._size or embedder.size
        done, until = 0, time.monotonic() + seconds
        texts_in_all = passage_counts.embeddable_texts(self._conn)
        self._meter.resume()
        while not stop.is_set() and time.monotonic() < until:
            texts = pending_vectors.next_batch(self._conn, embedder.size, asked=asked, model_id=self._waiting_for)
            if not texts:
                break
            with broken_off_by(stop, encoder.get()):
                try:
                    vectors = dict(embedder.step(list(texts.items())))
                    with transaction(self._conn):
                        pending_vectors.settle(self._conn, model.id, vectors)
                        change_log.prune(self._conn)
                except GaveWay:
                    break
                except NO_TEXTS_FAULT:
                    raise
                except Exception as error:
                    self._put_last(texts)
                    if len(texts) == 1:
                        raise _fault_of(error) from error
                    embedder.size = 1  # one of them is at fault, and the others come to their vectors
                    continue
            done += len(vectors)
            waiting = pending_vectors.count(self._conn, model_id=self._waiting_for)
            self._meter.embedded(len(vectors), waiting, texts_in_all)
            self._on_event(Committed(documents=0, passages=len(vectors)))
        self._size = embedder.size
        return done

    def _put_last(self, texts: Iterable[bytes]) -> None:
        with transaction(self._conn):
            pending_vectors.put_last(self._conn, texts, self._waiting_for)


def _fault_of(error: Exception) -> CarrelError:
    """Return the error that says that the model failed on a text."""
    if isinstance(error, CarrelError):
        return error
    return ModelError(
        "The model could not embed a text; all others come before it now.",
        cause=f"{type(error).__name__}: {str(error)[:200]}.",
        fix="It is found by its words. Another model may read it: `carrel models`.",
    )


def ask_for_paths(conn: apsw.Connection, paths: Sequence[bytes]) -> None:
    """Have what waits at or below absolute paths embedded before the rest; one small write, which any process may make.

    Raises PathError where a path lies in no watched folder.
    """
    inside = [known_files(conn, folder.id, prefixes) for folder, prefixes in scopes(watched(conn), paths)]
    with transaction(conn):
        pending_vectors.ask_for_documents(conn, [known.id for files in inside for known in files.values()])
