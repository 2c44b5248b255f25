"""When a model that ran beside the one in use may take its place, and what is said where it may not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from shadow_searches import agreeing, reviewed

from training.shadow_decision import Evidence, GateFinding, Saving, decide, savings

WHOLE = Evidence(1.0, True, 900, 80, agreeing(), reviewed())
SMALLER = (Saving("disk", 0.4),)
NO_LOSS = GateFinding("no gain", low=-0.005, high=0.01, queries=240)


def test_a_candidate_is_accepted_where_the_reviews_prefer_it():
    found = decide(replace(WHOLE, review=reviewed(won=11)))
    assert found.verdict == "accepted" and found.promotable
    assert "11 to 0" in found.reason


def test_a_candidate_is_accepted_where_the_gate_found_a_gain():
    found = decide(replace(WHOLE, gate=GateFinding("gain", 0.01, 0.03, 240)))
    assert found.verdict == "accepted" and found.promotable


def test_what_is_worse_on_judged_questions_is_refused_whatever_the_reviews_say():
    found = decide(replace(WHOLE, review=reviewed(won=11), gate=GateFinding("worse", -0.05, -0.02, 240)))
    assert found.verdict == "refused" and not found.promotable


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"tiers_fitted": False}, "cuts"),
        ({"fitted_pairs": 199}, "199 of 200 pairs"),
        ({"fitted_queries": 49}, "49 of 50"),
        ({"coverage": 0.989}, "1.1 %"),
    ],
)
def test_nothing_is_accepted_before_its_cuts_were_fitted_anew_and_its_vectors_are_there(changed, named):
    found = decide(replace(WHOLE, review=reviewed(won=11), **changed))
    assert not found.promotable
    assert any(named in each for each in found.missing)


def test_the_cut_carried_over_is_never_enough():
    """The candidate that agreed in 6.8 % of the pairs with the cut carried over: preferred, and not promotable."""
    bare = Evidence(1.0, False, 0, 0, agreeing(kappa=None), reviewed(won=11))
    assert decide(bare).missing and not decide(bare).promotable


def test_as_good_but_smaller_is_a_verdict_of_its_own_and_names_what_is_saved():
    found = decide(replace(WHOLE, gate=NO_LOSS, savings=SMALLER))
    assert found.verdict == "as good" and found.promotable
    assert "40 % less disk" in found.reason


@pytest.mark.parametrize(
    "changed",
    [
        {"savings": ()},
        {"gate": None},
        {"gate": GateFinding("cannot judge", None)},
        {"gate": GateFinding("no gain", low=-0.01, high=0.02, queries=240)},
        {"agreement": agreeing(kappa=0.69)},
        {"agreement": agreeing(rbo=0.69)},
        {"agreement": agreeing(kappa=None)},
    ],
)
def test_as_good_needs_kappa_overlap_no_loss_and_something_saved(changed):
    found = decide(replace(replace(WHOLE, gate=NO_LOSS, savings=SMALLER), **changed))
    assert found.verdict == "open" and not found.promotable


def test_as_good_is_not_said_of_what_the_reviews_clearly_do_not_want():
    smaller = replace(WHOLE, gate=NO_LOSS, savings=SMALLER)
    assert decide(replace(smaller, review=reviewed(won=0, lost=5))).verdict == "refused"
    assert decide(replace(smaller, review=reviewed(won=9, lost=12))).verdict == "as good"  # refused as better only


def test_a_review_that_ends_without_a_preference_refuses_or_says_that_it_cannot_tell():
    assert decide(replace(WHOLE, review=reviewed(won=9, lost=12))).verdict == "refused"
    assert decide(replace(WHOLE, review=reviewed(won=3, lost=2, even=95))).verdict == "undecided"
    assert decide(WHOLE).verdict == "open"
    doubtful = decide(replace(WHOLE, review=reviewed(won=11, shown=2, preferred=2)))
    assert doubtful.verdict == "open" and "both lists were the same" in doubtful.reason


def test_only_what_was_measured_and_is_worth_naming_counts_as_saved():
    found = savings([("time", 10.0, 4.0), ("disk", 100.0, 95.0), ("memory", 0.0, 5.0), ("size", 5.0, 0.0)])
    assert [each.of for each in found] == ["time"]
    assert found[0].share == pytest.approx(0.6)
    assert savings([("time", 4.0, 10.0)]) == ()
