"""How often a search waits for the team's server: few times, however many questions it has, and what if not at all."""

from __future__ import annotations

import pytest
from fake_encoder import FakeEncoder
from loopback_proxy import LoopbackProxy
from store_worlds import team_world
from team_documents import team_library

from engine.library import Library
from engine.records import SearchSettings

NOTES = {
    **{f"n{i}.md": f"# Note {i}\n\nThe granite harbour number {i} lies near the violin.\n" for i in range(30)},
    "roses.md": "# Roses\n\nPrune the roses in March. The astrolabe stands in the shed.\n",
    "long.md": "# Long\n\n" + "\n\n".join(f"## Part {i}\n\n{'The violin and the comet. ' * 40}" for i in range(6)),
}
FEW = 4  # trips: what every search asks, the legs, what is around the first rows, and rows that nobody foresaw
HELD_BY_OTHERS = 1  # more for the first search for a longer word that is no beginning: which words hold it within
PLACED = 3  # more for marks that are recalled the first time: their passages, their documents, the texts of these
ENDED = 1  # the end of the transaction before, for which nobody waits


@pytest.fixture(scope="module")
def team(postgres):
    with team_library(postgres) as team:
        yield team


@pytest.fixture
def way(team, tmp_path, monkeypatch):
    monkeypatch.setenv("PGPASSFILE", str(team.database.passwords(tmp_path)))
    with team_world(tmp_path, team) as world:
        world.write(NOTES)
        world.sync()
        with LoopbackProxy(team.database.server.port) as way:
            url = team.database.loopback_url("ada", way.port)
            with Library.open(url, own=world.library.path, encoder=FakeEncoder()) as library:
                library.search("violin")  # opens the connection
                yield library, way
    team.clear()


@pytest.mark.parametrize(
    "query", ["harbour", "granite violin", "astrolabe roses", "comet near the violin", "violin path:long", "type:code"]
)
def test_a_search_waits_for_the_server_a_few_times(way, query):
    library, proxy = way
    before = proxy.trips
    assert library.search(query).hits or query == "type:code"
    assert proxy.trips - before <= FEW + ENDED


def test_a_word_that_is_typed_waits_for_the_server_a_few_times(way):
    library, proxy = way
    before = proxy.trips
    assert library.search("granite vio", typing=True).hits
    assert proxy.trips - before <= FEW + ENDED


@pytest.mark.parametrize(
    "query",
    [
        '"granite harbour"',
        '"granite harbour lies"',
        '"shed the violin"',
        '"violin granite"',
        "violin -comet",
        'violin -"granite harbour"',
        "violin -granite -comet",
        "astrola roses",
        "zzzz",
        "comett",
        "well-known violin",
        "astrolabee violinn",
    ],
)
def test_phrases_exclusions_and_words_that_nobody_wrote_cost_no_further_trips(way, query):
    library, proxy = way
    inside = HELD_BY_OTHERS if query in ("comett", "astrolabee violinn") else 0
    before = proxy.trips
    library.search(query)
    assert proxy.trips - before <= FEW + ENDED + inside


@pytest.mark.parametrize("query", ["granite violxyz", "vio"])
def test_a_beginning_that_no_word_has_costs_no_further_trips(way, query):
    library, proxy = way
    before = proxy.trips
    library.search(query, typing=True)
    assert proxy.trips - before <= FEW + ENDED


def test_a_pasted_word_of_any_length_is_asked_for_in_little(way):
    library, proxy = way
    before = proxy.trips
    assert library.search("violin " + "x" * 2_000).hits
    assert library.search("violin " + "y" * 2_000, typing=True).hits
    assert proxy.trips - before <= 2 * (FEW + HELD_BY_OTHERS + ENDED)


def test_the_first_search_of_a_process_reads_marks_and_later_ones_recall_them_in_no_further_trip(way, team):
    library, proxy = way
    shown = library.search("granite violin").hits[0]
    library.mark("granite violin", shown.passage_id, 2)
    expected = library.search("violin granite")
    assert any(hit.explanation.remembered for hit in expected.hits)
    url = team.database.loopback_url("ada", proxy.port)
    with Library.open(url, own=library.path, encoder=FakeEncoder()) as fresh:
        before = proxy.trips
        found = fresh.search("violin granite")
        assert proxy.trips - before <= FEW + ENDED + PLACED
        before = proxy.trips
        fresh.search("violin granite")
        assert proxy.trips - before <= FEW + ENDED
    assert [(hit.passage_id, hit.score) for hit in found.hits] == [(hit.passage_id, hit.score) for hit in expected.hits]


def test_what_if_asks_the_server_nothing(way):
    library, proxy = way
    explored = library.explore("granite violin", limit=5)
    library.search("comet")  # ends the transaction before it, which is a trip of its own
    before, open_before = proxy.trips, proxy.connections
    shown = set()
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        for settings in (
            SearchSettings(weights=(share, 1.0 - share)),
            SearchSettings(weights=(share, 1.0 - share), feedback=False, group=False),
        ):
            shown |= {hit.passage_id for hit in explored.again(settings, limit=30).hits}
    assert len(shown) > 20  # rows that a search for five would not have read
    assert proxy.trips - before <= ENDED and proxy.connections == open_before


def test_what_if_gives_the_rows_of_a_search_made_anew(way):
    library, _ = way
    explored = library.explore("granite violin")
    for settings in (SearchSettings(weights=(0.9, 0.1)), SearchSettings(weights=(0.1, 0.9), group=False)):
        again, anew = explored.again(settings), library.search("granite violin", settings=settings)
        assert [(hit.passage_id, hit.score, hit.snippet) for hit in again.hits] == [
            (hit.passage_id, hit.score, hit.snippet) for hit in anew.hits
        ]
