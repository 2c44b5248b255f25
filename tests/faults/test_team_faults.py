"""A server that is killed, a member that is killed, a network that breaks: in the end the team library is as made anew.

CARREL_KILLS says how often each is killed (3 where it is not set), CARREL_KILL_SEED at which moments.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import team_turmoil
from fake_encoder import FakeEncoder
from loopback_proxy import LoopbackProxy
from postgres_server import PostgresServer
from team_turmoil import GIVE_UP_SECONDS, SEED, Desk, contents, is_as_made_anew, team_on
from team_world import TeamDatabase

from engine.errors import CarrelError
from engine.events import Trouble
from engine.store import folders, models
from engine.store.connection import open_writer
from engine.store.vector_tables import put
from engine.team.bringing_thread import BringingThread
from engine.team.membership import models_of, writing
from engine.team.overview import overview

pytestmark = pytest.mark.processes
pytest.importorskip("psycopg")
KILLS = int(os.environ.get("CARREL_KILLS", "3"))
NOTES = 20 * KILLS  # so that each kill falls behind some files and before others
HALF_A_NOTE_SECONDS = 0.02  # so long a document is on its way: a kill falls into one


@pytest.fixture
def no_password_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


class Bringing:
    """Brings a desk's folder again and again in a thread, whatever goes wrong; leaving it waits for a whole round."""

    def __init__(self, desk: Desk, address: str) -> None:
        self.rounds = 0
        self.failed: list[CarrelError] = []
        self.strange: list[BaseException] = []
        self._desk = desk
        self._address = address
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._left.is_set():
            try:
                self._desk.bring(self._address)
                self.rounds += 1
            except CarrelError as error:
                self.failed.append(error)
            except BaseException as error:
                self.strange.append(error)
                return
            time.sleep(team_turmoil.PAUSE_SECONDS)

    def __enter__(self) -> Bringing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join(GIVE_UP_SECONDS)
        assert self.strange == []
        assert not self._thread.is_alive()

    def until_a_round(self) -> None:
        """Wait until one more round has come to its end."""
        rounds, deadline = self.rounds, time.monotonic() + GIVE_UP_SECONDS
        while self.rounds == rounds and not self.strange:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def documents(server: PostgresServer, database: str) -> int:
    import psycopg

    with psycopg.connect(server.url(database)) as connection:
        return int(connection.execute("select count(*) from carrel.document").fetchone()[0])  # type: ignore[index]


def writes(server: PostgresServer, database: str) -> int:
    """Return how often something was written into a folder; never less than before."""
    import psycopg

    with psycopg.connect(server.url(database)) as connection:
        return int(connection.execute("select sum(version) from carrel.folder_state").fetchone()[0])  # type: ignore[index]


def until(condition, what: str) -> None:
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def test_a_server_that_is_killed_in_mid_write_loses_and_doubles_nothing(
    own_postgres: PostgresServer, postgres: PostgresServer, tmp_path: Path, no_password_file: None
) -> None:
    chance = random.Random(SEED)
    desk = Desk(tmp_path, "desk", NOTES)
    with team_on(own_postgres) as team:
        address = team.url("ada")
        desk.share(address)
        with Bringing(desk, address) as bringing:
            for kill in range(KILLS):
                wanted = (kill + 1) * NOTES // (KILLS + 2)
                until(lambda least=wanted: documents(own_postgres, team.name) >= least, "nothing is brought")
                time.sleep(chance.random() * HALF_A_NOTE_SECONDS)
                own_postgres.kill()
                desk.change()
                own_postgres.start()
            bringing.until_a_round()
        desk.bring_at_last(address)
        is_as_made_anew(own_postgres, team.name, desk, postgres)


def test_a_member_that_is_killed_leaves_no_lock_and_no_half_file(
    postgres: PostgresServer, tmp_path: Path, no_password_file: None
) -> None:
    chance = random.Random(SEED)
    desk = Desk(tmp_path, "desk", NOTES)
    with team_on(postgres) as team:
        address = team.url("ada")
        desk.share(address)
        for kill in range(KILLS):
            before = writes(postgres, team.name)
            arguments = [sys.executable, team_turmoil.__file__, address, str(desk.library), desk.machine]
            member = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
            until(lambda least=before: writes(postgres, team.name) > least, "no file came")
            time.sleep(chance.random() * HALF_A_NOTE_SECONDS)
            member.send_signal(signal.SIGKILL)
            member.wait()
            if kill < KILLS - 1:
                desk.change()
        until(lambda: desk.bring_at_last(address).busy == (), "the lock of a member that is gone stays")
        is_as_made_anew(postgres, team.name, desk, postgres)


@pytest.mark.parametrize("fault", ["cut", "refuse", "drop"])
def test_a_network_that_breaks_costs_no_file(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_password_file: None, fault: str
) -> None:
    desk = Desk(tmp_path, "desk", NOTES)
    with team_on(postgres) as team, LoopbackProxy(postgres.port) as proxy:
        monkeypatch.setenv("PGPASSFILE", str(team.passwords(tmp_path)))
        address = team.loopback_url("ada", proxy.port)
        desk.share(address)
        with Bringing(desk, address) as bringing:
            for part in range(KILLS):
                least = (part + 1) * NOTES // (KILLS + 2)
                until(lambda least=least: documents(postgres, team.name) >= least, "nothing is brought")
                getattr(proxy, fault)()
                desk.change()
                proxy.mend()
            bringing.until_a_round()
        desk.bring_at_last(address)
        is_as_made_anew(postgres, team.name, desk, postgres)


@pytest.fixture
def followed(own_postgres: PostgresServer) -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """Give a server and the standby that follows it."""
    standby = own_postgres.standby()
    yield own_postgres, standby
    standby.leave()


def test_a_standby_answers_with_what_was_saved(
    followed: tuple[PostgresServer, PostgresServer], tmp_path: Path, no_password_file: None
) -> None:
    server, standby = followed
    desk = Desk(tmp_path, "desk", 12)
    with team_on(server) as team:
        desk.share(team.url("ada"))
        desk.bring(team.url("ada"))
        saved = contents(server, team.name, desk.root)
        until(lambda: documents(standby, team.name) == len(saved["documents"]), "the standby does not follow")
        until(lambda: contents(standby, team.name, desk.root) == saved, "the standby says something else")


def test_a_standby_that_is_waited_for_has_every_committed_file_when_it_is_promoted(
    followed: tuple[PostgresServer, PostgresServer], postgres: PostgresServer, tmp_path: Path, no_password_file: None
) -> None:
    """`synchronous_standby_names` is what a keeper sets who wants no commit to be lost."""
    server, standby = followed
    server.wait_for_standby()
    desk = Desk(tmp_path, "desk", NOTES)
    with team_on(server) as team:
        desk.share(team.url("ada"))
        with Bringing(desk, team.url("ada")) as bringing:
            until(lambda: documents(server, team.name) >= NOTES // 2, "nothing is brought")
            committed = documents(server, team.name)
            server.kill()
            standby.promote()
            assert documents(standby, team.name) >= committed
            until(lambda: bool(bringing.failed), "the server that is gone was not missed")
        desk.bring_at_last(TeamDatabase(standby, team.name).url("ada"))
        is_as_made_anew(standby, team.name, desk, postgres)


def test_an_indexer_goes_on_bringing_once_the_server_is_back(
    own_postgres: PostgresServer, postgres: PostgresServer, tmp_path: Path, no_password_file: None
) -> None:
    desk, events, left = Desk(tmp_path, "desk", 20), [], threading.Event()
    with team_on(own_postgres) as team:
        address = team.url("ada")
        desk.share(address)
        thread = BringingThread(address, desk.library, "desk", lambda name: FakeEncoder(), events.append, left)
        thread.start()
        until(lambda: documents(own_postgres, team.name) == 20, "nothing is brought")
        own_postgres.kill()
        desk.change()
        until(lambda: any(isinstance(each, Trouble) for each in events), "nobody was told")
        own_postgres.start()

        def behind() -> int:
            with writing(address) as writer:
                return overview(writer, "desk", desk.library).folders[0].behind

        until(lambda: behind() == 0, "what changed meanwhile is not brought")
        desk.change()
        until(lambda: behind() == 0, "what changed later is not brought")
        thread.leave(GIVE_UP_SECONDS)
        desk.bring_at_last(address)
        is_as_made_anew(own_postgres, team.name, desk, postgres)
    away, back = (each.message for each in events if isinstance(each, Trouble))
    assert "does not answer" in away and back == "The team library answers again."


def test_what_the_own_file_has_of_a_new_model_is_given_to_the_team(
    postgres: PostgresServer, tmp_path: Path, no_password_file: None
) -> None:
    desk, other = Desk(tmp_path, "desk", 5), FakeEncoder(dimension=32)
    with team_on(postgres) as team, writing(team.url("ada")) as writer:
        desk.share(team.url("ada"))
        desk.bring(team.url("ada"))
        with team.connect() as connection:
            connection.execute(f'grant "carrel_{team.name}_keeper" to "{team.role("ada")}"')
        writer.model(other.manifest, name="other")
        assert [(each.state, bool(each.lacking)) for each in models_of(writer)] == [
            ("active", False),
            ("building", True),
        ]

        with closing(open_writer(desk.library, lock_held=True)) as own:
            number = models.write_down(own, other.manifest, state="kept")
            rows = own.execute("SELECT id, text FROM passage").fetchall()
            put(own, number, [each for each, _ in rows], other.encode_passages([text for _, text in rows]))
        assert desk.bring(team.url("ada")).vectors == len(rows)

        assert [each.lacking for each in models_of(writer)] == [0, 0]
        assert desk.bring(team.url("ada")).vectors == 0


def test_a_file_that_was_begun_anew_takes_nothing_from_the_team_before_it_has_looked(
    postgres: PostgresServer, tmp_path: Path, no_password_file: None
) -> None:
    desk = Desk(tmp_path, "desk", 5)
    with team_on(postgres) as team:
        desk.share(team.url("ada"))
        desk.bring(team.url("ada"))
        desk.library.unlink()
        with closing(open_writer(desk.library, create=True)) as own:
            folders.add(own, os.fsencode(desk.root))
        assert desk.bring(team.url("ada")).removed == 0
        desk.sync()
        assert desk.bring(team.url("ada")).unchanged == 5
