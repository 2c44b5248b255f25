"""A connection to a library file, which answers what a search asks: each question by the module that knows how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import apsw

from engine.store.store_connection import (
    CandidateReads,
    ConstantReads,
    FilterReads,
    LateReads,
    MarkReads,
    MarkWrites,
    ModelReads,
    RowReads,
    VocabularyReads,
    WordReads,
)

if TYPE_CHECKING:
    from engine.records import Mark
    from engine.store.bm25 import KeywordScore
    from engine.store.phrase import Phrase

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")


def _by(
    module: str, question: Callable[Concatenate[Any, _Given], _Answer], name: str = ""
) -> Callable[Concatenate[LibraryConnection, _Given], _Answer]:
    """Return a method that a module of the store answers, by a function that is called as the question or by `name`.

    The module is loaded with the first question.
    """
    function = name or question.__name__

    @wraps(question)
    def answer(connection: LibraryConnection, /, *args: _Given.args, **kwargs: _Given.kwargs) -> _Answer:
        found: _Answer = getattr(import_module(f"engine.store.{module}"), function)(connection, *args, **kwargs)
        return found

    return answer


class LibraryConnection(apsw.Connection):
    """A connection to a library file. The words of its questions stand in `store_connection`.

    `file` tells the file that was opened from any that takes its place, by device and inode. `immutable` says that it
    could only be opened as one that never changes.
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

    # --- words --------------------------------------------------------------------------------------------------------

    statistics = _by("fulltext", WordReads.statistics)
    words_version = _by("fulltext", WordReads.words_version, "index_version")
    document_frequencies = _by("fulltext", WordReads.document_frequencies)
    terms_holding = _by("fulltext", WordReads.terms_holding)
    phrase_frequency = _by("fulltext", WordReads.phrase_frequency)
    terms_beginning = _by("word_reads", WordReads.terms_beginning)
    holders = _by("word_reads", WordReads.holders)
    postings = _by("word_reads", WordReads.postings)
    best_by_words = _by("word_reads", WordReads.best_by_words)
    titled = _by("word_reads", WordReads.titled)
    texts_holding = _by("word_reads", WordReads.texts_holding)
    borders = _by("word_reads", WordReads.borders)
    short_between = _by("word_reads", WordReads.short_between)
    vocabulary = _by("word_reads", VocabularyReads.vocabulary)

    def vocabulary_has(self, prefix: str) -> bool:
        """Tell whether any term begins so."""
        return bool(self.terms_beginning(prefix, 1))

    def bm25_parts(
        self, passage_ids: Sequence[int], phrases: Sequence[Phrase], holding: Sequence[int]
    ) -> dict[int, KeywordScore]:
        """Return for each passage its bm25 for these phrases, in parts; `holding` is how many passages match each."""
        from engine.store import bm25, fulltext

        return bm25.bm25_parts(self, passage_ids, phrases, fulltext.COLUMN_WEIGHTS, holding)

    # --- filters ------------------------------------------------------------------------------------------------------

    allowed_ids = _by("candidate_reads", FilterReads.allowed_ids)
    let_through = _by("candidate_reads", FilterReads.let_through)
    count_holding = _by("candidate_reads", FilterReads.count_holding)
    hidden_documents = _by("candidate_reads", FilterReads.hidden_documents)
    in_scope = _by("candidate_reads", FilterReads.in_scope)

    # --- candidates ---------------------------------------------------------------------------------------------------

    places = _by("candidate_reads", CandidateReads.places)
    around = _by("candidate_reads", CandidateReads.around)
    newest = _by("candidate_reads", CandidateReads.newest)
    documents_by_date = _by("candidate_reads", CandidateReads.documents_by_date)
    passages_in = _by("candidate_reads", CandidateReads.passages_in)
    holding_signs = _by("candidate_reads", CandidateReads.holding_signs)
    held_back_among = _by("passage_counts", CandidateReads.held_back_among)
    texts_of_many_bytes = _by("word_reads", CandidateReads.texts_of_many_bytes)

    # --- rows ---------------------------------------------------------------------------------------------------------

    rows_for = _by("documents", RowReads.rows_for)
    passages_of = _by("documents", RowReads.passages_of)
    document_id_at = _by("documents", RowReads.document_id_at)
    passage_texts = _by("row_reads", RowReads.passage_texts)
    paths_of = _by("row_reads", RowReads.paths_of)
    passages_with_hashes = _by("row_reads", RowReads.passages_with_hashes)
    folder_paths = _by("row_reads", RowReads.folder_paths)
    passage_hashes = _by("browse_queries", RowReads.passage_hashes)

    # --- models, vectors, what waits ----------------------------------------------------------------------------------

    active_model = _by("models", ModelReads.active_model, "active")
    figure = _by("models", ModelReads.figure)
    vectors_of = _by("vector_tables", ModelReads.vectors_of)
    embedded_share = _by("row_reads", ModelReads.embedded_share)
    awaited_texts = _by("row_reads", ModelReads.awaited_texts)
    held_back = _by("passage_counts", ModelReads.held_back)
    change_latest = _by("change_log", ModelReads.change_latest, "latest")
    change_reaches = _by("change_log", ModelReads.change_reaches, "reaches")
    replaced = _by("change_log", ModelReads.replaced)
    fusion_constants = _by("fitted_constants", ConstantReads.fusion_constants, "in_use")
    late_model = _by("late_vectors", LateReads.late_model, "stored")
    late_codes = _by("late_vectors", LateReads.late_codes, "read")

    # --- marks --------------------------------------------------------------------------------------------------------

    marks_stamp = _by("judgements", MarkReads.marks_stamp, "stamp")
    query_vectors = _by("judgements", MarkReads.query_vectors, "vectors")
    put_marks = _by("judgements", MarkWrites.put_marks, "put")
    remove_mark = _by("judgements", MarkWrites.remove_mark, "remove")
    empty_marks = _by("judgements", MarkWrites.empty_marks, "empty")
    keep_query_vectors = _by("judgements", MarkWrites.keep_query_vectors, "keep_vectors")

    def marks(self, query: str | None = None) -> tuple[Mark, ...]:
        """Return all marks, or those of a query, newest first."""
        from engine.store import judgements

        return judgements.every(self) if query is None else judgements.of_query(self, query)
