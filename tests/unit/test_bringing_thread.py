"""The indexer's thread that brings folders to a team: a server that goes and comes back, new models, tiers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from loopback_proxy import LoopbackProxy
from postgres_server import PostgresServer
from store_worlds import StoreWorld, team_world
from team_documents import Team, team_library

from engine.embedding import catalogue
from engine.events import Event, Trouble
from engine.team import bringing_thread, team_tiers
from engine.team.bringing_thread import BringingThread
from engine.team.membership import this_machine

pytestmark = pytest.mark.processes
PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def team(postgres: PostgresServer) -> Iterator[Team]:
    with team_library(postgres) as team:
        yield team


@pytest.fixture
def ada(team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreWorld]:
    monkeypatch.setenv("PGPASSFILE", str(team.database.passwords(tmp_path)))
    monkeypatch.setattr(bringing_thread, "LONGEST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(catalogue, "installed", lambda: [FakeEncoder().manifest])
    with team_world(tmp_path, team, "ada") as ada:
        ada.write({f"n{at}.md": f"# Note {at}\n\nFeed the sourdough number {at} with flour.\n" for at in range(6)})
        ada.sync()
        yield ada
    team.clear()


def until(done: Callable[[], bool]) -> None:
    """Wait until something is so."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_a_server_that_is_away_is_told_once_and_so_is_its_return(ada: StoreWorld, team: Team) -> None:
    heard: list[Event] = []
    with LoopbackProxy(team.database.server.port) as way:
        way.refuse()
        address = team.database.loopback_url("ada", way.port)
        thread = BringingThread(
            address, ada.library.path, this_machine(), lambda name: FakeEncoder(), heard.append, threading.Event()
        )
        thread.start()
        until(lambda: bool(heard))
        way.mend()
        until(lambda: any(isinstance(each, Trouble) and each.over for each in heard))
        thread.leave(PATIENCE_SECONDS)
    troubles = [(each.of, each.over) for each in heard if isinstance(each, Trouble)]
    assert troubles == [("team", False), ("team", True)]


def test_the_tiers_are_fitted_to_what_the_member_sees(
    ada: StoreWorld, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = tuple(f"what is the capital of country {at}" for at in range(60))
    monkeypatch.setattr(team_tiers, "foreign_queries", lambda: queries)
    monkeypatch.setattr(team_tiers, "foreign_vectors", lambda encoder: encoder.encode_queries(queries))
    thread = BringingThread(
        team.database.url("ada"),
        ada.library.path,
        this_machine(),
        lambda name: FakeEncoder(),
        lambda _: None,
        threading.Event(),
    )
    thread.start()
    until(lambda: bool(team.everything("SELECT FROM calibration")))
    thread.leave(PATIENCE_SECONDS)
    assert team.everything("SELECT person, name FROM calibration") == [(team.database.role("ada"), "tiers")]
    assert ada.library.explore("feed the sourdough").scale.fitted
