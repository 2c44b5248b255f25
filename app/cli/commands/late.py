"""`carrel late`: late interaction, which ranks the best passages again word by word; off until switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.command import CarrelCommand, CommandGroup, global_options
from app.cli.session import DONE, INTERRUPTED, Session, agreed, pass_session, print_json
from engine.figures import count, counted, percent, size

if TYPE_CHECKING:
    from engine.records import LateStatus

EXAMPLES = (
    ("carrel late", "See whether it is on, and how far its vectors are."),
    ("carrel late on", "Rank the best hundred again by the embedded model's own token vectors."),
    ("carrel late on answerdotai/answerai-colbert-small-v1", "Fetch a model that was made for it, and rank by that."),
    ("carrel late on --factor 2 --yes", "Keep twice as many vectors, and do not ask."),
    ("carrel late remove", "Give the space of its vectors back."),
)


@click.group("late", cls=CommandGroup, invoke_without_command=True, examples=EXAMPLES)
@click.pass_context
def command(ctx: click.Context, /) -> None:
    """Rank the best hundred passages again by late interaction.

    Every word of the question is held against the vectors of the words of a passage, not of the passage as a whole.
    With the embedded model that costs 12 to 13 KB a passage, or 8 to 50 by --factor. Of four collections that it was
    measured on, three gained nothing that chance does not give, and one lost: it is off until you switch it on. Its
    weight is the setting `late`.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(state)


command.params.extend(global_options(json=True))


@command.command("state", cls=CarrelCommand, reports=True, short_help="Tell whether it is on.", examples=(EXAMPLES[0],))
@pass_session
def state(session: Session) -> None:
    """Tell whether late interaction is on, by which model, and how far its vectors are."""
    with session.open() as library:
        status = library.late_status()
    _tell(session, status)


@command.command("on", cls=CarrelCommand, reports=True, short_help="Switch it on.", examples=EXAMPLES[1:4])
@click.argument("model", required=False)
@click.option(
    "--factor", type=click.IntRange(1, 6), default=4, metavar="N", help="Keep one vector for N words, 1 to 6 [4]."
)
@click.option(
    "--pooling",
    type=click.Choice(["ward", "kmeans"]),
    help="How words are joined: ward, or kmeans for a model that was trained so [as the model was trained].",
)
@click.option("--yes", is_flag=True, help="Do not ask before the space is taken.")
@pass_session
def switch_on(session: Session, model: str | None, factor: int, pooling: str | None, yes: bool) -> int:
    """Switch late interaction on, with MODEL or the library's own; its vectors are made in the background.

    MODEL is installed, or one that `carrel models list` offers for late interaction: it is fetched first.
    What they will take is told first. A passage is ranked so from the moment that it has its vectors, and an edited one
    gets new ones. Stopped, it goes on with the next `carrel sync`.
    """
    from app.cli.indexer_request import switch_late
    from engine.embedding import catalogue
    from engine.embedding.manifest import Manifest

    with session.open() as library:
        if model and (fetched := _fetched(model)) is None:
            return INTERRUPTED
        name = (model and fetched) or library.status().model or catalogue.EMBEDDED
        passages, octets = library.late_estimate(name, factor)
        method = pooling or Manifest.read(catalogue.folder_of(name)).late_pooling
        made = counted(passages, "passage")
        before = library.late_status()
        gone = before is not None and (before.name, before.factor, before.method) != (name, factor, method)
        said = f"{name} makes token vectors of {made}, some {size(octets)} in the library file."
        said += f" Those of {before.name} go." if before is not None and gone else ""
        click.echo(said, err=True)
        if not yes and not agreed("Make them?", does="makes them", default=True):
            return INTERRUPTED
        if not switch_late(library, f"on {factor} {method} {name}"):
            click.echo("Stopped early; the next `carrel sync` goes on from here.", err=True)
            return INTERRUPTED
        _tell(session, library.late_status())
    return DONE


@command.command(
    "off", cls=CarrelCommand, short_help="Switch it off.", examples=(("carrel late off", "Rank without it again."),)
)
@pass_session
def switch_off(session: Session) -> None:
    """Switch late interaction off; its vectors stay for when it is switched on again, and are not kept current."""
    from app.cli.indexer_request import switch_late

    with session.open() as library:
        switch_late(library, "off")
    click.echo("Late interaction is off.")


@command.command("remove", cls=CarrelCommand, short_help="Remove its vectors.", examples=(EXAMPLES[4],))
@pass_session
def remove(session: Session) -> None:
    """Switch late interaction off and remove its vectors; `carrel compact` gives the space back to the disk."""
    from app.cli.indexer_request import switch_late

    with session.open() as library:
        switch_late(library, "remove")
    click.echo("Late interaction is off, and its vectors are gone.")


def _fetched(name: str) -> str | None:
    """Return the name of an installed model; one offered for late interaction is fetched, None: it was interrupted."""
    from contextlib import closing

    from app.cli.progress_line import progress
    from engine.embedding import catalogue
    from engine.events import Preparing

    if name.lower() not in {each.name.lower() for each in catalogue.available_late()}:
        return name
    with closing(progress()) as show:
        try:
            return catalogue.install(name, lambda stage: show(Preparing(what=stage)), late=True).id
        except KeyboardInterrupt:
            click.echo(f"Stopped; `carrel late on {name}` goes on from what has been fetched.", err=True)
            return None


def _tell(session: Session, status: LateStatus | None) -> None:
    if session.json:
        print_json({"late": status and _shape(status)})
        return
    if status is None:
        click.echo("Late interaction is off; the library has no token vectors.")
        return
    done = percent(status.have / status.passages) if status.passages else "100 %"
    click.echo(
        f"Late interaction is {status.state}: {status.name}, one vector for {status.factor} words ({status.method}), "
        f"{count(status.have)} of {count(status.passages)} passages ({done}), {size(status.bytes)}."
    )


def _shape(status: LateStatus) -> dict[str, object]:
    return {
        "model": status.name,
        "state": status.state,
        "factor": status.factor,
        "pooling": status.method,
        "passages": status.passages,
        "with_vectors": status.have,
        "bytes": status.bytes,
    }
