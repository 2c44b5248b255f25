"""A server that goes away and comes back: the reader's own folders stay searchable, and it is told."""

from __future__ import annotations

import pytest
from fake_encoder import FakeEncoder
from loopback_proxy import LoopbackProxy
from store_worlds import team_world
from team_documents import team_library

from engine import team_or_own
from engine.errors import TeamAway
from engine.library import Library

OWN = {"bread.md": "# Bread\n\nFeed the sourdough starter with flour.\n"}
OTHERS = {"soup.md": "# Soup\n\nThe sourdough goes with the soup.\n"}


@pytest.fixture(scope="module")
def team(postgres):
    with team_library(postgres) as team:
        yield team


@pytest.fixture
def worlds(team, tmp_path, monkeypatch):
    monkeypatch.setenv("PGPASSFILE", str(team.database.passwords(tmp_path)))
    monkeypatch.setattr(team_or_own, "TRIED_AGAIN_SECONDS", 0.0)
    with team_world(tmp_path, team, "ada") as ada, team_world(tmp_path, team, "ben") as ben:
        ada.write(OWN)
        ada.sync()
        ben.write(OTHERS)
        ben.sync()
        yield ada, ben
    team.clear()


def titles(library, query="sourdough"):
    return {hit.title for hit in library.search(query).hits}


def test_own_folders_are_searched_while_the_server_is_away_and_all_of_them_once_it_is_back(worlds, team):
    ada, _ = worlds
    with LoopbackProxy(team.database.server.port) as way:
        url = team.database.loopback_url("ada", way.port)
        with Library.open(url, own=ada.library.path, encoder=FakeEncoder(), stands_in=True) as library:
            assert titles(library) == {"Bread", "Soup"}
            version = library.version()
            assert library.status().team.members == 2
            way.refuse()
            assert titles(library) == {"Bread"}
            assert library.version() != version
            status = library.status()
            assert status.team.server_away and status.documents == 1
            own = library.search("sourdough").hits[0]
            assert library.passages([own.passage_id])[0].title == "Bread"
            assert [each.title for each in library.documents_named("so")] == []
            library.mark("sourdough", own.passage_id)
            assert library.search("sourdough").hits[0].judged == 2  # it counts at once, here
            assert ada.library.marks() == ()
            way.mend()
            away = library.version()
            assert [mark.query for mark in ada.library.marks()] == ["sourdough"]  # and was sent
            library.unmark("sourdough", ada.library.search("sourdough").hits[0].passage_id)
            library.version()
            assert ada.library.marks() == ()  # once: what is taken back does not come again
            assert titles(library) == {"Bread", "Soup"}
            assert not library.status().team.server_away
            assert library.passages([own.passage_id])[0].title == "Bread"  # a row of before is still read
            assert away != version


def test_a_browser_opens_without_the_server_and_a_command_says_that_it_is_away(worlds, team):
    ada, _ = worlds
    with LoopbackProxy(team.database.server.port) as way:
        url = team.database.loopback_url("ada", way.port)
        way.refuse()
        with pytest.raises(TeamAway):
            Library.open(url, own=ada.library.path, encoder=FakeEncoder())
        with Library.open(url, own=ada.library.path, encoder=FakeEncoder(), stands_in=True) as library:
            assert titles(library) == {"Bread"}
            way.mend()
            library.version()
            assert titles(library) == {"Bread", "Soup"}


def test_a_connection_that_breaks_between_two_searches_costs_nothing(worlds, team):
    ada, _ = worlds
    with LoopbackProxy(team.database.server.port) as way:
        url = team.database.loopback_url("ada", way.port)
        with Library.open(url, own=ada.library.path, encoder=FakeEncoder()) as library:
            assert titles(library) == {"Bread", "Soup"}
            way.cut()
            assert titles(library) == {"Bread", "Soup"}


def test_marks_of_a_session_without_the_server_are_sent_by_the_next_one_and_private_ones_stay_here(worlds, team):
    ada, _ = worlds
    diary = ada.folder.parent / "diary"
    diary.mkdir()
    (diary / "secret.md").write_text("# Secret\n\nThe sourdough failed.\n")
    with Library.open(ada.library.path, encoder=FakeEncoder()) as file:
        file.add(diary)
        file.sync()
    with LoopbackProxy(team.database.server.port) as way:
        url = team.database.loopback_url("ada", way.port)
        way.refuse()
        with Library.open(url, own=ada.library.path, encoder=FakeEncoder(), stands_in=True) as library:
            for hit in library.search("sourdough").hits:
                library.mark("sourdough", hit.passage_id)
        way.mend()
        with Library.open(url, own=ada.library.path, encoder=FakeEncoder(), stands_in=True) as library:
            assert [mark.path.rpartition(b"/")[2] for mark in library.marks()] == [b"bread.md"]
    assert [row for row in team.everything("SELECT path FROM mark") if b"diary" in row[0]] == []
