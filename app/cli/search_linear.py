"""Search results as linear text for a screen reader: whole sentences, no signs, no bars, no columns."""

from __future__ import annotations

from collections.abc import Iterator

from app.cli.text import count, one_line, short_path
from engine.records import Hit, SearchResult

VERDICTS = {
    "strong": "Strong match.",
    "likely": "Likely match.",
    "weak": "Weak match.",
    "none": "Nothing relevant was found. The nearest passages follow.",
}


def linear(result: SearchResult, *, explain: bool) -> Iterator[str]:
    """Yield the verdict and then the rows, one fact a line; `explain` adds what placed each row."""
    yield f"{VERDICTS[result.verdict]} {count(len(result.hits), 'result')}."
    for hit in result.hits:
        yield ""
        yield from _row(hit)
        if explain:
            yield from _explained(hit)


def _row(hit: Hit) -> Iterator[str]:
    yield f"Result {hit.rank}: {', '.join(one_line(part) for part in (hit.title, *hit.headings))}."
    page = f", page {hit.page}" if hit.page else ""
    yield f"File {short_path(hit.path)}, line {hit.line_start}{page}."
    yield f"Trust: {hit.tier}. Score {hit.score:.3f}."
    yield f"Text: {one_line(hit.snippet)}"


def _explained(hit: Hit) -> Iterator[str]:
    shares = hit.shares
    yield f"Of the score, meaning gave {shares.vector:.3f} and words gave {shares.keyword:.3f}."
    if shares.feedback is not None:
        yield f"Feedback from the first results changed it by {shares.feedback:+.3f}."
    if shares.memory is not None:
        yield f"Your own earlier choices changed it by {shares.memory:+.3f}."
    if hit.vector is None:
        yield "Meaning did not find it."
    else:
        yield f"By meaning: {_ranked(hit.vector.rank)}, cosine distance {hit.vector.distance:.3f}."
    if hit.keyword is None:
        yield "No word of the query is in it."
        return
    yield f"By words: {_ranked(hit.keyword.rank)}, bm25 {hit.keyword.bm25:.2f}."
    for term in hit.keyword.terms:
        yield f"Word {one_line(term.term)}: in {count(term.documents, 'passage')}, gave {term.score:.2f}."


def _ranked(rank: int | None) -> str:
    return f"rank {rank}" if rank is not None else "not among the candidates"
