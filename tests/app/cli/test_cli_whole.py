"""The commands together, on the real engine with an encoder that needs no model, as a newcomer would use them."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_fakes import Call
from indexed_notes import written_notes

pytestmark = pytest.mark.usefixtures("roughly_fitted")

NOTES = {
    "kitchen/sourdough.md": "# Sourdough\n\n## Care\n\nFeed the starter with flour and water twice a day.\n",
    "kitchen/yeast.md": "# Yeast\n\nA fungus that makes bread rise.\n",
    "gear/stove.md": "# Camping stove\n\nThe electric starter must be kept dry.\n",
}


@pytest.fixture
def notes(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write notes into the current folder, and let `carrel` open real libraries."""
    return written_notes(NOTES, monkeypatch)


@pytest.fixture
def indexed(carrel: Call, notes: Path) -> Path:
    """Return the folder of the notes, added and synced."""
    assert carrel("add", "notes").code == 0
    assert carrel("sync").code == 0
    return notes


def test_notes_are_added_synced_and_found(carrel: Call, notes: Path) -> None:
    assert carrel("add", "notes").out == "Added: notes\n"
    assert carrel("sync", "--json").json["added"] == 3
    assert carrel("sync", "--json").json["unchanged"] == 3

    ended = carrel("search", "feed", "sourdough", "starter", "--json")

    assert ended.code == 0
    assert ended.json["results"][0]["path"] == str(notes / "kitchen/sourdough.md")


def test_an_excluded_word_leaves_its_notes_out(carrel: Call, indexed: Path) -> None:
    found = carrel("search", "starter", "-electric", "--json").json["results"]

    assert str(indexed / "gear/stove.md") not in [one["path"] for one in found]


def test_the_place_that_search_prints_is_what_show_takes(carrel: Call, indexed: Path) -> None:
    place = carrel("search", "starter", "flour", "--limit", "1").out.splitlines()[1].strip()

    assert place.startswith("notes/kitchen/sourdough.md:")
    assert "Feed the starter" in carrel("show", place).out


def test_show_prints_the_notes_own_text(carrel: Call, indexed: Path) -> None:
    assert carrel("show", "yeast.md").out == NOTES["kitchen/yeast.md"]


def test_why_follows_a_note_through_the_stages(carrel: Call, indexed: Path) -> None:
    report = carrel("why", "starter", "sourdough.md", "--json").json

    assert report["found"] is True
    assert report["stages"][0]["stage"] == "indexed"


def test_status_counts_what_changed_since(carrel: Call, indexed: Path) -> None:
    (indexed / "new.md").write_text("# New")

    status = carrel("status", "--json").json

    assert (status["documents"], status["stale"]) == (3, 1)


def test_doctor_finds_a_fresh_library_sound(carrel: Call, indexed: Path) -> None:
    assert carrel("doctor", "--json").json["ok"] is True


def test_a_removed_folder_is_forgotten_and_its_files_stay(carrel: Call, indexed: Path) -> None:
    assert "with 3 documents" in carrel("remove", "--yes", "notes").out
    assert carrel("folders", "--json").json["folders"] == []
    assert (indexed / "kitchen/yeast.md").exists()


def test_a_sync_of_an_unwatched_path_is_refused(carrel: Call, indexed: Path) -> None:
    assert carrel("sync", "elsewhere").code == 2


def test_a_folder_alone_is_indexed_where_there_is_no_terminal(carrel: Call, notes: Path) -> None:
    ended = carrel("notes")

    assert ended.code == 0
    assert "documents  3" in ended.out
