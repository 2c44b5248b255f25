"""The figures of two rows under each other, with the difference between them; as shown, the differences add up too."""

from __future__ import annotations

from dataclasses import dataclass

from app.explanation import differences
from app.tui.screens.search.explanation.leg_lines import often
from app.tui.screens.search.explanation.subject import Explained, signed_units
from app.tui.screens.search.row import greatest_score
from app.wording.bars import TIER_SIGNS
from app.wording.safe_text import one_line
from app.wording.so_far import NOT_YET
from engine.figures import NONE, count, figure, value_of
from engine.records import Hit

FIGURE_CELLS = 8  # a column of figures, right-aligned so that their points stand under each other


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rows of one result, the better one first."""

    first: Explained
    second: Explained


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of both rows, and how much more the first has; `sum` tells the sum from its parts."""

    name: str
    first: str
    second: str
    difference: str = ""
    sum: bool = False
    lengths: tuple[float, float] | None = None  # of the bars beside the figures, as shares of the longest that could be


def parts(pair: Pair) -> list[Compared]:
    """Return the parts of both scores and their sums."""
    mine, others = pair.first.facts, pair.second.facts
    apart, decimals = differences(mine, others), mine.decimals
    full = max(greatest_score(pair.first.result), 1e-9)
    shares = [{part.name: part.value / full for part in facts.parts} for facts in (mine, others)]
    rows = [
        Compared(name, mine.shown(name, NONE), others.shown(name, NONE), signed_units(apart[name], decimals),
                 lengths=(shares[0].get(name, 0.0), shares[1].get(name, 0.0)))
        for name in apart
    ]  # fmt: skip
    return [*rows, Compared("score", mine.score, others.score, signed_units(sum(apart.values()), decimals), sum=True)]


def ranks(pair: Pair) -> list[Compared]:
    """Return where both stand: by each leg, among all passages, and in the list."""
    rows = []
    for name, field in (
        ("by meaning", "rank_by_meaning"),
        ("by words", "rank_by_words"),
        ("fused", "rank_fused"),
        ("grouped", "rank_grouped"),
        ("in the list", "rank_final"),
    ):
        mine, other = (_rank(getattr(each.hit.explanation, field)) for each in (pair.first, pair.second))
        rows.append(Compared(name, mine, other))
    return rows


def _rank(rank: int | None) -> str:
    return count(rank) if rank is not None else NONE


def measures(pair: Pair) -> list[Compared]:
    """Return the raw figures of the legs, and what the tiers were read from."""
    hits = (pair.first.hit, pair.second.hit)
    distance, bm25, signal = (
        [_distance(hit) for hit in hits],
        [_bm25(hit) for hit in hits],
        [_signal(hit) for hit in hits],
    )
    tier = [f"{TIER_SIGNS[hit.tier]} {hit.tier}" for hit in hits]
    return [
        Compared("distance", distance[0], distance[1], _apart(distance, 3)),
        Compared("bm25", bm25[0], bm25[1], _apart(bm25, 2)),
        Compared("signal", signal[0], signal[1], _apart(signal, 3)),
        Compared("trust", tier[0], tier[1]),
    ]


def _distance(hit: Hit) -> str:
    return figure(hit.vector.distance) if hit.vector else NOT_YET if hit.pending else NONE


def _bm25(hit: Hit) -> str:
    return figure(hit.keyword.bm25, 2) if hit.keyword else NONE


def _signal(hit: Hit) -> str:
    return figure(hit.explanation.signal)


def _apart(shown: list[str], decimals: int) -> str:
    """Return the difference of two figures from how they are shown."""
    if NONE in shown:
        return ""
    first, second = (round(value_of(each) * 10**decimals) for each in shown)
    return signed_units(first - second, decimals)


def words(pair: Pair) -> list[Compared]:
    """Return for each word of the query how often it stands in both, and the points that it gave."""
    mine, others = _by_word(pair.first), _by_word(pair.second)
    rows = []
    for reading in pair.first.result.words:
        first, second = mine.get(reading.term), others.get(reading.term)
        if first or second:
            rows.append(
                Compared(one_line(reading.term), _told(first), _told(second), _points_apart(first, second, pair))
            )
    return rows


def _by_word(explained: Explained) -> dict[str, tuple[str, str]]:
    """Return how often each word stands in a row, and its points, where words were given any."""
    return {word.term: (often(word.score.tf), word.points) for word in explained.facts.words}


def _told(word: tuple[str, str] | None) -> str:
    return f"{word[1]:>{FIGURE_CELLS}}  {word[0]}" if word else NONE


def _points_apart(first: tuple[str, str] | None, second: tuple[str, str] | None, pair: Pair) -> str:
    given = [word[1] or "0" if word else "0" for word in (first, second)]
    return _apart(given, pair.first.facts.decimals) if any(word and word[1] for word in (first, second)) else ""


def decisive(pair: Pair) -> str:
    """Return in one sentence what set the first above the second."""
    decimals = pair.first.facts.decimals
    apart = differences(pair.first.facts, pair.second.facts)
    whole = sum(apart.values())
    gains = sorted(((value, name) for name, value in apart.items() if value > 0), reverse=True)
    losses = sorted((value, name) for name, value in apart.items() if value < 0)
    if whole <= 0 or not gains:
        return "Their scores are the same as shown: the nearer in meaning, then the path, decided."
    led = f"Ahead by {figure(whole / 10**decimals, decimals)}, above all by {_name(gains[0][1])}"
    against = f", though {_name(losses[0][1])} spoke for the other" if losses else ""
    return f"{led} ({signed_units(gains[0][0], decimals)}){against}."


def _name(part: str) -> str:
    return {
        "meaning": "its meaning",
        "words": "its words",
        "rare": "its rare words",
        "around": "what is around it",
        "feedback": "feedback",
        "late": "late interaction",
    }.get(part, part)


def ordered(one: Hit, other: Hit) -> tuple[Hit, Hit]:
    """Return two rows, the better one first."""
    return (one, other) if one.rank <= other.rank else (other, one)
