"""What was brought of passages of a team's library for one search: more than was asked for, for later questions."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from engine.store.documents import HydratedRow

Asked = tuple[tuple[str, ...], tuple[str, ...]]
"""The terms that phrases ask for, and the beginnings of terms."""


class Held(NamedTuple):
    """A passage's length in places, and the places of the terms that were asked for."""

    length: int
    places: dict[str, list[int]]


class Details(NamedTuple):
    """A passage's document, the entry in it or 0, and where it stands; whether it is data, and a text of long letters.

    The text is that of a passage which may be in a writing that the encoder does not read, else None.
    """

    passage: int
    document: int
    number: int
    path: bytes
    ordinal: int
    is_data: bool
    text: str | None

    @property
    def place(self) -> tuple[int, bytes, int, int]:
        """Sorts passages by path, the shortest first, folder and place in the document."""
        return len(self.path), self.path, self.passage >> 32, self.ordinal


@dataclass(frozen=True, slots=True)
class BroughtPassages:
    """What was brought of passages so far, by their numbers; None stands for what the server does not have of one."""

    details: dict[int, Details | None] = field(default_factory=dict)
    vectors: dict[int, bytes | None] = field(default_factory=dict)  # of the active model
    rows: dict[tuple[int, int], HydratedRow | None] = field(default_factory=dict)  # by length of text, and number
    words: dict[Asked, dict[int, Held | None]] = field(default_factory=dict)  # by the terms that were asked for
    rare: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # who holds a term that few hold
    best: dict[tuple[object, ...], list[tuple[int, float]]] = field(default_factory=dict)  # by words, ranked here
    begun: dict[str, bool] = field(default_factory=dict)  # whether a term begins so
    query_vectors: dict[str, bytes | None] = field(default_factory=dict)  # of queries that the reader judged
