"""Why one row stands where it does, as a terminal shows it: shares, legs, terms and the cuts of the tiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.explanation import Facts, Ranks, Word, facts_of
from app.word_links import NO_COUNTERPART, PlacedWord
from app.wording.cells import table
from app.wording.fusion_constants import differing
from app.wording.safe_text import one_line
from app.wording.so_far import WAITS, by_words_alone
from engine.figures import NONE, count, counted, decimal, figure, percent, value_of
from engine.records import Explanation, Hit, KeywordFigure, SearchResult, VectorFigure

INDENT = "      "
SCORE_INDENT = INDENT + "  "


def explained(hit: Hit, result: SearchResult, nearest: Sequence[PlacedWord] = ()) -> Iterator[str]:
    """Yield the lines that explain one row of a result; `nearest` are the words nearest to those of the query."""
    facts = facts_of(hit, result)
    yield f"{INDENT}score    {facts.score} = {' + '.join(f'{part.name} {part.shown}' for part in facts.parts)}"
    yield f"{INDENT}meaning  {WAITS if hit.pending else _meaning(hit.vector, hit.explanation, result.passages)}"
    yield f"{INDENT}words    {_words(hit.keyword)}"
    yield from terms(facts.words)
    if facts.memory is not None:
        yield f"{INDENT}memory   {facts.memory.deed} “{one_line(facts.memory.query)}” · {facts.memory.near}"
    yield from _nearest(nearest)
    yield f"{INDENT}trust    {trust(hit, facts)}"
    yield f"{INDENT}rank     {_ranks(facts.ranks)}"
    if result.fusion == "convex" and (fitted := differing(result.constants)):
        yield f"{INDENT}fusion   {fitted}"


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


def _nearest(words: Sequence[PlacedWord]) -> list[str]:
    """Return the table of nearest words: each word asked, the one that answers it, its line, and their cosine."""
    rows = [
        (
            each.link.asked,
            each.link.word or NO_COUNTERPART,
            f"line {each.line}" if each.line else "",
            "" if each.link.cosine is None else f"cosine {figure(each.link.cosine, 2)}",
            each.how,
        )
        for each in words
    ]
    head = [f"{INDENT}nearest words, by token vectors; no share of the score"] if rows else []
    return head + table(rows, indent=SCORE_INDENT)


def terms(words: Sequence[Word]) -> list[str]:
    """Return the table of terms: how rare each is, its weighted frequency here, and its part of the bm25."""
    rows = [
        (
            one_line(word.term),
            f"in {counted(word.score.documents, 'passage')}",
            f"idf {decimal(word.score.idf, 2)}",
            f"tf {decimal(word.score.tf, 2)}",
            decimal(value_of(word.bm25), 2),
        )
        for word in words
    ]
    lines = table(rows, right=(1, 2, 3, 4), indent=SCORE_INDENT)
    lines += [
        SCORE_INDENT + f"{one_line(word.term)} is rare, or a name of this: +{figure(word.score.rare)}"
        for word in words
        if word.score.rare > 0
    ]
    return lines


def trust(hit: Hit, facts: Facts) -> str:
    """Return the signal that gave the tier, beside the cuts it was held against."""
    cuts = hit.explanation
    if hit.pending:
        return f"{hit.tier}: {by_words_alone(hit)}"
    return (
        f"{hit.tier}: signal {facts.signal.total} · likely from {figure(cuts.cut_likely)}, "
        f"strong from {figure(cuts.cut_strong)} · {percent(cuts.coverage)} of the query's words by weight"
    )


def _ranks(ranks: Ranks) -> str:
    alone = [
        f"{name} alone {rank if rank is not None else NONE}"
        for name, rank in (("meaning", ranks.meaning), ("words", ranks.words))
    ]
    grouped = [f"grouped {ranks.grouped}"] if ranks.grouped else []
    return " · ".join([*alone, f"fused {ranks.fused}", *grouped, f"in the list {ranks.final}"])
