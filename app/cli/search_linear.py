"""Search results as linear text for a screen reader: whole sentences, no signs, no bars, no columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.explanation import Facts, Ranks, Word, decimals_of, facts_of
from app.word_links import NO_COUNTERPART, Links, PlacedWord
from app.wording.paths import short_path
from app.wording.places import page_name
from app.wording.remarks import notes
from app.wording.safe_text import one_line
from app.wording.so_far import WAITS, by_words_alone, words_so_far
from engine.figures import counted, decimal, value_of
from engine.records import Hit, KeywordFigure, SearchResult, VectorFigure

VERDICTS = {
    "strong": "Strong match.",
    "likely": "Likely match.",
    "weak": "Weak match.",
    "none": "Nothing relevant was found. The nearest passages follow.",
}


def linear(result: SearchResult, *, explain: bool, nearest: Links | None = None) -> Iterator[str]:
    """Yield the verdict and then the rows, one fact a line; `explain` adds what placed each row.

    `nearest` are the words nearest to those of the query, by the passage of a row.
    """
    yield f"{VERDICTS[result.verdict]} {counted(len(result.hits), 'result')}."
    if result.so_far:
        yield f"{words_so_far(result).capitalize()}."
    yield from notes(result)
    for hit in result.hits:
        yield ""
        yield from _row(hit, decimals_of(result.fusion))
        if explain:
            yield from _explained(hit, facts_of(hit, result))
            yield from map(_nearest_said, (nearest or {}).get(hit.passage_id, ()))


def _nearest_said(each: PlacedWord) -> str:
    """Return in a sentence which word answers a word of the query."""
    asked, link = one_line(each.link.asked), each.link
    if link.cosine is None:
        return f"Nearest to {asked}: {NO_COUNTERPART}."
    line = f", line {each.line}" if each.line else ""
    how = f", {each.how}" if each.how else ""
    return f"Nearest to {asked}: {one_line(link.word)}{line}, cosine {decimal(link.cosine, 2)}{how}."


def _row(hit: Hit, decimals: int) -> Iterator[str]:
    yield f"Result {hit.rank}: {', '.join(one_line(part) for part in (hit.title, *hit.headings))}."
    line = f"line {hit.line_start}" if hit.line_start else ""
    page = page_name(hit.kind, hit.page) if hit.page else ""
    yield f"File {', '.join(filter(None, (short_path(hit.path), line, page)))}."
    if hit.pending:
        yield f"{WAITS.capitalize()}."
    yield f"Trust: {hit.tier}. Score {decimal(hit.score, decimals)}."
    yield f"Text: {one_line(hit.snippet)}"


def _explained(hit: Hit, facts: Facts) -> Iterator[str]:
    """Yield what the browser's explanation holds; the parts of the score, as told, sum to the score as told."""
    told = {part.name: decimal(value_of(part.shown), facts.decimals) for part in facts.parts}
    yield f"Of the score, meaning gave {told['meaning']} and words gave {told['words']}."
    if "rare" in told:
        yield f"Words that are rare, or a name of this, gave {told['rare']} beside."
    if "around" in told:
        yield f"The passages before and after it changed it by {_change(told['around'])}."
    if "feedback" in told:
        yield f"Feedback from the first results changed it by {_change(told['feedback'])}."
    if "memory" in told:
        yield f"Your own earlier choices changed it by {_change(told['memory'])}."
    if "late" in told:
        yield f"Late interaction changed it by {_change(told['late'])}."
    if facts.memory is not None:
        yield f"They were made for the search: {one_line(facts.memory.query)}."
    if hit.vector is None and not hit.pending:
        yield "Meaning did not find it."
    elif hit.vector is None:
        yield f"By meaning: {WAITS}."
    else:
        yield f"By meaning: {_ranked(hit.vector)}, cosine distance {decimal(hit.vector.distance)}."
    if hit.keyword is None:
        yield "No word of the query is in it."
    else:
        yield f"By words: {_ranked(hit.keyword)}, bm25 {decimal(hit.keyword.bm25, 2)}."
    yield from _words(facts.words)
    if facts.absent:
        yield f"Not here: {', '.join(one_line(word.term) for word in facts.absent)}."
    yield f"Its rank is {', '.join(_steps(facts.ranks))}."
    if hit.pending:
        yield f"Trust {by_words_alone(hit)}."
        return
    cuts = hit.explanation
    limits = f"likely from {decimal(cuts.cut_likely)}, strong from {decimal(cuts.cut_strong)}"
    yield f"Signal {decimal(cuts.signal)}: {limits}."


def _words(words: Sequence[Word]) -> Iterator[str]:
    for word in words:
        found = f"in {counted(word.score.documents, 'passage')}, gave {decimal(value_of(word.bm25), 2)}"
        rare = decimal(word.score.rare)
        beside = f", and {rare} of the score for being rare, or a name of this" if word.score.rare > 0 else ""
        yield f"Word {one_line(word.term)}: {found}{beside}."


def _steps(ranks: Ranks) -> Iterator[str]:
    """Yield the ranks on the way from the passages to the list."""
    if ranks.meaning is not None:
        yield f"{ranks.meaning} by meaning alone"
    if ranks.words is not None:
        yield f"{ranks.words} by words alone"
    yield f"{ranks.fused} when both are joined"
    if ranks.grouped:
        yield f"{ranks.grouped} among documents"
    yield f"{ranks.final} in the list"


def _change(told: str) -> str:
    return ("+" if value_of(told) > 0 else "") + told


def _ranked(leg: VectorFigure | KeywordFigure) -> str:
    return f"rank {leg.rank}" if leg.rank is not None else "not among the candidates"
