"""How the rows of a result are laid out: in which order, which notes are unfolded, how many were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from app.tui.screens.search.results import MAX_ROWS
from engine.records import Grade, Hit, SearchSettings

Order = Literal["relevance", "date", "name"]
ORDERS: tuple[Order, ...] = ("relevance", "date", "name")
ORDER_WORDS: dict[Order, str] = {"relevance": "by relevance", "date": "newest first", "name": "by name"}
STEP_ROWS = MAX_ROWS
FURTHER_LIMIT = 1000  # passages looked through for those of one note: more than both legs' candidates


@dataclass
class Arrangement:
    """What a person did to the list; a new query forgets all of it but the order."""

    order: Order = "relevance"
    limit: int = STEP_ROWS
    weak_shown: bool = False  # the weak rows behind the last better one
    further: dict[int, tuple[Hit, ...]] = field(default_factory=dict)  # by document: its other passages, unfolded
    judged: dict[int, Grade | None] = field(default_factory=dict)  # by passage: marks made since those were read

    def begin_anew(self) -> None:
        """Forget what belonged to the last query."""
        self.limit = STEP_ROWS
        self.weak_shown = False
        self.further.clear()
        self.judged.clear()

    def turn(self) -> Order:
        """Go to the next order and return it."""
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        return self.order

    def rows(self, hits: Sequence[Hit], weak: int) -> tuple[tuple[Hit, ...], frozenset[int], int | None]:
        """Return the rows from top to bottom, which are further passages of the row above, and the first weak one.

        Those from `weak` on, by relevance, stand behind the others in every order; None: none of them is shown.
        """
        rows: list[Hit] = []
        further: set[int] = set()
        rule = None
        for part in (hits[:weak], hits[weak:] if self.weak_shown else ()):
            rule = len(rows) if rows and part else rule
            for hit in in_order(part, self.order):
                found = self.further.get(hit.document_id, ())
                inside = [each for each in found if each.passage_id in hit.more_in_document]
                rows += [hit, *map(self._as_marked, inside)]
                further.update(each.passage_id for each in inside)
        return tuple(rows), frozenset(further), rule

    def _as_marked(self, hit: Hit) -> Hit:
        return replace(hit, judged=self.judged[hit.passage_id]) if hit.passage_id in self.judged else hit


def first_weak(hits: Sequence[Hit]) -> int:
    """Return the place behind the last row that is not weak, all being in the order of relevance.

    Where every row is weak none is folded away: it is the end, for they are all there is.
    """
    better = [place for place, hit in enumerate(hits) if hit.tier != "weak"]
    return better[-1] + 1 if better else len(hits)


def in_order(hits: Sequence[Hit], order: Order) -> Sequence[Hit]:
    """Return hits in an order; where that does not tell two apart, the more relevant comes first."""
    if order == "date":
        return sorted(hits, key=lambda hit: -hit.modified)
    if order == "name":
        return sorted(hits, key=lambda hit: (hit.title.casefold(), hit.path))
    return hits


def ungrouped(settings: SearchSettings) -> SearchSettings:
    """Return the settings of a search whose rows are all passages, so that each has the figures of its own."""
    return replace(settings, group=False, collapse=0.0)
