"""A file that holds several writings, as a mailbox does: each is found, filtered and titled as if it were a file."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest
from fake_encoder import FakeEncoder
from notes import library_of
from shelf import CountingEncoder, Shelf, words_are_sound

from engine.library import Library
from engine.maintenance.exporter import export_to
from engine.maintenance.importer import import_from
from engine.records import Filters, SearchResult, SearchSettings
from engine.retrieval.filters import allowed
from engine.retrieval.fts_query import FtsQuery
from engine.retrieval.newest_documents import newest
from engine.sources.parser import Parser
from engine.sources.path_rules import Rules
from engine.sources.readers import mbox, read_document
from engine.store.connection import open_reader, open_writer
from engine.store.documents import rows_for
from engine.store.entries import SINCE
from engine.store.migrations import MIGRATIONS
from engine.store.word_tokenizer import register

pytestmark = pytest.mark.usefixtures("unfitted")

WORDS = SearchSettings(fusion="keyword")


def message(number: int, sender: str, subject: str, body: str, date: str = "", labels: str = "") -> str:
    return (
        f"From {sender} Mon Mar  3 10:00:00 2025\nFrom: {sender}@example.org\nTo: Nora <nora@example.org>\n"
        f"Subject: {subject}\nDate: {date or f'{number} Mar 2025 10:00:00 +0000'}\n"
        f"{f'X-Gmail-Labels: {labels}' if labels else 'X-None: 0'}\n\n{body}\n\n"
    )


BOX = (
    message(1, "anna", "Plum dumplings", "The dough rests for an hour.", "3 Mar 2020 10:00:00 +0000")
    + message(2, "bert", "The rent is due", "Please pay the plumber.", "1 May 2021 08:00:00 +0000", "Money,Flat 3")
    + message(3, "anna", "A walk", "Over the hill to the quarry.", "7 Jun 2022 08:00:00 +0000")
)
ENEX = """<?xml version="1.0" encoding="UTF-8"?><en-export>
<note><title>Bread</title><content><![CDATA[<en-note>Rye and water.</en-note>]]></content>
<created>20180102T030405Z</created><tag>kitchen</tag><note-attributes><author>Lene</author></note-attributes></note>
<note><title>Boat</title><content><![CDATA[<en-note>Tar and oakum.</en-note>]]></content>
<created>20210102T030405Z</created><tag>harbour</tag></note></en-export>"""
FILES = {
    "box.mbox": BOX,
    "all.enex": ENEX,
    "one.md": "---\nauthor: Anna\ntags: harbour\n---\n# A note by itself\n\nOver the hill.\n",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with library_of(tmp_path_factory.mktemp("entries"), FILES, fitted=False) as library:
        yield library


def titles(result: SearchResult) -> list[str]:
    return [hit.title for hit in result.hits]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("from:anna", {"Plum dumplings", "A walk"}),
        ("from:bert", {"The rent is due"}),
        ("-from:anna", {"The rent is due", "Bread", "Boat", "A note by itself"}),
        ("author:anna", {"Plum dumplings", "A walk", "A note by itself"}),
        ("author:lene", {"Bread"}),
        ("to:nora hill", {"A walk"}),
        ("subject:rent", {"The rent is due"}),
        ("title:walk", {"A walk"}),
        ("title:box from:anna", {"Plum dumplings", "A walk"}),
        ("tag:flat", set()),
        ("tag:flat-3", {"The rent is due"}),
        ("tag:kitchen", {"Bread"}),
        ("tag:harbour", {"Boat", "A note by itself"}),
        ("type:mbox after:2021-01-01 date:own", {"The rent is due", "A walk"}),
        ("type:mbox before:2021-01-01 date:own", {"Plum dumplings"}),
        ("type:enex before:2020-01-01 date:own", {"Bread"}),
        ("path:box.mbox plumber", {"The rent is due"}),
        ("oakum", {"Boat"}),
        ("rye author:lene", {"Bread"}),
        ("rye author:anna", set()),
        ("anna -from:anna hill", {"A note by itself"}),
    ],
)
def test_a_filter_speaks_of_each_message_and_note_by_itself(library: Library, typed: str, found: set[str]) -> None:
    assert set(titles(library.search(typed, settings=WORDS))) == found


def test_a_message_is_listed_under_its_subject_at_its_line(library: Library) -> None:
    hit = library.search("quarry", settings=WORDS).hits[0]
    line = BOX.split("\n").index("Subject: A walk") - 2
    assert (hit.title, hit.line_start, hit.page) == ("A walk", line, 3)
    assert os.path.basename(hit.path) == b"box.mbox"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.mbox", message(1, "anna", "One", f"{'plum ' * 400}\n\nquince") + message(2, "bert", "Two", "pear")),
        ("a.enex", ENEX.replace("Rye and water.", f"<p>{'rye ' * 400}</p><p>quince</p>")),
    ],
    ids=["mbox", "enex"],
)
def test_every_passage_of_a_long_message_and_note_belongs_to_it(tmp_path: Path, name: str, content: str) -> None:
    with library_of(tmp_path, {name: content}, fitted=False) as library:
        (hit,) = library.search("quince", settings=WORDS).hits
        assert hit.title in ("One", "Bread")
        assert all(each.page for each in library.passages_of(hit.document_id))


def test_a_sender_is_found_as_a_word_of_his_messages_only(library: Library) -> None:
    assert titles(library.search("bert", settings=WORDS)) == ["The rent is due"]


def test_a_message_that_is_titled_just_so_is_first(library: Library) -> None:
    assert titles(library.search("a walk", settings=WORDS))[0] == "A walk"


def test_without_words_messages_stand_in_the_order_of_their_own_dates(library: Library) -> None:
    assert titles(library.search("type:mbox")) == ["A walk", "The rent is due", "Plum dumplings"]


def test_signs_are_found_in_each_message(tmp_path: Path) -> None:
    box = message(1, "anna", "One", "→ here") + message(2, "anna", "Two", "there →") + message(3, "anna", "Three", "no")
    with library_of(tmp_path, {"a.mbox": box}, fitted=False) as library:
        assert set(titles(library.search("→"))) == {"One", "Two"}


# --- a mailbox that grows ------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with Parser() as parser:
        yield Shelf(tmp_path, encoder=CountingEncoder(), parser=_Reading(parser))


class _Reading:
    """The parser as it is, for a shelf."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self.read_paths: list[bytes] = []

    def read(self, *request):
        self.read_paths.append(request[0])
        return self._parser.read(*request)

    def close(self) -> None:
        pass


def entries(shelf: Shelf) -> dict[int, str]:
    return dict(shelf.conn.execute("SELECT number, title FROM entry ORDER BY number").fetchall())


def test_of_a_mailbox_that_grew_the_new_message_alone_is_embedded(shelf: Shelf) -> None:
    shelf.write("box.mbox", BOX)
    shelf.sync()
    before = shelf.passages(b"box.mbox")
    shelf.write("box.mbox", BOX + message(4, "carl", "Soup", "Leek and potato."), age=9)
    shelf.sync()
    assert len(shelf.encoder.texts) == 1
    assert "Leek and potato." in shelf.encoder.texts[0]
    assert before.keys() < shelf.passages(b"box.mbox").keys()
    assert entries(shelf)[4] == "Soup"
    assert words_are_sound(shelf.conn)


def test_when_a_message_goes_the_others_keep_passages_names_and_words(shelf: Shelf) -> None:
    shelf.write("box.mbox", BOX)
    shelf.sync()
    before = shelf.passages(b"box.mbox")
    shelf.write("box.mbox", BOX[BOX.index("From bert") :], age=9)
    shelf.sync()
    assert shelf.encoder.texts == []
    assert set(shelf.passages(b"box.mbox").items()) < set(before.items())
    assert entries(shelf) == {1: "The rent is due", 2: "A walk"}
    assert words_are_sound(shelf.conn)


def test_a_subject_that_changes_is_found_by_its_new_words_alone(shelf: Shelf) -> None:
    shelf.write("box.mbox", BOX)
    shelf.sync()
    shelf.write("box.mbox", BOX.replace("A walk", "A stroll"), age=9)
    shelf.sync()
    assert words_are_sound(shelf.conn)
    found = shelf.conn.execute("SELECT count(*) FROM passage_fts WHERE passage_fts MATCH 'title : walk'").get
    assert (found, entries(shelf)[3]) == (0, "A stroll")


def test_with_the_mailbox_its_messages_are_forgotten(shelf: Shelf) -> None:
    (shelf.write("box.mbox", BOX), shelf.write("one.md", "# Stays\n\nHere."))
    shelf.sync()
    (shelf.notes / "box.mbox").write_bytes(b"\0\1\2 no mailbox any more")
    shelf.sync()
    assert entries(shelf) == {}
    shelf.write("box.mbox", BOX, age=9)
    shelf.sync()
    (shelf.notes / "box.mbox").unlink()
    shelf.sync()
    assert entries(shelf) == {}
    assert words_are_sound(shelf.conn)


def test_a_moved_mailbox_keeps_its_messages(shelf: Shelf) -> None:
    shelf.write("box.mbox", BOX)
    shelf.sync()
    (shelf.notes / "box.mbox").rename(shelf.notes / "mail.mbox")
    report = shelf.sync()
    assert (report.moved, len(entries(shelf))) == (1, 3)
    assert words_are_sound(shelf.conn)


# --- large mailboxes -----------------------------------------------------------------------------------------------


def test_a_mailbox_may_be_larger_than_other_files(tmp_path: Path) -> None:
    from engine.sources.discovery import FoundFile, discover

    for name in ("box.mbox", "Inbox"):
        (tmp_path / name).write_text(BOX * 4)
    for name in ("note.md", "Outbox"):
        (tmp_path / name).write_text("word " * len(BOX))
    rules = Rules(max_bytes=len(BOX))
    found = {each.path: each for each in discover(os.fsencode(tmp_path), rules)}
    assert {path for path, each in found.items() if isinstance(each, FoundFile)} == {b"box.mbox", b"Inbox"}
    (tmp_path / "box.mbox").write_text(BOX * 17)
    [left] = [each for each in discover(os.fsencode(tmp_path), rules) if each.path == b"box.mbox"]
    assert getattr(left, "reason", "") == rules.too_large(mailbox=True)


def test_of_a_mailbox_with_too_much_text_the_oldest_messages_are_left_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mbox, "MAX_MAILBOX_CHARACTERS", 1_000)
    box = "".join(message(1 + n, "anna", f"S{n}", "Words " * 50) for n in range(9))
    (tmp_path / "a.mbox").write_text(box)
    document = read_document(os.fsencode(tmp_path / "a.mbox"))
    assert [each.title for each in document.entries] == ["S7", "S8"]
    assert document.text.startswith("(7 older messages are not read")
    assert len(document.text) < 1_100


def test_a_long_mailbox_is_given_time_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mbox, "BYTES_A_SPELL", len(BOX))
    (tmp_path / "a.mbox").write_text(BOX * 9)
    asked: list[None] = []
    read_document(os.fsencode(tmp_path / "a.mbox"), go_on=lambda: asked.append(None))
    assert 5 <= len(asked) <= 9


def test_windows_line_ends_change_nothing_of_a_mailbox(tmp_path: Path) -> None:
    (tmp_path / "a.mbox").write_bytes(BOX.encode())
    (tmp_path / "b.mbox").write_bytes(BOX.replace("\n", "\r\n").encode())
    unix, windows = (read_document(os.fsencode(tmp_path / name)) for name in ("a.mbox", "b.mbox"))
    assert replace(windows, title=unix.title) == unix


# --- what is kept aside --------------------------------------------------------------------------------------------


def test_an_export_carries_messages_with_their_names_and_dates(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    with library_of(tmp_path / "first", {"box.mbox": BOX}, fitted=False) as library:
        export_to(library.path, tmp_path / "a.jsonl", with_vectors=True)
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    [document] = [line for line in lines if line.get("type") == "document"]
    assert [each["title"] for each in document["entries"]] == ["Plum dumplings", "The rent is due", "A walk"]
    with (tmp_path / "a.jsonl").open("rb") as stream:
        import_from(tmp_path / "second.carrel", stream, "a.jsonl", FakeEncoder(), lambda event: None, threading.Event())
    conn = open_writer(tmp_path / "second.carrel")
    try:
        rows = conn.execute("SELECT title, own_words, own_date FROM entry ORDER BY number").fetchall()
        assert words_are_sound(conn)
    finally:
        conn.close()
    assert rows[0][0] == "Plum dumplings"
    assert "anna@example.org" in rows[0][1]
    assert rows[0][2] == datetime(2020, 3, 3, 10, tzinfo=UTC).timestamp()


def test_a_library_from_before_there_were_entries_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "old.carrel"
    conn = apsw.Connection(str(path))
    register(conn)
    for number, step in enumerate(MIGRATIONS[: SINCE - 1], start=1):
        step(conn)
        conn.pragma("user_version", number)
    conn.execute("INSERT INTO folder(id, path, added_at) VALUES(1, ?, 0)", (b"/notes",))
    conn.execute(
        "INSERT INTO document(id, folder_id, path, path_text, title, title_written, kind, size, mtime_ns, inode,"
        " device, indexed_at) VALUES(1, 1, ?, 'a.md', 'Tea', 1, 'markdown', 3, 1, 1, 1, 0)",
        (b"a.md",),
    )
    conn.execute("INSERT INTO passage VALUES(1, 1, 0, 'Tea', NULL, 0, 3, 1, 1, NULL, x'01')")
    conn.close()
    with closing(open_reader(path)) as old:
        assert rows_for(old, [1])[1].title == "Tea"
        within = allowed(Filters(titles=("tea",)), FtsQuery())
        assert newest(old, within, 9).passages == ((1, 1, 0),)
