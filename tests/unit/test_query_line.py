"""What people paste and type into a query line, asked of a real library: nothing is refused, nothing is hidden."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from notes import FILLER, library_of

from engine.library import Cancellation, Library, SearchCancelled
from engine.records import LeftOut, Remark, SearchSettings
from engine.retrieval import newest_documents

NOTES = {
    "git.md": "# Skipping hooks\n\nUse `git commit --no-verify` to skip the pre-commit hooks.\n",
    "git2.md": "# Commit\n\nA git commit records the tree.\n",
    "ssh.md": "# Keys\n\nTest the key with `ssh -T git@github.com` first.\n",
    "dont.md": "# Advice\n\nDon't restart the router before noon.\n",
    "tar.md": "# Unpack\n\nThe backup is unpacked with tar -xzf backup.tgz in a minute.\n",
    "frost.md": "# Frost\n\nAt -5 degrees the pipe of the shed froze.\n",
    "n1.md": "# Server choice\n\nFor the backend we chose Express and plain js modules.\n",
    "n2.md": "# Other\n\nFor the backend we chose Node.js and Express.\n",
    "n3.md": "# Graph\n\nFor the backend each graph node is a row.\n",
    "church.md": "# Church\n\nThe organ plays on Sunday.\n",
    "disk.md": '# Disk\n\nThe 5" disk does not fit.\n',
    "valve.md": "# Valve\n\nClose the valve under the sink first.\n",
    "sink.md": "# Sink\n\nUnder the old sink there is a valve of brass.\n",
    "party.md": "# Party\n\n🎉 cake 🍕 pizza → goal, and 🔥 too.\n",
    "law.md": "# Law\n\n§§ 12 and 13 were repealed.\n",
    "heart.md": "# Heart ❤️ rate\n\nMeasured each morning.\n",
    "kitchen/sourdough.md": "# Sourdough\n\nFeed the sourdough starter twice; sourdough likes flour. No stove here.\n",
    "kitchen/stove.md": "# Stove\n\nThe stove has a starter. A list:\n\n-milk\n-stove\n",
    "letter.md": "# Brief\n\nDie Krankenversicherung hat geantwortet; der Donaudampfer fährt um acht.\n",
    "kitchen/rye.md": "# Ryes\n\nHappiness is a warm rye loaf.\n",
    **FILLER,
}
WORDS = SearchSettings(fusion="keyword")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    with library_of(tmp_path_factory.mktemp("line"), NOTES, fitted=False) as library:
        yield library


def names(result):
    return [hit.path.rsplit(b"/", 1)[1].decode() for hit in result.hits]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("git commit --no-verify", "git.md"),
        ("--no-verify", "git.md"),
        ("ssh -T git@github.com", "ssh.md"),
        ("router -t", "dont.md"),
        ("-5 degrees", "frost.md"),
        ("tar -xzf", "tar.md"),
        ("backup -xzf", "tar.md"),
        ("title: Church", "church.md"),
        ('5" disk', "disk.md"),
        ("-stove", "stove.md"),
    ],
)
def test_what_is_pasted_finds_its_note(library, typed, first):
    assert names(library.search(typed, settings=WORDS))[0] == first


def test_an_option_is_known_by_how_the_library_writes_it_and_told(library):
    result = library.search("tar -xzf")
    assert result.query.meaning == "tar -xzf"
    assert result.query.remarks == (Remark("-xzf", "written so"),)
    assert result.left_out == ()


def test_an_item_of_a_list_without_a_blank_is_no_option(library):
    result = library.search("starter -stove", limit=40)
    assert not {"stove.md", "sourdough.md"} & set(names(result))
    assert result.left_out == (LeftOut("stove", 2),)


def test_what_an_exclusion_took_is_counted_within_the_filters(library):
    assert library.search("flour -stove title:sourdough").left_out == (LeftOut("stove", 1),)
    assert library.search("flour -qwertz").left_out == (LeftOut("qwertz", 0),)
    assert library.search("flour").left_out == ()


def test_a_compound_is_left_out_whole(library):
    result = library.search("backend -node.js", settings=WORDS)
    assert set(names(result)) == {"n1.md", "n3.md"}
    assert result.left_out == (LeftOut("node.js", 1),)


@pytest.mark.parametrize("typed", ["“valve under the sink”", "„valve under the sink“", "«valve under the sink»"])
def test_a_phrase_in_curly_quotes_must_stand(library, typed):
    assert names(library.search(typed)) == ["valve.md"]


def test_a_thousand_exclusions_or_phrases_that_are_pasted_are_no_error(library):
    words = [f"w{number}" for number in range(1_200)]
    assert names(library.search("flour -" + " -".join(words), settings=WORDS)) == ["sourdough.md"]
    assert library.search('flour "' + '" "'.join(words) + '"', settings=WORDS).hits == ()


# --- signs alone ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("🍕", "party.md"),
        ("→", "party.md"),
        ("→ 🎉", "party.md"),
        ("§§", "law.md"),
        ("❤", "heart.md"),
        ("❤️", "heart.md"),
    ],
)
def test_signs_alone_are_found_where_they_stand(library, typed, found):
    result = library.search(typed)
    assert names(result) == [found]
    assert (result.verdict, result.hits[0].tier) == ("likely", "likely")
    assert result.words[0].documents == 1


@pytest.mark.parametrize("typed", ["???", "→ §§", "→ type:pdf", "🍕 -cake", "“”", "¶"])
def test_signs_that_stand_nowhere_find_nothing(library, typed):
    result = library.search(typed)
    assert (result.hits, result.verdict) == ((), "none")


def test_the_sign_is_marked_in_the_snippet(library):
    hit = library.search("→").hits[0]
    assert [hit.snippet[start:end] for start, end in hit.marks] == ["→"]


def test_a_note_without_the_sign_is_not_listed_and_why_says_so(library):
    path = next(hit.path for hit in library.search("title:church").hits)
    report = library.why("🍕", Path(os.fsdecode(path)))
    assert (report.found, report.dropped_at) == (False, "keyword")
    assert "🍕" in report.stages[-1].detail


@pytest.mark.parametrize("part", ["versicherung", "Dampfer"])
def test_a_part_of_a_compound_is_found_and_told(library, part):
    result = library.search(part, settings=WORDS)
    assert names(result) == ["letter.md"]
    assert [(word.asked, word.documents) for word in result.words] == [(part, 1)]


def test_a_short_word_is_not_looked_for_inside_of_others(library):
    assert names(library.search("dough", settings=WORDS)) == []


def test_a_list_that_no_filter_asked_for_is_never_called_strong(library):
    assert library.search("").verdict == "weak"
    assert library.search("title:church").verdict == "strong"


def test_a_search_for_signs_can_be_cancelled(library):
    cancelled = Cancellation()
    cancelled.cancel()
    with pytest.raises(SearchCancelled):
        library.search("§§", cancel=cancelled)


def test_a_search_for_signs_reads_so_many_passages_at_most_and_tells_it(library, monkeypatch):
    monkeypatch.setattr(newest_documents, "DOCUMENTS_AT_ONCE", 1)
    monkeypatch.setattr(newest_documents, "MOST_PASSAGES", 10)
    result = library.search("✗")
    assert [remark.kind for remark in result.query.remarks] == ["capped"]
    assert int(result.query.remarks[0].detail) == result.passages - 10


# --- words that no passage holds --------------------------------------------------------------------------------------


def test_a_finished_word_that_no_passage_holds_is_read_as_a_beginning_and_told(library):
    result = library.search("sourd", settings=WORDS)
    assert names(result) == ["sourdough.md"]
    assert [(word.term, word.asked, word.documents) for word in result.words] == [("sourd*", "sourd", 1)]


def test_a_word_that_a_passage_holds_stands_for_itself(library):
    assert [word.asked for word in library.search("starter", settings=WORDS).words] == [""]
    assert [word.term for word in library.search("sta", settings=WORDS).words] == ["sta"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sourdogh", "sourdough"),
        ("soudrough", "sourdough"),
        ("ourdough", "sourdough"),
        ("hapiness", "happiness"),
        ("Sunady", "sunday"),
        ("sourdughh", "sourdough"),
    ],
)
def test_a_misspelt_word_offers_the_nearest_as_it_is_written(library, typed, meant):
    word = library.search(typed).words[0]
    assert (word.documents, word.nearest) == (0, meant)


@pytest.mark.parametrize("typed", ["qwertz", "cta", "x1y2z3", "sourdough", "数据"])
def test_nothing_is_offered_where_nothing_is_near(library, typed):
    assert [word.nearest for word in library.search(typed).words] == [""]


def test_a_word_is_never_replaced_in_silence(library: Library):
    result = library.search("sourdogh", settings=WORDS)
    assert result.hits == ()
    assert result.query.meaning == "sourdogh"
