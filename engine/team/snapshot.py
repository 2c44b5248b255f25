"""One state of a team's library, read within one transaction, and what was read of it so far.

A state does not change, so nothing is asked twice. What a search is known to ask is asked ahead, many statements in one
trip to the server; the first trip also brings what nearly every search asks: how many passages and tokens each folder
has, which change is its latest, which model is active, and whether the person's marks are others.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.lazy_dataclass import dataclass
from engine.store.fulltext import Statistics
from engine.store.models import StoredModel
from engine.store.phrase import Phrase
from engine.store.store_connection import NotRead
from engine.team.brought_passages import BroughtPassages
from engine.team.phrase_sql import Sql

if TYPE_CHECKING:
    import psycopg

    from engine.team.word_postings import Brought, WordPostings

BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_FOLDERS = """SELECT s.folder_id, s.version, coalesce(f.version, 0), s.passages, s.tokens, s.forgotten
FROM folder_state s LEFT JOIN folder_fill f ON f.folder_id = s.folder_id ORDER BY s.folder_id"""
_MODEL = """SELECT id, name, manifest, fingerprint, state, extract(epoch FROM created_at)::float8, turn, dimension
FROM model WHERE state = 'active'"""
_MARKS = """SELECT version, (SELECT count(*) FROM mark) + CASE WHEN shares THEN (
    SELECT count(*) + (greatest(0, least(coalesce(max(at), 0), 1e10)) * 1000)::bigint
    FROM shared_mark WHERE person <> current_user) ELSE 0 END, shares
FROM mark_state"""
_FIRST = (Sql(_FOLDERS), Sql(_MODEL), Sql(_MARKS))


@dataclass(frozen=True, slots=True)
class FolderState:
    """What a folder holds now: its latest change, that of vectors which came later, its passages and their tokens."""

    folder: int
    version: int
    filled: int
    passages: int
    tokens: int
    forgotten: int


@dataclass(frozen=True, slots=True)
class _First:
    folders: tuple[FolderState, ...]
    model: StoredModel | None
    turn: int
    dimension: int
    marks: tuple[int, int]
    shares_marks: bool


class Snapshot:
    """The library as one transaction of `conn` sees it. `machine` is that of the person who asks."""

    def __init__(self, conn: psycopg.Connection, machine: str, library: str) -> None:
        self.conn = conn
        self.machine = machine
        self.library = library  # the library's own number, the same on every server that holds a copy
        self.counts: dict[str, int] = {}  # of terms, those that were asked for
        self.matches: dict[Phrase, int] = {}  # how many passages match a phrase
        self.brought = BroughtPassages()
        self.with_vectors = False  # whether a search needs the vectors of what words bring
        self.waited = 0.0  # seconds, for the answers of the server
        self.postings: Brought = {}  # that are here of the query's words, some perhaps of other states
        self.ended = False  # the transaction is over: what was read stays, and nothing more is asked
        self._soon: list[Sql] = []  # to be asked with the next trip
        self._answers: dict[Sql, list[tuple[Any, ...]]] = {}

    def begin(self, ahead: Iterable[Sql] = ()) -> None:
        """Begin the transaction, with the first questions and some more in the same trip."""
        self._ask([*_FIRST, *ahead], begin=True)

    def ask(self, ahead: Iterable[Sql]) -> None:
        """Ask for all of this in one trip, as far as it is not known; `rows` has the answers then."""
        self._ask(ahead)

    def ask_soon(self, ahead: Iterable[Sql]) -> None:
        """Ask for all of this in the trip that comes next, whatever it is for."""
        self._soon += ahead

    def _ask(self, ahead: Iterable[Sql], *, begin: bool = False) -> None:
        if not self._unknown(ahead := [*ahead]):
            return
        if self.ended:
            raise NotRead
        unknown = self._unknown([*ahead, *self._soon])
        self._soon.clear()
        began = time.perf_counter()
        cursors = [self.conn.cursor(binary=True) for _ in unknown]
        with self.conn.pipeline():
            if begin:
                self.conn.execute(BEGIN)
            for cursor, each in zip(cursors, unknown, strict=True):
                cursor.execute(each.text, _thawed(each.values))
        for cursor, each in zip(cursors, unknown, strict=True):
            with cursor:
                self._answers[each] = cursor.fetchall()
        self.waited += time.perf_counter() - began

    def _unknown(self, asked: Iterable[Sql]) -> list[Sql]:
        return [each for each in dict.fromkeys(map(_frozen, asked)) if each not in self._answers]

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return what a statement gives; names are those of the library, `%s` stands for values. Raises NotRead."""
        return self.answer(Sql(sql, tuple(values)))

    def answer(self, asked: Sql) -> list[tuple[Any, ...]]:
        """Return what a statement gives, which may have been asked ahead. Raises NotRead."""
        known = _frozen(asked)
        if known not in self._answers:
            self._ask([known])
        return self._answers[known]

    def value(self, sql: str, values: Sequence[object] = ()) -> Any:
        """Return the first value of the first row, None where there is none."""
        found = self.rows(sql, values)
        return found[0][0] if found else None

    @cached_property
    def _first(self) -> _First:
        folders, models, marks = (self.answer(each) for each in _FIRST)
        model = models[0] if models else None
        return _First(
            tuple(FolderState(*row) for row in folders),
            StoredModel(*model[:6]) if model else None,
            model[6] if model else 0,
            model[7] if model else 0,
            (marks[0][0], marks[0][1]) if marks else (0, 0),
            bool(marks and marks[0][2]),
        )

    @property
    def folders(self) -> tuple[FolderState, ...]:
        """The folders that the person sees, in order of number."""
        return self._first.folders

    @property
    def model(self) -> StoredModel | None:
        """The active model."""
        return self._first.model

    @property
    def model_id(self) -> int:
        """The number of the active model, 0 where there is none."""
        return self.model.id if self.model else 0

    @property
    def dimension(self) -> int:
        """Components of the active model's vectors."""
        return self._first.dimension

    @property
    def marks_stamp(self) -> tuple[int, int]:
        """What is another after every change of the person's marks, and of those that others share with them."""
        return self._first.marks

    @property
    def shares_marks(self) -> bool:
        """Whether the person shares their marks, and has those count that others share."""
        return self._first.shares_marks

    @property
    def statistics(self) -> Statistics:
        """Passages and tokens of all folders that the person sees."""
        return Statistics(sum(each.passages for each in self.folders), sum(each.tokens for each in self.folders))

    @cached_property
    def words_here(self) -> WordPostings:
        """The postings of the query's words that are here, of the folders that the person sees."""
        from engine.team.word_postings import WordPostings

        return WordPostings({each.folder: each.version for each in self.folders}, self.postings)

    @property
    def state(self) -> tuple[tuple[int, int, int], ...]:
        """What differs between any two states of the library: each folder's changes, and the turn of the model."""
        changes = tuple((each.folder, each.version, each.filled) for each in self.folders)
        return (*changes, (0, self._first.turn, self.model.id if self.model else 0))

    def count(self, terms: Iterable[str]) -> dict[str, int]:
        """Return how many passages hold each term."""
        wanted = list(dict.fromkeys(terms))
        unknown = [term for term in wanted if term not in self.counts]
        if unknown:
            found = self.answer(counting(unknown))
            self.counts.update(dict.fromkeys(unknown, 0))
            self.counts.update(found)
        return {term: self.counts[term] for term in wanted}


def counting(terms: list[str]) -> Sql:
    """Return what counts the passages of each term."""
    return Sql("SELECT term, sum(passages)::bigint FROM term_count WHERE term = ANY(%s) GROUP BY term", (terms,))


def _frozen(asked: Sql) -> Sql:
    """Return a statement as a key, its lists as tuples."""
    return Sql(asked.text, tuple(tuple(each) if isinstance(each, list) else each for each in asked.values))


def _thawed(values: tuple[Any, ...]) -> list[Any] | None:
    """Return the values of a key for the server, which takes tuples for rows and lists for arrays; None for none."""
    return [list(each) if isinstance(each, tuple) else each for each in values] or None
