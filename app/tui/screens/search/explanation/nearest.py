"""Which word of the passage is nearest to each word of the question, as a table; no share of the score."""

from __future__ import annotations

from textual.content import Content

from app.tui.screens.search.explanation.subject import LABEL_CELLS, Explained, labelled
from app.tui.theme import BRIGHT, MEANING, QUIET, WORDS
from app.word_links import NO_COUNTERPART, PlacedWord
from app.wording.cells import cut, padded, width
from app.wording.safe_text import one_line
from engine.figures import figure

LONGEST_WORD = 16  # cells
FIGURES_CELLS = 28  # a line, a cosine, and how the words belong together


def nearest_lines(explained: Explained, room: int) -> list[Content]:
    """Return a line for each word of the question that says something; nothing where they were not looked for."""
    nearest = explained.nearest
    if not nearest:
        return []
    said = Content.styled("words · by token vectors, no share of the score", QUIET)
    longest = max(5, min(LONGEST_WORD, (room - LABEL_CELLS - FIGURES_CELLS) // 2))
    asked = min(longest, max(width(one_line(each.link.asked)) for each in nearest))
    word = min(longest, max(width(one_line(each.link.word)) for each in nearest))
    return [*labelled("nearest", said, room), *(_line(each, asked, word).truncate(room) for each in nearest)]


def _line(each: PlacedWord, asked_cells: int, word_cells: int) -> Content:
    link = each.link
    asked = padded(cut(one_line(link.asked), asked_cells), asked_cells)
    if link.cosine is None:
        return Content.assemble(" " * LABEL_CELLS, (asked, BRIGHT), (f"  {NO_COUNTERPART}", QUIET))
    word = padded(cut(one_line(link.word), word_cells), word_cells)
    line = f"line {each.line}" if each.line else ""
    return Content.assemble(
        " " * LABEL_CELLS,
        (asked, BRIGHT),
        "  ",
        (word, WORDS if link.same else f"underline {MEANING}"),
        (f"  {figure(link.cosine, 2):>4}  {line:<9} {each.how}".rstrip(), QUIET),
    )
