"""Questions that were held out, before and after, side by side: what moved, what came, what went."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from app.tui.screens.training.line_parts import fitted, heading
from app.tui.theme import ALARM, BRIGHT, FAINT, GOOD, QUIET
from app.tui.widgets.line_views import wrapped
from app.wording.safe_text import one_line
from engine.figures import counted
from training.protocol import BeforeAfter

SIGN_CELLS = 5  # "new" and "↑ 2" with a space


def question_lines(questions: Sequence[BeforeAfter], width: int) -> list[Content]:
    """Return all questions, those whose results changed first."""
    if not questions:
        return []
    changed = [each for each in questions if each.before != each.after]
    same = len(questions) - len(changed)
    note = f"{len(changed)} of {counted(len(questions), 'question')} changed"
    lines = [fitted(heading("Before and after", note), width)]
    for each in changed:
        lines += [*_one(each, width), Content()]
    if same:
        quiet = [one_line(each.query) for each in questions if each.before == each.after]
        text = "the same as before: " + ", ".join(f"“{query}”" for query in quiet)
        lines += wrapped(Content.styled(text, QUIET), max(8, width), Content())
    return lines


def _one(each: BeforeAfter, width: int) -> list[Content]:
    """Return one question with its first results in two columns."""
    left = (width - 3) // 2
    right = width - 3 - left
    lines = [Content.styled(f"“{one_line(each.query)}”", f"bold {BRIGHT}").truncate(width, ellipsis=True)]
    lines.append(_beside(Content.styled("before", QUIET), Content.styled(f"{'':<{SIGN_CELLS}}after", QUIET), left))
    places = range(max(len(each.before), len(each.after)))
    return lines + [_beside(_before(each, place, left), _after(each, place, right), left) for place in places]


def _beside(one: Content, other: Content, left: int) -> Content:
    return Content.assemble(one, " " * max(0, left - one.cell_length), (" │ ", FAINT), other)


def _before(each: BeforeAfter, place: int, cells: int) -> Content:
    """Return a result as it was; one that is gone is marked by a sign and a word."""
    if place >= len(each.before):
        return Content()
    title = each.before[place]
    gone = title not in each.after
    tail = " gone" if gone else ""
    line = Content.assemble((f"{place + 1} ", QUIET), (one_line(title), QUIET if gone else ""))
    return Content.assemble(line.truncate(cells - len(tail), ellipsis=True), (tail, ALARM))


def _after(each: BeforeAfter, place: int, cells: int) -> Content:
    """Return a result as it is now, with how far it moved."""
    if place >= len(each.after):
        return Content()
    title = each.after[place]
    if title not in each.before:
        sign, ink = "new", GOOD
    else:
        moved = each.before.index(title) - place
        sign = f"{'↑' if moved > 0 else '↓'} {abs(moved)}" if moved else ""
        ink = GOOD if moved > 0 else QUIET
    line = Content.assemble((f"{sign:<{SIGN_CELLS}}", ink), (f"{place + 1} ", QUIET), one_line(title))
    return line.truncate(cells, ellipsis=True)
