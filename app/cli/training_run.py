"""A run of retraining on the command line: which sources it takes, and what a person sees of it."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from app.cli.progress_line import CLEAR_LINE, can_move
from app.wording.cells import cut
from app.wording.fusion_constants import NAMES, value
from app.wording.safe_text import cleaned, one_line
from app.wording.times import duration, estimate
from engine.errors import UsageError
from engine.figures import confidence, counted, figure, interval, percent, signed
from training import protocol as said
from training.protocol import TrainingEvent

if TYPE_CHECKING:
    from training.runs import Run

LOOK_SECONDS = 0.2
FUSION = "fusion"  # the recipe that fits constants
STAGES = {
    "queries": "Gathering queries",
    "mining": "Looking for places where meaning and words disagree",
    "training": "Training",
    "judging": "Judging on held-out queries",
    "export": "Keeping the model",
}
OF_FUSION = {"mining": "Gathering candidates", "training": "Fitting the constants", "export": "Keeping the constants"}


def sources(
    named: Sequence[str], judged: Path | None, collection: Path | None, language_model: str, *, labelled: bool = False
) -> tuple[str, ...]:
    """Return the sources of queries: those named, else all that a plain run takes; `labelled`: all whose answers a
    person named. Raises UsageError.
    """
    from training.query_sources import DEFAULT_SOURCES, LABELLED_SOURCES, SOURCES

    asked = [name for each in named for name in each.split(",") if name]
    unknown = [name for name in asked if name not in SOURCES]
    if unknown:
        raise UsageError(
            f"There is no source of queries named {unknown[0]}.", fix=f"Known are: {', '.join(sorted(SOURCES))}."
        )
    if collection is not None:
        return tuple(asked) or ("collection",)
    if asked:
        return tuple(dict.fromkeys(["judged"] * (judged is not None) + asked))
    first = ("judged",) if judged is not None else ()
    if labelled:
        return (*first, *LABELLED_SOURCES)
    return (*first, *DEFAULT_SOURCES, *(("language model",) if language_model else ()))


def watch(run: Run, stop: threading.Event, *, json: bool) -> str:
    """Show a run until it ends, and return its outcome: that of `Finished`, "failed", "killed", or "left"."""
    from training.run_follower import follow

    show = _lines if json else Display(sys.stderr)
    outcome = "killed"
    for event in follow(run, lambda: stop.wait(LOOK_SECONDS)):
        show(event)
        outcome = event.outcome if isinstance(event, said.Finished) else outcome
        outcome = "failed" if isinstance(event, said.Failed) else outcome
        if stop.is_set():
            break
    if isinstance(show, Display):
        show.close()
    if stop.is_set():
        return "left"
    if outcome == "killed":
        click.echo(f"The run's process is gone; `carrel retrain --follow {run.name}` takes it up again.", err=True)
        return "failed"
    return outcome


def _lines(event: TrainingEvent) -> None:
    click.echo(said.encode(event), nl=False)


class Display:
    """A run on a stream: one moving line on a terminal, plain lines elsewhere, and the verdict on stdout."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._moving = can_move(stream)
        self._run, self._fits = "", False  # its name, and whether it fits the fusion

    def __call__(self, event: TrainingEvent) -> None:
        """Show one event."""
        if isinstance(event, said.Judged):
            self.close()
            click.echo(cleaned("\n".join(verdict(event))))
            return
        if isinstance(event, said.ConstantsFitted):
            self.close()
            self._stream.write("\n".join(constant_lines(event)) + "\n")
            return
        if isinstance(event, said.RunStarted):
            self._run, self._fits = event.run, event.recipe == FUSION
        text, stays = sentence(event, fits=self._fits)
        text = one_line(text)
        if not text:
            return
        if self._moving:
            text = cut(text, shutil.get_terminal_size().columns - 1)
            self._stream.write(CLEAR_LINE + text + ("\n" if stays else ""))
        elif stays:
            self._stream.write(text + "\n")
        if self._fits and isinstance(event, said.Finished) and event.outcome == "promotable":
            self._stream.write(f"`carrel promote {self._run}` takes them into use.\n")
        self._stream.flush()

    def close(self) -> None:
        """Clear the moving line."""
        if self._moving:
            self._stream.write(CLEAR_LINE)
            self._stream.flush()


def sentence(event: TrainingEvent, *, fits: bool = False) -> tuple[str, bool]:
    """Return what an event says in words, "" where nothing, and whether it stays on the screen.

    `fits` tells that the run fits the fusion and trains no model.
    """
    match event:
        case said.RunStarted():
            again = ", taken up again" if event.resumed else ""
            takes = f", about {estimate(event.seconds)}" if event.seconds else ""
            return f"{event.run}: {event.recipe} recipe on {event.base}{takes}{again}", True
        case said.StageStarted():
            known = STAGES | OF_FUSION if fits else STAGES
            return f"{known.get(event.stage, event.stage)} …", True
        case said.Preparing():
            of = f" of {event.of:,}" if event.of else ""
            return f"{event.what}{f': {event.done:,}{of}' if event.done else ''} …", False
        case said.QueriesMade():
            dropped = "".join(f", {number:,} dropped: {reason}" for reason, number in event.dropped.items())
            return f"  {event.origin}: {event.kept:,} of {counted(event.made, 'query', 'queries')} kept{dropped}", True
        case said.SplitsMade():
            return _split(event), True
        case said.FoldsMade():
            return _folds(event), True
        case said.Mined():
            return _mined(event), event.queries == event.of
        case said.Stepped():
            left = f" · {estimate(event.seconds_left)} left" if event.seconds_left is not None else ""
            return (
                f"step {event.step} of {event.of} · loss {figure(event.loss)} · "
                f"{event.triples_per_second:.1f} triples/s{left}"
            ), False
        case said.Evaluated():
            return _evaluated(event), True
        case said.ReviewAwaited():
            return _awaited(event), True
        case said.Paused():
            return "Paused.", True
        case said.Resumed():
            return "Going on.", True
        case said.Finished():
            kept = f" The model is called {event.model}." if event.model else ""
            return f"Finished: {event.outcome}, after {duration(event.seconds)}.{kept}", True
        case said.Failed():
            return f"{one_line(event.message)} {one_line(event.fix)}", True
    return "", False


def _split(event: said.SplitsMade) -> str:
    shared = f"; {event.shared:,} of the test share a document with train" if event.shared else ""
    takes = f"; about {estimate(event.seconds)} in all" if event.seconds else ""
    return (
        f"  {event.train:,} to learn from, {event.development:,} to choose by, {event.test:,} to judge by, "
        f"in {counted(event.groups, 'group')}{shared}{takes}"
    )


def _folds(event: said.FoldsMade) -> str:
    few = "" if event.queries >= event.needed else f"; {event.needed} are needed to tell"
    return (
        f"  {counted(event.queries, 'question')} in {counted(event.groups, 'group')}, each left out once, in "
        f"{counted(event.folds, 'fold')}; a gain of {figure(event.smallest_gain)} can be told from chance{few}; "
        f"about {estimate(event.seconds)} in all"
    )


def constant_lines(event: said.ConstantsFitted) -> list[str]:
    """Return the constants as a table: default, in use, fitted, and what each gives on questions left out."""
    lines = [f"  {'':24}{'default':>8}{'in use':>8}{'fitted':>8}{'gives':>8}   95 % between"]
    for each in event.constants:
        values = "".join(f"{value(each.name, number):>8}" for number in (each.default, each.used, each.fitted))
        gives = f"{signed(each.gain):>8}   {interval(each.low, each.high)}"
        lines.append(f"  {NAMES.get(each.name, one_line(each.name)):24}{values}{gives}")
    return lines


def _evaluated(event: said.Evaluated) -> str:
    judged = f"{percent(event.share)} tuned, step {event.step}" if event.mixed else f"step {event.step}"
    return (
        f"  {judged}: development NDCG@10 {figure(event.candidate)}, base {figure(event.base)} "
        f"(95 % {interval(event.low, event.high)})" + _factors(event)
    )


def _factors(event: said.Evaluated) -> str:
    """Return the table of a model for late interaction: NDCG@10 by how many words share a vector."""
    told = [f"{factor}: {figure(base)} to {figure(candidate)}" for factor, base, candidate in event.factors]
    return f"\n    by words that share a vector: {', '.join(told)}" if told else ""


def _awaited(event: said.ReviewAwaited) -> str:
    return (
        f"  {counted(event.examples, 'example')} to look at: `carrel runs examples {event.run}`, or f9 in `carrel`; "
        f"`carrel runs resume {event.run}` goes on."
    )


def _mined(event: said.Mined) -> str:
    return (
        f"  {event.queries:,} of {counted(event.of, 'query', 'queries')}: {event.triples:,} triples; the legs disagree "
        f"on {percent(event.disagreement)} (meaning blind {percent(event.vector_blind)}, "
        f"words blind {percent(event.keyword_blind)})"
    )


def verdict(event: said.Judged) -> list[str]:
    """Return the verdict in plain words, with the table behind it."""
    lines = [f"Verdict: {event.verdict}. {event.reason}"]
    if event.measures:
        lines.append(f"{'':24}{'base':>8}{'tuned':>9}{'difference':>12}   {confidence(event.alpha)} between")
    lines += [
        f"{each.name:24}{figure(each.base):>8}{figure(each.candidate):>9}{signed(each.candidate - each.base):>12}   "
        f"{interval(each.low, each.high)}"
        for each in event.measures
    ]
    return [*lines, *(f"- {each}" for each in event.advice)]
