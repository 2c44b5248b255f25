"""The database of one test on the shared server, with its people: an owner, two members, a stranger."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from loopback_proxy import HOST
from postgres_server import PostgresServer

_numbers = itertools.count(1)
PEOPLE = ("owner", "ada", "ben", "stranger")


@dataclass(frozen=True)
class TeamDatabase:
    """An empty database that its `owner`, no superuser, may do anything in; the others may connect and nothing more."""

    server: PostgresServer
    name: str

    def role(self, person: str) -> str:
        """Return the login of a person of `PEOPLE`: roles are the whole server's, so each test has its own."""
        return f"{self.name}_{person}"

    def password(self, person: str) -> str:
        """Return a person's password, which the server asks for over TCP; its signs are such as a URL must escape."""
        return f"p@ss:{person}/{self.name}"

    def url(self, person: str = "owner") -> str:
        """Return the address through the socket, where no password is asked for."""
        return self.server.url(self.name, self.role(person))

    def loopback_url(self, person: str = "owner", port: int = 0) -> str:
        """Return the address over TCP, where the password is asked for; `port` may be a proxy's."""
        return self.server.loopback_url(self.name, self.role(person), port)

    def tls_url(self, person: str, port: int, authority: Path, host: str = HOST) -> str:
        """Return the address of a proxy that speaks TLS, under a name that is no loopback's."""
        trusted = quote(str(authority), safe="")
        return (
            f"postgresql://{self.role(person)}@{host}:{port}/{self.name}"
            f"?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={trusted}"
        )

    def passwords(self, folder: Path) -> Path:
        """Write a password file (what PGPASSFILE names) for everybody and return it."""
        lines = [f"*:*:{self.name}:{self.role(each)}:{_escaped(self.password(each))}\n" for each in PEOPLE]
        path = folder / "pgpass"
        path.write_text("".join(lines))
        path.chmod(0o600)
        return path

    def connect(self, person: str = "owner") -> Any:
        """Return a psycopg connection of a person's own, each statement a transaction: SQL as anybody may send it."""
        import psycopg

        return psycopg.connect(self.url(person), autocommit=True)


@contextmanager
def fresh_database(server: PostgresServer, further: Sequence[str] = ()) -> Iterator[TeamDatabase]:
    """Give a fresh database with its people and `further` ones, and take all of it away again."""
    import psycopg
    from psycopg import sql

    database = TeamDatabase(server, f"t{os.getpid()}_{next(_numbers)}")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for person in (*PEOPLE, *further):
            rights = sql.SQL("createrole" if person == "owner" else "nocreaterole")
            created = sql.SQL("create role {} login {} password {}")
            connection.execute(
                created.format(sql.Identifier(database.role(person)), rights, sql.Literal(database.password(person)))
            )
        names = sql.Identifier(database.name), sql.Identifier(database.role("owner"))
        connection.execute(sql.SQL("create database {} owner {} strategy file_copy").format(*names))
    try:
        yield database
    finally:
        if server.answers():
            _drop(server, database.name)


def _drop(server: PostgresServer, name: str) -> None:
    """Drop the database, whoever is still connected, and every role that has its name in its own."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        roles = connection.execute("select rolname from pg_roles where rolname ~ %s", (f"(^|_){name}(_|$)",)).fetchall()
        for (role,) in roles:
            connection.execute(sql.SQL("drop owned by {} cascade").format(sql.Identifier(role)))
        for (role,) in roles:
            connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")
