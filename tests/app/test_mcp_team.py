"""`carrel mcp` on a team's library: programs see what the login sees, and nothing else of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from mcp_client import Client
from postgres_server import PostgresServer
from store_worlds import StoreWorld, team_world
from team_documents import Team, team_library

from engine.library import Library

SHARED = {"bread.md": "# Bread\n\nFeed the sourdough starter with flour.\n", "tea.md": "# Tea\n\nDraw it.\n"}
HIDDEN = {"diary.md": "# Diary\n\nThe sourdough was stolen by the chamberlain.\n"}


@pytest.fixture(scope="module")
def team(postgres: PostgresServer) -> Iterator[Team]:
    with team_library(postgres) as team:
        yield team


@pytest.fixture
def worlds(team: Team, tmp_path: Path) -> Iterator[tuple[StoreWorld, StoreWorld]]:
    """Give ada, who shares bread with all, and ben, who keeps a diary for himself."""
    with team_world(tmp_path, team, "ada") as ada, team_world(tmp_path, team, "ben", visible="private") as ben:
        ada.write(SHARED)
        ada.sync()
        ben.write(HIDDEN)
        ben.sync()
        yield ada, ben
    team.clear()


def asking(world: StoreWorld, team: Team, person: str) -> Client:
    def opened() -> Library:
        return Library.open(team.database.url(person), own=world.library.path, encoder=FakeEncoder())  # type: ignore[arg-type]

    return Client(world.library.path, open_library=opened)


def test_what_another_member_shares_is_found_and_read(worlds: tuple[StoreWorld, StoreWorld], team: Team) -> None:
    client = asking(worlds[1], team, "ben")
    try:
        hits = client.call("search", query="sourdough flour")["hits"]
        bread = next(hit["place"] for hit in hits if "bread.md" in hit["place"])
        assert bread.startswith(f"{team.database.role('ada')}@")
        assert "Feed the sourdough starter" in client.call("read", place=bread)["text"]
        assert client.call("why", query="sourdough", path=bread.rpartition(":")[0])["found"]
        assert "diary.md" in client.names("search", query="chamberlain")
    finally:
        client.close()


def test_what_is_hidden_from_the_login_comes_in_no_answer(worlds: tuple[StoreWorld, StoreWorld], team: Team) -> None:
    ada, ben = worlds
    client = asking(ada, team, "ada")
    try:
        assert client.names("search", query="chamberlain stolen sourdough") == ["bread.md", "tea.md"]
        secret = f"{team.database.role('ben')}@anywhere:{ben.path('diary.md')}"
        for place in (secret, str(ben.path("diary.md"))):
            assert "chamberlain" not in str(client.call("read", place=place))
            told = client.call("why", query="chamberlain", path=place)
            assert isinstance(told, str) or not told["found"]
        bread = str(ada.path("bread.md"))
        assert "diary.md" not in client.names("related", place=bread)
    finally:
        client.close()
