"""Search results as linear text for a screen reader: whole sentences, no signs, no bars, no columns."""

from __future__ import annotations

from collections.abc import Iterator

from app.wording.figures import adding_up, counted, decimal
from app.wording.paths import short_path
from app.wording.safe_text import one_line
from engine.records import Explanation, Hit, KeywordFigure, SearchResult, Shares

DECIMALS = 3

VERDICTS = {
    "strong": "Strong match.",
    "likely": "Likely match.",
    "weak": "Weak match.",
    "none": "Nothing relevant was found. The nearest passages follow.",
}


def linear(result: SearchResult, *, explain: bool) -> Iterator[str]:
    """Yield the verdict and then the rows, one fact a line; `explain` adds what placed each row."""
    yield f"{VERDICTS[result.verdict]} {counted(len(result.hits), 'result')}."
    for hit in result.hits:
        yield ""
        yield from _row(hit)
        if explain:
            yield from _explained(hit, result)


def _row(hit: Hit) -> Iterator[str]:
    yield f"Result {hit.rank}: {', '.join(one_line(part) for part in (hit.title, *hit.headings))}."
    page = f", page {hit.page}" if hit.page else ""
    yield f"File {short_path(hit.path)}, line {hit.line_start}{page}."
    yield f"Trust: {hit.tier}. Score {decimal(hit.score)}."
    yield f"Text: {one_line(hit.snippet)}"


def _explained(hit: Hit, result: SearchResult) -> Iterator[str]:
    """Yield what the browser's explanation holds; the parts of the score, as told, sum to the score as told."""
    parts = {name: value for name, value in _parts(hit.shares) if value is not None}
    told = dict(zip(parts, adding_up(list(parts.values()), hit.score, DECIMALS), strict=True))
    yield f"Of the score, meaning gave {_spoken(told['meaning'])} and words gave {_spoken(told['words'])}."
    if "feedback" in told:
        yield f"Feedback from the first results changed it by {_change(told['feedback'])}."
    if "memory" in told:
        yield f"Your own earlier choices changed it by {_change(told['memory'])}."
    if hit.explanation.remembered is not None:
        yield f"They were made for the search: {one_line(hit.explanation.remembered.query)}."
    if hit.vector is None:
        yield "Meaning did not find it."
    else:
        yield f"By meaning: {_ranked(hit.vector.rank)}, cosine distance {decimal(hit.vector.distance)}."
    if hit.keyword is None:
        yield "No word of the query is in it."
    else:
        yield from _words(hit.keyword)
    yield from _absent(hit, result)
    yield from _places(hit.explanation)
    facts = hit.explanation
    cuts = f"likely from {decimal(facts.cut_likely)}, strong from {decimal(facts.cut_strong)}"
    yield f"Signal {decimal(facts.signal)}: {cuts}."


def _words(keyword: KeywordFigure) -> Iterator[str]:
    yield f"By words: {_ranked(keyword.rank)}, bm25 {decimal(keyword.bm25, 2)}."
    for term in keyword.terms:
        beside = f", and {decimal(term.rare)} of the score for being in hardly any document" if term.rare > 0 else ""
        found = f"in {counted(term.documents, 'passage')}, gave {decimal(term.score, 2)}"
        yield f"Word {one_line(term.term)}: {found}{beside}."


def _absent(hit: Hit, result: SearchResult) -> Iterator[str]:
    here = {term.term for term in hit.keyword.terms} if hit.keyword else set()
    absent = [one_line(word.term) for word in result.words if word.term not in here]
    if absent:
        yield f"Not here: {', '.join(absent)}."


def _places(facts: Explanation) -> Iterator[str]:
    """Yield the ranks on the way from the passages to the list."""
    alone = [
        f"{rank} by {leg} alone"
        for leg, rank in (("meaning", facts.rank_by_meaning), ("words", facts.rank_by_words))
        if rank is not None
    ]
    grouped = [f"{facts.rank_grouped} among documents"] if facts.rank_grouped else []
    steps = [*alone, f"{facts.rank_fused} when both are joined", *grouped, f"{facts.rank_final} in the list"]
    yield f"Its rank is {', '.join(steps)}."


def _parts(shares: Shares) -> tuple[tuple[str, float | None], ...]:
    return (
        ("meaning", shares.vector),
        ("words", shares.keyword),
        ("feedback", shares.feedback),
        ("memory", shares.memory),
    )


def _spoken(figure: str) -> str:
    return decimal(float(figure), DECIMALS)


def _change(figure: str) -> str:
    return ("+" if float(figure) > 0 else "") + _spoken(figure)


def _ranked(rank: int | None) -> str:
    return f"rank {rank}" if rank is not None else "not among the candidates"
