"""A connection to a team's library: every question of a search, answered from one state of it (`snapshot`)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from engine.store.documents import WHOLE_TEXT
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

    from engine.records import Mark, Scope
    from engine.store.allowed import Allowed
    from engine.store.bm25 import KeywordScore
    from engine.store.documents import HydratedRow
    from engine.store.fulltext import Statistics
    from engine.store.models import StoredModel
    from engine.store.phrase import Phrase
    from engine.team.change_numbers import ChangeNumbers
    from engine.team.snapshot import Snapshot

    Ids = NDArray[np.int64]
    Scores = NDArray[np.float64]
    Matrix = NDArray[np.float32]

CANCEL_SECONDS = 3.0  # for the server to hear that a statement is to end


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

    def ahead_of_legs(
        self,
        asked: Sequence[Sequence[Sequence[Phrase]]],
        query: NDArray[np.float32] | None,
        among: Sequence[Allowed],
        depth: int,
        deepest: int,
    ) -> None:
        """Bring what `best_by_words` gives for each of `asked`, and the passages nearest to a unit vector."""
        questions_ahead.of_legs(self.snapshot, asked, query, among, depth, deepest)

    def ahead_of_judging(
        self,
        first: Sequence[int],
        judged: Sequence[int],
        reach: int,
        phrases: Sequence[Phrase],
        shown: Sequence[int],
        most: int,
    ) -> None:
        """Bring what stands around the `first` passages, the words of those and the `judged`, and rows `shown`."""
        questions_ahead.of_judging(self.snapshot, first, judged, reach, phrases, shown, most)

    def soon_nearest(self, near: Sequence[tuple[Sequence[str], str]], most: int) -> None:
        """Bring, with what is asked next, the counts of terms and the first `most` terms that have a beginning."""
        self.snapshot.ask_soon(team_words.counting_each(self.snapshot, (terms for terms, _ in near)))
        self.snapshot.ask_soon(team_words.beginning(beginning, most) for _, beginning in near if beginning)

    def soon_texts(self, asked: Sequence[Sequence[Sequence[Phrase]]], most: int) -> None:
        """Bring, with what is asked next, what `texts_holding` gives for each of `asked`."""
        self.snapshot.ask_soon(team_texts.reading_texts(groups, most) for groups in asked)

    def ahead_of_rows(self, passage_ids: Sequence[int], phrases: Sequence[Phrase], most: int) -> None:
        """Bring what is shown of passages, the first `most` code points of their texts, and their words."""
        questions_ahead.of_rows(self.snapshot, passage_ids, phrases, most)

    # --- words --------------------------------------------------------------------------------------------------------

    def statistics(self) -> Statistics:
        """Return how many passages there are, and how many tokens they have."""
        return self.snapshot.statistics

    def words_version(self) -> tuple[object, ...]:
        """Return what is another after every change of a text, a title, a path or a tag."""
        return self.snapshot.library, *((each.folder, each.version) for each in self.snapshot.folders)

    def document_frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """Return for each term the number of passages that hold it, 0 where none does."""
        return team_words.document_frequencies(self.snapshot, terms)

    def vocabulary_has(self, prefix: str) -> bool:
        """Tell whether any term begins so."""
        return team_words.vocabulary_has(self.snapshot, prefix)

    def terms_beginning(self, prefix: str, most: int) -> list[str]:
        """Return the first `most` terms that begin so, in order."""
        return team_words.terms_beginning(self.snapshot, prefix, most)

    def terms_holding(self, part: str, longer: int, most: int) -> tuple[str, ...]:
        """Return the words, longer than `part` by so many letters, that hold it, those of most passages first."""
        return team_words.terms_holding(self.snapshot, part, longer, most)

    def phrase_frequency(self, phrase: Phrase) -> int:
        """Return the number of passages that match a phrase."""
        return team_words.phrase_frequency(self.snapshot, phrase)

    def holders(self, phrase: Phrase) -> list[tuple[int, int]]:
        """Return the passages that match a phrase, ascending, each with its document; asked where they are few."""
        return team_words.holders(self.snapshot, phrase)

    def postings(self, phrase: Phrase) -> tuple[Ids, Scores]:
        """Return the passages (n,) that match a phrase, ascending, and the positive bm25 (n,) that it gives each."""
        return team_words.postings(self.snapshot, phrase)

    def best_by_words(
        self, groups: Sequence[Sequence[Phrase]], allowed: Allowed, depth: int
    ) -> list[tuple[int, float]]:
        """Return the best `depth` of the passages that match a phrase of each group, best first, equal ones by id."""
        return team_words.best_by_words(self.snapshot, groups, allowed, depth)

    def has_brought(self, phrase: Phrase, allowed: Allowed) -> bool:
        """Whether all postings of a phrase are here, so that to rank by it costs the server nothing."""
        return team_words.has_brought(self.snapshot, phrase, allowed)

    def bm25_parts(
        self, passage_ids: Sequence[int], phrases: Sequence[Phrase], holding: Sequence[int]
    ) -> dict[int, KeywordScore]:
        """Return for each passage its bm25 for these phrases, in parts; `holding` is how many passages match each."""
        return phrase_scores.bm25_parts(self.snapshot, passage_ids, phrases, holding)

    def titled(self, words: Sequence[str], most: int) -> list[tuple[int, str]]:
        """Return the first passages of what has a title or an alias that begins so, and those, a line each."""
        return team_texts.titled(self.snapshot, words, most)

    def texts_holding(self, groups: Sequence[Sequence[Phrase]], most: int) -> list[tuple[str, str]]:
        """Return text and kind of the first `most` passages, by id, that match a phrase of each group."""
        return team_texts.texts_holding(self.snapshot, groups, most)

    def borders(self, tails: Sequence[Phrase], head: Phrase, most: int) -> list[tuple[int, str, int, str, str]]:
        """Return pairs of passages in a row of which the second matches one of `tails` and the first `head`."""
        return team_texts.borders(self.snapshot, tails, head, most)

    def short_between(
        self, begun: Sequence[Phrase], head: Phrase, longest: int, most: int
    ) -> list[tuple[int, str, int, str, int, str, str]]:
        """Return three passages in a row: the middle one matches one of `begun` and is short, the first `head`."""
        return team_texts.short_between(self.snapshot, begun, head, longest, most)

    # --- filters ------------------------------------------------------------------------------------------------------

    def allowed_ids(self, allowed: Allowed) -> Ids:
        """Return the passages that are allowed."""
        return team_filters.allowed_ids(self.snapshot, allowed)

    def let_through(self, passage_ids: Ids, allowed: Allowed) -> Ids:
        """Return those of a few passages (n,) that are allowed, ascending."""
        return team_filters.let_through(self.snapshot, passage_ids, allowed)

    def count_holding(self, phrase: Phrase, allowed: Allowed) -> int:
        """Return how many of the allowed passages match a phrase."""
        return team_words.count_holding(self.snapshot, phrase, allowed)

    def hidden_documents(self, scope: Scope) -> tuple[int, ...]:
        """Return the documents that lie outside a scope."""
        return team_filters.hidden_documents(self.snapshot, scope)

    def in_scope(self, document_id: int, scope: Scope) -> bool:
        """Return whether a document is there and lies in a scope."""
        return team_filters.in_scope(self.snapshot, document_id, scope)

    # --- candidates ---------------------------------------------------------------------------------------------------

    def places(self, passage_ids: Sequence[int]) -> list[tuple[int, int, int]]:
        """Return each passage with its document and the entry in it, 0 where there is none."""
        return team_candidates.places(self.snapshot, passage_ids)

    def held_back_among(self, passage_ids: Sequence[int]) -> list[int]:
        """Return which of these passages are data, which are found by words alone."""
        return team_candidates.held_back_among(self.snapshot, passage_ids)

    def texts_of_many_bytes(self, passage_ids: Sequence[int], ratio: float) -> list[tuple[int, str]]:
        """Return the passages, with their texts, that have more than so many bytes a code point."""
        return team_candidates.texts_of_many_bytes(self.snapshot, passage_ids, ratio)

    def around(self, passage_ids: Sequence[int], reach: int) -> list[tuple[int, int]]:
        """Return for each passage those that stand at most `reach` before or behind it, itself among them."""
        return team_candidates.around(self.snapshot, passage_ids, reach)

    def newest(self, allowed: Allowed, limit: int) -> list[tuple[int, int, int]]:
        """Return documents of latest date by their first allowed passage, with the document and the entry or 0."""
        return team_candidates.newest(self.snapshot, allowed, limit)

    def documents_by_date(self) -> list[int]:
        """Return all documents, newest first."""
        return team_candidates.documents_by_date(self.snapshot)

    def passages_in(self, documents: Sequence[int]) -> int:
        """Return how many passages these documents have."""
        return team_candidates.passages_in(self.snapshot, documents)

    def holding_signs(
        self, signs: Sequence[str], allowed: Allowed, documents: Sequence[int]
    ) -> list[tuple[int, int, int]]:
        """Return the first passages of these documents that hold all signs in text, title or path, as `newest` does."""
        return team_candidates.holding_signs(self.snapshot, signs, allowed, documents)

    # --- rows ---------------------------------------------------------------------------------------------------------

    def rows_for(self, passage_ids: Iterable[int], most: int = WHOLE_TEXT) -> dict[int, HydratedRow]:
        """Return what is shown of these passages, by id; of their texts the first `most` code points."""
        return team_rows.rows_for(self.snapshot, passage_ids, most)

    def passages_of(self, document_id: int) -> list[HydratedRow]:
        """Return all passages of a document in order."""
        return team_rows.passages_of(self.snapshot, document_id)

    def passage_texts(self, document_id: int) -> list[tuple[int, str]]:
        """Return the passages of a document in order, with their texts."""
        return team_rows.passage_texts(self.snapshot, document_id)

    def document_id_at(self, absolute: bytes) -> int | None:
        """Return the document at an absolute path, None where there is none."""
        return team_rows.document_id_at(self.snapshot, absolute)

    def paths_of(self, passage_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the absolute path of each passage's document."""
        return team_rows.paths_of(self.snapshot, passage_ids)

    def passage_hashes(self, passage_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the hash of each passage, by which marks know it."""
        return team_rows.passage_hashes(self.snapshot, passage_ids)

    def passages_with_hashes(self, hashes: Collection[bytes]) -> list[tuple[int, bytes]]:
        """Return the passages that have one of these hashes, with it, in order of passage."""
        return team_rows.passages_with_hashes(self.snapshot, hashes)

    def folder_paths(self) -> tuple[tuple[int, bytes], ...]:
        """Return the folders with their absolute paths."""
        return team_rows.folder_paths(self.snapshot)

    # --- models, vectors, what waits ----------------------------------------------------------------------------------

    def active_model(self) -> StoredModel | None:
        """Return the model that searches use, None where there is none yet."""
        return self.snapshot.model

    def figure(self, model_id: int, name: str) -> object:
        """Return one figure that was computed for a model here, None where there is none."""
        return team_models.figure(self.snapshot, model_id, name)

    def vectors_of(self, model_id: int, passage_ids: Sequence[int]) -> tuple[Ids, Matrix]:
        """Return the unit vectors of these passages as ids (n,), ascending, and (n, dimension)."""
        return team_vectors.vectors_of(self.snapshot, model_id, passage_ids, self.snapshot.dimension)

    def embedded_share(self) -> float:
        """Return the share of the texts that have a vector, 0 to 1; data, which needs none, is left out."""
        return team_models.embedded_share(self.snapshot)

    def awaited_texts(self, passage_ids: Sequence[int]) -> dict[bytes, str]:
        """Return the texts that the encoder is to see of those of these passages that wait, by hash, in their order."""
        return team_models.awaited_texts(self.snapshot, passage_ids)

    def held_back(self, document_id: int) -> int:
        """Return how many passages of a document are data."""
        return team_models.held_back(self.snapshot, document_id)

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

    def marks(self, query: str | None = None) -> tuple[Mark, ...]:
        """Return all marks, or those of a query, newest first."""
        return team_models.marks(self.snapshot, query)

    def query_vectors(self, model_id: int, queries: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Return the unit vectors that are kept of these queries, by their texts."""
        return team_models.query_vectors(self.snapshot, model_id, queries)
