"""The report of one document: a line for each stage that it went through, with a sign at the one that lost it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from textual.content import Content

from app.explanation import STAGE_NAMES
from app.tui.screens.search.why_not.remedies import untried
from app.tui.theme import ALARM, BRIGHT, GOOD, QUIET
from app.tui.widgets.line_views import wrapped
from app.wording.safe_text import one_line
from engine.figures import ordinal
from engine.records import WhyReport, WhyStage

NAME_CELLS = 18
_WITH_FIGURES = ("vector", "keyword", "cutoff", "fused")
_ZERO = re.compile(r"(?<![\d.])0(?=\.\d)")  # .459, as figures are written on every screen


def report_lines(report: WhyReport, title: str, width: int) -> Sequence[Content]:
    """Return the question, its answer in one sentence, and the stages."""
    lost = lost_at(report)
    asks = (
        f"Why is “{one_line(title)}” in the list?" if report.found else f"Why is “{one_line(title)}” not in the list?"
    )
    lines = [Content.styled(asks, f"bold {BRIGHT}").truncate(width, ellipsis=True)]
    lines += wrapped(answer(report), width, Content())
    lines.append(Content())
    for stage in report.stages:
        lines += _stage_lines(stage, stage is lost, width)
    for advice in untried(report):
        lines += wrapped(Content.styled(one_line(advice), ""), width, Content("  "))
    return lines


def lost_at(report: WhyReport) -> WhyStage | None:
    """Return the stage that lost the document: no leg of its own does, since one leg is enough."""
    if report.found:
        return None
    failed = [stage for stage in report.stages if not stage.passed]
    return next((stage for stage in failed if stage.stage not in ("vector", "keyword")), failed[0] if failed else None)


def answer(report: WhyReport) -> Content:
    """Return in one sentence where the document is, or where it was lost."""
    if report.found and report.final_rank is not None:
        return Content.assemble(("It is in the list, ", QUIET), (f"{ordinal(report.final_rank)}.", BRIGHT))
    lost = lost_at(report)
    ends = {
        "indexed": "It cannot be found at all, because it is not in the library.",
        "filters": "The query rules it out.",
        "cutoff": "Meaning alone brought it, and it lies beyond the cut-off.",
        "fused": "Neither its meaning nor its words brought it among the candidates.",
        "collapsed": "A row above says nearly the same, so it was folded into that row.",
        "listed": "It was found, but too far down.",
    }
    return Content.styled(ends.get(lost.stage if lost else "", "It was lost on the way."), QUIET)


def _stage_lines(stage: WhyStage, lost: bool, width: int) -> list[Content]:
    """Return one stage; what the lost one would need stands below it."""
    sign, style = ("✓", GOOD) if stage.passed else ("✗", ALARM if lost else QUIET)
    name = STAGE_NAMES.get(stage.stage, one_line(stage.stage))
    lead = Content.assemble((f"{sign} ", style), (f"{name:<{NAME_CELLS}}", BRIGHT if lost else QUIET))
    told = one_line(stage.detail)
    if stage.stage in _WITH_FIGURES:
        told = _ZERO.sub("", told)
    detail = Content.styled(told, "" if stage.passed or lost else QUIET)
    if lost:
        detail = Content.assemble(detail, ("   ← lost here", f"bold {ALARM}"))
    first, *rest = wrapped(detail, width, Content(" " * (NAME_CELLS + 2)))
    return [Content.assemble(lead, first[NAME_CELLS + 2 :]), *rest]
