"""What the page of the model beside the one in use needs from outside; every method may be called from any thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from engine.records import ShadowChoice
    from training.blind_review import ReviewStanding
    from training.review_session import TwoLists
    from training.shadow_standing import Standing


class ReviewPort(Protocol):
    """A sitting of a blind review, as training.review_session.ReviewSession."""

    @property
    def standing(self) -> ReviewStanding:
        """How the review stands."""

    def next(self) -> TwoLists | None:
        """Return the next two lists; None where the review is over, or no search waits."""

    def choose(self, choice: ShadowChoice, seconds: float) -> ReviewStanding:
        """Keep what was chosen, and return how the review stands."""

    def close(self) -> None:
        """Let go of the library."""


class BesidePort(Protocol):
    """The model beside the one in use; every method may raise CarrelError."""

    def standing(self) -> Standing | None:
        """Return how it stands; None where there is none."""

    def review(self) -> ReviewPort:
        """Begin a sitting of the blind review."""

    def promote(self, *, knowingly: bool = False) -> str:
        """Have the indexer take it into use, and return its name."""

    def roll_back(self) -> str:
        """Have the indexer go back to the model that was in use before, and return its name."""

    def stop(self) -> str:
        """Let it run no longer, and return its name; one that was in use before has passed its burn-in."""
