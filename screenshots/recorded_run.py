"""Puts a real retraining that was recorded into the home of the pictures, whole or as it stood while it worked.

It learnt from the 546 public notes of github.com/simonw/til (Apache-2.0), with the adapter recipe on two cores.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from training import runs
from training.protocol import Finished, Judged, RunStarted, decode
from training.run_plan import Plan

EVENTS = Path(__file__).resolve().parents[1] / "tests" / "app" / "training_events" / "real.jsonl"


@contextmanager
def recorded_run(library: Path, lines: int | None) -> Iterator[None]:
    """Have the run among those of a library for a while; only its first `lines` events, and at work, unless None."""
    written = EVENTS.read_text(encoding="ascii").splitlines(keepends=True)[:lines]
    said = [event for event in map(decode, written) if event is not None]
    (started,) = (event for event in said if isinstance(event, RunStarted))
    plan = Plan(
        started.run, str(library), sources=("headings",), base=started.base, recipe=started.recipe, budget=1_000
    )
    run = runs.create(plan)
    run.events.write_text("".join(written), encoding="ascii")
    run.update(created_at=started.at)
    for event in said:
        if isinstance(event, Judged):
            figures = {each.name: [each.base, each.candidate, each.low, each.high] for each in event.measures}
            run.update(verdict=event.verdict, figures=figures)
        elif isinstance(event, Finished):
            run.update(state=event.outcome, model=event.model or "", seconds=event.seconds)
    try:
        with run.held() if lines is not None else nullcontext():
            yield
    finally:
        shutil.rmtree(run.folder)
