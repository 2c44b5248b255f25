"""What the tests' own PostgreSQL must do before anything is proved on it: start, die, be followed, leave nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from loopback_proxy import LoopbackProxy, certificates
from postgres_server import PostgresServer, create
from team_world import TeamDatabase, fresh_database

pytestmark = pytest.mark.processes
GIVE_UP_SECONDS = 120.0


def eventually(condition, what):
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_people_log_in_over_tcp_with_their_password_alone(team_database: TeamDatabase):
    psycopg = pytest.importorskip("psycopg")
    url = team_database.loopback_url("ada")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url)
    with psycopg.connect(url, password=team_database.password("ada")) as connection:
        assert connection.execute("select current_user").fetchone() == (team_database.role("ada"),)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), team_database.connect("ada") as connection:
        connection.execute("create table public.mine (a int)")


def test_a_killed_server_comes_back_with_what_was_committed(own_postgres):
    with fresh_database(own_postgres) as database:
        with database.connect() as connection:
            connection.execute("create table kept as select 1 as a")
        own_postgres.kill()
        assert not own_postgres.answers()
        own_postgres.start()
        with database.connect() as connection:
            assert connection.execute("select a from kept").fetchall() == [(1,)]


@pytest.mark.parametrize("end", [PostgresServer.kill, PostgresServer.stop])
def test_a_server_that_ended_before_it_is_left_leaves_no_folder(postgres, end):
    server = create()
    end(server)
    server.leave()
    eventually(lambda: not server.folder.exists(), "its folder stays")


def test_a_standby_follows_and_is_promoted(own_postgres):
    with fresh_database(own_postgres) as database:
        standby = own_postgres.standby()
        try:
            with database.connect() as connection:
                connection.execute("create table kept as select 1 as a")
            there = TeamDatabase(standby, database.name)
            with there.connect() as connection:
                asked = "select count(*) from pg_class where relname = 'kept'"
                eventually(lambda: connection.execute(asked).fetchone() == (1,), "the standby did not follow")
                own_postgres.kill()
                standby.promote()
                connection.execute("insert into kept values (2)")
                assert connection.execute("select a from kept order by a").fetchall() == [(1,), (2,)]
        finally:
            standby.leave()


def test_the_server_ends_and_its_folder_goes_when_a_run_is_killed(postgres):
    script = "import postgres_server as p, time; s = p.create(); print(s.folder, s.pid(), flush=True); time.sleep(600)"
    run = subprocess.Popen(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    folder, _, server = run.stdout.readline().strip().rpartition(" ")
    os.kill(int(server), 0)
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    eventually(lambda: not Path(folder).exists(), "the folder stayed")
    with pytest.raises(ProcessLookupError):
        os.kill(int(server), 0)


def test_the_proxy_passes_cuts_and_comes_back(team_database: TeamDatabase):
    psycopg = pytest.importorskip("psycopg")
    with LoopbackProxy(team_database.server.port) as proxy:
        url, password = team_database.loopback_url("ada", proxy.port), team_database.password("ada")
        with psycopg.connect(url, password=password) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
            proxy.cut()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select 1")
        proxy.refuse()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url, password=password)
        proxy.mend()
        psycopg.connect(url, password=password).close()


def test_a_swallowed_connection_hears_nothing_until_its_own_patience_ends(team_database: TeamDatabase):
    psycopg = pytest.importorskip("psycopg")
    with LoopbackProxy(team_database.server.port) as proxy:
        proxy.drop()
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            psycopg.connect(
                team_database.loopback_url("ada", proxy.port), password=team_database.password("ada"), connect_timeout=2
            )


def test_tls_is_believed_under_the_name_of_the_certificate_alone(team_database: TeamDatabase, tmp_path: Path):
    psycopg = pytest.importorskip("psycopg")
    kept, foreign = tmp_path / "kept", tmp_path / "foreign"
    for folder in (kept, foreign):
        folder.mkdir()
        certificates(folder)
    password = team_database.password("ada")
    with LoopbackProxy(team_database.server.port, kept) as proxy:
        with psycopg.connect(
            team_database.tls_url("ada", proxy.port, kept / "ca.crt"), password=password
        ) as connection:
            assert connection.pgconn.ssl_in_use
        for authority, host in ((foreign, "team.example.test"), (kept, "other.example.test")):
            with pytest.raises(psycopg.OperationalError, match="certificate"):
                psycopg.connect(team_database.tls_url("ada", proxy.port, authority / "ca.crt", host), password=password)
