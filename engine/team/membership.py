"""Who belongs to a team library: setting one up, joining and leaving it, and what of one's folders others may see."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine import config
from engine.errors import PathError, SchemaTooNew, TeamRefused, TeamTooOld, UsageError
from engine.lazy_dataclass import dataclass
from engine.paths import display
from engine.team import login
from engine.team.address import checked, effective
from engine.team.server_connection import connect, one, translated

if TYPE_CHECKING:
    import psycopg

    from engine.team.team_writer import TeamWriter

Ask = Callable[[], str]  # asks the person for the password, hidden


@dataclass(frozen=True, slots=True)
class SetUp:
    """What was set up, and what lets a member in: SQL for whoever keeps the server, and the address to send.

    `made` are those of the `admitted` logins that were made, without a password: who is asked for one is not let in.
    """

    schema: str
    version: int
    member: str
    keeper: str
    admitted: tuple[str, ...]
    made: tuple[str, ...]
    grants: tuple[str, ...]
    invitation: str


@dataclass(frozen=True, slots=True)
class OwnFolder:
    """A folder of one's own in the team library, on this machine, and who sees it: private, named or all."""

    id: int
    path: bytes
    visibility: str
    readers: tuple[str, ...]


def set_up(address: str, members: Sequence[str], ask: Ask) -> SetUp:
    """Set a team library up, or bring its schema up to date, and let `members` in; logins that are missing are made.

    Raises TeamRefused where the login may not, TeamTooOld, TeamAway, UsageError.
    """
    from engine.team.team_migrations import SCHEMA, grants, initialise, newest_version, quoted

    conn, _ = _connected(address, ask)
    try:
        with translated():
            names = initialise(conn)
        made = []
        for person in members:
            if one(conn, "SELECT 1 FROM pg_roles WHERE rolname = %s", (person,)) is None:
                made.append(person)
            with translated():
                if made[-1:] == [person]:
                    conn.execute(f"CREATE ROLE {quoted(person)} LOGIN")
                for statement in grants(names, person):
                    conn.execute(statement)
        return SetUp(
            SCHEMA,
            newest_version(),
            names.member,
            names.keeper,
            tuple(members),
            tuple(made),
            tuple(each for each in grants(names, "ada") if not each.startswith("SELECT")),
            _invitation(address),
        )
    finally:
        conn.close()


def join(address: str, machine: str, ask: Ask) -> tuple[str, bool]:
    """Join a team library with this machine, and remember its address in the settings.

    `ask` is called where the server wants a password that neither the password file nor the keyring has; the keyring
    keeps it. Returns the person's name there, and whether the keyring keeps the password now. Raises TeamRefused where
    the login is no member or the password could not be kept, TeamAway, TeamTooOld, SchemaTooNew, UsageError.
    """
    checked(address)
    joined = config.load().team
    if joined and joined != address:
        raise UsageError(
            f"This machine is in another team library: {joined}.", fix="Leave that one first: `carrel team leave`."
        )
    conn, password = _connected(address, ask)
    try:
        _refuse_strangers(conn)
        person = str(one(conn, "SELECT current_user"))
        kept = bool(password) and login.keep_password(address, password)
        if password and not kept:
            raise TeamRefused(
                "The password is right, but this machine has no keyring to keep it in.",
                fix=f"Write this line, with the password, into ~/.pgpass (chmod 600), and join again:"
                f" {login.password_line(address)}",
            )
        with translated():
            conn.execute(
                "INSERT INTO member(machine) VALUES(%s)"
                " ON CONFLICT(person, machine) DO UPDATE SET seen_at = clock_timestamp()",
                (machine,),
            )
    finally:
        conn.close()
    config.change({"team": address, "machine": machine})
    return person, kept


def _connected(address: str, ask: Ask) -> tuple[psycopg.Connection, str]:
    """Return a connection, and the password that the person typed for it, "" where none was needed."""
    from engine.team.team_migrations import SCHEMA

    try:
        return connect(address, SCHEMA), ""
    except TeamRefused as refused:
        if "password" not in refused.cause:
            raise
    password = ask()
    return connect(login.connection_string(address, password), SCHEMA), password


def _refuse_strangers(conn: psycopg.Connection) -> None:
    """Raise where there is no team library, one of another version, or the login is no member of it."""
    from engine.team.team_migrations import SCHEMA, names_of, newest_version, role_name, version

    role = role_name(str(one(conn, "SELECT current_database()")), SCHEMA, "member")
    if one(conn, "SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)) is None:
        raise TeamRefused(
            "There is no team library in this database.",
            fix="Whoever keeps the server sets one up: `carrel team init`.",
        )
    if not one(conn, "SELECT pg_has_role(current_user, %s, 'MEMBER')", (role,)):
        person = one(conn, "SELECT current_user")
        raise TeamRefused(
            f"{person} is no member of this team library yet.",
            fix=f'Have whoever keeps it run: GRANT "{role}" TO "{person}";',
        )
    names_of(conn)
    found = version(conn)
    if found > newest_version():
        raise SchemaTooNew("A newer Carrel has set this team library up.", fix="Update Carrel.")
    if found < newest_version():
        raise TeamTooOld(
            "An older Carrel has set this team library up.",
            fix="Have whoever keeps it run `carrel team init` of this version: it brings the schema up to date.",
        )


def _invitation(address: str) -> str:
    """Return the address as a member writes it: with a name to be replaced in the place of the keeper's."""
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(each for each in parts.query.split("&") if each and not each.startswith("user="))
    return urlunsplit((parts.scheme, f"ada@{host}", parts.path or f"/{effective(address)['user']}", query, ""))


def leave(writer: TeamWriter, machine: str, *, keep: bool) -> list[bytes]:
    """Take this machine out of the team library, and unless `keep`, its folders too; return their paths."""
    folders = own_folders(writer, machine)
    for folder in () if keep else folders:
        writer.remove_folder(folder.id)
    writer.leave(machine)
    return [folder.path for folder in folders]


def bring(writer: TeamWriter, path: bytes, machine: str, visible: str, readers: Sequence[str]) -> int:
    """Make room for a folder of this machine in the team library, and say who sees it; return its number."""
    number = writer.folder(path, machine, visible, readers)
    writer.share(number, visible, readers)  # one that is there already keeps who may see it otherwise
    return number


@dataclass(frozen=True, slots=True)
class TeamModel:
    """A model of a team library, its state, and how many passages that one may see lack a vector of it."""

    id: int
    name: str
    state: str
    lacking: int


def models_of(writer: TeamWriter) -> list[TeamModel]:
    """Return the models of a team library, the active one first."""
    found = []
    for number, name, state in writer.run("SELECT id, name, state FROM model ORDER BY state <> 'active', id"):
        lacking = writer.run(
            f"""SELECT count(*) FROM passage p WHERE p.hash >= '\\x00000001'::bytea AND NOT EXISTS
            (SELECT FROM vector_{int(number)} v WHERE v.folder_id = p.folder_id AND v.passage_id = p.id)"""
        )
        found.append(TeamModel(int(number), name, state, int(lacking[0][0])))
    return found


def change_model(writer: TeamWriter, name: str, *, now: bool = False) -> TeamModel:
    """Have the team take a model: it is filled by the members first, and taken once no passage lacks a vector.

    `now` takes it whatever is missing. Raises ModelError where it is not installed here, TeamRefused for who is no
    keeper.
    """
    from dataclasses import replace

    from engine.embedding import catalogue
    from engine.embedding.manifest import Manifest

    number = writer.model(Manifest.read(catalogue.folder_of(name)), name=name)
    model = next(each for each in models_of(writer) if each.id == number)
    if model.state == "active" or (model.lacking and not now):
        return model
    writer.activate(number)
    return replace(model, state="active")


def forget_address(address: str) -> None:
    """Take a team library out of the settings and its password out of the keyring."""
    if config.load().team == address:
        config.change({"team": "", "machine": ""})
    login.forget_password(address)


def this_machine() -> str:
    """Return what this computer is called in the team library: as the settings say, else its own name."""
    return config.load().machine or socket.gethostname().partition(".")[0] or "this-machine"


def own_folders(writer: TeamWriter, machine: str) -> list[OwnFolder]:
    """Return one's own folders of a machine, by path."""
    rows = writer.run(
        "SELECT id, path, visibility, readers FROM folder"
        " WHERE owner = current_user AND machine = %s AND state = 'watching' ORDER BY path",
        (machine,),
    )
    return [OwnFolder(number, bytes(path), visible, tuple(readers)) for number, path, visible, readers in rows]


def own_folder(writer: TeamWriter, machine: str, folder: Path) -> OwnFolder:
    """Return one of one's own folders by its path. Raises PathError where it is not in the team library."""
    wanted = {os.fsencode(os.path.abspath(os.path.expanduser(folder))), os.fsencode(os.path.realpath(folder))}
    for each in own_folders(writer, machine):
        if each.path in wanted:
            return each
    raise PathError(
        f"{display(os.fsencode(folder))} is not in the team library.",
        fix="`carrel team` lists your folders; `carrel team folder add FOLDER` brings one.",
    )


def readers_among(writer: TeamWriter, names: Sequence[str]) -> tuple[str, ...]:
    """Return names of people as the server knows them. Raises UsageError for one who has no login there."""
    rows = writer.run("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND rolcanlogin", (list(names),))
    there = {name for (name,) in rows}
    if missing := [name for name in names if name not in there]:
        known = sorted(str(name) for (name,) in writer.run("SELECT DISTINCT person FROM member"))
        raise UsageError(
            f"The server knows no {', '.join(missing)}.", cause=f"Members are {', '.join(known) or 'none yet'}."
        )
    return tuple(dict.fromkeys(names))


@contextmanager
def writing(address: str) -> Iterator[TeamWriter]:
    """Lend a member's session. Raises TeamAway, TeamRefused, UsageError."""
    from engine.team.team_migrations import SCHEMA
    from engine.team.team_writer import TeamWriter

    writer = TeamWriter(address, SCHEMA)
    try:
        yield writer
    finally:
        writer.close()
