"""Rows that a browser asks for again and again: made once for a query, and never older than the library."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from notes import FILLER, library_of, write

from engine.library import Library
from engine.records import SearchSettings
from engine.retrieval import hits

pytestmark = pytest.mark.usefixtures("unfitted")

WORDS = SearchSettings(fusion="keyword")
NOTES = {
    "sourdough.md": "# Sourdough\n\nFeed the rye starter with flour and water twice a day.\n",
    "yeast.md": "# Yeast\n\nA starter is a stable culture of yeast and bacteria.\n",
    **FILLER,
}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with library_of(tmp_path, NOTES) as library:
        library.warm()
        yield library


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The titles of the rows whose snippets were made, in order."""
    titles: list[str] = []
    snippet = hits.snippet

    def told(text: str, query: object, names: tuple[str, ...], kind: str) -> tuple[str, hits.Marks]:
        titles.append(names[0])
        return snippet(text, query, names, kind)  # type: ignore[arg-type]

    monkeypatch.setattr(hits, "snippet", told)
    return titles


def test_both_legs_make_no_row_again_that_the_words_have_shown(library: Library, made: list[str]) -> None:
    words = library.search("rye starter", settings=WORDS, typing=True)
    assert sorted(made) == ["Sourdough", "Yeast"]
    both = library.explore("rye starter", typing=True).result
    assert made.count("Sourdough") == made.count("Yeast") == 1
    shown = {hit.passage_id: (hit.snippet, hit.marks) for hit in words.hits}
    again = {hit.passage_id: (hit.snippet, hit.marks) for hit in both.hits}
    assert {passage: again[passage] for passage in shown} == shown


def test_a_note_that_changed_is_shown_as_it_is_now(library: Library, tmp_path: Path) -> None:
    library.search("rye starter", settings=WORDS)
    note = next(tmp_path.rglob("yeast.md"))
    write(note.parent, {"yeast.md": "# Yeast\n\nA starter that lives on rye.\n"})
    os.utime(note, (1.0e9, 1.0e9))
    library.sync()
    hit = next(hit for hit in library.search("rye starter", settings=WORDS).hits if hit.title == "Yeast")
    assert "lives on rye" in hit.snippet
    assert hit.modified == 1.0e9


def test_a_note_that_was_only_touched_shows_its_new_date(library: Library, tmp_path: Path) -> None:
    library.search("rye starter", settings=WORDS)
    os.utime(next(tmp_path.rglob("yeast.md")), (1.0e9, 1.0e9))
    library.sync()
    hit = next(hit for hit in library.search("rye starter", settings=WORDS).hits if hit.title == "Yeast")
    assert hit.modified == 1.0e9


def test_a_process_that_asks_once_keeps_no_rows(tmp_path: Path, made: list[str]) -> None:
    with library_of(tmp_path, NOTES) as library:
        library.search("rye starter", settings=WORDS)
        library.search("rye starter", settings=WORDS)
    assert made.count("Yeast") == 2
