"""A model that was taken into use stands the test of use, or the way back is proposed, or taken at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from shadow_searches import pair, search

from engine.records import Mark
from training.burn_in import DAY_SECONDS, broken, burn_in
from training.shadow_agreement import Speed

SINCE = 1_000_000.0
LATE = SINCE + 15 * DAY_SECONDS


def used(count: int = 120, **other):
    return [search(number, at=SINCE + number, **other) for number in range(1, count + 1)]


def opened(count: int, row: bytes = b"a"):
    return [Mark(f"question {number}", row, b"/n.md", 1, at=SINCE + number) for number in range(1, count + 1)]


def test_a_model_passes_once_days_searches_and_opened_rows_are_enough():
    found = burn_in(used(), opened(20), SINCE, LATE)
    assert found.standing == "passed" and not found.faults
    assert found.ranks is not None and found.ranks.mean == pytest.approx(0.5)  # first in the new lists, second before


@pytest.mark.parametrize(
    ("searches", "rows", "now", "left"),
    [
        (99, 20, LATE, (0, 1, 0)),
        (120, 20, SINCE + 13 * DAY_SECONDS, (1, 0, 0)),
        (120, 7, LATE, (0, 0, 3)),
        (0, 0, SINCE, (14, 100, 10)),
    ],
)
def test_it_waits_for_the_later_of_days_and_searches_and_says_what_is_left(searches, rows, now, left):
    found = burn_in(used(searches), opened(rows), SINCE, now)
    assert found.standing == "waiting"
    assert (found.days_left, found.searches_left, found.rows_left) == pytest.approx(left)


def test_rows_that_stand_lower_than_before_propose_the_way_back():
    found = burn_in(used(), opened(20, b"b"), SINCE, LATE)  # second in the new lists, first before
    assert found.standing == "way back" and "lower" in found.faults[0]


def test_marks_as_wrong_marks_from_before_and_other_questions_count_nothing():
    wrong = [replace(each, grade=-2) for each in opened(20)]
    before = [replace(each, at=SINCE - 1) for each in opened(20)]
    other = [replace(each, query="something else") for each in opened(20)]
    assert burn_in(used(), [*wrong, *before, *other], SINCE, LATE).rows == 0


def test_the_first_search_of_a_question_counts_for_later_ones_know_the_mark():
    again = search(999, a="bacdefgh", b="bacdefgh", query="question 1", at=SINCE + 500)
    found = burn_in([*used(), again], opened(1), SINCE, LATE)
    assert found.ranks is not None and found.ranks.mean == pytest.approx(0.5)


def test_more_searches_without_an_answer_propose_the_way_back():
    none = [replace(each, verdict_a="none") if each.id <= 7 else each for each in used()]
    assert burn_in(none, opened(20), SINCE, LATE).standing == "way back"
    few = [replace(each, verdict_a="none") if each.id <= 6 else each for each in used()]
    assert burn_in(few, opened(20), SINCE, LATE).standing == "passed"  # 5 %


def test_slower_searches_propose_the_way_back():
    found = burn_in(used(), opened(20), SINCE, LATE, (Speed(10, 25.0), Speed(10, 20.0)))
    assert found.standing == "way back" and "1.2 times" in found.faults[0]
    assert burn_in(used(), opened(20), SINCE, LATE, (Speed(10, 23.9), Speed(10, 20.0))).standing == "passed"


def test_faults_are_not_told_from_a_handful_of_searches():
    none = [replace(each, verdict_a="none") for each in used(20)]
    assert burn_in(none, (), SINCE, SINCE + DAY_SECONDS).standing == "waiting"


def test_replayed_searches_and_those_before_the_promotion_do_not_count():
    replayed = [replace(each, stream="replay") for each in used()]
    earlier = [replace(each, at=SINCE - 1) for each in used()]
    assert burn_in([*replayed, *earlier], (), SINCE, LATE).searches_left == 100


def test_only_a_broken_answer_goes_back_by_itself():
    sound = search(1, pairs=(pair(0.5, 0.4),))
    assert broken(sound) == ""
    assert "no number" in broken(replace(sound, pairs=(pair(float("nan"), 0.4),)))
    assert "nothing" in broken(replace(sound, top_a=()))
    assert "no vector" in broken(replace(sound, pairs=()))
    assert broken(replace(sound, top_a=(), top_b=(), pairs=())) == ""
    assert broken(replace(sound, pairs=(replace(pair(float("nan"), 0.4), rank_a=None),))) == ""
