"""The sequential test of a blind review: it ends as soon as the choices tell, and says before what it can see.

Wald's sequential probability ratio test (Sequential Analysis, 1947) of "either is preferred as often" against "the
candidate is preferred in 65 %". Pure; a choice for neither list carries nothing, but counts towards the cap.
"""

from __future__ import annotations

from math import comb, log
from typing import Literal

from engine.lazy_dataclass import dataclass

ALPHA, BETA = 0.05, 0.20  # of accepting a candidate that is no better, and of refusing one that is
EVEN, BETTER = 0.50, 0.65  # shares of the preferences that go to the candidate
CAP = 100  # reviews; with 60 only 60 of 100 such candidates would be accepted, not the 80 that beta promises
ACCEPTING = log((1 - BETA) / ALPHA)
REFUSING = log(BETA / (1 - ALPHA))
WON = log(BETTER / EVEN)  # what a preference for the candidate adds to the log likelihood ratio
LOST = log((1 - BETTER) / (1 - EVEN))

Outcome = Literal["accepted", "refused", "open", "undecided"]


@dataclass(frozen=True, slots=True)
class Tally:
    """How often the candidate was preferred, the model in use was, and neither; identical controls are not in it."""

    won: int = 0
    lost: int = 0
    even: int = 0

    @property
    def reviews(self) -> int:
        """How many searches were reviewed."""
        return self.won + self.lost + self.even


def outcome(tally: Tally, cap: int = CAP) -> Outcome:
    """Return how a review stands: decided, open, or undecided at its cap."""
    evidence = tally.won * WON + tally.lost * LOST
    if evidence >= ACCEPTING:
        return "accepted"
    if evidence <= REFUSING:
        return "refused"
    return "undecided" if tally.reviews >= cap else "open"


def most_left(tally: Tally, cap: int = CAP) -> int:
    """Return how many more reviews there can be at most."""
    return max(0, cap - tally.reviews) if outcome(tally, cap) == "open" else 0


@dataclass(frozen=True, slots=True)
class Sight:
    """What a test can see of a candidate of one true share: how often it ends which way, and after how many reviews."""

    accepted: float
    refused: float
    undecided: float
    reviews: float


def sight(share: float, cap: int = CAP, *, tally: Tally | None = None) -> Sight:
    """Return what the test says of a candidate that is truly preferred in `share` of the reviews that prefer one.

    Exact, by going through all that can be chosen: one step a review, a probability for each number of wins. From a
    `tally` on, where one is given.
    """
    begun = tally or Tally()
    open_ones = {begun.won: 1.0}
    ends = {"accepted": 0.0, "refused": 0.0, "undecided": 0.0}
    spent = 0.0
    for chosen in range(begun.won + begun.lost, cap - begun.even + 1):
        going_on: dict[int, float] = {}
        for won, chance in open_ones.items():
            found = outcome(Tally(won, chosen - won, begun.even), cap)
            if found == "open":
                going_on[won + 1] = going_on.get(won + 1, 0.0) + chance * share
                going_on[won] = going_on.get(won, 0.0) + chance * (1 - share)
                spent += chance
            else:
                ends[found] += chance
        open_ones = going_on
    return Sight(ends["accepted"], ends["refused"], ends["undecided"], begun.reviews + spent)


@dataclass(frozen=True, slots=True)
class FixedTest:
    """A test of so many reviews that looks once, at their end: from how many wins it accepts, and what it then sees."""

    reviews: int
    needed: int
    power: float
    false: float


def fixed_test(reviews: int) -> FixedTest:
    """Return what a review of a fixed length sees, for comparison: 15 see one better candidate in six."""
    needed = next(wins for wins in range(reviews + 2) if _at_least(wins, reviews, EVEN) <= ALPHA)
    return FixedTest(reviews, needed, _at_least(needed, reviews, BETTER), _at_least(needed, reviews, EVEN))


def _at_least(wins: int, reviews: int, share: float) -> float:
    """Return the chance of so many wins or more."""
    return sum(comb(reviews, each) * share**each * (1 - share) ** (reviews - each) for each in range(wins, reviews + 1))
