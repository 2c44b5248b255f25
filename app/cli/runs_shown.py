"""Runs as lines and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from app.cli.session import Session
from app.cli.text import day, duration, one_line
from training.protocol import Example
from training.runs import Run

SHOWN = 100  # characters of a passage
GAIN = "NDCG@10, memory on"


def shape(run: Run) -> dict[str, Any]:
    """Return a run as `carrel runs --json` prints it."""
    record = run.record()
    return {"name": run.name, **asdict(record), "state": state(run)}


def lines(found: Sequence[Run]) -> list[str]:
    """Return one line a run, and its note below it."""
    told = []
    for run in found:
        record = run.record()
        base, tuned, low, high = record.figures.get(GAIN, (0.0, 0.0, 0.0, 0.0))
        gain = f"  {tuned - base:+.4f} ({low:+.4f} to {high:+.4f})" if GAIN in record.figures else ""
        took = f"  {duration(record.seconds)}" if record.seconds else ""
        used = "  promoted" if record.promoted_at else ""
        verdict = f", {record.verdict}" if record.verdict else ""
        told.append(
            f"{run.name:16}  {day(record.created_at):>10}  {record.plan.recipe:9}  "
            f"{state(run)}{verdict}{gain}{took}{used}"
        )
        if record.note:
            told.append(f"{'':18}{record.note}")
    return told


def example_lines(run: Run) -> list[str]:
    """Return the examples of a run, each with its number, its answer and its hard negatives."""
    rejected = run.rejected()
    told = []
    for event in run.history():
        if isinstance(event, Example):
            mark = "  rejected" if event.number in rejected else ""
            told.append(f"{event.number:6}  {one_line(event.query)}  [{event.origin}, {event.kind}]{mark}")
            told.append(f"     +  {one_line(event.positive)[:SHOWN]}")
            told += [f"     -  {one_line(each)[:SHOWN]}" for each in event.negatives]
    return told


def state(run: Run) -> str:
    """Return how a run stands in one or two words."""
    return "interrupted" if run.interrupted else run.record().state


def active_model(session: Session) -> str:
    """Return the library's model, "" where there is no library."""
    from engine.errors import LibraryMissing

    try:
        with session.open() as library:
            return library.status().model
    except LibraryMissing:
        return ""
