"""`carrel runs`: the history of retraining; notes, orders to a run at work, deleting."""

from __future__ import annotations

import os

import click

from app.cli.command import CarrelCommand, CommandGroup, global_options
from app.cli.session import Session, agreed, pass_session, print_json
from app.wording.paths import short_path
from training.protocol import ORDERS

EXAMPLES = (
    ("carrel runs", "List the runs, with their figures."),
    ("carrel runs note tuned-1 'more marks on recipes'", "Keep a note with a run."),
    ("carrel runs cancel tuned-1", "End a run at work, and leave nothing of it."),
)


@click.group("runs", cls=CommandGroup, invoke_without_command=True, examples=EXAMPLES)
@click.pass_context
def command(ctx: click.Context, /) -> None:
    """See what retraining has brought, and steer a run that is at work."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_runs)


command.params.extend(global_options(json=True))


@command.command("list", cls=CarrelCommand, reports=True, short_help="List the runs.", examples=EXAMPLES[:1])
@pass_session
def list_runs(session: Session) -> None:
    """List the runs, oldest first, with how they ended and what they gained."""
    from app.cli.run_table import collections_line, lines, shape
    from training.runs import every, unreadable

    found = every()
    for run in unreadable():
        click.echo(f"The record of the run {run.name} cannot be read: {short_path(os.fsencode(run.folder))}", err=True)
    if told := collections_line():
        click.echo(told, err=True)
    if session.json:
        print_json({"runs": [shape(run) for run in found]})
    elif found:
        click.echo("\n".join(lines(found)))
    else:
        click.echo("There are no runs yet; `carrel retrain` starts one.", err=True)


@command.command("note", cls=CarrelCommand, short_help="Keep a note with a run.", examples=EXAMPLES[1:2])
@click.argument("run")
@click.argument("text")
@pass_session
def note(_session: Session, run: str, text: str) -> None:
    """Keep a note with a run, in place of the one before."""
    from training.runs import named

    named(run).update(note=text)


@command.command(
    "examples",
    cls=CarrelCommand,
    short_help="Look at what a run learns from; reject some.",
    examples=(
        ("carrel runs examples tuned-1", "Print examples: query, answer, hard negatives."),
        ("carrel runs examples tuned-1 --reject 12 --reject 40", "Leave these out; best with `retrain --review`."),
    ),
)
@click.argument("run")
@click.option("--reject", multiple=True, type=int, metavar="N", help="Leave an example out of the training.")
@click.option("--accept", multiple=True, type=int, metavar="N", help="Keep an example, or take a rejected one back in.")
@pass_session
def examples(_session: Session, run: str, reject: tuple[int, ...], accept: tuple[int, ...]) -> None:
    """Print the examples of a run, the most doubtful first where it waits; deciding counts until the training begins.

    What nobody rejects is learnt from.
    """
    from app.cli.run_table import example_lines
    from training import review
    from training.runs import named

    chosen = named(run)
    for numbers, accepted in ((reject, False), (accept, True)):
        if numbers:
            review.decide(chosen, numbers, accepted=accepted)
    click.echo("\n".join(example_lines(chosen)))


@command.command(
    "delete",
    cls=CarrelCommand,
    short_help="Delete a run and its model.",
    examples=(
        ("carrel runs delete tuned-1", "Delete a run and the model that it made; asks."),
        ("carrel runs delete tuned-1 --keep-model --yes", "Leave the model installed, and do not ask."),
    ),
)
@click.argument("run")
@click.option("--keep-model", is_flag=True, help="Leave the model installed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def delete(session: Session, run: str, keep_model: bool, yes: bool) -> None:
    """Delete a run that is over, the model that it made, and the vectors that the library keeps for that.

    A model that the library uses, or goes back to by `carrel rollback`, is not deleted.
    """
    from app.cli.run_table import deletion
    from engine.figures import size
    from engine.paths import library_path
    from training import run_removal, runs

    chosen = runs.named(run)
    libraries = [library_path(session.library)]
    found = run_removal.disk_use(chosen, libraries, keep_model=keep_model)
    if yes or agreed(f"Delete {chosen.name}? {deletion(found)}", does="deletes"):
        run_removal.delete(chosen, libraries, keep_model=keep_model)
        model = f" and its model {found.model}" if found.model else ""
        click.echo(f"Deleted {chosen.name}{model}: {size(found.whole)} freed.")


def _ordering(word: str, says: str) -> None:
    @command.command(
        word,
        cls=CarrelCommand,
        short_help=says,
        help=f"{says} It is heard within a step.",
        examples=((f"carrel runs {word} tuned-1", says),),
    )
    @click.argument("run")
    @pass_session
    def give(_session: Session, run: str) -> None:
        from engine.errors import UsageError
        from training.runs import named

        chosen = named(run)
        if not chosen.alive:
            raise UsageError(f"The run {chosen.name} is not at work.", fix="`carrel runs` shows how each one ended.")
        chosen.order(word)


SAID = {
    "pause": "Pause a run at work.",
    "resume": "Let a paused run go on.",
    "stop": "Keep the best so far, and judge it.",
    "cancel": "End a run, and leave nothing of it.",
}
for _word in ORDERS:
    _ordering(_word, SAID[_word])
