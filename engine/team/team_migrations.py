"""Sets a team library up on a server, and brings one that is there to the newest schema, a step a transaction.

Who does that owns the schema and is no member by that alone. Two roles without login stand for the rights: members
search and bring their folders; keepers decide on models as well. Roles belong to the whole server, so their names hold
the database's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.errors import SchemaTooNew, TeamError, TeamRefused, TeamTooOld
from engine.lazy_dataclass import dataclass
from engine.team.row_policies import of_vectors, policies
from engine.team.server_connection import one
from engine.team.team_schema import VERSION_1, VERSION_2, VERSION_3
from engine.team.vector_functions import functions

if TYPE_CHECKING:
    import psycopg

SCHEMA = "carrel"
LEAST_SERVER = 160_000  # PostgreSQL 16, as server_version_num says it
LEAST_PGVECTOR = (0, 8)  # the first that goes on in its index until enough rows passed the filters
LONGEST_NAME = 63  # bytes of a name in PostgreSQL
_SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,30}")
STEPS: Sequence[tuple[str, str]] = (
    ("first_schema", VERSION_1),
    ("shared_marks", VERSION_2),
    ("sketched_marks", VERSION_3),
)
"""Name and SQL of each step; the version is the place, from 1."""


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called on this server: the library's schema, its roles, the owner, and pgvector's schema."""

    schema: str
    member: str
    keeper: str
    owner: str
    vector: str

    def filled(self, sql: str) -> str:
        """Return SQL with these names in it, quoted where they stand for objects."""
        sql = sql.replace("'$literal'", literal(quoted(self.schema)))
        for name in ("schema", "owner", "vector"):
            sql = sql.replace(f"${name}", quoted(getattr(self, name)))
        for name in ("member", "keeper"):  # both as a name and within a literal
            role = getattr(self, name)
            sql = sql.replace(f"'${name}'", literal(role)).replace(f"${name}", quoted(role))
        return sql


def quoted(name: str) -> str:
    """Return a name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def newest_version() -> int:
    """Return the schema version that this Carrel writes."""
    return len(STEPS)


def version(conn: psycopg.Connection, schema: str = SCHEMA) -> int:
    """Return the version of a library's schema, 0 where there is none."""
    if one(conn, "SELECT to_regclass(%s)", (f"{quoted(schema)}.migration",)) is None:
        return 0
    return int(one(conn, f"SELECT max(version) FROM {quoted(schema)}.migration"))


def names_of(conn: psycopg.Connection, schema: str = SCHEMA) -> Names:
    """Return what things are called in the database of a connection. Raises TeamTooOld without pgvector."""
    if not _SCHEMA_NAME.fullmatch(schema):
        raise TeamError(f"{schema} is no name for a library.", fix="Take small letters, digits and underscores.")
    found = conn.execute(
        "SELECT n.nspname, extversion FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace"
        " WHERE extname = 'vector'"
    ).fetchone()
    if found is None or tuple(map(int, found[1].split(".")[:2])) < LEAST_PGVECTOR:
        raise TeamTooOld(
            "The server has no pgvector of version 0.8 or newer in this database.",
            fix="Have its administrator run `CREATE EXTENSION vector`, or `ALTER EXTENSION vector UPDATE`.",
        )
    database = one(conn, "SELECT current_database()")
    owner = one(conn, "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = %s", (schema,))
    owner = owner or one(conn, "SELECT current_user")
    member, keeper = (role_name(database, schema, kind) for kind in ("member", "keeper"))
    return Names(schema, member, keeper, _plain(owner), found[0])


def role_name(database: str, schema: str, kind: str) -> str:
    """Return the name of a library's role, `kind` being member or keeper."""
    name = "_".join(["carrel", database, *([schema] if schema != SCHEMA else []), kind])
    if len(name.encode()) <= LONGEST_NAME:
        return name
    digest = hashlib.blake2b(f"{database}\0{schema}".encode(), digest_size=8).hexdigest()
    return f"carrel_{digest}_{kind}"


def initialise(conn: psycopg.Connection, schema: str = SCHEMA) -> Names:
    """Set the library up, or bring it to the newest schema; whatever is there already stays.

    The connection must be in autocommit mode, its login own the schema or be allowed to create it, and be allowed to
    create roles. Raises TeamTooOld, TeamRefused, SchemaTooNew.
    """
    import psycopg

    _refuse_old_server(conn)
    found = version(conn, schema)
    if found > newest_version():
        raise SchemaTooNew("A newer Carrel has set this library up.", fix="Update Carrel.")
    try:
        conn.execute("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")  # the search path has none to create in
    except psycopg.Error:
        conn.rollback()  # who may not make it may still find it there: `names_of` tells
    names = names_of(conn, schema)
    try:
        with conn.transaction():
            conn.execute(f"SELECT pg_advisory_xact_lock(hashtext({literal(f'carrel init {schema}')}))")
            _roles(conn, names)
            conn.execute(names.filled("CREATE SCHEMA IF NOT EXISTS $schema"))
            for number, (name, sql) in enumerate(STEPS, start=1):
                if version(conn, schema) < number:
                    conn.execute(names.filled(sql))
                    conn.execute(names.filled("INSERT INTO $schema.migration VALUES(%s, %s)"), (number, name))
            _rights(conn, names)
    except psycopg.errors.InsufficientPrivilege as error:
        raise TeamRefused(
            "This login may not set a library up here.",
            cause=str(error).split("\n")[0] + ".",
            fix="It needs CREATE on the database and CREATEROLE, or the two roles made by an administrator: "
            f"{names.member} and {names.keeper}.",
        ) from error
    return names


def grants(names: Names, person: str, *, keeper: bool = False) -> list[str]:
    """Return the SQL that admits a login as a member or a keeper, to be run by who set the library up."""
    role = quoted(names.keeper if keeper else names.member)
    return [f"GRANT {role} TO {quoted(person)}"]


def settle_login(conn: psycopg.Connection, names: Names) -> None:
    """Have pgvector's index go on, for this login in every program, until enough rows passed the policies.

    Without it a search by distance under row-level security finds a fraction of the rows that it was asked for.
    """
    conn.execute(names.filled("SELECT '[1]'::$vector.vector"))  # as in `_rights`
    conn.execute("ALTER ROLE CURRENT_USER SET hnsw.iterative_scan = 'strict_order'")


def _refuse_old_server(conn: psycopg.Connection) -> None:
    found = conn.info.server_version
    if found < LEAST_SERVER:
        raise TeamTooOld(
            f"The server is PostgreSQL {found // 10_000}.",
            cause="A team's library needs 16 or newer.",
            fix="Update it.",
        )


def _roles(conn: psycopg.Connection, names: Names) -> None:
    for role in (names.member, names.keeper):
        if one(conn, "SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)) is None:
            conn.execute(f"CREATE ROLE {quoted(role)} NOLOGIN")
    if not one(conn, "SELECT pg_has_role(%s::name, %s::name, 'MEMBER')", (names.keeper, names.member)):
        conn.execute(f"GRANT {quoted(names.member)} TO {quoted(names.keeper)}")


def _rights(conn: psycopg.Connection, names: Names) -> None:
    """Say anew who may do what: policies and functions are replaced by this version's, for every table there is."""
    vectors = conn.execute(names.filled("SELECT id FROM $schema.model")).fetchall()
    conn.execute(names.filled("SELECT '[1]'::$vector.vector"))  # pgvector's settings may be named once it is loaded
    conn.execute(names.filled(policies()))
    conn.execute(names.filled(functions()))
    for (number,) in vectors:
        conn.execute(names.filled(of_vectors(f"vector_{number}")))
    conn.execute(
        names.filled(
            """REVOKE ALL ON ALL FUNCTIONS IN SCHEMA $schema FROM PUBLIC;
            GRANT USAGE ON SCHEMA $schema TO $member;
            GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA $schema TO $member;
            GRANT SELECT ON $schema.library, $schema.migration TO $member;"""
        )
    )


def _plain(role: str) -> str:
    """Return a role's name as it is, from the form in which a catalogue shows it."""
    return role[1:-1].replace('""', '"') if role.startswith('"') else role
