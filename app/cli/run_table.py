"""Runs as lines and as JSON."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from app.wording.paths import short_path
from app.wording.safe_text import one_line
from app.wording.times import day, duration
from engine.figures import counted, interval, signed, size
from training import collection_libraries, review
from training.run_removal import DiskUse
from training.runs import Run

SHOWN = 100  # characters of a passage
NAME_CELLS = 16  # of a run's name at least
DECIDED = {True: "  accepted", False: "  rejected", None: ""}
GAIN = "NDCG@10, memory on"


def shape(run: Run) -> dict[str, Any]:
    """Return a run as `carrel runs --json` prints it."""
    record = run.record()
    return {"name": run.name, **asdict(record), "state": state(run)}


def lines(found: Sequence[Run]) -> list[str]:
    """Return one line a run, and its note below it."""
    told = []
    cells = max([NAME_CELLS, *(len(run.name) for run in found)])
    for run in found:
        record = run.record()
        base, tuned, low, high = record.figures.get(GAIN, (0.0, 0.0, 0.0, 0.0))
        gain = f"  {signed(tuned - base)} ({interval(low, high)})" if GAIN in record.figures else ""
        took = f"  {duration(record.seconds)}" if record.seconds else ""
        used = f"  promoted {day(record.promoted_at)}" if record.promoted_at else ""
        verdict = f", {record.verdict}" if record.verdict else ""
        told.append(
            f"{run.name:{cells}}  {day(record.created_at):>10}  {record.plan.recipe:9}  "
            f"{state(run)}{verdict}{gain}{took}{used}"
        )
        if record.note:
            told.append(f"{'':{cells}}  {record.note}")
    return [one_line(each) for each in told]


def example_lines(run: Run) -> list[str]:
    """Return the examples of a run, each with its number, its answer and its hard negatives, and where they lie."""
    decided = review.decisions(run)
    told = []
    for each in review.examples(run):
        mark = DECIDED[decided.get(each.number)]
        told.append(f"{each.number:6}  {one_line(each.query)}  [{one_line(each.origin)}, {one_line(each.kind)}]{mark}")
        texts = [each.positive, *each.negatives]
        places = each.places or ("",) * len(texts)
        for at, (text, place) in enumerate(zip(texts, places, strict=True)):
            sign = "." if not each.labelled else "-" if at else "+"
            told.append(f"     {sign}  {one_line(text)[:SHOWN]}{f'  ({one_line(place)})' if place else ''}")
    return told


def state(run: Run) -> str:
    """Return how a run stands in one or two words."""
    if run.interrupted:
        return "interrupted"
    return "paused" if run.alive and run.ordered() == "pause" else run.record().state


def deletion(found: DiskUse) -> str:
    """Return what deleting a run takes away, in words."""
    folder = f"Its folder ({size(found.folder)})"
    if not found.model:
        return f"{folder} is gone for good."
    return f"{folder} and its model {found.model} ({size(found.model_bytes)}) are gone for good."


def collections_line() -> str:
    """Return what the indexed collections of `retrain --collection` take, "" where there are none."""
    folder, number, octets = collection_libraries.kept()
    if not number:
        return ""
    return (
        f"Indexed for `retrain --collection`: {counted(number, 'library', 'libraries')}, {size(octets)}, in "
        f"{short_path(os.fsencode(folder))}; one that no run used for {collection_libraries.UNUSED_DAYS} days "
        "is removed."
    )
