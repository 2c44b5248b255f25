"""One state of a team's library, read within one transaction, and what was read of it so far.

The first question brings in one trip what nearly every search asks: how many passages and tokens each folder has, which
change is its latest, which model is active, and whether the person's marks are others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.lazy_dataclass import dataclass
from engine.store.fulltext import Statistics
from engine.store.models import StoredModel
from engine.store.phrase import Phrase

if TYPE_CHECKING:
    import psycopg

BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_FOLDERS = """SELECT s.folder_id, s.version, coalesce(f.version, 0), s.passages, s.tokens, s.forgotten
FROM folder_state s LEFT JOIN folder_fill f ON f.folder_id = s.folder_id ORDER BY s.folder_id"""
_MODEL = """SELECT id, name, manifest, fingerprint, state, extract(epoch FROM created_at)::float8, turn, dimension
FROM model WHERE state = 'active'"""
_MARKS = """SELECT version, (SELECT count(*) FROM mark) + CASE WHEN shares THEN (
    SELECT count(*) + (greatest(0, least(coalesce(max(at), 0), 1e10)) * 1000)::bigint
    FROM shared_mark WHERE person <> current_user) ELSE 0 END
FROM mark_state"""


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


class Snapshot:
    """The library as one transaction of `conn` sees it. `machine` is that of the person who asks."""

    def __init__(self, conn: psycopg.Connection, machine: str, library: str) -> None:
        self.conn = conn
        self.machine = machine
        self.library = library  # the library's own number, the same on every server that holds a copy
        self.counts: dict[str, int] = {}  # of terms, those that were asked for
        self.matches: dict[Phrase, int] = {}  # how many passages match a phrase

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return what a statement gives; names are those of the library, `%s` stands for values."""
        with self.conn.cursor(binary=True) as cursor:
            return cursor.execute(sql, values or None).fetchall()

    def value(self, sql: str, values: Sequence[object] = ()) -> Any:
        """Return the first value of the first row, None where there is none."""
        found = self.rows(sql, values)
        return found[0][0] if found else None

    @cached_property
    def _first(self) -> _First:
        with self.conn.pipeline():
            folders = self.conn.execute(_FOLDERS)
            models = self.conn.execute(_MODEL)
            marks = self.conn.execute(_MARKS)
        model = models.fetchone()
        mark = marks.fetchone()
        return _First(
            tuple(FolderState(*row) for row in folders.fetchall()),
            StoredModel(*model[:6]) if model else None,
            model[6] if model else 0,
            model[7] if model else 0,
            (mark[0], mark[1]) if mark else (0, 0),
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
    def dimension(self) -> int:
        """Components of the active model's vectors."""
        return self._first.dimension

    @property
    def marks_stamp(self) -> tuple[int, int]:
        """What is another after every change of the person's marks."""
        return self._first.marks

    @property
    def statistics(self) -> Statistics:
        """Passages and tokens of all folders that the person sees."""
        return Statistics(sum(each.passages for each in self.folders), sum(each.tokens for each in self.folders))

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
            found = self.rows(
                "SELECT term, sum(passages)::bigint FROM term_count WHERE term = ANY(%s) GROUP BY term", (unknown,)
            )
            self.counts.update(dict.fromkeys(unknown, 0))
            self.counts.update(found)
        return {term: self.counts[term] for term in wanted}
