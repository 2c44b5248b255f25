"""`carrel team`: a library for several people, on PostgreSQL; set up, join, leave, and say who sees what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.command import CarrelCommand, CommandGroup, global_options
from app.cli.session import Session, agreed, pass_session, print_json
from app.cli.team_session import address_of, writing_to
from app.cli.team_share_commands import marks, searches
from app.wording.paths import short_path
from app.wording.safe_text import one_line
from engine.figures import counted

if TYPE_CHECKING:
    from engine.team.membership import OwnFolder
    from engine.team.team_writer import TeamWriter

EXAMPLES = (
    ("carrel team", "Who is in the team library, which folders are there, and how fresh they are."),
    ("carrel team init postgresql://keeper@localhost/notes", "Set a team library up in a database."),
    ("carrel team join 'postgresql://ada@team.example/notes?sslmode=verify-full'", "Join one with this machine."),
    ("carrel team folder add ~/notes --all", "Bring a folder to it, for all members to search."),
    ("carrel team share ~/diary ben", "Let one more person see a folder."),
)
TAKE_OUT = ("carrel team folder remove ~/notes", "Take it out; your own file keeps it.")
ADDRESS = click.argument("address", metavar="ADDRESS")


@click.group("team", cls=CommandGroup, invoke_without_command=True, examples=EXAMPLES)
@click.pass_context
def command(ctx: click.Context, /) -> None:
    """See, join and share a library of several people, on PostgreSQL.

    Your own file stays as it is, complete without a server: what you share of it is brought to the team library, and
    `carrel --library ADDRESS search ...` searches what everybody shares with you.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(show)


command.params.extend(global_options(json=True))
command.add_command(marks)
command.add_command(searches)


@command.command(
    "show",
    cls=CarrelCommand,
    reports=True,
    short_help="Show members, folders, sizes, and how fresh they are.",
    examples=(("carrel team show --json | jq '.folders[].path'", "For a script."),),
)
@pass_session
def show(session: Session) -> None:
    """Show the members of the team library, the folders that you may see, their sizes, and how fresh they are."""
    from app.cli.team_lines import lines, team_shape
    from engine.paths import library_path
    from engine.team.membership import this_machine
    from engine.team.overview import overview

    with writing_to(session) as writer:
        found = overview(writer, this_machine(), library_path(session.library))
    if session.json:
        print_json(team_shape(found, address_of(session)))
    else:
        click.echo("\n".join(lines(found, address_of(session))))


@command.command(
    "init",
    cls=CarrelCommand,
    reports=True,
    short_help="Set a team library up in a database.",
    examples=(
        (EXAMPLES[1]),
        ("carrel team init postgresql://keeper@localhost/notes --member ada --member ben", "And let two logins in."),
    ),
)
@ADDRESS
@click.option(
    "--member",
    "members",
    multiple=True,
    metavar="LOGIN",
    help="Let a login in, made where it is missing; may be repeated.",
)
@pass_session
def init(session: Session, address: str, members: tuple[str, ...]) -> None:
    """Set a team library up in the database at ADDRESS, or bring its schema up to date.

    Makes the schema, two roles without login and the policies, by which the server itself keeps everybody to the
    folders that they may see. Prints what lets members in. PostgreSQL 16 and pgvector 0.8 or newer are needed.
    """
    from app.cli.team_lines import set_up_lines, set_up_shape
    from engine.team.membership import set_up

    done = set_up(address, members, lambda: _asked(address))
    if session.json:
        print_json(set_up_shape(done, address))
    else:
        click.echo("\n".join(set_up_lines(done, address)))


@command.command(
    "join", cls=CarrelCommand, short_help="Join a team library with this machine.", examples=(EXAMPLES[2],)
)
@ADDRESS
@click.option("--machine", help="What this computer is called there; by default its own name.")
def join(address: str, machine: str | None) -> None:
    """Join the team library at ADDRESS with this machine.

    Where the server wants a password that no password file (PGPASSFILE, ~/.pgpass) has, it is asked for once and kept
    in the keyring of this machine; it stands in no setting and in no log. The address stands in the settings.
    """
    from engine.team import membership

    name = machine or membership.this_machine()
    person, kept = membership.join(address, name, lambda: _asked(address))
    click.echo(f"{one_line(person)} is in the team library now, with this machine as {one_line(name)}.")
    if kept:
        click.echo("The password is in the keyring.", err=True)
    click.echo("`carrel team folder add FOLDER` brings a folder; `carrel --library ADDRESS` searches.", err=True)


@command.command(
    "leave",
    cls=CarrelCommand,
    short_help="Leave the team library with this machine.",
    examples=(("carrel team leave --keep", "Leave, but let the others go on searching your folders as they are."),),
)
@click.option("--keep", is_flag=True, help="Leave your folders in the team library as they are.")
@click.option("--yes", is_flag=True, help="Leave without asking.")
@pass_session
def leave(session: Session, keep: bool, yes: bool) -> None:
    """Leave the team library with this machine; its folders are taken out of it. Your own file stays as it is."""
    from engine.errors import TeamAway
    from engine.team import membership

    address, machine = address_of(session), membership.this_machine()
    if not yes and not agreed("Leave the team library and take your folders of this machine out?", does="leaves"):
        return
    try:
        with writing_to(session) as writer:
            folders = membership.leave(writer, machine, keep=keep)
    except TeamAway as away:
        click.echo(f"{away} Your folders are still there; leave again from here once it answers.", err=True)
        raise
    membership.forget_address(address)
    click.echo(f"Left. {counted(len(folders), 'folder')} {'stayed there' if keep else 'taken out of it'}.")


@command.group(
    "folder",
    cls=CommandGroup,
    short_help="Bring a folder to the team library, or take it out.",
    examples=(EXAMPLES[3], TAKE_OUT),
)
def folder_group() -> None:
    """Bring folders of this machine to the team library, or take them out."""


@folder_group.command("add", cls=CarrelCommand, short_help="Bring a folder.", examples=(EXAMPLES[3],))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--all", "for_all", is_flag=True, help="All members see it.")
@click.option("--for", "people", multiple=True, metavar="PERSON", help="This person sees it; may be repeated.")
@pass_session
def add_folder(session: Session, folder: Path, for_all: bool, people: tuple[str, ...]) -> None:
    """Bring FOLDER to the team library. Unless you say otherwise, nobody but you sees it there.

    Your own file watches and indexes it as ever; the next `carrel sync`, or the indexer that runs, brings it over.
    """
    from app.cli.path_arguments import folder_given
    from engine.team import membership

    if for_all and people:
        raise click.UsageError("Either --all or --for, not both.")
    wanted = folder_given(folder)
    with writing_to(session) as writer, session.open_own(create=True) as library:
        readers = membership.readers_among(writer, people)
        added = library.add(wanted)
        visible = "all" if for_all else "named" if people else "private"
        membership.bring(writer, added.path, membership.this_machine(), visible, readers)
    click.echo(f"{short_path(added.path)} is for {_seen_by(visible, readers)} in the team library.")
    click.echo("`carrel sync` brings it over; an indexer that runs does so by itself.", err=True)


@folder_group.command("remove", cls=CarrelCommand, short_help="Take a folder out.", examples=(TAKE_OUT,))
@click.argument("folder", type=click.Path(path_type=Path))
@pass_session
def remove_folder(session: Session, folder: Path) -> None:
    """Take FOLDER out of the team library, with all that is in it. Your own file keeps it."""
    with writing_to(session) as writer:
        found = _own(writer, folder)
        writer.remove_folder(found.id)
    click.echo(f"{short_path(found.path)} is no longer in the team library.")


@command.command("share", cls=CarrelCommand, short_help="Let people see a folder.", examples=(EXAMPLES[4],))
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("people", nargs=-1, metavar="[PERSON...]")
@click.option("--all", "for_all", is_flag=True, help="All members see it from now on.")
@pass_session
def share(session: Session, folder: Path, people: tuple[str, ...], for_all: bool) -> None:
    """Let PERSON, or with --all all members, see a FOLDER of yours that is in the team library."""
    from engine.team import membership

    if for_all == bool(people):
        raise click.UsageError("Name the people who are to see it, or say --all.")
    with writing_to(session) as writer:
        found = _own(writer, folder)
        readers = () if for_all else tuple(dict.fromkeys((*found.readers, *membership.readers_among(writer, people))))
        visible = "all" if for_all else "named"
        writer.share(found.id, visible, readers)
    click.echo(f"{short_path(found.path)} is for {_seen_by(visible, readers)} now.")


@command.command(
    "unshare",
    cls=CarrelCommand,
    short_help="Let people no longer see a folder.",
    examples=(
        ("carrel team unshare ~/diary ben", "Ben no longer sees it."),
        ("carrel team unshare ~/diary", "Nobody does."),
    ),
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("people", nargs=-1, metavar="[PERSON...]")
@pass_session
def unshare(session: Session, folder: Path, people: tuple[str, ...]) -> None:
    """Let PERSON no longer see a FOLDER of yours; without one, nobody but you does."""
    with writing_to(session) as writer:
        found = _own(writer, folder)
        if found.visibility == "all" and people:
            raise click.UsageError("All members see it. `carrel team share FOLDER PERSON...` names those who shall.")
        readers = tuple(each for each in found.readers if people and each not in people)
        visible = "named" if readers else "private"
        writer.share(found.id, visible, readers)
    click.echo(f"{short_path(found.path)} is for {_seen_by(visible, readers)} now.")


@command.command(
    "model",
    cls=CarrelCommand,
    short_help="Show the team's models, or have it take another.",
    examples=(
        ("carrel team model", "Which models there are, and what they lack."),
        ("carrel team model my-model", "Have it filled; called again once it is complete, take it."),
    ),
)
@click.argument("name", required=False)
@click.option("--now", is_flag=True, help="Take it though passages lack a vector of it.")
@pass_session
def model(session: Session, name: str | None, now: bool) -> None:
    """Show the models of the team library, or have it take the model NAME, which is a keeper's right.

    The team is searched with the model before until the new one is complete. Each member's machine gives it the
    vectors that its own file has of it (`carrel models use NAME`), and any on which it is installed makes what is
    missing in all folders that it may help, while it indexes; called again then, this takes it.
    """
    from app.wording.cells import table
    from engine.team import membership

    with writing_to(session) as writer:
        taken = membership.change_model(writer, name, now=now) if name else None
        found = membership.models_of(writer)
    click.echo("\n".join(table([(one_line(m.name), m.state, f"{m.lacking:,} without a vector") for m in found])))
    if taken is not None and taken.state != "active":
        click.echo(
            f"{counted(taken.lacking, 'passage')} lack a vector of it; call this again once none does.", err=True
        )


def _seen_by(visible: str, readers: tuple[str, ...]) -> str:
    """Return who sees a folder, in words."""
    return {"private": "you alone", "all": "all members"}.get(visible) or f"you and {', '.join(map(one_line, readers))}"


def _own(writer: TeamWriter, folder: Path) -> OwnFolder:
    from engine.team import membership

    return membership.own_folder(writer, membership.this_machine(), folder)


def _asked(address: str) -> str:
    """Ask the person for the password, without showing it. Raises UsageError without a terminal."""
    import sys

    from engine.errors import UsageError
    from engine.team.login import password_line

    if not sys.stdin.isatty():
        raise UsageError(
            "The server wants a password, and there is no terminal to ask on.",
            fix=f"Write this line, with the password, into ~/.pgpass (chmod 600): {password_line(address)}",
        )
    password: str = click.prompt("Password", hide_input=True, err=True)
    return password
