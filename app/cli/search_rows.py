"""Search results as a person reads them on a terminal: title, place, snippet, and the figures of both legs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from app.cli.hyperlinks import linked
from app.wording.bars import TIER_SIGNS, bar
from app.wording.cells import padded, width
from app.wording.paths import located
from app.wording.places import page_name
from app.wording.safe_text import cleaned, one_line
from app.wording.so_far import NOT_YET, words_so_far
from app.wording.times import day
from engine.figures import NONE, count, counted, decimal, figure
from engine.lazy_dataclass import dataclass
from engine.records import Grade, Hit, KeywordFigure, SearchResult, Tier, VectorFigure, Verdict

COLORS: dict[Tier, str] = {"strong": "green", "likely": "yellow", "weak": "bright_black"}
VERDICTS: dict[Verdict, str] = {
    "strong": "strong",
    "likely": "likely",
    "weak": "weak",
    "none": "nothing relevant found, the nearest all the same",
}
JUDGED: dict[Grade, str] = {2: "+ marked right", -2: "- marked wrong", 1: "· opened before"}
USUAL = "the default"  # weights that need no reason
INDENT = "    "
SNIPPET_LINES = 3
BAR_CELLS = 10
LEG_CELLS = 9  # of rank and distance
WORD = re.compile(r"\S+")


def verdict_line(result: SearchResult, columns: int) -> str:
    """Return what stands above the rows: the verdict, how much was found, and how the legs were weighed.

    It is one line where `columns` have room for it; else it goes on below, between two of its parts.
    """
    weights = f"meaning {figure(result.weights.vector, 2)} words {figure(result.weights.keyword, 2)}"
    told = result.weights.reason not in ("", USUAL)
    reason = f" ({one_line(result.weights.reason)})" if told else ""
    shown = f"{count(len(result.hits))} of {counted(result.found, 'candidate')}"
    took = f"{result.timings.total:.0f} ms"
    said = (VERDICTS[result.verdict], words_so_far(result), shown, took, weights + reason)
    lines = [""]
    for part in filter(None, said):
        joined = f"{lines[-1]} · {part}" if lines[-1] else part
        if width(joined) <= columns or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(part)
    return "\n".join(lines)


def row(hit: Hit, best: float, columns: int, decimals: int = 3, *, links: bool = False) -> Iterator[str]:
    """Yield the lines of one row; `best` is the score that fills the bar, `decimals` the places of a score.

    With `links` its place leads to the file.
    """
    date = day(hit.modified)
    heading = trail(hit)
    gap = max(2, columns - len(INDENT) - width(heading) - width(date))
    yield f"{hit.rank:>2}  " + click.style(heading, bold=True) + " " * gap + click.style(date, dim=True)
    page = f"  {page_name(hit.kind, hit.page)}" if hit.page else ""
    place = click.style(located(hit.path, hit.line_start) + page, fg="cyan")
    yield INDENT + (linked(place, hit.path) if links else place)
    yield from (INDENT + line for line in snippet(hit, columns - len(INDENT)))
    yield INDENT + figures(hit, best, decimals)
    if hit.judged is not None:
        yield INDENT + click.style(JUDGED[hit.judged], dim=True)
    if hit.judged_below is not None:
        yield INDENT + click.style(f"{JUDGED[hit.judged_below[1]]}: a passage below", dim=True)
    if hit.more_in_document:
        yield INDENT + click.style(f"+ {len(hit.more_in_document)} more in this document", dim=True)
    if hit.duplicates:
        yield INDENT + click.style(f"+ {counted(len(hit.duplicates), 'near-duplicate')} elsewhere", dim=True)


def trail(hit: Hit) -> str:
    """Return title › headings, without a first heading that repeats the title."""
    headings = hit.headings[1:] if hit.headings[:1] == (hit.title,) else hit.headings
    return " › ".join(one_line(part) for part in (hit.title, *headings))


def figures(hit: Hit, best: float, decimals: int) -> str:
    """Return the figures of one row: its tier, its rank and score in each leg, the bar of shares, the score."""
    tier = click.style(f"{TIER_SIGNS[hit.tier]} {padded(hit.tier, 6)}", fg=COLORS[hit.tier])
    vector, keyword = hit.vector, hit.keyword
    distance = NOT_YET if hit.pending else f"{_rank(vector)} {figure(vector.distance) if vector else NONE:>5}"
    meaning = f"V {distance:>{LEG_CELLS}}"
    words = f"K {_rank(keyword)} {decimal(keyword.bm25, 2) if keyword else NONE:>6}"
    return f"{tier}   {meaning}   {words}   {score_bar(hit, best)}  {figure(hit.score, decimals)}"


def _rank(leg: VectorFigure | KeywordFigure | None) -> str:
    return f"{leg.rank if leg is not None and leg.rank is not None else NONE:>3}"


def score_bar(hit: Hit, best: float) -> str:
    """Return the score as a bar: full for meaning, hatched for words; the best score of the list fills it."""
    full, hatched = bar(hit.score - hit.shares.words, hit.shares.words, best, BAR_CELLS)
    return "▕" + padded("█" * full + "▒" * hatched, BAR_CELLS) + "▏"


@dataclass(frozen=True, slots=True)
class _Word:
    plain: str
    styled: str


def snippet(hit: Hit, columns: int) -> list[str]:
    """Return the snippet in lines of at most `columns` cells, the query's words in bold."""
    lines: list[list[_Word]] = [[]]
    room = columns
    for word in _words(hit):
        cells = width(word.plain) + bool(lines[-1])
        if cells > room and lines[-1]:
            lines.append([])
            room, cells = columns, width(word.plain)
        lines[-1].append(word)
        room -= cells
    kept = [" ".join(word.styled for word in line) for line in lines[:SNIPPET_LINES] if line]
    if len(lines) > SNIPPET_LINES:
        kept[-1] += " …"
    return kept


def _words(hit: Hit) -> Iterator[_Word]:
    """Yield the snippet word by word, each with its marked part in bold."""
    for found in WORD.finditer(hit.snippet):
        start, end = found.span()
        pieces, at = [], start
        for first, last in hit.marks:
            first, last = max(first, at), min(last, end)
            if first < last:
                pieces += [cleaned(hit.snippet[at:first]), click.style(cleaned(hit.snippet[first:last]), bold=True)]
                at = last
        pieces.append(cleaned(hit.snippet[at:end]))
        yield _Word(cleaned(found.group()), "".join(pieces))
