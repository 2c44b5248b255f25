"""What would bring a document back, as something that a key can try: other settings, more rows, another query."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

from engine.figures import figure
from engine.records import SearchSettings, WhyChanges, WhyReport, WhyStage
from engine.retrieval.query_pieces import Piece, pieces

_QUOTED = re.compile(r'the quotes around "(.+)"')
MOST_WORDS = 3  # offered to be added, each by a key of its own


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something to try. At most one of the fields after `said` is set; none: there is nothing that a key could do.

    `limit` is how many rows must be shown for the document to be among them.
    """

    said: str
    settings: SearchSettings | None = None
    limit: int | None = None
    text: str | None = None


def remedies(report: WhyReport, settings: SearchSettings) -> tuple[Remedy, ...]:
    """Return what can be tried, the least change first."""
    if report.found:
        return (Remedy(f"go to row {report.final_rank}", limit=report.final_rank),)
    stages = {stage.stage: stage for stage in report.stages}
    offered = [
        *_without_filters([stage for stage in report.stages if stage.stage == "filters"], report.query),
        *_more_rows(stages.get("listed")),
        *_as_a_row(stages.get("collapsed"), settings),
        *_without_cutoff(stages.get("cutoff"), settings),
        *_other_ranking(report.changes, settings),
        *_one_leg(stages.get("vector"), stages.get("keyword"), settings),
        *_more_words(report.changes.words, report.query),
    ]
    return tuple(offered[:9])


def untried(report: WhyReport) -> tuple[str, ...]:
    """Return the advice that no key can follow: what is to be done outside the search."""
    return report.advice if report.dropped_at == "indexed" else ()


def _more_rows(listed: WhyStage | None) -> list[Remedy]:
    if listed is None or listed.passed or listed.rank is None:
        return []
    return [Remedy(f"show it all the same, as row {listed.rank}", limit=listed.rank)]


def _as_a_row(collapsed: WhyStage | None, settings: SearchSettings) -> list[Remedy]:
    if collapsed is None or collapsed.passed:
        return []
    return [Remedy("give near-duplicates rows of their own", settings=replace(settings, collapse=0.0))]


def _without_cutoff(cutoff: WhyStage | None, settings: SearchSettings) -> list[Remedy]:
    if cutoff is None or cutoff.passed:
        return []
    return [Remedy("switch the cut-off off", settings=replace(settings, cutoff=None))]


def _other_ranking(changes: WhyChanges, settings: SearchSettings) -> list[Remedy]:
    if changes.fusion is not None:
        return [Remedy("search by meaning and words together", settings=replace(settings, fusion=changes.fusion))]
    if changes.weights is None:
        return []
    vector, keyword = changes.weights
    said = f"weigh meaning {figure(vector, 2)} and words {figure(keyword, 2)}"
    return [Remedy(said, settings=replace(settings, weights=changes.weights))]


def _one_leg(vector: WhyStage | None, keyword: WhyStage | None, settings: SearchSettings) -> list[Remedy]:
    """Offer to search by one leg alone where that leg has the document among its candidates."""
    offered = []
    if vector is not None and vector.passed and vector.rank and settings.fusion != "vector":
        offered.append((vector.rank, Remedy(f"search by meaning alone: there it has rank {vector.rank}",
                                            settings=replace(settings, fusion="vector"))))  # fmt: skip
    if keyword is not None and keyword.passed and keyword.rank and settings.fusion != "keyword":
        offered.append((keyword.rank, Remedy(f"search by words alone: there it has rank {keyword.rank}",
                                             settings=replace(settings, fusion="keyword"))))  # fmt: skip
    return [remedy for _, remedy in sorted(offered, key=lambda each: each[0])]


def _more_words(words: Sequence[str], query: str) -> list[Remedy]:
    return [Remedy(f"add the word “{word}”", text=f"{query.rstrip()} {word}") for word in words[:MOST_WORDS]]


def _without_filters(filters: Sequence[WhyStage], query: str) -> list[Remedy]:
    needed = [stage.needed for stage in filters if not stage.passed]
    text = reduce(without, needed, query)
    return [Remedy(f"leave out {' and '.join(needed)}", text=text)] if text != query else []


def without(query: str, needed: str) -> str:
    """Return the query without a filter, an exclusion or the quotes that `needed` names as the engine does."""
    quoted = _QUOTED.fullmatch(needed)
    if quoted:
        return re.sub(f'"({re.escape(quoted[1])})"', r"\1", query, flags=re.IGNORECASE)
    return " ".join(query[piece.start : piece.end] for piece in pieces(query) if not _named(piece, needed))


def _named(piece: Piece, needed: str) -> bool:
    """Whether the engine means this piece: a filter by its name, an exclusion by its sign and word."""
    sign = "-" if piece.minus else ""
    if piece.field:
        return f"{sign}{piece.field}:" == needed.partition(":")[0] + ":"
    return bool(sign) and f"{sign}{piece.value}".casefold() == needed.casefold()
