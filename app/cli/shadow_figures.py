"""What `carrel shadow` prints of agreement, review and verdict: the figures of the page "beside" as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.wording.beside import (
    RAW_AGREEMENT,
    STREAMS,
    VERDICTS,
    burn_in_said,
    controls_said,
    cut_said,
    gate_said,
    known,
    missing_said,
    review_said,
    sees_said,
    slice_said,
)
from app.wording.cells import table
from engine.figures import count, percent

if TYPE_CHECKING:
    from training.shadow_agreement import Agreement, AgreementReport
    from training.shadow_standing import Standing

HEAD = ("", "searches", "kappa", "RBO .9", "top 10", "Pearson", "Spearman", "first")
TIERS = ("strong", "likely", "weak")


def lines(found: Standing) -> Iterator[str]:
    """Yield the verdict, the review, and the agreement by stream and slice, by threshold and by tier."""
    yield from _verdict(found)
    yield ""
    yield from _table(found.report)
    yield RAW_AGREEMENT
    if (curve := found.report.curve) is not None:
        yield ""
        yield cut_said("Cut carried over", curve.carried)
        yield cut_said("Cut fitted anew", curve.fitted)
    yield ""
    yield from _tiers(found.report)
    if found.report.speed_a is not None and found.report.speed_b is not None:
        a, b = found.report.speed_a, found.report.speed_b
        yield ""
        yield f"A search takes {b.median:.0f} ms (95th of 100: {b.p95:.0f}), and {a.median:.0f} ({a.p95:.0f}) in use."


def _verdict(found: Standing) -> Iterator[str]:
    if found.burn_in is not None:
        yield burn_in_said(found.burn_in, found.state.shadow.name)
        return
    decision = found.decision
    yield f"{VERDICTS[decision.verdict]}: {decision.reason}"
    if decision.missing:
        yield missing_said(decision)
    yield review_said(found.review)
    if found.review.outcome == "open":
        yield sees_said(found.sees)
    if controls := controls_said(found.review):
        yield controls
    yield gate_said(found.gate)


def _table(report: AgreementReport) -> list[str]:
    named = [("all", report.overall)]
    if len(report.streams) > 1:
        named += [(STREAMS.get(name, name), each) for name, each in report.streams]
    rows: list[tuple[str, ...]] = [
        HEAD,
        *((slice_said(name), *_figures(each)) for name, each in (*named, *report.slices)),
    ]
    return table(rows, right=range(1, len(HEAD)))


def _figures(each: Agreement) -> tuple[str, ...]:
    return (
        count(each.searches),
        *(known(value, 2) for value in (each.kappa, each.rbo, each.overlap, each.pearson, each.spearman)),
        percent(each.same_first) if each.same_first is not None else known(None),
    )


def _tiers(report: AgreementReport) -> list[str]:
    rows: list[tuple[str, ...]] = [("in use, beside:", *TIERS)]
    rows += [(name, *map(count, row)) for name, row in zip(TIERS, report.confusion, strict=True)]
    return table(rows, right=range(1, 4))
