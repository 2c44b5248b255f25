"""Keeps what the reader leaves in a library: marks on results, opened results, and the log of searches.

Each is one small write that any process may make. Nothing of it leaves the library file, and each can be emptied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from engine.errors import CarrelError, UsageError
from engine.library_file import LibraryFile
from engine.records import Grade, Hit, LoggedSearch, Mark, SearchResult
from engine.store import judgements, search_log
from engine.store.row_mapping import storable

MARKS_OF_A_DOCUMENT = 4  # looked through for each document that was opened last: one is opened for several searches

if TYPE_CHECKING:
    from engine.retrieval.search_pipeline import Model
    from engine.retrieval.searched_store import SearchedStore
    from engine.store.store_connection import StoreConnection


class ReaderMemory:
    """What one library keeps of its reader: marks in the `store` that is searched, the log in the reader's own `file`.

    `model_of` gives the library's model, for the vectors of the queries.
    """

    def __init__(
        self, store: SearchedStore, file: LibraryFile, model_of: Callable[[StoreConnection], Model | None]
    ) -> None:
        self._store = store
        self._file = file
        self._model_of = model_of

    def mark(self, query: str, passage_id: int, grade: Grade = judgements.RIGHT) -> Mark:
        """Keep what the person thinks of a passage as an answer to a query; the next search counts it.

        A new mark takes the place of an older one on the same passage; opening (grade 1) never does. Raises UsageError
        where the query asks for no words or the passage is gone, LibraryReadOnly, LibraryBusy.
        """
        asked = spoken(query)
        with self._store.searching() as connection:
            mark = _mark_of(connection, asked, passage_id, grade)
            model = self._model_of(connection)
            others = [each for each in _judging(connection, asked, passage_id, model) if not _same(each, mark)]
            kept = model is None or connection.query_vectors(model.id, [asked])
        if grade == judgements.OPENED and others:
            return others[0]  # it was marked before its text changed
        with self._store.marking() as kept_marks:
            kept_marks.put_marks([mark])  # first, so that one of the marks is there wherever this is cut short
            for each in others:
                kept_marks.remove_mark(asked, each.passage_hash)
            if model is not None and not kept:
                from engine.retrieval.query_memory import vector_of

                kept_marks.keep_query_vectors(model.id, {asked: vector_of(asked, model.encode)})
        return mark

    def opened(self, query: str, passage_id: int) -> Mark:
        """Remember that a result was opened: it counts a quarter of a mark. Raises as `mark` does."""
        return self.mark(query, passage_id, judgements.OPENED)

    def unmark(self, query: str, passage_id: int) -> bool:
        """Take back what was kept of a passage as an answer to a query; False where there was nothing."""
        asked = spoken(query)
        with self._store.searching() as connection:
            marks = _judging(connection, asked, passage_id, self._model_of(connection))
        if not marks:
            return False
        with self._store.marking() as kept:
            gone = [kept.remove_mark(asked, mark.passage_hash) for mark in marks]
        return any(gone)

    def marks(self) -> tuple[Mark, ...]:
        """Return all one's own marks and what was opened, newest first."""
        with self._store.searching() as connection:
            return tuple(each for each in connection.marks() if not each.by)

    def places_of_marks(self, marks: Sequence[Mark]) -> list[tuple[bytes, ...]]:
        """Return for each mark where its passage stands now: paths, its own document first; none where it is gone."""
        from engine.retrieval.marked_passages import documents_of

        with self._store.searching() as connection:
            return documents_of(connection, marks)

    def last_opened(self, limit: int) -> tuple[bytes, ...]:
        """Return the documents that are there now whose passages were opened or marked right last, newest first."""
        marks = [mark for mark in self.marks() if mark.grade != judgements.WRONG][: MARKS_OF_A_DOCUMENT * limit]
        return tuple(dict.fromkeys(paths[0] for paths in self.places_of_marks(marks) if paths))[:limit]

    def empty_marks(self) -> int:
        """Forget all marks and what was opened, overwriting them in the file; return how many there were."""
        with self._store.marking() as kept:
            return kept.empty_marks()

    def answers(self) -> dict[str, dict[bytes, bool]]:
        """Return what was marked, by query: the documents that are there now, and whether they are right.

        A document is right where one of its passages was marked so. What was only opened is left out.
        """
        from engine.retrieval.marked_passages import documents_of

        with self._store.searching() as connection:
            marks = [mark for mark in connection.marks() if mark.grade != judgements.OPENED and not mark.by]
            found: dict[str, dict[bytes, bool]] = {}
            for mark, paths in zip(reversed(marks), documents_of(connection, marks[::-1]), strict=True):
                judged = found.setdefault(mark.query, {})
                for path in paths:
                    judged[path] = judged.get(path, False) or mark.grade == judgements.RIGHT
        return {query: judged for query, judged in found.items() if judged}

    def nearest_passage(self, query: str, document_id: int) -> int | None:
        """Return the passage of a document that answers a query best by meaning, its first where there is no model."""
        from engine.retrieval.marked_passages import nearest_passage
        from engine.retrieval.query_memory import vector_of

        with self._store.searching() as connection:
            model = self._model_of(connection)
            asked = None if model is None else vector_of(query, model.encode)
            return nearest_passage(connection, document_id, asked, model.vectors if model else None)

    # --- the log of searches, which the person switches on ----------------------------------------------------------

    def log_search(self, result: SearchResult, source: str = "") -> int:
        """Write a finished search down: what was asked, by whom, and which passages were shown at which rank.

        Returns its number, for `log_opened`. Whether the person wants a log is the caller's to know.
        """
        with self._file.noting() as connection:
            return search_log.add(connection, result, source)

    def log_opened(self, number: int, hit: Hit) -> None:
        """Write down that a result of a logged search was opened; one that was forgotten since is passed over."""
        with self._file.noting() as connection:
            search_log.opened(connection, number, hit)

    def search_log(self, limit: int | None = None) -> tuple[LoggedSearch, ...]:
        """Return the logged searches, newest first."""
        return self._file.read(lambda connection: search_log.every(connection, limit))

    def empty_search_log(self) -> int:
        """Forget all logged searches, overwriting them in the file; return how many there were."""
        with self._file.writing() as connection:
            return search_log.empty(connection)


def spoken(query: str) -> str:
    """Return a query as it is kept with marks. Raises UsageError where it asks for no words: nothing was answered."""
    from engine.retrieval.query import parse

    asked = " ".join(storable(query).split())
    if not parse(asked).meaning:
        raise UsageError(
            "There is no question to mark an answer to.", fix="Search for words first; filters alone ask nothing."
        )
    return asked


def _mark_of(connection: StoreConnection, query: str, passage_id: int, grade: Grade) -> Mark:
    digest, path = connection.passage_hashes([passage_id]).get(passage_id), connection.paths_of([passage_id])
    if digest is None or passage_id not in path:
        raise CarrelError("This passage is no longer in the library.", fix="Search again.")
    return Mark(query, digest, path[passage_id], grade)


def _judging(connection: StoreConnection, query: str, passage_id: int, model: Model | None) -> Sequence[Mark]:
    """Return the marks of a query that stand for a passage by now."""
    from engine.retrieval.marked_passages import passages_of_marks
    from engine.retrieval.query_memory import asked_vectors

    marks = connection.marks(query)
    asked = asked_vectors(query, len(marks), model.encode) if model and marks else None
    placed = passages_of_marks(connection, marks, asked, model.vectors if model else None)
    return [mark for mark, passages in zip(marks, placed, strict=True) if passage_id in passages]


def _same(one: Mark, other: Mark) -> bool:
    return one.passage_hash == other.passage_hash
