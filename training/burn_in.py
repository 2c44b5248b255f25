"""Whether a model that was taken into use stands the test of use, while the one before is kept current beside it.

Pure. "a" is the model in use and "b" the one before, as in every search that both answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Literal

from engine.figures import percent
from engine.lazy_dataclass import dataclass
from engine.records import Mark, ShadowSearch
from training.shadow_agreement import Speed

if TYPE_CHECKING:
    from engine.evaluation.significance import Difference

DAYS, SEARCHES = 14, 100  # both are waited for
DAY_SECONDS = 86_400.0
WORST_RANK = -0.02  # of reciprocal rank, that the interval must leave out
LEAST_ROWS = 10  # opened or marked rows, below which an interval of them says nothing
MORE_NONE = 0.05  # of the searches, by which more may be answered by "none"
SLOWER = 1.2  # times the 95th percentile of the model before

Standing = Literal["waiting", "passed", "way back"]


@dataclass(frozen=True, slots=True)
class BurnIn:
    """How a promotion stands the test of use: what was measured, and what speaks against it, in words.

    `ranks` is the difference of reciprocal ranks of the rows that were opened or marked, over `rows` of them; `none_*`
    the shares of searches without an answer; `*_p95` milliseconds.
    """

    standing: Standing
    days_left: float
    searches_left: int
    rows_left: int
    rows: int
    ranks: Difference | None
    none_a: float
    none_b: float
    speed_a: Speed | None
    speed_b: Speed | None
    faults: tuple[str, ...] = ()


def burn_in(
    searches: Sequence[ShadowSearch],
    marks: Iterable[Mark],
    since: float,
    now: float,
    speeds: tuple[Speed | None, Speed | None] = (None, None),
) -> BurnIn:
    """Return how the model in use stands since it was taken into use, by the live searches from then on.

    `speeds` are those of the same searches, of the model in use and of the one before.
    """
    from engine.evaluation.significance import paired_bootstrap

    live = [each for each in searches if each.stream == "live" and each.at >= since]
    new, old = _reciprocal_ranks(live, marks, since)
    ranks = paired_bootstrap(new, old) if new else None
    none_a, none_b = _none([each.verdict_a for each in live]), _none([each.verdict_b for each in live])
    days_left = max(0.0, DAYS - (now - since) / DAY_SECONDS)
    searches_left, rows_left = max(0, SEARCHES - len(live)), max(0, LEAST_ROWS - len(new))
    faults = _faults(ranks, none_a - none_b, *speeds) if len(live) >= SEARCHES else []
    waits = days_left > 0 or searches_left > 0 or rows_left > 0
    standing: Standing = "way back" if faults else "waiting" if waits else "passed"
    return BurnIn(
        standing, days_left, searches_left, rows_left, len(new), ranks, none_a, none_b, *speeds, tuple(faults)
    )


def broken(search: ShadowSearch) -> str:
    """Return why the model in use must go back at once, in words; "" where its answer is sound.

    Only what no model in order does: a cosine that is no number, no row where the model before finds some, or rows of
    which none has a vector.
    """
    if any(pair.rank_a is not None and not isfinite(pair.cosine_a) for pair in search.pairs):
        return "it gave a similarity that is no number"
    if search.top_b and not search.top_a:
        return "it found nothing where the model before finds something"
    if search.top_a and not search.pairs:
        return "it has no vector of anything that it found"
    return ""


def _faults(ranks: Difference | None, more_none: float, speed_a: Speed | None, speed_b: Speed | None) -> list[str]:
    faults = []
    if ranks is not None and ranks.queries >= LEAST_ROWS and ranks.low <= WORST_RANK:
        faults.append("what you open and mark may stand lower than the model before would place it")
    if more_none > MORE_NONE:
        faults.append(f"{percent(more_none)} more of the searches have no answer")
    if speed_a is not None and speed_b is not None and speed_a.p95 > SLOWER * speed_b.p95:
        faults.append(f"the slowest searches take {speed_a.p95 / speed_b.p95:.1f} times as long")
    return faults


def _reciprocal_ranks(
    searches: Sequence[ShadowSearch], marks: Iterable[Mark], since: float
) -> tuple[list[float], list[float]]:
    """Return the reciprocal ranks of the rows that were opened or marked as right, in the new lists and the old.

    Of each question by the first search since then: a later one has the mark moved up in both lists.
    """
    first = {_words(each.query): each for each in sorted(searches, key=lambda search: -search.id)}
    found = [
        (_reciprocal(search.top_a, mark.passage_hash), _reciprocal(search.top_b, mark.passage_hash))
        for mark in marks
        if mark.grade > 0 and mark.at >= since and (search := first.get(_words(mark.query))) is not None
    ]
    return [new for new, _ in found], [old for _, old in found]


def _words(query: str) -> str:
    return " ".join(query.split())


def _reciprocal(ranking: Sequence[bytes], row: bytes) -> float:
    return 1 / (ranking.index(row) + 1) if row in ranking else 0.0


def _none(verdicts: Sequence[str]) -> float:
    return verdicts.count("none") / len(verdicts) if verdicts else 0.0
