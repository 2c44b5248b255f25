"""A member with SQL of their own, under the login that `carrel team join` uses: nothing hidden is read or changed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import PostgresServer
from team_turmoil import Desk, contents, team_on
from team_world import TeamDatabase

psycopg = pytest.importorskip("psycopg")
pytestmark = pytest.mark.processes
HELD = ("folder", "folder_state", "document", "entry", "passage", "posting", "term_count", "change", "pending", "mark")
READS = (
    *(f"select * from carrel.{table}" for table in HELD),
    "select passage_id from carrel.vector_1",
    "select most_common_vals from pg_stats where schemaname = 'carrel' and most_common_vals is not null",
    "select histogram_bounds from pg_stats where schemaname = 'carrel' and histogram_bounds is not null",
    "select passage from carrel.nearest(1, array_fill(0.125::real, array[64]), 10)",
    "select passage from carrel.nearest(1, array_fill(0.125::real, array[64]), 10, null, true)",
    "select query from pg_stat_activity where usename <> current_user and query is not null and query like '%note%'",
    "select * from pg_sequences where schemaname = 'carrel' and last_value is not null",
)
REFUSED = (
    "select embedding from carrel.vector_1",
    "set role {ada}",
    "set session authorization {ada}",
    "copy carrel.passage to '/tmp/carrel-attack'",
    "create table carrel.mine(a int)",
    "create function carrel.person() returns text language sql as 'select ''{ada}'''",
    "alter table carrel.passage disable row level security",
    "drop policy seen on carrel.passage",
    "update carrel.folder set owner = current_user",
    "insert into carrel.folder(machine, path, prefix_folded, owner) values('x', '/', 'x', '{ada}')",
    "insert into carrel.posting(folder_id, passage_id, term, frequency, length, place)"
    " values({folder}, {folder}::bigint << 32, 'evil', 1, 1, 1)",
    "insert into carrel.term_count(folder_id, term, passages) values({folder}, 'evil', 1)",
    "insert into carrel.mark(person, query, passage_hash, path, grade, at) values('{ada}', 'q', 'h', '/', 2, 0)",
    "grant carrel_{team}_keeper to current_user",
    "select carrel.activate_model(1)",
    "select carrel.remove_model(1)",
)
WITHOUT_EFFECT = (
    *(f"delete from carrel.{table}" for table in HELD if table not in ("folder", "folder_state")),
    "update carrel.folder set visibility = 'all'",
    "update carrel.passage set text = 'evil'",
    "update carrel.folder_state set version = 0",
    "delete from carrel.vector_1",
    "delete from carrel.member where person <> current_user",
)


@pytest.fixture(scope="module")
def attacked(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TeamDatabase, Path]]:
    """Give a team library in which ada has a folder for herself alone."""
    with pytest.MonkeyPatch.context() as patch, team_on(postgres) as team:
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        desk = Desk(tmp_path_factory.mktemp("attacked"), "desk", 6)
        desk.share(team.url("ada"), "private")
        desk.bring(team.url("ada"))
        yield team, desk.root


def filled(sql: str, team: TeamDatabase) -> str:
    with psycopg.connect(team.server.url(team.name)) as connection:
        number = connection.execute("select id from carrel.folder").fetchone()[0]
    return sql.format(ada=team.role("ada"), team=team.name, folder=number)


@pytest.mark.parametrize("sql", READS)
@pytest.mark.parametrize("person", ["ben", "stranger"])
def test_nothing_hidden_is_read(attacked: tuple[TeamDatabase, Path], sql: str, person: str) -> None:
    team, _ = attacked
    with team.connect(person) as connection:
        try:
            assert connection.execute(sql).fetchall() == []
        except psycopg.errors.InsufficientPrivilege:
            assert person == "stranger"


@pytest.mark.parametrize("sql", REFUSED)
def test_what_would_open_or_forge_something_is_refused(attacked: tuple[TeamDatabase, Path], sql: str) -> None:
    team, _ = attacked
    with team.connect("ben") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(filled(sql, team))


@pytest.mark.parametrize("sql", WITHOUT_EFFECT)
def test_nothing_foreign_is_written(attacked: tuple[TeamDatabase, Path], sql: str) -> None:
    team, folder = attacked
    before = contents(team.server, team.name, folder)
    with team.connect("ben") as connection, contextlib.suppress(psycopg.errors.InsufficientPrivilege):
        assert connection.execute(sql).rowcount == 0
    assert contents(team.server, team.name, folder) == before
