"""The sequential test of a blind review: what it says of candidates of a known share, and what it tells beforehand."""

from __future__ import annotations

import random

import pytest

from engine.evaluation.sequential_test import CAP, Tally, fixed_test, most_left, outcome, sight


def walk(share: float, seed: int, cap: int = CAP) -> tuple[str, int]:
    """Return how a review ends in which the candidate is preferred with a chance of `share`, and its length."""
    chance = random.Random(seed)
    tally = Tally()
    while (found := outcome(tally, cap)) == "open":
        won = chance.random() < share
        tally = Tally(tally.won + won, tally.lost + (not won))
    return found, tally.reviews


@pytest.mark.parametrize(
    ("share", "cap", "accepted", "refused", "reviews"),
    [(0.25, 100, 0.0, 1.0, 9), (0.5, 100, 0.04, 0.93, 31), (0.65, 60, 0.60, 0.16, 39), (0.65, 100, 0.76, 0.17, 44),
     (0.7, 100, 0.94, 0.05, 35), (0.8, 100, 0.997, 0.003, 21)],
)  # fmt: skip
def test_what_a_review_sees_is_what_twenty_thousand_draws_gave(share, cap, accepted, refused, reviews) -> None:
    found = sight(share, cap)
    assert found.accepted == pytest.approx(accepted, abs=0.011)
    assert found.refused == pytest.approx(refused, abs=0.011)
    assert found.reviews == pytest.approx(reviews, abs=0.6)
    assert found.accepted + found.refused + found.undecided == pytest.approx(1)


def test_what_a_review_sees_is_what_simulated_reviews_give() -> None:
    ends = [walk(0.6, seed) for seed in range(2_000)]
    found = sight(0.6)
    assert sum(end == "accepted" for end, _ in ends) / 2_000 == pytest.approx(found.accepted, abs=0.035)
    assert sum(length for _, length in ends) / 2_000 == pytest.approx(found.reviews, abs=2)


def test_fifteen_pairs_see_one_better_candidate_in_six() -> None:
    found = fixed_test(15)
    assert found.needed == 12
    assert found.power == pytest.approx(0.173, abs=0.001)
    assert found.false == pytest.approx(0.018, abs=0.001)


def test_a_review_ends_at_its_bounds_and_at_its_cap() -> None:
    assert outcome(Tally(won=10)) == "open" and outcome(Tally(won=11)) == "accepted"
    assert outcome(Tally(lost=4)) == "open" and outcome(Tally(lost=5)) == "refused"
    assert outcome(Tally(won=2, lost=1, even=96)) == "open"
    assert outcome(Tally(won=2, lost=1, even=97)) == "undecided"
    assert outcome(Tally()) == "open"


def test_how_many_are_left_at_most_falls_with_every_review_and_is_none_once_decided() -> None:
    assert most_left(Tally()) == CAP
    assert most_left(Tally(won=3, lost=2, even=4)) == CAP - 9
    assert most_left(Tally(won=11)) == most_left(Tally(even=CAP)) == 0


def test_what_is_still_to_be_seen_counts_what_was_chosen() -> None:
    assert sight(0.65, tally=Tally(won=10)).accepted > sight(0.65).accepted > sight(0.65, tally=Tally(even=60)).accepted
    assert sight(0.65, tally=Tally(won=11)).accepted == 1
    assert sight(0.65, tally=Tally(even=CAP)).undecided == 1
