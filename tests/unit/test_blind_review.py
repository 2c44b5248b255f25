"""The blind review: what is shown in which order, and what reviewers of every kind bring about."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from shadow_searches import chosen, reviewed, search

from engine.evaluation.sequential_test import CAP
from engine.records import ShadowSearch
from training.blind_review import Proposal, proposals, standing

DIFFERENT = [search(number) for number in range(1, 161)]
ALIKE = [search(number, b="abcdefgh") for number in range(201, 241)]
Reviewer = Callable[[Proposal, random.Random], str]


def review(searches: list[ShadowSearch], reviewer: Reviewer, seed: int) -> tuple[str, int]:
    """Let a reviewer choose until the test ends; return its outcome and how many searches it took, without controls."""
    chance, done = random.Random(seed), []
    for proposal in proposals(searches, (), seed):
        choice = reviewer(proposal, chance)
        done.append(chosen(proposal.search.id, left_is_b=proposal.left_is_b, choice=choice, control=proposal.control))
        if len(done) >= 5 and (found := standing((), done, 0)).outcome != "open":
            return found.outcome, found.tally.reviews
    return "open", len(done)


def prefers_better(proposal: Proposal, chance: random.Random) -> str:
    """Choose the candidate, which ranks better in these searches, in four of five pairs; the same list for the same."""
    if proposal.control:
        return "tie"
    return "left" if (chance.random() < 0.8) == proposal.left_is_b else "right"


def at_random(proposal: Proposal, chance: random.Random) -> str:
    return chance.choice(["left", "right"])


def test_only_searches_whose_first_five_differ_are_reviewed_each_question_once():
    twice = search(500, query="Question  1", b="hgfedcba")
    below = search(501, a="abcdefgh", b="abcdehgf")  # they differ from the sixth row on
    found = [each for each in proposals([*DIFFERENT[:20], twice, below, *ALIKE], (), 7) if not each.control]
    assert sorted(each.search.id for each in found) == [*range(2, 21), 500]  # the newest of a question


def test_one_pair_of_ten_is_a_control_that_shows_what_both_models_answer_alike():
    found = list(proposals([*DIFFERENT, *ALIKE], (), 7))
    for begin in range(0, 150, 10):
        controls = [each for each in found[begin : begin + 10] if each.control]
        assert len(controls) == 1
        assert controls[0].search.id > 200
    without = list(proposals(DIFFERENT, (), 7))
    assert sum(each.control for each in without) >= len(without) // 10
    assert len({each.search.id for each in without}) == len(without) == len(DIFFERENT)


def test_the_candidate_stands_as_often_left_as_right_in_every_ten():
    for seed in range(20):
        sides = [each.left_is_b for each in proposals(DIFFERENT, (), seed) if not each.control]
        assert all(sum(sides[begin : begin + 10]) == 5 for begin in range(0, 140, 10))
    assert len({tuple(each.left_is_b for each in proposals(DIFFERENT, (), seed))[:20] for seed in range(20)}) > 15


def test_any_first_part_of_a_review_holds_each_slice_by_its_share():
    found = [each.search for each in proposals(DIFFERENT, (), 3) if not each.control]
    share = Counter(each.words <= 3 for each in found)[True] / len(found)
    for first in (24, 48, 96):
        assert Counter(each.words <= 3 for each in found[:first])[True] == pytest.approx(share * first, abs=2)


def test_a_review_that_was_left_goes_on_with_what_is_not_chosen_yet():
    whole = list(proposals(DIFFERENT, (), 5))
    done = [chosen(each.search.id, left_is_b=each.left_is_b, choice="tie", control=each.control) for each in whole[:13]]
    rest = list(proposals(DIFFERENT, done, 5))
    assert not {each.search.id for each in rest} & {each.search.id for each in whole[:13]}
    assert [each.control for each in rest[:40]] == [each.control for each in whole[13:53]]
    real = [each.left_is_b for each in rest if not each.control]
    assert real[:40] == [each.left_is_b for each in whole[13:] if not each.control][:40]


def test_nothing_to_review_is_no_error():
    assert list(proposals((), (), 1)) == list(proposals(ALIKE, (), 1)) == []
    assert standing(ALIKE, (), 1).waiting == 0


def test_a_choice_counts_for_the_list_that_stood_there():
    done = [
        chosen(1, left_is_b=True, choice="left"),
        chosen(2, left_is_b=False, choice="left"),
        chosen(3, left_is_b=False, choice="right"),
        chosen(4, left_is_b=True, choice="tie"),
        chosen(5, left_is_b=True, choice="neither"),
        chosen(6, left_is_b=True, choice="left", control=True),
        chosen(7, left_is_b=True, choice="tie", control=True),
    ]
    found = standing(DIFFERENT, done, 1)
    assert (found.tally.won, found.tally.lost, found.tally.even) == (2, 1, 2)
    assert (found.controls.shown, found.controls.preferred) == (2, 1)
    assert found.left == CAP - 5


@pytest.mark.training
def test_a_better_candidate_is_accepted_within_32_reviews_in_nine_of_ten():
    """The reviewer prefers the better list in 80 %; controls are no reviews."""
    accepted = 0
    for seed in range(200):
        outcome, reviews = review([*DIFFERENT[:50], *ALIKE[:10]], prefers_better, seed)
        accepted += outcome == "accepted" and reviews <= 32
    assert accepted >= 180


@pytest.mark.training
def test_a_reviewer_at_random_gets_a_candidate_accepted_in_at_most_one_of_twenty():
    searches = [*DIFFERENT[:110], *ALIKE[:12]]
    accepted = sum(review(searches, at_random, seed)[0] == "accepted" for seed in range(1_000))
    assert accepted <= 50


@pytest.mark.training
def test_who_always_presses_left_never_gets_a_candidate_accepted():
    for seed in range(50):
        for searches in ([*DIFFERENT, *ALIKE], DIFFERENT):
            assert review(searches, lambda proposal, chance: "left", seed)[0] != "accepted"


@pytest.mark.training
def test_choices_that_see_differences_where_there_are_none_accept_nothing():
    assert reviewed(won=11).outcome == "accepted"
    seen = reviewed(won=11, shown=2, preferred=2)
    assert (seen.outcome, seen.left) == ("open", CAP - 11)
    assert reviewed(won=11, shown=2, preferred=1).outcome == "accepted"
    assert reviewed(won=60, even=40, shown=2, preferred=2).outcome == "undecided"
