"""What the searches of a library say of two models: overall, by stream, by slice."""

from __future__ import annotations

import numpy as np
import pytest
from shadow_searches import pair, search

from engine.records import ShadowSearch
from training.shadow_agreement import report

CUT = 0.5


def answered(number: int, seed: int, scale: float = 1.0, **other: object) -> ShadowSearch:
    """Return a search of ten passages that the candidate places on another scale."""
    cosines = np.random.default_rng(seed).uniform(0, 1, 10)
    tiers = ["strong" if each >= CUT else "weak" for each in cosines]
    pairs = tuple(pair(each, 0.6 + each / 5, tier, tier) for each, tier in zip(cosines, tiers, strict=True))
    return search(number, pairs=pairs, **other)


def test_a_harmless_change_of_scale_agrees_once_its_cut_is_fitted():
    found = report([answered(number, number) for number in range(60)], CUT)
    assert found.curve is not None
    assert found.curve.carried.agreement < 0.6 and found.curve.carried.kappa == pytest.approx(0)
    assert found.overall.kappa == found.overall.agreement == 1
    assert found.overall.pearson == pytest.approx(1)
    assert (found.overall.pairs, found.overall.searches, found.queries) == (600, 60, 60)
    assert found.confusion[0][0] + found.confusion[2][2] == 600


def test_each_slice_and_stream_is_counted_apart():
    found = report(
        [
            answered(1, 1, words=3, folder="/notes"),
            answered(2, 2, words=4, folder="/notes", stream="replay", b="abcdefgh"),
            answered(3, 3, words=10, identifier=True),
            answered(4, 4, words=11, folder="/mail", query="Question  1"),
        ],
        CUT,
    )
    counted = {name: agreement.searches for name, agreement in found.slices}
    assert counted == {
        "up to 3 words": 1,
        "4 to 10 words": 2,
        "more words": 1,
        "identifiers": 1,
        "/notes": 2,
        "/mail": 1,
    }
    assert [(name, agreement.searches) for name, agreement in found.streams] == [("live", 3), ("replay", 1)]
    assert dict(found.streams)["replay"].rbo == pytest.approx(1)
    assert dict(found.streams)["live"].same_first == 0
    assert found.queries == 3


def test_without_a_cut_of_the_model_in_use_there_is_no_curve_and_no_kappa():
    found = report([answered(1, 1)], 0.0)
    assert found.curve is None and found.overall.kappa is None and found.overall.agreement is None
    assert found.overall.rbo is not None


def test_no_search_at_all_is_told_as_nothing_known():
    found = report([], CUT)
    assert found.overall.searches == found.overall.pairs == found.queries == 0
    assert found.overall.kappa is None and found.overall.rbo is None and found.curve is None
    assert found.slices == found.streams == ()
    assert found.speed_a is None


def test_searches_whose_pairs_are_gone_still_count_for_the_lists():
    found = report([search(1), search(2, b="abcdefgh")], CUT)
    assert found.overall.searches == 2 and found.overall.pairs == 0 and found.overall.kappa is None
    assert found.overall.overlap == 1 and found.overall.same_first == 0.5


def test_times_are_those_of_either_model():
    found = report([search(number, ms_a=10.0 + number, ms_b=20.0 + number) for number in range(101)], CUT)
    assert found.speed_a is not None and found.speed_b is not None
    assert (found.speed_a.median, found.speed_b.p95) == pytest.approx((60, 115))
