"""What the page of the model beside the one in use says: its verdict, the review, and a table of agreement. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from app.tui.screens.training.agreement_curve import curve_lines
from app.tui.screens.training.line_parts import apart, fitted, said
from app.tui.theme import ALARM, BRIGHT, GOOD, QUIET
from app.wording.beside import (
    NOTHING_BESIDE,
    RAW_AGREEMENT,
    STREAMS,
    VERDICTS,
    burn_in_said,
    controls_said,
    gate_said,
    known,
    missing_said,
    review_said,
    sees_said,
    slice_said,
)
from app.wording.cells import cut_front
from app.wording.safe_text import one_line
from engine.figures import count, counted, percent, size

if TYPE_CHECKING:
    from engine.records import ShadowState
    from training.shadow_agreement import Agreement, AgreementReport
    from training.shadow_standing import Standing

NAME_CELLS, LEAST_NAME_CELLS = 20, 15
# With the cells that each takes; where there is no room, those at the right go
COLUMNS = (("searches", 10), ("kappa", 7), ("RBO .9", 8), ("top 10", 8), ("Pearson", 9), ("Spearman", 10), ("first", 8))
TIERS = ("strong", "likely", "weak")
TIER_CELLS = 9
MODEL_CELLS = 16
_INKS = {"accepted": GOOD, "as good": GOOD, "refused": ALARM, "undecided": BRIGHT, "open": BRIGHT}


def nothing_lines(width: int) -> list[Content]:
    """Return what the page says where nothing runs beside the model in use."""
    return [
        *said(NOTHING_BESIDE, width, f"bold {BRIGHT}"),
        Content(),
        *said(
            "A model that runs beside it answers the same searches, after the answer is on the screen, and is never "
            "shown. Here stands then how far the two agree, and a blind review tells which of them you prefer.",
            width,
        ),
        Content(),
        *said(
            "Begin with a run that is over, on the page history, or with any model: `carrel shadow MODEL`. "
            "`carrel shadow --on` scores your searches from then on, `carrel shadow --replay` those of the log.",
            width,
            QUIET,
        ),
    ]


def standing_lines(found: Standing, width: int) -> list[Content]:
    """Return verdict, review, what is counted, and the agreement by stream and slice."""
    return [
        *_head(found.state, width),
        *_verdict(found, width),
        Content(),
        *table_lines(found.report, width),
        *said(RAW_AGREEMENT, width, QUIET),
    ]


def comparison_lines(found: Standing, width: int, rows: int) -> list[Content]:
    """Return the curve, `rows` high, the tiers that both give, and what either model takes."""
    return [
        *curve_lines(found.report.curve, width, rows),
        Content(),
        *tier_lines(found.report, width),
        Content(),
        *cost_lines(found.state, found.report, width),
    ]


def _head(state: ShadowState, width: int) -> list[Content]:
    name = Content.assemble(
        (one_line(state.shadow.name), f"bold {BRIGHT}"), ("  beside  ", QUIET), one_line(state.active.name)
    )
    coverage = Content.styled(f"coverage {percent(state.coverage)}", QUIET)
    waits = f", {counted(state.waiting, 'text')} to embed" if state.waiting else ""
    shared = "  It reads the vectors of the model in use." if state.shares_vectors else ""
    searches = {str(stream): number for stream, number in state.searches.items()}
    counts = ", ".join(f"{count(searches.get(each, 0))} {called}" for each, called in STREAMS.items())
    return [apart(name, coverage, width), *said(f"searches: {counts}{waits}.{shared}", width, QUIET)]


def _verdict(found: Standing, width: int) -> list[Content]:
    """Return the verdict, what is missing, how many reviews are left at most, and what a review sees."""
    decision = found.decision
    if found.burn_in is not None:
        ink = {"way back": ALARM, "passed": GOOD}.get(found.burn_in.standing, BRIGHT)
        return [Content(), *said(burn_in_said(found.burn_in, found.state.shadow.name), width, f"bold {ink}")]
    head = f"{VERDICTS[decision.verdict]}: {decision.reason}"
    lines = [Content(), *said(head, width, f"bold {_INKS[decision.verdict]}")]
    lines += said(missing_said(decision), width) if decision.missing else []
    lines += said(review_said(found.review), width)
    lines += said(sees_said(found.sees), width, QUIET) if found.review.outcome == "open" else []
    controls = controls_said(found.review)
    lines += said(controls, width, QUIET if found.review.controls.passed else ALARM) if controls else []
    return [*lines, *said(gate_said(found.gate), width, QUIET)]


def table_lines(report: AgreementReport, width: int) -> list[Content]:
    """Return the agreement of all searches, of each stream where there are several, and of each slice."""
    named = [("all", report.overall)]
    if len(report.streams) > 1:
        named += [(STREAMS.get(name, name), each) for name, each in report.streams]
    named += report.slices
    room = min(NAME_CELLS, max(LEAST_NAME_CELLS, width - sum(cells for _, cells in COLUMNS)))
    columns = [name for place, (name, _) in enumerate(COLUMNS) if width >= room + _taken(place + 1)]
    head = "".join(f"{name:>{cells}}" for name, cells in COLUMNS[: len(columns)])
    lines = [fitted(Content.assemble((f"{'Agreement':<{room}}", f"bold {BRIGHT}"), (head, QUIET)), width)]
    return [*lines, *(_agreement(name, each, room, len(columns), width) for name, each in named)]


def _taken(columns: int) -> int:
    return sum(cells for _, cells in COLUMNS[:columns])


def _agreement(name: str, each: Agreement, room: int, columns: int, width: int) -> Content:
    figures = (
        count(each.searches),
        known(each.kappa, 2),
        known(each.rbo, 2),
        known(each.overlap, 2),
        known(each.pearson, 2),
        known(each.spearman, 2),
        percent(each.same_first) if each.same_first is not None else known(None),
    )
    short = Content(cut_front(slice_said(name), room - 1))
    line = Content.assemble(short, " " * (room - short.cell_length))
    for place, (text, (_, cells)) in enumerate(zip(figures, COLUMNS, strict=True)):
        if place < columns:
            line = Content.assemble(line, (f"{text:>{cells}}", f"bold {BRIGHT}" if place == 1 else ""))
    return fitted(line, width)


def tier_lines(report: AgreementReport, width: int) -> list[Content]:
    """Return how often each model gave which tier to the same passage: rows for the one in use."""
    head = "".join(f"{name:>{TIER_CELLS}}" for name in TIERS)
    title = f"{'Tiers':<{TIER_CELLS}}"
    lines = [fitted(Content.assemble((title, f"bold {BRIGHT}"), (head, QUIET), ("   beside", QUIET)), width)]
    for place, (name, row) in enumerate(zip(TIERS, report.confusion, strict=True)):
        cells = [
            Content.styled(f"{count(number):>{TIER_CELLS}}", f"bold {BRIGHT}" if place == at else "")
            for at, number in enumerate(row)
        ]
        lines.append(fitted(Content.assemble((f"{name:<{TIER_CELLS}}", QUIET), *cells), width))
    return [*lines, fitted(Content.styled("in use", QUIET), width)]


def cost_lines(state: ShadowState, report: AgreementReport, width: int) -> list[Content]:
    """Return milliseconds, bytes on disk and in memory of both models."""
    a, b = state.active, state.shadow
    head = f"{'in use':>{MODEL_CELLS}}{'beside':>{MODEL_CELLS}}"
    rows = (
        ("a search", *(f"{each.median:.0f} ms" if each else known(None) for each in (report.speed_a, report.speed_b))),
        ("95th of 100", *(f"{each.p95:.0f} ms" if each else known(None) for each in (report.speed_a, report.speed_b))),
        ("model", *map(_octets, (a.model_bytes, b.model_bytes))),
        ("vectors", *map(_octets, (a.vector_bytes, b.vector_bytes))),
        ("memory", *map(_octets, (a.memory_bytes, b.memory_bytes))),
    )
    lines = [fitted(Content.assemble((f"{'Cost':<{LEAST_NAME_CELLS}}", f"bold {BRIGHT}"), (head, QUIET)), width)]
    for name, used, beside in rows:
        text = f"{used:>{MODEL_CELLS}}{beside:>{MODEL_CELLS}}"
        lines.append(fitted(Content.assemble((f"{name:<{LEAST_NAME_CELLS}}", QUIET), text), width))
    return lines


def _octets(octets: int) -> str:
    return size(octets) if octets else known(None)
