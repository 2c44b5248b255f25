"""`carrel models`: which model reads for meaning; list, use, build and remove."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.command import CarrelCommand, CommandGroup, global_options
from app.cli.session import DONE, INTERRUPTED, Session, pass_session, print_json

if TYPE_CHECKING:
    from engine.records import LateStatus, Status

EXAMPLES = (
    ("carrel models", "List the models: embedded, installed, and those that can be fetched."),
    ("carrel models use BAAI/bge-small-en-v1.5", "Fetch a model and have the library embedded with it."),
    ("carrel models build ~/my-model --name mine", "Make a local sentence-transformers model usable."),
)


@click.group("models", cls=CommandGroup, invoke_without_command=True, examples=EXAMPLES)
@click.pass_context
def command(ctx: click.Context, /) -> None:
    """Choose the model that reads for meaning.

    The embedded model works without a network. Others are fetched by name, once, or built from a local directory.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_models)


command.params.extend(global_options(json=True))


@command.command(
    "list",
    cls=CarrelCommand,
    reports=True,
    short_help="List the models.",
    examples=(("carrel models list --json", "For a script."),),
)
@pass_session
def list_models(session: Session) -> None:
    """List the models: embedded, installed, and offered to be fetched by name."""
    from app.cli.model_table import footnotes, lines, shape
    from app.model_catalogue import models

    status = _status(session)
    active = _model(status)
    followers = status.followers if status is not None else ()
    found = models(active, status.passages if status is not None else 0)
    if session.json:
        print_json(shape(found, active, followers))
    else:
        click.echo("\n".join(lines(found, followers, _late(session))))
        click.echo("\n".join(footnotes(found)), err=True)
        click.echo("`carrel models use NAME` fetches an offered model and embeds the library with it.", err=True)


@command.command(
    "use",
    cls=CarrelCommand,
    short_help="Use another model.",
    examples=(EXAMPLES[1], ("carrel models use all-MiniLM-L6-v2", "Go back to the embedded model.")),
)
@click.argument("name")
@pass_session
def use_model(session: Session, name: str) -> int:
    """Use another model: fetch it where it is not here yet, and embed the library with it.

    The library is searched with the model before until the new vectors are complete.
    """
    from app.cli.indexer_request import done_or_asked
    from app.cli.interruption import stop_on_signal
    from app.cli.progress_line import progress
    from engine.embedding import catalogue
    from engine.events import Preparing

    show = progress()
    with closing(show), session.open(create=True) as library:
        try:
            manifest = catalogue.install(name, lambda stage: show(Preparing(what=stage)))
        except KeyboardInterrupt:
            show.close()
            click.echo(f"Stopped; `carrel models use {name}` goes on from what has been fetched.", err=True)
            return INTERRUPTED
        with stop_on_signal() as stop:
            done_or_asked(
                library,
                lambda: library.use_model(manifest.id, on_event=show, stop=stop),
                [("use_model", manifest.id)],
                on_event=show,
                stop=stop,
            )
        active = library.status().model if stop.is_set() else ""
    if stop.is_set():
        click.echo(_stopped(manifest.id, active), err=True)
        return INTERRUPTED
    click.echo(f"The library uses {manifest.id} now.")
    return DONE


@command.command("build", cls=CarrelCommand, short_help="Make a model of a local directory.", examples=(EXAMPLES[2],))
@click.argument("directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--name", help="What to call it; by default the directory's name.")
@click.option(
    "--dimensions",
    type=click.IntRange(min=1),
    help="How many numbers of each vector to keep, for a model that was trained to be cut (Matryoshka).",
)
def build_model(directory: Path, name: str | None, dimensions: int | None) -> None:
    """Make a model of a local sentence-transformers directory; needs the extra `training`.

    Pooling, prefixes, window, language and licence are read from the directory, and the vectors of what is built are
    held against those that sentence-transformers gives. What cannot be built is refused with its reason. Of a
    MultiVectorEncoder's directory a model for late interaction is made.
    """
    from app.cli.model_builder import build, described

    manifest = build(directory.resolve(), name, dimensions)
    click.echo(f"Built {manifest.id}: {manifest.dimension} dimensions, {manifest.language}.")
    click.echo(described(manifest), err=True)
    late = f"`carrel late on {manifest.id}` ranks the best hundred passages again with it."
    click.echo(
        late if manifest.multi_vector else f"`carrel models use {manifest.id}` embeds the library with it.", err=True
    )


@command.command(
    "remove",
    cls=CarrelCommand,
    short_help="Delete an installed model.",
    examples=(("carrel models remove mine", "Delete the model called mine."),),
)
@click.argument("name")
@pass_session
def remove_model(session: Session, name: str) -> None:
    """Delete an installed model that the library does not use."""
    from engine.embedding import catalogue
    from engine.errors import ModelError

    embedded = name.lower() == catalogue.EMBEDDED.lower()  # refused by the catalogue, in use or not
    status = None if embedded else _status(session)
    if status is not None and catalogue.place_of(name) in {
        catalogue.place_of(each.name) for each in status.followers if each.state == "shadow"
    }:
        raise ModelError(f"{name} runs beside the model in use.", fix="End that first: `carrel shadow stop`.")
    late = None if embedded else _late(session)
    if late is not None and catalogue.place_of(name) == catalogue.place_of(late.name):
        raise ModelError(f"{name} is used for late interaction.", fix="End that first: `carrel late remove`.")
    if not embedded and catalogue.place_of(name) == catalogue.place_of(_model(status)):
        raise ModelError(
            f"{name} is the model that the library uses.",
            fix=f"Change first: `carrel models use {catalogue.EMBEDDED}`.",
        )
    catalogue.remove(name)
    click.echo(f"Removed {name}.")


def _stopped(model: str, active: str) -> str:
    """Say where the library stands after a change of its model was stopped."""
    if active.lower() == model.lower():
        return f"Stopped early: the library uses {model}; what has no vector yet is embedded by the next sync."
    return f"Stopped early: the library uses {active} as before; `carrel models use {model}` goes on from here."


def _status(session: Session) -> Status | None:
    """Return the library at a glance, None where there is none yet."""
    from engine.errors import LibraryMissing

    try:
        with session.open() as library:
            return library.status()
    except LibraryMissing:
        return None


def _late(session: Session) -> LateStatus | None:
    """Return the library's late interaction, None where it has none, or where there is no library yet."""
    from engine.errors import LibraryMissing

    try:
        with session.open() as library:
            return library.late_status()
    except LibraryMissing:
        return None


def _model(status: Status | None) -> str:
    """Return the library's model, or the one that a new library starts with."""
    from engine.embedding import catalogue

    return (status.model if status is not None else "") or catalogue.EMBEDDED
