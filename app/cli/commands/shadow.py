"""`carrel shadow`: lets a model run beside the one in use, and compares what both find."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from app.cli.command import CarrelCommand, CommandGroup, global_options
from app.cli.session import DONE, INTERRUPTED, Session, pass_session, print_json
from app.cli.shadow_review import review
from app.wording.safe_text import one_line
from engine.figures import counted

if TYPE_CHECKING:
    from app.cli.shadow_replay import Replayed

EXAMPLES = (
    ("carrel shadow tuned-1", "Let the model of a run run beside the one in use."),
    ("carrel shadow --on", "Make finished searches of the browser with both, and keep what each found."),
    ("carrel shadow --replay", "Send the log of searches through both."),
    ("carrel shadow", "Say how far it is, and how far both agree."),
    ("carrel shadow review", "Choose between two lists of five, without knowing whose is whose."),
    ("carrel shadow stop", "Let nothing run beside; the vectors are kept."),
    ("carrel shadow --off --empty", "Stop comparing, and forget for good what was compared."),
)
WHICH = """\
It counts those of the browser that rested for two seconds, or of which a row was opened.
Those of the command line are in the log, and `carrel shadow --replay` sends them through both."""


class _ShadowGroup(CommandGroup):
    """A group for which a word that is none of its commands is the model or run that is to run beside."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first word names, or the one that starts a model of that name."""
        if args and args[0] not in self.commands:
            return "start", start, args
        return super().resolve_command(ctx, args)


@click.group(
    "shadow", cls=_ShadowGroup, invoke_without_command=True, subcommand_metavar="[MODEL|RUN]", examples=EXAMPLES
)
@click.option(
    "--on/--off", "wanted", default=None, help="Make finished searches of the browser with both, or stop [off]."
)
@click.option("--empty", is_flag=True, help="Forget for good what was compared and chosen.")
@click.option("--replay", "again", is_flag=True, help="Send the log of searches, and judged questions, through both.")
@click.pass_context
def command(ctx: click.Context, /, wanted: bool | None, empty: bool, again: bool) -> Any:
    """Let a model run beside the one in use, and compare what both find.

    Its vectors are made in the background and follow every change. With --on, which switches the log of searches on
    too, each search of the browser that rested for two seconds, or of which a row was opened, is made with both after
    its answer stands. Those of the command line are only in the log: --replay sends them through both. All of it stays
    in the library file.
    """
    if ctx.invoked_subcommand is not None:
        if wanted is not None or empty or again:
            raise click.UsageError("Options of `carrel shadow` go without a command.")
        return DONE
    return _carry_out(ctx.ensure_object(Session), wanted, empty, again)


command.params.extend(global_options(json=True))


def _carry_out(session: Session, wanted: bool | None, empty: bool, again: bool) -> int:
    from app.cli import shadow_figures
    from app.shadow_shapes import standing_shape
    from engine.config import change, load
    from training.shadow_standing import standing

    config = load()
    if wanted is not None:
        config = change({"shadow": wanted})
    forgotten: int | None = None
    replayed: Replayed | None = None
    with session.open_own() as library:
        if empty:
            forgotten = library.empty_shadow()
        if again:
            replayed = _replayed(library)
        state = library.shadow_state()
        asked = session.json or not (wanted is not None or empty or again)
        found = standing(library, time.time()) if asked and state is not None else None
    code = INTERRUPTED if replayed is not None and replayed.left else DONE
    from app.cli.shadow_report import lines, shape

    if session.json:
        about = {"forgotten": forgotten, "replay": asdict(replayed) if replayed is not None else None}
        print_json({**shape(state, config.shadow), **about, "standing": standing_shape(found) if found else None})
        return code
    if forgotten is not None:
        click.echo(f"Forgotten: {counted(forgotten, 'compared search', 'compared searches')}")
    if replayed is not None:
        click.echo(_said(replayed))
    if wanted is not None or empty or again:
        click.echo(f"Comparing finished searches is {'on' if config.shadow else 'off'}.", err=True)
        if wanted:
            click.echo(WHICH, err=True)
    else:
        click.echo("\n".join(lines(state, config.shadow)))
        if found is not None:
            click.echo("\n".join(["", *shadow_figures.lines(found)]))
    return code


def _replayed(library: Any) -> Replayed:
    from app.cli.interruption import stop_on_signal
    from app.cli.progress_line import progress
    from app.cli.shadow_replay import replay

    show = progress()
    with closing(show), stop_on_signal() as stop:
        return replay(library, show, stop)


def _said(replayed: Replayed) -> str:
    parts = [
        f"{counted(replayed.replayed, 'question', 'questions')} of the log",
        counted(replayed.held_out, "judged one", "judged ones") if replayed.held_out else "",
    ]
    said = f"Through both: {', '.join(each for each in parts if each)}."
    if replayed.before:
        said += f" {replayed.before:,} had been before."
    if replayed.unasked:
        said += f" {replayed.unasked:,} could not be asked of both."
    if replayed.left:
        said += f" Stopped early; {replayed.left:,} are left, and `carrel shadow --replay` goes on."
    return said


@click.command("start", cls=CarrelCommand, reports=True, examples=EXAMPLES[:1])
@click.argument("name", metavar="MODEL|RUN")
@pass_session
def start(session: Session, name: str) -> int:
    """Let a model, or that of a run, run beside the one in use; its vectors are made beside those in use.

    What is not finished here an indexer goes on with.
    """
    from app.cli.indexer_request import carry_out
    from app.cli.interruption import stop_on_signal
    from app.cli.progress_line import progress
    from app.cli.shadow_report import lines, shape
    from engine.config import load
    from engine.embedding import catalogue
    from engine.events import Preparing

    show = progress()
    with closing(show), session.open_own() as library, stop_on_signal() as stop:
        model = catalogue.install(_model_of(name), lambda stage: show(Preparing(what=stage))).id
        carry_out(library, library.start_shadow, ("shadow", model), on_event=show, stop=stop)
        state, on = library.shadow_state(), load().shadow
    if session.json:
        print_json(shape(state, on))
    else:
        click.echo("\n".join(lines(state, on)))
        if state is not None and state.coverage < 1.0:
            click.echo("What is left of its vectors is made whenever an indexer has nothing else to do.", err=True)
    return INTERRUPTED if stop.is_set() else DONE


def _model_of(name: str) -> str:
    """Return the model of a run of that name; else the name is a model's."""
    from engine.errors import UsageError
    from training import runs

    try:
        record = runs.named(name).record()
    except UsageError:
        return name
    if not record.model:
        raise UsageError(f"The run {name} left no model.", fix="`carrel runs` lists those that did.")
    return record.model


@command.command("stop", cls=CarrelCommand, short_help="Let nothing run beside.", examples=EXAMPLES[5:6])
@pass_session
def stop(session: Session) -> None:
    """Let no model run beside the one in use; its vectors are kept, and what was compared stays."""
    from training.shadow_promotion import stop as stop_beside

    with session.open_own() as library:
        name = stop_beside(library, time.time())
    click.echo(f"{one_line(name)} runs beside no more; its vectors are kept.")


command.add_command(review)
