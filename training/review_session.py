"""A blind review at work: the next two lists as the library finds them now, and each choice written down at once.

What a review looks like is the matter of who shows it; nothing here tells a side's model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from engine.errors import UsageError
from engine.lazy_dataclass import dataclass
from engine.records import Hit, SearchResult, ShadowChoice, ShadowReview, ShadowSearch
from training import blind_review
from training.blind_review import SHOWN, Proposal, ReviewStanding
from training.shadow_standing import ShadowLibrary, seed

if TYPE_CHECKING:
    from engine.records import ShadowState

ENOUGH = "The review is over: its choices are enough."
NO_SEARCH = "There is no search to review: the first rows of none differ that was asked of both models."


class ReviewedLibrary(ShadowLibrary, Protocol):
    """The part of a library that a review works on."""

    def shadow_lists(self, text: str, *, limit: int) -> tuple[SearchResult, SearchResult]:
        """Return what the model in use and the one beside it find now."""

    def add_shadow_review(self, review: ShadowReview) -> int:
        """Keep a choice, and return its number."""


@dataclass(frozen=True, slots=True)
class TwoLists:
    """A question with two lists of at most five rows; which model stands where only the session knows."""

    query: str
    left: tuple[Hit, ...]
    right: tuple[Hit, ...]


class ReviewSession:
    """One sitting of a blind review. Raises UsageError where nothing runs beside the model in use."""

    def __init__(self, library: ReviewedLibrary) -> None:
        self._library = library
        state = library.shadow_state()
        if state is None:
            raise UsageError(
                "No model runs beside the one in use, so there is nothing to review.",
                fix="`carrel shadow MODEL` lets one run beside.",
            )
        self._pair = _pair(state)
        self._searches: tuple[ShadowSearch, ...] = library.shadow_searches()
        self._seed = seed(state)
        self._reviews = list(library.shadow_reviews())
        self._gone: set[int] = set()  # searches whose lists are alike by now
        self._shown: Proposal | None = None
        self._standing: ReviewStanding | None = None

    @property
    def standing(self) -> ReviewStanding:
        """How the review stands."""
        if self._standing is None:
            self._standing = blind_review.standing(self._open, self._reviews, self._seed)
        return self._standing

    @property
    def _open(self) -> list[ShadowSearch]:
        return [each for each in self._searches if each.id not in self._gone]

    def next(self) -> TwoLists | None:
        """Return the next two lists; None where the review is over, or no search waits. Asks the same until chosen."""
        if self.standing.outcome != "open":
            return None
        for proposal, lists in self._candidates():
            self._shown = proposal
            return lists
        return None

    def _candidates(self) -> Iterator[tuple[Proposal, TwoLists]]:
        """Yield what can be shown; a search that both models answer alike by now is passed over, and the rest drawn."""
        while (proposal := next(blind_review.proposals(self._open, self._reviews, self._seed), None)) is not None:
            a, b = (result.hits[:SHOWN] for result in self._library.shadow_lists(proposal.search.query, limit=SHOWN))
            b = a if proposal.control else b
            if proposal.control == (_rows(a) == _rows(b)) and (a or b):
                left, right = (b, a) if proposal.left_is_b else (a, b)
                yield proposal, TwoLists(proposal.search.query, tuple(left), tuple(right))
            self._pass_over(proposal.search.id)

    def _pass_over(self, search: int) -> None:
        self._gone.add(search)
        self._standing = None

    def choose(self, choice: ShadowChoice, seconds: float) -> ReviewStanding:
        """Keep what was chosen of the lists that are shown, and return how the review stands.

        Raises UsageError where another model runs beside by now: the choice would count for that one.
        """
        proposal = self._shown
        if proposal is None:
            raise UsageError("There are no two lists to choose from.")
        if (state := self._library.shadow_state()) is None or _pair(state) != self._pair:
            raise UsageError(
                "Another model runs beside the one in use by now; this choice was not kept.",
                fix="Begin the review anew.",
            )
        review = ShadowReview(proposal.search.id, proposal.left_is_b, choice, seconds, proposal.control)
        self._library.add_shadow_review(review)
        self._reviews.append(review)
        self._shown = self._standing = None
        return self.standing


def _pair(state: ShadowState) -> tuple[int, int, float]:
    return state.active.id, state.shadow.id, state.since


def _rows(hits: tuple[Hit, ...]) -> list[int]:
    return [hit.passage_id for hit in hits]
