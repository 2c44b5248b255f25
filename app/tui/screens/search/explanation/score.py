"""The score as a sum: a bar for each part, set where the last one ends, and what set the row apart from the next."""

from __future__ import annotations

from textual.content import Content

from app.explanation import differences, facts_of
from app.tui.screens.search.explanation.subject import (
    LABEL_CELLS,
    PART_SIGNS,
    PART_STYLES,
    Explained,
    label,
    labelled,
    signed_units,
)
from app.tui.screens.search.row import greatest_score, title_of
from app.tui.theme import BRIGHT, FAINT, QUIET
from app.tui.widgets.line_views import wrapped
from app.wording.cells import cut
from app.wording.safe_text import one_line
from engine.figures import figure, ordinal
from engine.records import Hit

BAR_CELLS = 30
FIGURE_CELLS = 7
TITLE_CELLS = 40  # of a neighbour, so that its sentence stays one


def score_lines(explained: Explained, width: int) -> list[Content]:
    """Return the parts as bars and figures, and their sum below them."""
    facts = explained.facts
    cells = max(6, min(BAR_CELLS, width - LABEL_CELLS - 2 - FIGURE_CELLS))
    full = max(greatest_score(explained.result), explained.hit.score, 1e-9)
    lines: list[Content] = []
    whole: list[Content] = []
    reached = 0.0
    for part in facts.parts:
        sign, style = PART_SIGNS[part.name], PART_STYLES[part.name]
        start, end = _places(reached, reached + part.value, full, cells)
        bar = Content.styled(sign * (end - start), style)
        value = Content.styled(f"{part.shown:>{FIGURE_CELLS}}", style)
        lines.append(_bar_line(part.name, " " * start, bar, cells, value))
        whole.append(Content.styled(sign * max(0, end - max(start, _cells(whole))), style))
        reached += part.value
    total = Content.styled(f"{facts.score:>{FIGURE_CELLS}}", f"bold {BRIGHT}")
    lines.append(_bar_line("score", "", Content.assemble(*whole), cells, total))
    return lines


def memory_lines(explained: Explained, width: int) -> list[Content]:
    """Return the past search that changed the score, in a sentence; nothing where none did."""
    told = explained.facts.memory
    if told is None:
        return []
    said = Content.assemble((f"{told.deed} ", QUIET), f"“{one_line(told.query)}”", (f" · {told.near}", QUIET))
    return labelled("memory", said, width)


def _cells(parts: list[Content]) -> int:
    return sum(part.cell_length for part in parts)


def _places(before: float, after: float, full: float, cells: int) -> tuple[int, int]:
    """Return the cells between two amounts; an amount above nothing has one."""
    low, high = sorted((max(0.0, before), max(0.0, after)))
    start, end = (min(cells, round(amount / full * cells)) for amount in (low, high))
    if start == end and low != high:
        start, end = (start, end + 1) if end < cells else (start - 1, end)
    return start, end


def _bar_line(name: str, lead: str, bar: Content, cells: int, value: Content) -> Content:
    rest = max(0, cells - len(lead) - bar.cell_length)
    return Content.assemble(label(name), ("▕", FAINT), lead, bar, (" " * rest + "▏", FAINT), value)


def neighbour_lines(explained: Explained, width: int) -> list[Content]:
    """Return in one sentence what puts this row behind the one above it; the first one, before the next."""
    other = _neighbour(explained)
    if other is None:
        return []
    hit, facts = explained.hit, explained.facts
    decimals = facts.decimals
    parts = differences(facts, facts_of(other, explained.result))
    by = sum(parts.values())
    first = other.rank > hit.rank
    place = "ahead of" if first else "behind"
    title = title_of(other)[0]
    said = Content.assemble(
        (f"{figure(abs(by) / 10**decimals, decimals)} {place} the {ordinal(other.rank)}, ", QUIET),
        (cut(title, TITLE_CELLS), ""),
        (": ", QUIET),
    )
    told = sorted(((name, value) for name, value in parts.items() if value), key=lambda each: -abs(each[1]))
    if not told:
        return wrapped(Content.assemble(said, ("the same in every part", QUIET)), width, Content())
    parts_told = [
        Content.assemble((f"{name} ", QUIET), (signed_units(value, decimals), PART_STYLES[name]))
        for name, value in told
    ]
    return _packed(said, parts_told, width)


def _packed(said: Content, parts: list[Content], width: int) -> list[Content]:
    """Return the words and behind them the parts, folded between the parts."""
    *lines, line = wrapped(said, width, Content())
    for number, part in enumerate(parts):
        gap = Content.styled(" · ", QUIET) if number else Content()
        if line.cell_length + gap.cell_length + part.cell_length > width:
            lines.append(line)
            line, gap = Content(), Content()
        line = Content.assemble(line, gap, part)
    return [*lines, line]


def _neighbour(explained: Explained) -> Hit | None:
    """Return the row above, for the first one the row below; none for a passage that has no row of its own."""
    rows = explained.result.hits
    place = next((place for place, hit in enumerate(rows) if hit.passage_id == explained.hit.passage_id), None)
    if place is None or len(rows) < 2:
        return None
    return rows[place - 1] if place else rows[1]
