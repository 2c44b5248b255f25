"""How far to trust a row: its signal on the histogram of what foreign queries reach in this library."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from app.tui.screens.search.explanation.subject import LABEL_CELLS, Explained, labelled
from app.tui.screens.search.row import TIER_STYLES
from app.tui.theme import ACCENT, BRIGHT, FAINT, QUIET
from app.wording.bars import TIER_SIGNS
from app.wording.so_far import by_words_alone
from engine.figures import figure
from engine.records import SignalScale

SCALE_CELLS = 40
_LEVELS = "▁▂▃▄▅▆▇█"


def trust_lines(explained: Explained, width: int) -> list[Content]:
    """Return the tier, the sum that gave the signal, and where it lies between the limits."""
    hit, facts = explained.hit, explained.hit.explanation
    tier = Content.styled(f"{TIER_SIGNS[hit.tier]} {hit.tier}", TIER_STYLES[hit.tier])
    scale = explained.scale
    if hit.pending:
        by_words = Content.assemble(tier, (f" · {by_words_alone(hit)}", QUIET))
        return labelled("trust", by_words, width)
    if facts.cut_strong <= facts.cut_likely or facts.cut_strong <= 0 or (scale is not None and not scale.fitted):
        unmeasured = Content.assemble(tier, (" · this library has not been measured yet", QUIET))
        return labelled("trust", unmeasured, width)
    told = explained.facts.signal
    signal = Content.assemble(tier, (" · signal ", QUIET), told.total, (" = cosine ", QUIET), told.cosine)
    signal = Content.assemble(signal, (" + coverage ", QUIET), told.coverage) if facts.coverage else signal
    cells = max(8, min(SCALE_CELLS, width - LABEL_CELLS - 1))
    pictured = scale or SignalScale(0.0, facts.cut_strong * 1.5, (), facts.cut_strong, facts.cut_likely, True)
    picture = [Content.assemble(" " * LABEL_CELLS, line) for line in scale_lines(pictured, facts.signal, cells)]
    limits = Content.styled(f"likely from {figure(pictured.likely)}, strong from {figure(pictured.strong)}", QUIET)
    bars = Content.styled("bars: what foreign queries reach here", QUIET)
    below = [*labelled("", limits, width), *(labelled("", bars, width) if pictured.histogram else [])]
    return [*labelled("trust", signal, width), *picture, *below]


def scale_lines(scale: SignalScale, signal: float, cells: int) -> list[Content]:
    """Draw the histogram over an axis with the two limits, and below it a pointer to the signal."""
    low, high = min(scale.low, signal), max(scale.high, signal, scale.strong + 1e-9)

    def place(value: float) -> int:
        return min(cells - 1, max(0, round((value - low) / (high - low) * (cells - 1))))

    likely = place(scale.likely)
    strong = max(likely + 1, place(scale.strong))
    zones = ((0, likely, QUIET), (likely, strong, ""), (strong, cells, BRIGHT))
    axis = Content.assemble(
        ("─" * likely + "┼", FAINT), ("─" * (strong - likely - 1) + "┼", QUIET), ("━" * (cells - strong - 1), BRIGHT)
    )
    lines = [axis.truncate(cells), _pointer(place(signal), figure(signal), cells)]
    if scale.histogram:
        levels = _levels(resampled(scale, low, high, cells))
        lines.insert(0, Content.assemble(*((levels[start:end], style) for start, end, style in zones)))
    return lines


def resampled(scale: SignalScale, low: float, high: float, cells: int) -> list[float]:
    """Return the histogram's counts spread over `cells` equal parts from `low` to `high`; their sum is kept."""
    spread = [0.0] * cells
    bins = len(scale.histogram)
    for number, counted in enumerate(scale.histogram):
        start = scale.low + (scale.high - scale.low) * number / bins
        end = scale.low + (scale.high - scale.low) * (number + 1) / bins
        first, last = ((edge - low) / (high - low) * cells for edge in (start, end))
        for cell in range(max(0, int(first)), min(cells, int(last) + 1)):
            inside = max(0.0, min(cell + 1, last) - max(cell, first))
            spread[cell] += counted * inside / max(1e-12, last - first)
    return spread


def _levels(counts: Sequence[float]) -> str:
    """Return one block a count, the greatest of full height; what is above nothing shows."""
    greatest = max(counts, default=0.0) or 1.0
    return "".join(
        _LEVELS[min(len(_LEVELS) - 1, int(each / greatest * (len(_LEVELS) - 0.01)))] if each >= 0.5 else " "
        for each in counts
    )


def _pointer(place: int, value: str, cells: int) -> Content:
    """Return a pointer with its words at the side that has room, alone where none has."""
    after = f" here {value}"
    if place + 1 + len(after) <= cells:
        return Content.assemble(" " * place, ("▲", ACCENT), (after, BRIGHT))
    before = f"here {value} "
    lead = " " * (place - len(before)) + before if place >= len(before) else " " * place
    return Content.assemble((lead, BRIGHT), ("▲", ACCENT))
