"""The gate: when a candidate may be taken into use, and how it grows stricter with each reuse of its test."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from training import gate
from training.known_queries import KnownQuery
from training.protocol import Judged

NOTHING: gate.Series = ([], [])


def series(gain: float, count: int = 300, base: float = 0.5, noise: float = 0.05) -> gate.Series:
    """Return scores that differ by a gain on average, and query by query by some noise."""
    before = [base] * count
    after = [base + gain + (noise if number % 2 else -noise) for number in range(count)]
    return after, before


def judged(remembered: gate.Series, probe: gate.Series = NOTHING, alpha: float = gate.ALPHA) -> Judged:
    return gate.verdict(remembered, remembered, probe, {}, alpha)


def test_a_sure_gain_beyond_memory_is_let_through() -> None:
    found = judged(series(0.02), series(0.0, 100))
    assert found.verdict == "gain"
    assert found.promotable
    assert [each.name for each in found.measures] == ["NDCG@10, memory on", "NDCG@10", "general questions"]


def test_a_gain_with_memory_off_alone_does_not_suffice() -> None:
    found = gate.verdict(series(0.05), series(0.0), NOTHING, {}, gate.ALPHA)
    assert found.verdict == "no gain"
    assert not found.promotable


def test_a_loss_is_called_worse() -> None:
    assert judged(series(-0.03)).verdict == "worse"


def test_a_gain_that_costs_general_knowledge_is_held_back() -> None:
    found = judged(series(0.02), series(-0.02, 150))
    assert found.verdict == "no gain"
    assert "general" in found.reason


def test_too_few_queries_cannot_judge_and_say_what_they_could_have_seen() -> None:
    found = judged(series(0.02, 50))
    assert found.verdict == "cannot judge"
    assert "0.022" in found.reason
    assert not found.promotable


def test_without_held_out_queries_no_gain_is_named() -> None:
    found = gate.verdict(NOTHING, NOTHING, NOTHING, {}, gate.ALPHA)
    assert found.verdict == "cannot judge"
    assert "0" not in found.reason


@pytest.mark.parametrize(("queries", "gain"), [(50, 0.022), (200, 0.011), (500, 0.007)])
def test_the_smallest_gain_that_can_be_seen_is_the_measured_one(queries: int, gain: float) -> None:
    assert gate.smallest_gain(queries) == pytest.approx(gain, abs=5e-4)


def test_a_candidate_that_is_the_base_uses_no_test() -> None:
    found = gate.verdict(NOTHING, NOTHING, NOTHING, {}, gate.ALPHA, unchanged=True)
    assert (found.verdict, found.measures) == ("no gain", ())


def test_a_stricter_level_holds_back_what_a_lax_one_lets_through() -> None:
    slight = series(0.0065, 300, noise=0.05)
    assert judged(slight).verdict == "gain"
    assert judged(slight, alpha=gate.LEAST_ALPHA).verdict == "no gain"


def asked(*texts: str) -> list[KnownQuery]:
    return [KnownQuery(text, "judged", {1: 1}) for text in texts]


def test_each_reuse_halves_alpha_and_new_queries_restore_it(tmp_path: Path) -> None:
    ledger = gate.Ledger(tmp_path / "gate.json")
    old = asked("one", "two", "three")
    assert gate.alpha_of(ledger.uses(old, "a")) == 0.05
    ledger.use(old, "a")
    assert gate.alpha_of(ledger.uses(old, "b")) == 0.025
    ledger.use(old, "b")
    assert gate.alpha_of(ledger.uses(old, "c")) == 0.0125
    renewed = [*old, *asked("four", "five", "six", "seven")]
    assert gate.alpha_of(ledger.uses(renewed, "c")) == 0.05


def test_a_resumed_run_counts_once(tmp_path: Path) -> None:
    ledger = gate.Ledger(tmp_path / "gate.json")
    queries = asked("one", "two")
    assert ledger.use(queries, "a") == [0, 0]
    assert ledger.use(queries, "a") == [0, 0]
    assert ledger.uses(queries, "a") == [0, 0]
    assert ledger.uses(queries, "b") == [1, 1]


def test_runs_that_use_their_test_at_the_same_time_are_all_counted(tmp_path: Path) -> None:
    queries, runs = asked("one", "two"), [f"run {number}" for number in range(40)]
    begin = threading.Barrier(4)

    def use(own: list[str]) -> list[list[int]]:
        begin.wait()
        return [gate.Ledger(tmp_path / "gate.json").use(queries, run) for run in own]

    with ThreadPoolExecutor(4) as pool:
        found = [done.result() for done in [pool.submit(use, runs[start::4]) for start in range(4)]]
    assert sorted(uses for each in found for uses in each) == [[before, before] for before in range(40)]
    assert gate.Ledger(tmp_path / "gate.json").uses(queries, "another") == [40, 40]


def test_the_ledger_holds_no_query_in_plain_words(tmp_path: Path) -> None:
    gate.Ledger(tmp_path / "gate.json").use(asked("my secret illness"), "a")
    assert "illness" not in (tmp_path / "gate.json").read_text()
