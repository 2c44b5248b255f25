"""Files come into a team's library whole or not at all, into folders of one's own, and what stays keeps its number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from postgres_server import PostgresServer
from team_documents import SmallModel, Team, document, emptied, entry, team_library, vector_of
from team_world import TeamDatabase

from engine.errors import LibraryBusy, ModelError, TeamAway, TeamRefused
from engine.records import passage_hash
from engine.team import team_migrations
from engine.team.document_changes import POSTINGS_AT_ONCE
from engine.team.team_migrations import grants, initialise, newest_version, version
from engine.team.team_writer import TeamWriter

pytestmark = pytest.mark.processes

COUNTS = "SELECT term, passages FROM term_count ORDER BY term"
RECOUNTED = """SELECT term, count(*) FROM (
    SELECT term, passage_id FROM posting UNION
    SELECT '|' || one.term, one.passage_id FROM posting one JOIN posting two
        ON two.passage_id = one.passage_id AND two.term = '^' || one.term) AS found GROUP BY term ORDER BY term"""
STATE = "SELECT folder_id, documents, passages, tokens FROM folder_state"
RECOUNTED_STATE = """SELECT folder_id, count(DISTINCT document_id), count(*), sum(length) FROM passage
GROUP BY folder_id"""


@pytest.fixture(scope="module")
def library(postgres: PostgresServer) -> Iterator[Team]:
    with team_library(postgres) as made:
        yield made


@pytest.fixture
def team(library: Team) -> Iterator[Team]:
    with emptied(library) as empty:
        yield empty


def assert_sound(team: Team) -> None:
    """Hold all counts and vectors of a library against its rows."""
    assert team.everything(COUNTS) == team.everything(RECOUNTED)
    assert [each for each in team.everything(STATE) if each[1]] == team.everything(RECOUNTED_STATE)
    orphans = "SELECT count(*) FROM {} WHERE NOT EXISTS (SELECT FROM passage p WHERE p.id = passage_id)"
    for table in ("posting", "vector_1"):
        assert team.everything(orphans.format(table)) == [(0,)]


def test_setting_up_twice_leaves_what_is_there(team: Team):
    folder = team.folder()
    team.writer().put(folder, document("bread.md", "Feed the starter daily."))
    with team.database.connect("owner") as conn:
        initialise(conn)
        assert version(conn) == newest_version()
    assert team.everything("SELECT path_text FROM document") == [("bread.md",)]
    assert team.sql("ada", "SELECT path_text FROM document") == [("bread.md",)]


def test_a_library_of_the_first_schema_keeps_its_marks_and_refuses_nobody_once_it_is_brought_up_to_date(
    team_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch
):
    with team_database.connect("owner") as conn:
        with monkeypatch.context() as older:
            older.setattr(team_migrations, "STEPS", team_migrations.STEPS[:1])
            names = initialise(conn)
        for grant in grants(names, team_database.role("ada")):
            conn.execute(grant)
        with team_database.connect("ada") as ada:
            ada.execute("INSERT INTO carrel.mark(query, passage_hash, path, grade, at) VALUES('q', 'x', '/a', 2, 1)")
            ada.execute("INSERT INTO carrel.mark_state(version) VALUES(7)")
        initialise(conn)
        assert version(conn) == newest_version()
    with team_database.connect("ada") as ada:
        assert ada.execute("SELECT query, grade FROM carrel.mark").fetchall() == [("q", 2)]
        assert ada.execute("SELECT version, shares FROM carrel.mark_state").fetchall() == [(7, False)]


def test_a_file_is_written_with_all_that_finds_it(team: Team):
    folder = team.folder()
    said = document("bread.md", "Running water runs.", "Feed it daily.", tags="food", metadata='{"author": "Ada"}')
    team.writer().put(folder, said)
    assert_sound(team)
    assert team.writer().known(folder) == {b"bread.md": (said.revision, 0, said.content_hash)}
    counts = dict(team.everything(COUNTS))
    assert (counts["running"], counts["^run"], counts["food"], counts["bread"]) == (1, 1, 2, 2)


def test_an_edited_file_keeps_the_numbers_of_passages_that_stay(team: Team):
    folder, writer = team.folder(), team.writer()
    writer.put(folder, document("a.md", "One stays here.", "Two goes away.", "Three stays too."))
    before = dict(team.everything("SELECT text, id FROM passage"))
    writer.put(folder, document("a.md", "Three stays too.", "Four is new.", "One stays here."))
    after = dict(team.everything("SELECT text, id FROM passage"))
    assert {text for text in before if after.get(text) == before[text]} == {"One stays here.", "Three stays too."}
    assert after["Four is new."] not in before.values()
    assert [text for (text,) in team.everything("SELECT text FROM passage ORDER BY ordinal")] == [
        "Three stays too.",
        "Four is new.",
        "One stays here.",
    ]
    assert_sound(team)


def test_a_new_title_is_a_word_of_every_passage(team: Team):
    folder, writer = team.folder(), team.writer()
    writer.put(folder, document("a.md", "One.", "Two.", title="Bread"))
    writer.put(folder, document("a.md", "One.", "Two.", title="Cake"))
    counts = dict(team.everything(COUNTS))
    assert counts.get("bread") is None
    assert counts["cake"] == 2
    assert_sound(team)


def test_a_file_written_twice_is_there_once(team: Team):
    folder, writer = team.folder(), team.writer()
    for _ in range(2):
        writer.put(folder, document("a.md", "Twins.", "Twins.", entries=(entry(1, "First"),)))
    assert team.everything("SELECT count(*) FROM passage") == [(2,)]
    assert team.everything("SELECT count(*) FROM entry") == [(1,)]
    assert_sound(team)


def test_a_moved_file_keeps_its_vectors_and_is_found_by_its_new_place(team: Team):
    folder, writer = team.folder(), team.writer()
    writer.put(folder, document("old/a.md", "One."))
    writer.put(folder, document("b.md", "Two."))
    vectors = "SELECT passage_id, embedding::text FROM vector_1 ORDER BY passage_id"
    before = team.everything(vectors)
    writer.move(folder, {b"old/a.md": b"b.md", b"b.md": b"new/c.md"})
    assert team.everything(vectors) == before
    paths = "SELECT path_text, text FROM document d JOIN passage p ON p.document_id = d.id ORDER BY 1"
    assert team.everything(paths) == [("b.md", "One."), ("new/c.md", "Two.")]
    counts = dict(team.everything(COUNTS))
    assert "old" not in counts
    assert counts["new"] == 1
    assert_sound(team)


def test_a_move_onto_another_file_takes_its_place(team: Team):
    folder, writer = team.folder(), team.writer()
    writer.put(folder, document("a.md", "One."))
    writer.put(folder, document("b.md", "Two."))
    writer.move(folder, {b"a.md": b"b.md"})
    assert team.everything("SELECT text FROM passage") == [("One.",)]
    assert_sound(team)


def test_removed_files_leave_nothing(team: Team):
    folder, writer = team.folder(), team.writer()
    writer.put(folder, document("a.md", "One."))
    writer.put(folder, document("b.md", "Two.", vectors=False))
    writer.remove(folder, [b"a.md", b"b.md", b"never.md"])
    for table in ("document", "passage", "posting", "term_count", "vector_1", "pending"):
        assert team.everything(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert_sound(team)


def test_a_removed_folder_is_gone_and_can_be_brought_again(team: Team):
    folder, writer = team.folder(), team.writer()
    writer.put(folder, document("a.md", "One."))
    writer.remove_folder(folder)
    assert writer.own_folders("box") == []
    again = team.folder()
    assert again != folder
    assert team.everything("SELECT count(*) FROM posting") == [(0,)]


def test_odd_text_is_kept_as_far_as_it_can_be(team: Team):
    folder, writer = team.folder(), team.writer()
    longest = "x" * 5_000
    said = document("a\udcff.md", f"NUL \0 and \ud800 and {longest}", "", title="\0", metadata='{"author": "\\u0000"}')
    writer.put(folder, replace(said, path_text="a\ufffd.md"))
    ((text, start, end),) = team.everything('SELECT text, start, "end" FROM passage WHERE ordinal = 0')
    assert len(text) == end - start
    assert_sound(team)
    writer.remove(folder, [said.path])
    assert_sound(team)


def test_another_member_writes_into_no_folder_but_their_own(team: Team):
    folder = team.folder(visible="all")
    team.writer().put(folder, document("a.md", "One."))
    for attempt in (
        lambda writer: writer.put(folder, document("b.md", "Evil.")),
        lambda writer: writer.remove(folder, [b"a.md"]),
        lambda writer: writer.move(folder, {b"a.md": b"b.md"}),
        lambda writer: writer.share(folder, "private"),
        lambda writer: writer.remove_folder(folder),
        lambda writer: writer.activate(1),
        lambda writer: writer.model(SmallModel("other", fingerprint="other")),
    ):
        with pytest.raises(TeamRefused):
            attempt(team.writer("ben"))
    assert team.everything("SELECT path_text FROM document") == [("a.md",)]
    assert team.everything("SELECT visibility, state FROM folder") == [("all", "watching")]


def test_a_folder_is_one_sessions_until_it_ends(team: Team):
    folder = team.folder()
    second = TeamWriter(team.database.url("ada"), "carrel")
    assert not second.claim(folder)
    team.writer().close()
    team.everything("SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'")
    assert second.claim(folder)
    second.close()


def test_a_broken_connection_is_opened_again_and_the_file_written_once(team: Team):
    folder, writer = team.folder(), team.writer()
    writer.put(folder, document("a.md", "One."))
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{team.database.role('ada')}'"
    assert all(ended for (ended,) in team.everything(end))
    writer.put(folder, document("a.md", "One.", "Two."))
    assert team.everything("SELECT text FROM passage ORDER BY ordinal") == [("One.",), ("Two.",)]
    second = TeamWriter(team.database.url("ada"), "carrel")
    assert not second.claim(folder)  # the lock came back with the session
    second.close()
    assert_sound(team)


def test_a_folder_that_another_session_took_meanwhile_is_left_to_it(team: Team):
    folder, writer = team.folder(), team.writer()
    second = TeamWriter(team.database.url("ada"), "carrel")
    assert not second.claim(folder)
    pid = team.everything(
        "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database"
        " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
    )[0][0]
    team.everything(f"SELECT pg_terminate_backend({pid}, 5000)")
    assert second.claim(folder)
    with pytest.raises(LibraryBusy, match="Another session"):
        writer.put(folder, document("a.md", "One."))
    second.close()


def test_a_server_that_is_away_is_told_so(team: Team):
    writer = TeamWriter("postgresql://nobody@127.0.0.1:1/none", "carrel")
    with pytest.raises(TeamAway):
        writer.folder(b"/notes", "box")


def test_what_waits_is_given_to_one_helper_at_a_time(team: Team):
    folder = team.folder(visible="all")
    team.writer().put(folder, document("a.md", "One.", "Two.", "One.", vectors=False))
    mine = team.writer().waiting(1, 1)
    theirs = team.writer("ben").waiting(1, 5)
    assert len(mine) == len(theirs) == 1
    assert {*mine.values(), *theirs.values()} == {"One.", "Two."}
    for person, texts in (("ada", mine), ("ben", theirs)):
        team.writer(person).vectors(1, {each: vector_of(text) for each, text in texts.items()})
    assert team.everything("SELECT count(*) FROM vector_1") == [(3,)]
    assert team.everything("SELECT count(*) FROM pending") == [(0,)]
    assert team.writer().waiting(1, 5) == {}


def test_a_helper_that_dies_gives_its_texts_back(team: Team):
    folder = team.folder(visible="all")
    team.writer().put(folder, document("a.md", "One.", vectors=False))
    assert team.writer("ben").waiting(1, 5)
    assert team.writer().waiting(1, 5) == {}
    team.writer("ben").close()
    assert team.writer().waiting(1, 5) == {passage_hash("One."): "One."}


def test_nobody_helps_in_a_folder_that_they_cannot_read_or_that_takes_no_help(team: Team):
    private, proud = team.folder(), team.folder(path="/home/ada/proud", visible="all")
    team.writer().share(proud, "all", helped=False)
    for folder in (private, proud):
        team.writer().put(folder, document("a.md", f"Text of {folder}.", vectors=False))
    assert team.writer("ben").waiting(1, 5) == {}
    texts = [f"Text of {folder}." for folder in (private, proud)]
    team.writer("ben").vectors(1, {passage_hash(text): vector_of(text) for text in texts})
    assert team.everything("SELECT count(*) FROM vector_1") == [(0,)]


def test_vectors_that_cannot_be_compared_are_refused(team: Team):
    folder = team.folder()
    team.writer().put(folder, document("a.md", "One.", vectors=False))
    for wrong in (vector_of("One.") * 0, vector_of("One.") * float("nan")):
        with pytest.raises(ModelError):
            team.writer().vectors(1, {passage_hash("One."): wrong})
    assert team.everything("SELECT count(*) FROM vector_1") == [(0,)]


def test_a_new_model_is_filled_beside_the_old_one_and_swapped_at_once(team: Team):
    folder, writer = team.folder(visible="all"), team.writer()
    writer.put(folder, document("a.md", "One.", "Two."))
    other = writer.model(SmallModel("other", fingerprint="other-1"))
    assert writer.model(SmallModel("other", fingerprint="other-1")) == other
    texts = {passage_hash(text): text for text in ("One.", "Two.")}
    writer.let_wait(other, folder, texts)
    helped = team.writer("ben").waiting(other, 10)
    team.writer("ben").vectors(other, {each: -vector_of(text) for each, text in helped.items()})
    assert team.everything(f"SELECT count(*) FROM vector_{other}") == [(2,)]
    assert team.everything("SELECT id FROM model WHERE state = 'active'") == [(1,)]
    writer.activate(other)
    assert team.everything("SELECT id, state FROM model ORDER BY id") == [(1, "kept"), (other, "active")]
    writer.put(folder, document("a.md", "One.", "Three."))
    assert team.everything("SELECT count(*) FROM vector_1") == [(1,)]  # what is gone is gone from the kept one too


def test_long_documents_are_written_in_parts(team: Team):
    folder = team.folder()
    texts = [" ".join(f"word{at}x{number}" for at in range(150)) for number in range(140)]
    team.writer().put(folder, document("long.md", *texts))
    assert team.everything("SELECT count(*) FROM posting") > [(POSTINGS_AT_ONCE,)]
    assert_sound(team)
