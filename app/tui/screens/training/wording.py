"""Words and figures that every part of the training screen writes in one way."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content

from app.tui.figures import count, figure
from app.tui.safe_text import one_line
from app.tui.theme import BRIGHT, FAINT, MEANING, QUIET, WORDS
from app.tui.widgets.line_views import wrapped

KINDS = {"vector blind": ("meaning blind", MEANING), "keyword blind": ("words blind", WORDS)}  # of examples
_SIZES = ((1 << 30, "GB"), (1 << 20, "MB"))


def signed(value: float, decimals: int = 3) -> str:
    """Return a difference with its sign: +.017, −.006; a decimal more where none of it would be left, else ±.000."""
    text = figure(abs(value), decimals)
    if not text.strip("0.") and round(abs(value), decimals + 1):
        text = figure(abs(value), decimals + 1)
    if not text.strip("0."):
        return f"±{text}"
    return f"{'+' if value > 0 else '−'}{text}"


def interval(low: float, high: float) -> str:
    """Return the interval of a difference: −.006 to +.011."""
    return f"{signed(low)} to {signed(high)}"


def percent(share: float) -> str:
    """Return a share in whole percent; what is not all never reads as all, nor what is something as nothing."""
    whole = round(share * 100)
    if 0 < share < 1:
        whole = max(1, min(99, whole))
    return f"{whole} %"


def span(seconds: float) -> str:
    """Return a time span as one follows it: 42 s, 11 min, 1 h 20 min."""
    whole = max(0, round(seconds))
    if whole < 100:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest and hours < 10 else f"{round(minutes / 60)} h"


def ordinal(rank: int) -> str:
    """Return a rank as one says it: 1st, 2nd, 3rd, 11th."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th") if rank // 10 % 10 != 1 else "th"
    return f"{rank}{ending}"


def size(memory: int) -> str:
    """Return bytes as a person reads them: 2.1 GB, 640 MB."""
    for unit, name in _SIZES:
        if memory >= unit:
            return f"{memory / unit:.1f} {name}" if memory < 10 * unit else f"{memory / unit:.0f} {name}"
    return f"{memory / 1024:.0f} KB"


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


def cut(line: Content, width: int) -> Content:
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
