"""What a document says of itself is found by its words, by filters, and by its own date."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest
from fake_encoder import FakeEncoder
from notes import FILLER, library_of

from engine.library import Library
from engine.records import SearchSettings
from engine.store import migrations
from engine.store.connection import open_writer
from engine.store.own_words import own_date, own_words
from engine.store.schema import VERSION_1

WORDS = SearchSettings(fusion="keyword")
MAIL = (
    "From: {sender}\nTo: Nora Whitlock <nora@whitlock.example>\nCc: Zoë Adebayo <zoe@adebayo.example>\n"
    "Subject: {subject}\nDate: {date}\nContent-Type: text/plain; charset=utf-8\n\n{body}\n"
)
NOTES = {
    "mail/plums.eml": MAIL.format(
        sender="Lene Aasen <lene@aasen.example>",
        subject="Plum dumplings",
        date="Tue, 03 Mar 2020 10:00:00 +0000",
        body="The dough rests for an hour. " * 60,
    ),
    "mail/rent.eml": MAIL.format(
        sender="City Bank <no-reply@bank.example>",
        subject="The rent is due",
        date="Sat, 01 May 2021 08:00:00 +0000",
        body="Please pay within a week.",
    ),
    "essay.md": "---\nauthor: Ursula Kjær\ndate: 2019-07-04\n---\n# On walls\n\nThere was a wall.\n",
    "plain.md": "# Plain\n\nA wall without a date. Lene is named in it.\n",
    **FILLER,
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    with library_of(tmp_path_factory.mktemp("own"), NOTES, fitted=False) as library:
        yield library


def names(result):
    return {os.path.basename(hit.path).decode() for hit in result.hits}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("aasen", {"plums.eml"}),
        ("whitlock", {"plums.eml", "rent.eml"}),
        ("kjær", {"essay.md"}),
        ("kjaer", {"essay.md"}),
    ],
)
def test_its_words_are_words_of_the_index(library, typed, found):
    assert names(library.search(typed, settings=WORDS)) == found


def test_they_stand_with_every_passage(library):
    hit = library.search("dough", settings=WORDS).hits[0]
    passages = {hit.passage_id, *hit.more_in_document}
    assert len(passages) > 1
    found = library.search("aasen", settings=WORDS)
    assert found.words[0].documents >= len(passages)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("from:lene", {"plums.eml"}),
        ("author:lene", {"plums.eml"}),
        ("author:KJÆR", {"essay.md"}),
        ("from:kjær", set()),
        ("to:zoe", {"plums.eml", "rent.eml"}),
        ("to:nora -from:bank", {"plums.eml"}),
        ('subject:"the rent"', {"rent.eml"}),
        ("after:2020-03 before:2020-04 date:own", {"plums.eml"}),
        ("before:2020 date:own", {"essay.md"}),
        ("before:2022", set()),
        ("before:2022 date:own", {"essay.md", "plums.eml", "rent.eml"}),
    ],
)
def test_they_are_filters(library, typed, found):
    assert names(library.search(typed, limit=40)) == found


def test_a_document_without_a_date_of_its_own_has_that_of_its_file(library):
    found = names(library.search("after:yesterday date:own", limit=40))
    assert "plain.md" in found and "essay.md" not in found


def test_why_names_the_filter(library):
    plain = next(hit.path for hit in library.search("title:plain").hits)
    for query, advice in (
        ("wall from:lene", "Leave out from:lene."),
        ("wall before:2020 date:own", "Leave out before:."),
    ):
        assert library.why(query, Path(os.fsdecode(plain))).advice == (advice,)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2020-03-03T10:00:00Z", datetime(2020, 3, 3, 10, tzinfo=UTC)),
        ("2020-03-03 10:00:00+01:00", datetime(2020, 3, 3, 9, tzinfo=UTC)),
        ("2020-03-03", datetime(2020, 3, 3)),
        ("Tue, 3 Mar 2020 10:00:00 +0100", datetime(2020, 3, 3, 9, tzinfo=UTC)),
        ("<2020-03-03 Tue 10:00>", datetime(2020, 3, 3)),
        ("v1.2, 2020-03-03", datetime(2020, 3, 3)),
        ("2020/3/3", datetime(2020, 3, 3)),
        ("2020-03", datetime(2020, 3, 1)),
        ("2020", datetime(2020, 1, 1)),
        ("last spring", None),
        ("2020-13-44", None),
        ("0000", None),
        ("1" * 5000, None),
        ("", None),
    ],
)
def test_dates_are_read_as_formats_write_them(written, moment):
    assert own_date({"date": written}) == (moment.timestamp() if moment else None)


def test_the_first_property_that_names_a_day_tells_the_date():
    assert own_date({"date": "soon", "created": "2020-03-03"}) == datetime(2020, 3, 3).timestamp()


def test_a_long_property_is_cut_and_a_subject_that_is_the_title_left_out():
    assert own_words({"to": "x" * 1000, "subject": "Plums"}, "Plums") == "x" * 300


def test_an_older_library_is_brought_up_to_date_from_what_it_kept(tmp_path):
    path = tmp_path / "old.carrel"
    old = apsw.Connection(str(path))
    old.execute(VERSION_1)
    old.pragma("application_id", migrations.APPLICATION_ID)
    old.execute("INSERT INTO migration VALUES(1, 'first_schema', 0)")
    old.pragma("user_version", 1)
    old.execute("INSERT INTO folder VALUES(1, x'2f6e', '{}', 'watching', 0)")
    old.execute(
        """INSERT INTO document VALUES(1, 1, x'612e6d64', 'a.md', 'A', 1, 'markdown', '', 1, 1, 1, 1, NULL,
        '{"author": "Lene Aasen", "date": "2020-03-03"}', '[]', 0, NULL)"""
    )
    old.execute("INSERT INTO passage VALUES(1, 1, 0, 'wall', NULL, NULL, 0, 4, 1, 1, NULL, x'00')")
    old.execute("INSERT INTO passage_fts(passage_fts) VALUES('rebuild')")
    old.close()
    with Library.open(path, encoder=FakeEncoder()) as library:  # its first search brings it up to date
        assert names(library.search("aasen", settings=WORDS)) == {"a.md"}
        assert names(library.search("author:lene before:2021 date:own")) == {"a.md"}
    connection = open_writer(path)
    connection.execute("INSERT INTO passage_fts(passage_fts, rank) VALUES('integrity-check', 1)")
    connection.close()
