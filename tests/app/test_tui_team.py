"""The browser on a team's library, with a real server: who is there, whose a row is, and a server that goes away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from fakes import FakeLibrary, ports
from loopback_proxy import LoopbackProxy
from piloting import WIDE, settle, typed, until, written
from postgres_server import PostgresServer
from store_worlds import StoreWorld, team_world
from team_documents import Team, team_library

from app.tui.app import CarrelApp
from app.tui.ports import Opened, Pace
from engine import team_or_own
from engine.library import Cancellation, Library
from engine.team import change_feed

LISTENING = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'"""
FAST = Pace(quiet=0.0, words_at_once=False, settle=None, poll=3600.0, blink=False)


@pytest.fixture(scope="module")
def team(postgres: PostgresServer) -> Iterator[Team]:
    with team_library(postgres) as team:
        yield team


@pytest.fixture
def ada(team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreWorld]:
    monkeypatch.setenv("PGPASSFILE", str(team.database.passwords(tmp_path)))
    monkeypatch.setattr(team_or_own, "TRIED_AGAIN_SECONDS", 0.0)
    with team_world(tmp_path, team, "ada") as ada:
        ada.write({"bread.md": "# Bread\n\nFeed the sourdough starter with flour.\n"})
        ada.sync()
        yield ada
    team.clear()


@pytest.fixture
def ben(ada: StoreWorld, team: Team, tmp_path: Path) -> Iterator[StoreWorld]:
    with team_world(tmp_path, team, "ben") as ben:
        ben.write({"soup.md": "# Soup\n\nThe sourdough goes with the soup.\n"})
        ben.sync()
        yield ben


@pytest.mark.usefixtures("ben")
async def test_rows_of_others_name_their_owner_and_a_server_that_is_away_is_told(ada: StoreWorld, team: Team) -> None:
    with LoopbackProxy(team.database.server.port) as way:
        url = team.database.loopback_url("ada", way.port)

        def opened() -> Opened:
            library = Library.open(url, own=ada.library.path, encoder=FakeEncoder(), stands_in=True)  # type: ignore[arg-type]
            return Opened(library, Cancellation)

        app = CarrelApp(replace(ports(FakeLibrary()), open_library=opened, pace=FAST))
        async with app.run_test(size=WIDE) as pilot:
            await settle(pilot)
            await typed(pilot, "sourdough")
            shown = written(pilot)
            assert "Soup" in shown and "Bread" in shown
            assert "2 members" in shown
            way.refuse()
            await typed(pilot, "sourdough starter")
            await settle(pilot)
            away = written(pilot)
            assert "Soup" not in away and "weak" not in away and "Bread" in away
            app._library.look_again()
            await settle(pilot)
            assert "team away" in written(pilot)
            way.mend()
            app._library.look_again()
            await settle(pilot)
            assert "2 members" in written(pilot) and "1 weak" in written(pilot)  # the row is back by itself
            app.opened.library.close()  # type: ignore[union-attr]


async def test_what_another_member_commits_is_shown_without_looking_for_it(
    ada: StoreWorld, ben: StoreWorld, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_feed, "LOOK_SECONDS", 3600.0)  # the server's notices alone tell
    monkeypatch.setattr(change_feed, "TRIED_AGAIN_SECONDS", 0.0)
    with LoopbackProxy(team.database.server.port) as way:
        url = team.database.loopback_url("ada", way.port)

        def opened() -> Opened:
            library = Library.open(url, own=ada.library.path, encoder=FakeEncoder(), stands_in=True)  # type: ignore[arg-type]
            return Opened(library, Cancellation)

        def listening() -> bool:
            return team.everything(LISTENING) == [(1,)]

        app = CarrelApp(replace(ports(FakeLibrary()), open_library=opened, pace=replace(FAST, poll=60.0, away=60.0)))
        async with app.run_test(size=WIDE) as pilot:
            await typed(pilot, "sourdough")
            app.app_focus = False
            await until(pilot, listening)
            ben.write({"salt.md": "# Salt\n\nSalt the sourdough.\n"})
            ben.sync()
            await until(pilot, lambda: "Salt" in written(pilot))
            way.refuse()  # breaks what is open too
            await until(pilot, lambda: "team away" in written(pilot))
            assert "Salt" not in written(pilot) and "Bread" in written(pilot)
            monkeypatch.setattr(change_feed, "LOOK_SECONDS", 0.1)  # of a server that is away no notice comes
            way.mend()
            app.look_again()
            await until(pilot, lambda: "2 members" in written(pilot) and "Salt" in written(pilot))
            await until(pilot, listening)
            ben.path("salt.md").unlink()
            ben.sync()
            await until(pilot, lambda: "Salt" not in written(pilot))
        await_gone = threading.Event()
        for _ in range(500):
            if team.everything(LISTENING) == [(0,)]:
                break
            await_gone.wait(0.02)
        assert team.everything(LISTENING) == [(0,)]
        app.opened.library.close()  # type: ignore[union-attr]
