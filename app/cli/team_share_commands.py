"""`carrel team marks` and `carrel team searches`: what one lets the other members have beside folders."""

from __future__ import annotations

import click

from app.cli.command import CarrelCommand
from app.cli.session import Session, pass_session, print_json
from app.cli.team_session import writing_to
from app.wording.cells import table
from app.wording.safe_text import one_line
from engine.figures import counted

SHARED = "Your marks are shared: who sees a folder sees yours in it, and those of others count in your searches."
OWN = "Your marks are your own: nobody sees them, and those of others do not count in your searches."
_OTHERS = "SELECT count(*) FROM shared_mark WHERE person <> current_user"


@click.command(
    "marks",
    cls=CarrelCommand,
    reports=True,
    short_help="Share your marks, or keep them to yourself.",
    examples=(
        ("carrel team marks", "Whether they are shared."),
        ("carrel team marks --share", "Share them, and have those count that others share."),
    ),
)
@click.option("--share", "change", flag_value="share", help="Share them from now on, those of before too.")
@click.option("--own", "change", flag_value="own", help="Keep them to yourself again; the others lose them.")
@pass_session
def marks(session: Session, change: str | None) -> None:
    """Share what you mark right and wrong with the team, or keep it to yourself, as it is unless you say otherwise.

    A shared mark is seen with its question by who sees the folder that it lies in. It counts half as much as a mark of
    one's own, in the searches of those who share theirs. What you merely opened is never shared.
    """
    with writing_to(session) as writer:
        if change is not None:
            writer.share_marks(change == "share")
        shared, others = writer.run("SELECT coalesce(bool_or(shares), false) FROM mark_state")[0][0], 0
        if shared:
            others = writer.run(_OTHERS)[0][0]
    if session.json:
        print_json({"shared": shared, "of_others": others})
        return
    click.echo(SHARED if shared else OWN)
    if others:
        click.echo(f"{counted(others, 'mark')} of others.")


@click.command(
    "searches",
    cls=CarrelCommand,
    reports=True,
    short_help="List searches that members share, or share one of yours.",
    examples=(
        ("carrel team searches", "List them; f6 in the browser offers them too."),
        ("carrel team searches --share 'open questions'", "Share a search that you kept under this name."),
    ),
)
@click.option("--share", "name", metavar="NAME", help="Share the saved search of this name with all members.")
@click.option("--own", "back", metavar="NAME", help="Share it no longer.")
@pass_session
def searches(session: Session, name: str | None, back: str | None) -> None:
    """List the searches that members share under a name, or share one of yours (f6 in the browser keeps one)."""
    from engine.config import load
    from engine.errors import UsageError

    saved = load().saved
    if name is not None and name not in saved:
        known = ", ".join(map(one_line, sorted(saved))) or "none yet"
        raise UsageError(
            f"No search is kept as {name}.", cause=f"Kept are: {known}.", fix="f6 in the browser keeps one."
        )
    with writing_to(session) as writer:
        if name is not None:
            writer.share_search(name, saved[name])
        if back is not None and not writer.take_back_search(back):
            raise UsageError(f"You share no search as {back}.", fix="`carrel team searches` lists them.")
        found = writer.shared_searches()
    if session.json:
        shapes = [{"name": each.name, "person": each.person, "query": each.query, "own": each.own} for each in found]
        print_json({"searches": shapes})
    elif found:
        click.echo("\n".join(table([(one_line(e.name), one_line(e.person), one_line(e.query)) for e in found])))
    else:
        click.echo("Nobody shares a search yet.", err=True)
