"""The pages of words in the help of a screen: terms, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from app.tui.theme import BRIGHT, KEY, QUIET
from app.tui.widgets.line_views import wrapped

WORD_CELLS = 28
Page = tuple[str, Sequence[tuple[str, str]]]  # a heading, and terms with what they mean


def page_lines(pages: Sequence[Page], width: int) -> list[Content]:
    """Return the pages, one below the other."""
    return [line for name, entries in pages for line in _section(name, entries, width)]


def _section(name: str, entries: Sequence[tuple[str, str]], width: int) -> list[Content]:
    """Return a heading and its entries in two columns; a term that is too long has a line of its own."""
    lines = [Content.styled(name, f"bold {BRIGHT}")]
    for term, meaning in entries:
        parts = wrapped(Content.styled(meaning, QUIET), width, Content(" " * WORD_CELLS))
        if len(term) >= WORD_CELLS:
            lines.append(Content.styled(term, KEY))
        else:
            parts[0] = Content.assemble((f"{term:<{WORD_CELLS}}", KEY), parts[0][WORD_CELLS:])
        lines += parts
    return [*lines, Content()]
