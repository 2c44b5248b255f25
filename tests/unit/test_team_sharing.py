"""Marks and searches are a person's own in a team, until they share them; then others have them as far as they may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from postgres_server import PostgresServer
from store_worlds import StoreWorld, file_world, team_world
from team_documents import Team, team_library

from engine.errors import UsageError
from engine.library import Library

pytestmark = pytest.mark.processes
ASKED = "feed the sourdough"


@pytest.fixture(scope="module")
def team(postgres: PostgresServer) -> Iterator[Team]:
    with team_library(postgres) as team:
        yield team


@pytest.fixture
def worlds(team: Team, tmp_path: Path) -> Iterator[tuple[StoreWorld, StoreWorld]]:
    with team_world(tmp_path, team, "ada") as ada, team_world(tmp_path, team, "ben", visible="private") as ben:
        ada.write({f"n{at}.md": f"# Note {at}\n\nFeed the sourdough number {at} with flour.\n" for at in range(6)})
        ada.sync()
        ben.write({"own.md": "# Own\n\nFeed the sourdough of ben.\n"})
        ben.sync()
        yield ada, ben
    team.clear()


def memory_of(library: Library, title: str) -> float:
    """Return what memory gives to a note."""
    hit = next(hit for hit in library.search(ASKED, limit=20).hits if hit.title == title)
    return hit.shares.memory or 0.0


def passage(library: Library, title: str) -> int:
    return next(hit for hit in library.search(ASKED, limit=20).hits if hit.title == title).passage_id


def test_marks_count_for_others_only_where_both_share(worlds: tuple[StoreWorld, StoreWorld], team: Team) -> None:
    ada, ben = worlds
    ada.library.mark(ASKED, passage(ada.library, "Note 4"))
    assert memory_of(ben.library, "Note 4") == 0
    ada.library.share_marks(True)
    assert ada.library.status().team.shares_marks  # type: ignore[union-attr]
    assert memory_of(ben.library, "Note 4") == 0  # ben shares nothing, and takes nothing
    ben.library.share_marks(True)
    own = memory_of(ada.library, "Note 4")
    assert memory_of(ben.library, "Note 4") == pytest.approx(own / 2)
    told = next(hit for hit in ben.library.search(ASKED, limit=20).hits if hit.title == "Note 4")
    assert told.judged is None and told.explanation.remembered.by == team.database.role("ada")  # type: ignore[union-attr]
    assert ben.library.marks() == () and len(ada.library.marks()) == 1

    ben.library.mark(ASKED, told.passage_id, -2)
    assert memory_of(ben.library, "Note 4") < 0  # one's own outweighs it
    assert ben.library.unmark(ASKED, told.passage_id)
    ada.library.unmark(ASKED, passage(ada.library, "Note 4"))
    assert memory_of(ben.library, "Note 4") == 0


def test_what_is_taken_back_or_hidden_is_seen_by_nobody(worlds: tuple[StoreWorld, StoreWorld], team: Team) -> None:
    ada, ben = worlds
    for world in (ada, ben):
        world.library.share_marks(True)
    ben.library.mark(ASKED, passage(ben.library, "Own"))
    ada.library.mark(ASKED, passage(ada.library, "Note 1"))
    ada.library.opened(ASKED, passage(ada.library, "Note 2"))
    assert team.sql("ada", "SELECT person FROM shared_mark") == [(team.database.role("ada"),)]
    assert len(team.sql("ben", "SELECT person FROM shared_mark")) == 2
    team.writer("ada").share(team.writer("ada").own_folders(machine())[0][0], "private")
    assert memory_count(team, "ben") == 1
    team.writer("ada").share(team.writer("ada").own_folders(machine())[0][0], "all")
    assert memory_of(ben.library, "Note 1") > 0
    ada.library.share_marks(False)
    assert memory_of(ben.library, "Note 1") == 0
    assert team.everything("SELECT count(*) FROM shared_mark WHERE query <> ''") == [(1,)]
    ada.library.mark(ASKED, passage(ada.library, "Note 3"))
    assert team.everything("SELECT count(*) FROM shared_mark") == [(1,)]


def test_a_shared_mark_follows_its_passage_when_that_is_edited(worlds: tuple[StoreWorld, StoreWorld]) -> None:
    ada, ben = worlds
    for world in (ada, ben):
        world.library.share_marks(True)
    ada.library.mark(ASKED, passage(ada.library, "Note 4"))
    ada.write({"n4.md": "# Note 4\n\nFeed the sourdough number 4 with flour, and with water of the brook.\n"})
    ada.sync()
    assert 0 < memory_of(ben.library, "Note 4") == pytest.approx(memory_of(ada.library, "Note 4") / 2)
    assert memory_of(ben.library, "Note 3") == 0
    ada.library.mark(ASKED, passage(ada.library, "Note 1"), -2)  # what is shared of this question is written anew
    assert memory_of(ben.library, "Note 4") > 0 > memory_of(ben.library, "Note 1")
    ada.library.mark(ASKED, passage(ada.library, "Note 4"), -2)
    assert memory_of(ben.library, "Note 4") < 0
    ada.library.share_marks(False)
    assert memory_of(ben.library, "Note 4") == 0


def machine() -> str:
    from engine.team.membership import this_machine

    return this_machine()


def memory_count(team: Team, person: str) -> int:
    return len(team.sql(person, "SELECT person FROM shared_mark"))


def test_a_mark_with_figures_that_nobody_made_stops_no_search(
    worlds: tuple[StoreWorld, StoreWorld], team: Team
) -> None:
    ada, ben = worlds
    for world in (ada, ben):
        world.library.share_marks(True)
    folder = team.sql("ben", "SELECT id FROM folder WHERE owner <> current_user")[0][0]
    for at, moment in enumerate(("1e300", "'NaN'", "'-infinity'")):
        team.sql(
            "ben",
            "INSERT INTO shared_mark(folder_id, query, passage_hash, grade, at)"
            f" VALUES({folder}, 'q{at}', 'x', 77, {moment})",
        )
    assert ada.library.search(ASKED).hits


def test_a_search_is_shared_under_a_name_and_taken_back(worlds: tuple[StoreWorld, StoreWorld], team: Team) -> None:
    ada, ben = worlds
    ada.library.share_search("feeding", "sourdough flour")
    assert [(each.name, each.query, each.own) for each in ben.library.shared_searches()] == [
        ("feeding", "sourdough flour", False)
    ]
    assert not ben.library.take_back_search("feeding")
    assert ada.library.take_back_search("feeding")
    assert ben.library.shared_searches() == ()


def test_a_library_in_a_file_has_nobody_to_share_with(tmp_path: Path) -> None:
    with file_world(tmp_path, FakeEncoder()) as world, pytest.raises(UsageError, match="no team library"):
        world.library.share_marks(True)
