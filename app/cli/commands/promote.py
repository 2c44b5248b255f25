"""`carrel promote`: takes the model of a run into use."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from app.cli.command import command as carrel_command
from app.cli.session import DONE, INTERRUPTED, Session, pass_session
from engine.errors import LibraryMissing

if TYPE_CHECKING:
    from engine.library import Library
    from training.runs import Run


@carrel_command(
    "promote",
    examples=(
        ("carrel promote tuned-1", "Embed the library anew with the model of a run, and use it."),
        ("carrel promote tuned-1 --anyway", "The same, though the gate found no gain or could not judge."),
        ("carrel promote BAAI/bge-small-en-v1.5", "Use the model that runs beside, once it is accepted."),
    ),
)
@click.argument("run", metavar="RUN|MODEL")
@click.option("--anyway", is_flag=True, help="Overrule the verdict, knowingly.")
@pass_session
def command(session: Session, run: str, anyway: bool) -> int:
    """Take into use a retrained model, fitted constants of the fusion, or the model that runs beside the one in use.

    A model's vectors are built beside the present ones, which serve until then; constants count from the next search.
    One that runs beside (`carrel shadow`) is taken once its tiers (strong, likely, weak) were fitted and what it found
    was accepted. `carrel rollback` goes back at once.
    """
    from app.cli.indexer_request import switch_model
    from training import fusion_promotion, promotion, runs, shadow_promotion

    with suppress(LibraryMissing), session.open() as library:  # without one nothing runs beside, but there may be runs
        if (beside := shadow_promotion.named_beside(library, run)) is not None:
            return _promote_beside(library, run, beside, anyway)
    chosen = runs.named(run)
    if fusion_promotion.fits(chosen):
        return _promote_constants(session, chosen, anyway)
    model = promotion.promotable(chosen, knowingly=anyway)
    if order := promotion.late_order(chosen, model):
        return _promote_late(session, order, model)
    with session.open() as library:
        former = library.status().model
        if former == model:
            click.echo(f"The library uses {model} already.")
            return DONE
        with promotion.promoting(chosen, former):
            done = switch_model(library, model)
    if not done:
        click.echo(f"Stopped early; `carrel promote {chosen.name}` goes on from here.", err=True)
        return INTERRUPTED
    click.echo(f"The library uses {model} now; `carrel rollback` goes back to {former}.")
    return DONE


def _promote_beside(library: Library, named: str, model: str, anyway: bool) -> int:
    from app.cli.indexer_request import switch_model
    from training import shadow_promotion

    shadow_promotion.accept(library, time.time(), knowingly=anyway)
    former = library.status().model
    if not switch_model(library, model):
        click.echo(f"Stopped early; `carrel promote {named}` goes on from here.", err=True)
        return INTERRUPTED
    click.echo(f"The library uses {model} now; {former} is kept beside it, and `carrel rollback` goes back.")
    return DONE


def _promote_late(session: Session, order: str, model: str) -> int:
    from app.cli.indexer_request import switch_late

    with session.open() as library:
        done = switch_late(library, order)
    if not done:
        click.echo("Stopped early; the next `carrel sync` goes on from here.", err=True)
        return INTERRUPTED
    click.echo(f"{model} ranks the best hundred again by late interaction now; `carrel late off` takes it back.")
    return DONE


def _promote_constants(session: Session, run: Run, anyway: bool) -> int:
    from app.wording.fusion_constants import differing, overruled
    from engine.config import load
    from training import fusion_promotion

    with session.open() as library:
        constants = fusion_promotion.promote(run, library.path, knowingly=anyway)
    said = differing(constants) or "the defaults"
    click.echo(f"The library ranks by the constants of {run.name} now: {said}; `carrel rollback` goes back.")
    for line in overruled(load()):
        click.echo(line, err=True)
    return DONE
