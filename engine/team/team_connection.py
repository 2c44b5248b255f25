"""A connection to a team's library: every question of a search, answered from one state of it (`snapshot`)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from engine.team import (
    phrase_scores,
    questions_ahead,
    team_candidates,
    team_filters,
    team_models,
    team_rows,
    team_texts,
    team_vectors,
    team_words,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.store.fulltext import Statistics
    from engine.store.models import StoredModel
    from engine.store.phrase import Phrase
    from engine.team.change_numbers import ChangeNumbers
    from engine.team.snapshot import Snapshot

    Ids = NDArray[np.int64]
    Scores = NDArray[np.float64]
    Matrix = NDArray[np.float32]

CANCEL_SECONDS = 3.0  # for the server to hear that a statement is to end


_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")


def _of(
    question: Callable[Concatenate[Snapshot, _Given], _Answer],
) -> Callable[Concatenate[TeamConnection, _Given], _Answer]:
    """Return a method that asks the connection's snapshot; its words stand with the question."""

    @wraps(question)
    def answer(connection: TeamConnection, /, *args: _Given.args, **kwargs: _Given.kwargs) -> _Answer:
        return question(connection.snapshot, *args, **kwargs)

    return answer


class TeamConnection:
    """Answers as `engine.store.store_connection.StoreConnection` says; what is hidden from the person is not there."""

    distant = True

    def __init__(self, snapshot: Snapshot, numbers: ChangeNumbers) -> None:
        self.snapshot = snapshot
        self.interrupted = False
        self._numbers = numbers
        number = UUID(snapshot.library).int
        self.file = number >> 64, number & (2**64 - 1)

    @property
    def waited(self) -> float:
        """Seconds that were waited for the server so far."""
        return self.snapshot.waited

    def interrupt(self) -> None:
        """End the statement that runs now; the caller waits for nothing."""
        self.interrupted = True
        threading.Thread(target=self._cancel, daemon=True, name="carrel-cancel").start()

    def _cancel(self) -> None:
        with suppress(Exception):  # the connection may have ended meanwhile
            self.snapshot.conn.cancel_safe(timeout=CANCEL_SECONDS)

    def heed(self, given_up: Callable[[], bool] | None) -> None:
        """Nothing: what is asked of a server comes together, three or four times a search, and each is interrupted."""

    def was_interrupted(self, error: Exception) -> bool:
        """Tell whether an error says that a statement was ended by `interrupt`."""
        return self.interrupted and getattr(error, "sqlstate", None) == "57014"

    # --- what is about to be asked -----------------------------------------------------------------------------------

    ahead_of_legs = _of(questions_ahead.of_legs)
    ahead_of_judging = _of(questions_ahead.of_judging)

    def soon_nearest(self, near: Sequence[tuple[Sequence[str], str]], most: int) -> None:
        """Bring, with what is asked next, the counts of terms and the first `most` terms that have a beginning."""
        self.snapshot.ask_soon(team_words.counting_each(self.snapshot, (terms for terms, _ in near)))
        self.snapshot.ask_soon(team_words.beginning(beginning, most) for _, beginning in near if beginning)

    def soon_texts(self, asked: Sequence[Sequence[Sequence[Phrase]]], most: int) -> None:
        """Bring, with what is asked next, what `texts_holding` gives for each of `asked`."""
        self.snapshot.ask_soon(team_texts.reading_texts(groups, most) for groups in asked)

    ahead_of_rows = _of(questions_ahead.of_rows)

    # --- words --------------------------------------------------------------------------------------------------------

    def statistics(self) -> Statistics:
        """Return how many passages there are, and how many tokens they have."""
        return self.snapshot.statistics

    def words_version(self) -> tuple[object, ...]:
        """Return what is another after every change of a text, a title, a path or a tag."""
        return self.snapshot.library, *((each.folder, each.version) for each in self.snapshot.folders)

    document_frequencies = _of(team_words.document_frequencies)
    vocabulary_has = _of(team_words.vocabulary_has)
    terms_beginning = _of(team_words.terms_beginning)
    terms_holding = _of(team_words.terms_holding)
    phrase_frequency = _of(team_words.phrase_frequency)
    holders = _of(team_words.holders)
    postings = _of(team_words.postings)
    best_by_words = _of(team_words.best_by_words)
    has_brought = _of(team_words.has_brought)
    bm25_parts = _of(phrase_scores.bm25_parts)
    titled = _of(team_texts.titled)
    texts_holding = _of(team_texts.texts_holding)
    borders = _of(team_texts.borders)
    short_between = _of(team_texts.short_between)

    # --- filters ------------------------------------------------------------------------------------------------------

    allowed_ids = _of(team_filters.allowed_ids)
    let_through = _of(team_filters.let_through)
    count_holding = _of(team_words.count_holding)
    hidden_documents = _of(team_filters.hidden_documents)
    in_scope = _of(team_filters.in_scope)

    # --- candidates ---------------------------------------------------------------------------------------------------

    places = _of(team_candidates.places)
    held_back_among = _of(team_candidates.held_back_among)
    texts_of_many_bytes = _of(team_candidates.texts_of_many_bytes)
    around = _of(team_candidates.around)
    newest = _of(team_candidates.newest)
    documents_by_date = _of(team_candidates.documents_by_date)
    passages_in = _of(team_candidates.passages_in)
    holding_signs = _of(team_candidates.holding_signs)

    # --- rows ---------------------------------------------------------------------------------------------------------

    rows_for = _of(team_rows.rows_for)
    passages_of = _of(team_rows.passages_of)
    passage_texts = _of(team_rows.passage_texts)
    document_id_at = _of(team_rows.document_id_at)
    paths_of = _of(team_rows.paths_of)
    passage_hashes = _of(team_rows.passage_hashes)
    passages_with_hashes = _of(team_rows.passages_with_hashes)
    folder_paths = _of(team_rows.folder_paths)

    # --- models, vectors, what waits ----------------------------------------------------------------------------------

    def active_model(self) -> StoredModel | None:
        """Return the model that searches use, None where there is none yet."""
        return self.snapshot.model

    figure = _of(team_models.figure)

    def vectors_of(self, model_id: int, passage_ids: Sequence[int]) -> tuple[Ids, Matrix]:
        """Return the unit vectors of these passages as ids (n,), ascending, and (n, dimension)."""
        return team_vectors.vectors_of(self.snapshot, model_id, passage_ids, self.snapshot.dimension)

    embedded_share = _of(team_models.embedded_share)
    awaited_texts = _of(team_models.awaited_texts)
    held_back = _of(team_models.held_back)

    def change_latest(self) -> int:
        """Return the number of the newest change."""
        return self._numbers.of(self.snapshot.state)

    def change_reaches(self, sequence: int) -> bool:
        """Tell whether all that followed a change is still known."""
        return self._numbers.reaches(sequence, self.snapshot)

    def replaced(self, sequence: int) -> set[int]:
        """Return the passages that went, or hold other text, since a change."""
        return self._numbers.replaced(sequence, self.snapshot)

    # --- marks --------------------------------------------------------------------------------------------------------

    def marks_stamp(self) -> tuple[int, int]:
        """Return what is another after every change of the marks."""
        return self.snapshot.marks_stamp

    marks = _of(team_models.marks)
    query_vectors = _of(team_models.query_vectors)
