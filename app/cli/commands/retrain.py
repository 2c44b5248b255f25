"""`carrel retrain`: learns from the person's own questions, in a process that lives on when this one ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.command import command as carrel_command
from app.cli.session import DONE, FAILED, INTERRUPTED, Session, pass_session
from training.run_plan import DEFAULT_BUDGET, RECIPES, Plan

if TYPE_CHECKING:
    from training.runs import Run

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
QUERIES = (
    "Where queries come from: marks, log, links, headings (these four unless you say), titles, prefix; of --collection "
    "also unlabelled. Can be given repeatedly."
)


@carrel_command(
    "retrain",
    reports=True,
    examples=(
        ("carrel retrain", "Learn from your marks, opened results and links."),
        ("carrel retrain --judged questions.jsonl", "Learn from questions whose answers you know."),
        ("carrel retrain --recipe adapter --queries log", "Seconds instead of minutes, from the log of searches."),
        ("carrel retrain --recipe fusion", "Fit how meaning and words are joined to what you marked; no torch needed."),
        ("carrel retrain --collection scifact --split train", "Learn on a test collection, in a throw-away library."),
        ("carrel retrain --follow tuned-1", "Watch a run; one that was killed goes on."),
    ),
)
@click.option("--judged", type=FILE, metavar="FILE", help='JSON Lines: {"query": "...", "relevant": ["path", ...]}.')
@click.option("--collection", type=FOLDER, metavar="DIR", help="A collection in BEIR layout instead of your library.")
@click.option("--split", default="train", metavar="NAME", help="The only judgements of it that are opened [train].")
@click.option("--queries", multiple=True, metavar="SOURCE", help=QUERIES)
@click.option("--recipe", type=click.Choice(tuple(RECIPES)), default="local", help="How to train [local].")
@click.option("--budget", type=click.IntRange(1), default=DEFAULT_BUDGET, metavar="N", help="Triples at most [10,000].")
@click.option("--name", metavar="N", help="What to call the run and its model.")
@click.option("--language-model", default="", metavar="URL", help="One on this machine, to make questions with.")
@click.option("--review", is_flag=True, help="Pause before the training, to look at examples and reject some.")
@click.option("--detach", is_flag=True, help="Start it, and do not watch.")
@click.option("--follow", metavar="RUN", help="Watch a run that is there.")
@pass_session
def command(
    session: Session,
    judged: Path | None,
    collection: Path | None,
    split: str,
    queries: tuple[str, ...],
    recipe: str,
    budget: int,
    name: str | None,
    language_model: str,
    review: bool,
    detach: bool,
    follow: str | None,
) -> int:
    """Retrain the model on your own questions, judge it on held-out ones, and keep it as a model of its own.

    The recipe fusion trains no model: it fits the constants by which meaning and words are joined to what you marked
    and judged, in seconds, and judges them by the same gate.

    Nothing changes until `carrel promote`. Ctrl-C asks whether the run shall go on without being watched.
    """
    from app.cli.training_run import sources
    from training import run_process, runs

    if follow is not None:
        run = runs.named(follow)
        if run.interrupted:
            run_process.resume(run)
    else:
        if RECIPES[recipe].needs_torch:
            run_process.require_training()
        chosen = sources(queries, judged, collection, language_model, labelled=not RECIPES[recipe].needs_torch)
        run = run_process.start(
            Plan(
                name=runs.checked(name) if name else _free_name(),
                library="" if collection else str(_library(session)),
                collection=str(collection.resolve()) if collection else "",
                split=split,
                judged=str(judged.resolve()) if judged else "",
                sources=chosen,
                base=_base(session, collection),
                recipe=recipe,
                budget=budget,
                model_url=language_model,
                review=review,
            )
        )
        click.echo(f"The run {run.name} has started; it goes on without this window.", err=True)
    return DONE if detach else _watched(session, run)


def _watched(session: Session, run: Run) -> int:
    from app.cli.interruption import stop_on_signal
    from app.cli.training_run import watch

    with stop_on_signal() as stop:
        outcome = watch(run, stop, json=session.json)
    if outcome == "left":
        _leave(run)
        return INTERRUPTED
    return FAILED if outcome == "failed" else DONE


def _leave(run: Run) -> None:
    """Say that the run goes on, and how to end it; on a terminal, ask."""
    import sys

    if sys.stdin.isatty() and sys.stderr.isatty() and run.alive:
        click.echo("", err=True)
        if click.confirm(f"Cancel the run {run.name}?", default=False, err=True):
            run.order("cancel")
            click.echo("It ends within a step.", err=True)
            return
    click.echo(
        f"The run {run.name} goes on. Watch it: `carrel retrain --follow {run.name}`; "
        f"end it: `carrel runs cancel {run.name}`.",
        err=True,
    )


def _free_name() -> str:
    from engine.embedding import catalogue
    from training import runs

    return runs.free_name({manifest.id for manifest in catalogue.installed()})


def _library(session: Session) -> Path:
    with session.open() as library:
        return library.path


def _base(session: Session, collection: Path | None) -> str:
    """Return the model to begin with: the library's, for a collection the embedded one."""
    from engine.embedding import catalogue

    if collection is not None:
        return catalogue.EMBEDDED
    with session.open() as library:
        return library.status().model or catalogue.EMBEDDED
