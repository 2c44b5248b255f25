"""Why one row stands where it does, as a terminal shows it: shares, legs, terms and the cuts of the tiers."""

from __future__ import annotations

from collections.abc import Iterator

from app.wording.cells import table
from app.wording.figures import count, counted, decimal, figure, percent
from app.wording.safe_text import one_line
from engine.records import Explanation, Hit, KeywordFigure, Remembered, Shares, VectorFigure

INDENT = "      "
SCORE_INDENT = INDENT + "  "


def explained(hit: Hit, passages: int) -> Iterator[str]:
    """Yield the lines that explain one row in a library of `passages` passages."""
    yield f"{INDENT}score    {score(hit.score, hit.shares)}"
    yield f"{INDENT}meaning  {_meaning(hit.vector, hit.explanation, passages)}"
    yield f"{INDENT}words    {_words(hit.keyword)}"
    if hit.keyword:
        yield from terms(hit.keyword)
    if hit.explanation.remembered is not None:
        yield f"{INDENT}memory   {memory(hit.explanation.remembered)}"
    yield f"{INDENT}trust    {trust(hit)}"
    yield f"{INDENT}rank     {_ranks(hit.explanation)}"


def score(total: float, shares: Shares) -> str:
    """Return the score as the sum of what each part gave."""
    parts = [f"meaning {figure(shares.vector)}", f"words {figure(shares.keyword)}"]
    if shares.feedback is not None:
        parts.append(f"feedback {figure(shares.feedback)}")
    if shares.memory is not None:
        parts.append(f"memory {figure(shares.memory)}")
    return f"{figure(total)} = {' + '.join(parts)}"


def _meaning(vector: VectorFigure | None, explanation: Explanation, passages: int) -> str:
    if vector is None:
        return "did not find it"
    rank = f"rank {count(vector.rank)} of {count(passages)}" if vector.rank is not None else "not among its candidates"
    return f"{rank} · distance {figure(vector.distance)} · cosine {figure(explanation.cosine)}"


def _words(keyword: KeywordFigure | None) -> str:
    if keyword is None:
        return "no word of the query is in it"
    rank = f"rank {count(keyword.rank)}" if keyword.rank is not None else "not among its candidates"
    return f"{rank} · bm25 {decimal(keyword.bm25, 2)}"


def terms(keyword: KeywordFigure) -> list[str]:
    """Return the table of terms: how rare each is, its weighted frequency here, and its part of the bm25."""
    rows = [
        (
            one_line(term.term),
            f"in {counted(term.documents, 'passage')}",
            f"idf {decimal(term.idf, 2)}",
            f"tf {decimal(term.tf, 2)}",
            f"{decimal(term.score, 2)}",
        )
        for term in keyword.terms
    ]
    lines = table(rows, right=(1, 2, 3, 4), indent=SCORE_INDENT)
    lines += [
        SCORE_INDENT + f"{one_line(term.term)} is in hardly any document: +{figure(term.rare)} beside its bm25"
        for term in keyword.terms
        if term.rare > 0
    ]
    return lines


def memory(remembered: Remembered) -> str:
    """Return whose judgement the share of memory comes from, and how near that search was."""
    deed = {2: "marked right", -2: "marked wrong", 1: "opened"}[remembered.grade]
    return f"{deed} for “{one_line(remembered.query)}” · cosine {figure(remembered.cosine)} with this search"


def trust(hit: Hit) -> str:
    """Return the signal that gave the tier, beside the cuts it was held against."""
    figures = hit.explanation
    return (
        f"{hit.tier}: signal {figure(figures.signal)} · likely from {figure(figures.cut_likely)}, "
        f"strong from {figure(figures.cut_strong)} · {percent(figures.coverage)} of the query's words by weight"
    )


def _ranks(figures: Explanation) -> str:
    legs = (("meaning alone", figures.rank_by_meaning), ("words alone", figures.rank_by_words))
    alone = [f"{name} {rank if rank is not None else '–'}" for name, rank in legs]
    grouped = [f"grouped {figures.rank_grouped}"] if figures.rank_grouped else []
    return " · ".join([*alone, f"fused {figures.rank_fused}", *grouped, f"in the list {figures.rank_final}"])
