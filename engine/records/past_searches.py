"""What is kept of a person's searches: the marks that they gave to passages, and the log of what was found."""

from __future__ import annotations

from engine.lazy_dataclass import dataclass
from engine.records.searches import Grade


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person thinks of a passage as an answer to a query; `at` in seconds since the epoch, 0: now.

    `sketch` is by what its text is known again (`engine.store.text_sketch`), b"" where that is not known. `by` is the
    member of a team who shares it, and "" for the reader's own.
    """

    query: str
    passage_hash: bytes
    path: bytes  # absolute
    grade: Grade
    at: float = 0.0
    sketch: bytes = b""
    by: str = ""


@dataclass(frozen=True, slots=True)
class LoggedRow:
    """A row of a logged search: display path, passage hash, rank, and when it was opened, if it was."""

    path: str
    passage_hash: bytes
    rank: int
    opened: float | None = None


@dataclass(frozen=True, slots=True)
class LoggedSearch:
    """A finished search of the log; `at` in seconds since the epoch, `source` who asked: "" for the person."""

    at: float
    query: str
    verdict: str
    fusion: str
    milliseconds: float
    rows: tuple[LoggedRow, ...] = ()
    source: str = ""
