"""Headings, sentences and bars that every part of the training screen writes in one way."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content

from app.tui.theme import BRIGHT, FAINT, MEANING, QUIET, WORDS
from app.tui.widgets.line_views import wrapped
from app.wording.safe_text import one_line
from engine.figures import count

KINDS = {"vector blind": ("meaning blind", MEANING), "keyword blind": ("words blind", WORDS)}  # of examples


def reasons(dropped: Mapping[str, int]) -> str:
    """Return what was dropped and why, the commonest first: 377 did not find their own passage, 25 repeated."""
    found = sorted(dropped.items(), key=lambda each: -each[1])
    return ", ".join(f"{count(number)} {one_line(reason)}" for reason, number in found if number)


def heading(text: str, note: str = "") -> Content:
    """Return the heading of a part, with a quiet note behind it."""
    return Content.assemble((text, f"bold {BRIGHT}"), (f"  {note}" if note else "", QUIET))


def said(text: str, width: int, ink: str = "", prefix: str = "") -> list[Content]:
    """Return a sentence folded to a width; it may hold what a person or a note wrote."""
    return wrapped(Content.styled(one_line(text), ink) if ink else Content(one_line(text)), width, Content(prefix))


def fitted(line: Content, width: int) -> Content:
    """Return a line cut to a width."""
    return line.truncate(max(1, width), ellipsis=True)


def apart(left: Content, right: Content, width: int) -> Content:
    """Return one line with a part at its left and one at its right edge; the left gives way."""
    room = width - right.cell_length
    kept = left.truncate(max(0, room - 2), ellipsis=True)
    return Content.assemble(kept, " " * max(0, room - kept.cell_length), right)


def meter(share: float, cells: int, ink: str) -> Content:
    """Return a bar that is filled up to a share."""
    full = max(0, min(cells, round(share * cells)))
    return Content.assemble(("▕", FAINT), ("█" * full, ink), ("░" * (cells - full), FAINT), ("▏", FAINT))
