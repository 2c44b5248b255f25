"""Follows a run from outside: its events as they come, until it ends or its process is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from training.protocol import Failed, Finished, TrainingEvent, tail
from training.runs import Run


def follow(run: Run, wait: Callable[[], bool]) -> Iterator[TrainingEvent]:
    """Yield the events of a run from its beginning, and return when it has ended or its process has gone.

    `wait` is called where there is nothing new; it returns True to end the watching.
    """
    told = tail(run.events)
    gone = False
    try:
        while True:
            events = told.read()
            for event in events:
                yield event
                if isinstance(event, (Finished, Failed)) and not _goes_on(run):
                    return
            if events or told.behind:
                continue
            if gone:
                return
            gone = _settled(run)
            if not gone and wait():
                return
    finally:
        told.close()


def _goes_on(run: Run) -> bool:
    """Whether an end in the events is an earlier one, and the run was taken up again since."""
    return run.record().state == "running"


def _settled(run: Run) -> bool:
    """Whether nothing more will come: the process is gone, after it had time to begin."""
    return not run.alive and ((run.events.exists() and run.record().state != "running") or not run.starting)
