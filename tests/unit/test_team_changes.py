"""What one member writes another is told, whoever commits first, and with no notice; two who write at once wait never
in a circle."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pytest
from postgres_server import PostgresServer
from team_documents import Team, document, emptied, team_library

from engine.team import bringing_thread, change_feed, document_changes
from engine.team.server_connection import connect
from engine.team.team_store import TeamStore
from engine.team.team_writer import TeamWriter
from engine.team.vector_bytes import register

pytestmark = pytest.mark.processes

PATIENCE = 120.0  # seconds; nothing here is about how long something takes
NEVER = 10_000.0  # seconds between two looks
SEEN_WITHIN = 2.0  # seconds, by the rule that others see a change
LISTENING = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'"""
LISTENERS = LISTENING.replace("count(*)", "pid")
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture(scope="module")
def library(postgres: PostgresServer) -> Iterator[Team]:
    with team_library(postgres) as made:
        yield made


@pytest.fixture
def team(library: Team) -> Iterator[Team]:
    with emptied(library) as empty:
        yield empty


@pytest.fixture
def reader(team: Team) -> Iterator[TeamStore]:
    with closing(TeamStore(team.database.url("ben"), machine="elsewhere")) as store:
        yield store


@contextmanager
def written_but_not_committed(team: Team, folder: int, path: str, text: str) -> Iterator[Any]:
    """Write a document in a transaction that ends with the block."""
    with closing(connect(team.database.url("ada"), "carrel")) as conn:
        register(conn)
        with conn.transaction():
            document_changes.put(conn, folder, document(path, text), 1)
            yield conn


def wait_until_listening(team: Team) -> None:
    """Wait until a session hears notices."""
    while team.everything(LISTENING) == [(0,)]:
        threading.Event().wait(0.05)


def numbers(team: Team, path: str) -> set[int]:
    """Return the passages of a document."""
    sql = "SELECT p.id FROM passage p JOIN document d ON d.id = p.document_id WHERE d.path_text = '{}'"
    return {each for (each,) in team.everything(sql.format(path))}


def test_a_notice_alone_tells_of_a_change(team: Team, reader: TeamStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(change_feed, "LOOK_SECONDS", NEVER)
    folder = team.folder(visible="all")
    with closing(reader.following()) as feed, ThreadPoolExecutor(1) as beside:
        assert not feed.wait(0)
        told = beside.submit(feed.wait, PATIENCE)
        wait_until_listening(team)
        team.writer().put(folder, document("bread.md", "Feed the starter."))
        assert told.result()


def test_a_change_whose_notice_was_lost_is_seen_with_the_next_look(team: Team, reader: TeamStore):
    folder = team.folder(visible="all")
    with closing(reader.following()) as feed:
        assert not feed.wait(0)
        team.run_as_superuser(f"UPDATE folder_state SET version = version + 1 WHERE folder_id = {folder}")
        assert feed.wait(PATIENCE)
        assert not feed.wait(0)
    assert bringing_thread.LOOK_SECONDS + change_feed.LOOK_SECONDS < SEEN_WITHIN


def test_a_change_that_commits_after_a_later_one_is_not_lost(team: Team, reader: TeamStore):
    first, second = team.folder(visible="all"), team.folder(path="/home/ada/more", visible="all")
    with written_but_not_committed(team, first, "early.md", "An early bird."):
        team.writer().put(second, document("late.md", "A late one."))
        with reader.searching() as connection:
            seen = connection.change_latest()
            assert connection.statistics().rows == 1
    with reader.searching() as connection:
        assert connection.change_latest() > seen
        assert connection.change_reaches(seen)
        assert connection.replaced(seen) == numbers(team, "early.md") != set()
        assert connection.statistics().rows == 2


def test_in_one_folder_nothing_commits_before_what_has_an_earlier_number(team: Team):
    import psycopg

    folder = team.folder(visible="all")
    with (
        closing(connect(team.database.url("ada"), "carrel")) as other,
        written_but_not_committed(team, folder, "early.md", "An early bird."),
    ):
        other.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable), other.transaction():
            document_changes.put(other, folder, document("late.md", "A late one."), None)
    versions = team.everything("SELECT DISTINCT version FROM change ORDER BY 1")
    team.writer().put(folder, document("late.md", "A late one."))
    assert team.everything("SELECT DISTINCT version FROM change ORDER BY 1")[:-1] == versions


def test_two_who_write_the_same_words_at_once_wait_never_in_a_circle(team: Team):
    words = [f"word{number}" for number in range(60)]
    folders = [team.folder("ada", visible="all"), team.folder("ben", "/home/ben/notes", visible="all")]
    before = team.everything(DEADLOCKS)
    begin = threading.Barrier(4)

    def write(number: int) -> None:
        """Two sessions for each of two folders, each with its words in another order."""
        person = ("ada", "ben")[number % 2]
        order = words if number < 2 else words[::-1]
        with closing(TeamWriter(team.database.url(person), "carrel")) as writer:
            begin.wait(PATIENCE)
            for turn in range(6):
                text = " ".join(order[turn * 5 :] + order[: turn * 5])
                writer.put(folders[number % 2], document(f"{number}/{turn}.md", text))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert team.everything(DEADLOCKS) == before
    assert team.everything("SELECT DISTINCT passages FROM term_count WHERE term ~ '^word'") == [(12,)]


def test_closing_a_feed_wakes_who_waits_and_ends_its_connection(
    team: Team, reader: TeamStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(change_feed, "LOOK_SECONDS", NEVER)
    feed = reader.following()
    with ThreadPoolExecutor(1) as beside:
        assert not feed.wait(0)
        told = beside.submit(feed.wait, NEVER)
        wait_until_listening(team)
        feed.close()
        assert not told.result(PATIENCE)
    while team.everything(LISTENING) != [(0,)]:
        threading.Event().wait(0.05)
    assert not feed.wait(NEVER)
    feed.close()


def test_a_feed_whose_connection_was_ended_hears_again(team: Team, reader: TeamStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(change_feed, "TRIED_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(change_feed, "LOOK_SECONDS", NEVER)
    folder = team.folder(visible="all")
    with closing(reader.following()) as feed, ThreadPoolExecutor(1) as beside:
        assert not feed.wait(0)
        told = beside.submit(feed.wait, PATIENCE)
        wait_until_listening(team)
        before = team.everything(LISTENERS)
        ((ended,),) = team.everything(f"SELECT pg_terminate_backend(pid) FROM ({LISTENERS}) AS l")
        assert ended
        while team.everything(LISTENERS) in (before, []):
            threading.Event().wait(0.05)
        team.writer().put(folder, document("bread.md", "Feed the starter."))
        assert told.result()


def test_who_waits_on_a_server_that_cannot_be_reached_asks_it_for_nothing(
    team: Team, reader: TeamStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(change_feed, "LOOK_SECONDS", 0.01)
    numbers, looked = iter(range(1)), threading.Event()

    def version() -> int:
        if next(numbers, None) is None:
            looked.set()
        return 7

    with closing(reader.following(version, lambda: False)) as feed, ThreadPoolExecutor(1) as beside:
        told = beside.submit(feed.wait, NEVER)
        assert looked.wait(PATIENCE)
        assert team.everything(LISTENING) == [(0,)]
        feed.close()
        assert not told.result(PATIENCE)
