"""A connection to a library file, which answers what a search asks: each question by the module that knows how."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.embedding.token_pooling import Codes
    from engine.records import FusionConstants, Mark, Scope
    from engine.store.allowed import Allowed
    from engine.store.bm25 import KeywordScore
    from engine.store.documents import HydratedRow
    from engine.store.fulltext import Statistics
    from engine.store.late_vectors import LateModel
    from engine.store.models import StoredModel
    from engine.store.phrase import Phrase

WHOLE_TEXT = 2**28  # code points: as many as SQLite stores in one value


class LibraryConnection(apsw.Connection):
    """A connection to a library file; what its questions are stands in `store_connection`.

    `file` tells the file that was opened from any that takes its place, by device and inode. `immutable` says that it
    could only be opened as one that never changes. The modules that answer are loaded with the first question.
    """

    path: Path
    file: tuple[int, int] = (0, 0)
    immutable: bool = False
    distant: bool = False
    waited: float = 0.0

    def heed(self, given_up: Callable[[], bool] | None) -> None:
        """Let no statement begin once that says so, as `interrupt` ends the one that runs; 1 µs a statement."""

        def begins(_cursor: apsw.Cursor, _statement: str, _values: object) -> bool:
            if given_up is not None and given_up():
                raise apsw.InterruptError("interrupted")
            return True

        self.exec_trace = begins if given_up is not None else None

    def was_interrupted(self, error: Exception) -> bool:
        """Tell whether an error says that a statement was ended by `interrupt`."""
        return isinstance(error, apsw.InterruptError)

    # --- words ------------------------------------------------------------------------------------------------------

    def statistics(self) -> Statistics:
        """Return how many passages there are, and how many tokens they have."""
        from engine.store import fulltext

        return fulltext.statistics(self)

    def words_version(self) -> tuple[object, ...]:
        """Return what is another after every change of a text, a title, a path or a tag."""
        from engine.store import fulltext

        return fulltext.index_version(self)

    def document_frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """Return for each term the number of passages that hold it, 0 where none does."""
        from engine.store import fulltext

        return fulltext.document_frequencies(self, terms)

    def vocabulary_has(self, prefix: str) -> bool:
        """Tell whether any term begins so."""
        return bool(self.terms_beginning(prefix, 1))

    def terms_beginning(self, prefix: str, most: int) -> list[str]:
        """Return the first `most` terms that begin so, in order."""
        from engine.store import word_reads

        return word_reads.terms_beginning(self, prefix, most)

    def terms_holding(self, part: str, longer: int, most: int) -> tuple[str, ...]:
        """Return the words, longer than `part` by so many letters, that hold it, those of most passages first."""
        from engine.store import fulltext

        return fulltext.terms_holding(self, part, longer, most)

    def vocabulary(self) -> dict[str, int]:
        """Return every term with the number of passages that hold it."""
        from engine.store import word_reads

        return word_reads.vocabulary(self)

    def phrase_frequency(self, phrase: Phrase) -> int:
        """Return the number of passages that match a phrase."""
        from engine.store import fulltext

        return fulltext.phrase_frequency(self, phrase)

    def holders(self, phrase: Phrase) -> list[tuple[int, int]]:
        """Return the passages that match a phrase, ascending, each with its document; asked where they are few."""
        from engine.store import word_reads

        return word_reads.holders(self, phrase)

    def postings(self, phrase: Phrase) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the passages (n,) that match a phrase, ascending, and the positive bm25 (n,) that it gives each."""
        from engine.store import word_reads

        return word_reads.postings(self, phrase)

    def best_by_words(
        self, groups: Sequence[Sequence[Phrase]], allowed: Allowed, depth: int
    ) -> list[tuple[int, float]]:
        """Return the best `depth` of the passages that match a phrase of each group, best first, equal ones by id."""
        from engine.store import word_reads

        return word_reads.best_by_words(self, groups, allowed, depth)

    def bm25_parts(
        self, passage_ids: Sequence[int], phrases: Sequence[Phrase], holding: Sequence[int]
    ) -> dict[int, KeywordScore]:
        """Return for each passage its bm25 for these phrases, in parts; `holding` is how many passages match each."""
        from engine.store import bm25, fulltext

        return bm25.bm25_parts(self, passage_ids, phrases, fulltext.COLUMN_WEIGHTS, holding)

    def titled(self, words: Sequence[str], most: int) -> list[tuple[int, str]]:
        """Return the first passages of what has a title or an alias that begins so, and those, a line each."""
        from engine.store import word_reads

        return word_reads.titled(self, words, most)

    def texts_holding(self, groups: Sequence[Sequence[Phrase]], most: int) -> list[tuple[str, str]]:
        """Return text and kind of the first `most` passages, by id, that match a phrase of each group."""
        from engine.store import word_reads

        return word_reads.texts_holding(self, groups, most)

    def borders(self, tails: Sequence[Phrase], head: Phrase, most: int) -> list[tuple[int, str, int, str, str]]:
        """Return pairs of passages in a row of which the second matches one of `tails` and the first `head`."""
        from engine.store import word_reads

        return word_reads.borders(self, tails, head, most)

    def short_between(
        self, begun: Sequence[Phrase], head: Phrase, longest: int, most: int
    ) -> list[tuple[int, str, int, str, int, str, str]]:
        """Return three passages in a row: the middle one matches one of `begun` and is short, the first `head`."""
        from engine.store import word_reads

        return word_reads.short_between(self, begun, head, longest, most)

    # --- filters ----------------------------------------------------------------------------------------------------

    def allowed_ids(self, allowed: Allowed) -> NDArray[np.int64]:
        """Return the passages that are allowed."""
        from engine.store import candidate_reads

        return candidate_reads.allowed_ids(self, allowed)

    def let_through(self, passage_ids: NDArray[np.int64], allowed: Allowed) -> NDArray[np.int64]:
        """Return those of a few passages (n,) that are allowed, ascending."""
        from engine.store import candidate_reads

        return candidate_reads.let_through(self, passage_ids, allowed)

    def count_holding(self, phrase: Phrase, allowed: Allowed) -> int:
        """Return how many of the allowed passages match a phrase."""
        from engine.store import candidate_reads

        return candidate_reads.count_holding(self, phrase, allowed)

    def hidden_documents(self, scope: Scope) -> tuple[int, ...]:
        """Return the documents that lie outside a scope."""
        from engine.store import candidate_reads

        return candidate_reads.hidden_documents(self, scope)

    def in_scope(self, document_id: int, scope: Scope) -> bool:
        """Return whether a document is there and lies in a scope."""
        from engine.store import candidate_reads

        return candidate_reads.in_scope(self, document_id, scope)

    # --- candidates -------------------------------------------------------------------------------------------------

    def places(self, passage_ids: Sequence[int]) -> list[tuple[int, int, int]]:
        """Return each passage with its document and the entry in it, 0 where there is none."""
        from engine.store import candidate_reads

        return candidate_reads.places(self, passage_ids)

    def held_back_among(self, passage_ids: Sequence[int]) -> list[int]:
        """Return which of these passages are data, which are found by words alone."""
        from engine.store import passage_counts

        return passage_counts.held_back_among(self, passage_ids)

    def texts_of_many_bytes(self, passage_ids: Sequence[int], ratio: float) -> list[tuple[int, str]]:
        """Return the passages, with their texts, that have more than so many bytes a code point."""
        from engine.store import word_reads

        return word_reads.texts_of_many_bytes(self, passage_ids, ratio)

    def around(self, passage_ids: Sequence[int], reach: int) -> list[tuple[int, int]]:
        """Return for each passage those that stand at most `reach` before or behind it, itself among them."""
        from engine.store import candidate_reads

        return candidate_reads.around(self, passage_ids, reach)

    def newest(self, allowed: Allowed, limit: int) -> list[tuple[int, int, int]]:
        """Return documents of latest date by their first allowed passage, with the document and the entry or 0."""
        from engine.store import candidate_reads

        return candidate_reads.newest(self, allowed, limit)

    def documents_by_date(self) -> list[int]:
        """Return all documents, newest first."""
        from engine.store import candidate_reads

        return candidate_reads.documents_by_date(self)

    def passages_in(self, documents: Sequence[int]) -> int:
        """Return how many passages these documents have."""
        from engine.store import candidate_reads

        return candidate_reads.passages_in(self, documents)

    def holding_signs(
        self, signs: Sequence[str], allowed: Allowed, documents: Sequence[int]
    ) -> list[tuple[int, int, int]]:
        """Return the first passages of these documents that hold all signs in text, title or path, as `newest` does."""
        from engine.store import candidate_reads

        return candidate_reads.holding_signs(self, signs, allowed, documents)

    # --- rows -------------------------------------------------------------------------------------------------------

    def rows_for(self, passage_ids: Iterable[int], most: int = WHOLE_TEXT) -> dict[int, HydratedRow]:
        """Return what is shown of these passages, by id; of their texts the first `most` code points."""
        from engine.store import documents

        return documents.rows_for(self, passage_ids, most)

    def passages_of(self, document_id: int) -> list[HydratedRow]:
        """Return all passages of a document in order."""
        from engine.store import documents

        return documents.passages_of(self, document_id)

    def passage_texts(self, document_id: int) -> list[tuple[int, str]]:
        """Return the passages of a document in order, with their texts."""
        from engine.store import row_reads

        return row_reads.passage_texts(self, document_id)

    def document_id_at(self, absolute: bytes) -> int | None:
        """Return the document at an absolute path, None where there is none."""
        from engine.store import documents

        return documents.document_id_at(self, absolute)

    def paths_of(self, passage_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the absolute path of each passage's document."""
        from engine.store import row_reads

        return row_reads.paths_of(self, passage_ids)

    def passage_hashes(self, passage_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the hash of each passage, by which marks know it."""
        from engine.store import browse_queries

        return browse_queries.passage_hashes(self, passage_ids)

    def passages_with_hashes(self, hashes: Collection[bytes]) -> list[tuple[int, bytes]]:
        """Return the passages that have one of these hashes, with it, in order of passage."""
        from engine.store import row_reads

        return row_reads.passages_with_hashes(self, hashes)

    def folder_paths(self) -> tuple[tuple[int, bytes], ...]:
        """Return the folders with their absolute paths."""
        from engine.store import row_reads

        return row_reads.folder_paths(self)

    # --- models, vectors, what waits --------------------------------------------------------------------------------

    def active_model(self) -> StoredModel | None:
        """Return the model that searches use, None where there is none yet."""
        from engine.store import models

        return models.active(self)

    def figure(self, model_id: int, name: str) -> object:
        """Return one figure that was computed for a model here, None where there is none."""
        from engine.store import models

        return models.figure(self, model_id, name)

    def vectors_of(self, model_id: int, passage_ids: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the unit vectors of these passages as ids (n,), ascending, and (n, dimension)."""
        from engine.store import vector_tables

        return vector_tables.vectors_of(self, model_id, passage_ids)

    def fusion_constants(self) -> FusionConstants:
        """Return the constants that searches go by: those that were fitted and taken into use, else the defaults."""
        from engine.store import fitted_constants

        return fitted_constants.in_use(self)

    def late_model(self) -> LateModel | None:
        """Return the late model of the library, on or off; None where it has none."""
        from engine.store import late_vectors

        return late_vectors.stored(self)

    def late_codes(self, late: LateModel, passage_ids: Sequence[int]) -> dict[int, Codes]:
        """Return the pooled token vectors of these passages, as far as the late model has them."""
        from engine.store import late_vectors

        return late_vectors.read(self, late, passage_ids)

    def embedded_share(self) -> float:
        """Return the share of the texts that have a vector, 0 to 1; data, which needs none, is left out."""
        from engine.store import row_reads

        return row_reads.embedded_share(self)

    def awaited_texts(self, passage_ids: Sequence[int]) -> dict[bytes, str]:
        """Return the texts that the encoder is to see of those of these passages that wait, by hash, in their order."""
        from engine.store import row_reads

        return row_reads.awaited_texts(self, passage_ids)

    def held_back(self, document_id: int) -> int:
        """Return how many passages of a document are data."""
        from engine.store import passage_counts

        return passage_counts.held_back(self, document_id)

    def change_latest(self) -> int:
        """Return the number of the newest change."""
        from engine.store import change_log

        return change_log.latest(self)

    def change_reaches(self, sequence: int) -> bool:
        """Tell whether all that followed a change is still known."""
        from engine.store import change_log

        return change_log.reaches(self, sequence)

    def replaced(self, sequence: int) -> set[int]:
        """Return the passages that went, or hold other text, since a change."""
        from engine.store import change_log

        return change_log.replaced(self, sequence)

    # --- marks ------------------------------------------------------------------------------------------------------

    def marks_stamp(self) -> tuple[int, int]:
        """Return what is another after every change of the marks."""
        from engine.store import judgements

        return judgements.stamp(self)

    def marks(self, query: str | None = None) -> tuple[Mark, ...]:
        """Return all marks, or those of a query, newest first."""
        from engine.store import judgements

        return judgements.every(self) if query is None else judgements.of_query(self, query)

    def query_vectors(self, model_id: int, queries: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Return the unit vectors that are kept of these queries, by their texts."""
        from engine.store import judgements

        return judgements.vectors(self, model_id, queries)

    def put_marks(self, marks: Sequence[Mark]) -> None:
        """Keep marks; a new one takes the place of an older one, but opening never that of a mark."""
        from engine.store import judgements

        judgements.put(self, marks)

    def remove_mark(self, query: str, passage_hash: bytes) -> bool:
        """Take a mark back; False where there was none."""
        from engine.store import judgements

        return judgements.remove(self, query, passage_hash)

    def empty_marks(self) -> int:
        """Forget all of the reader's marks, and return how many there were."""
        from engine.store import judgements

        return judgements.empty(self)

    def keep_query_vectors(self, model_id: int, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep the unit vectors that a model gave to queries."""
        from engine.store import judgements

        judgements.keep_vectors(self, model_id, vectors)
