"""Files that are one thing only, by the megabyte: they are read, found, shown and explained by bounded work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from notes import FILLER, library_of

from engine.library import Library
from engine.records import SearchSettings
from engine.retrieval.snippet import READ_LENGTH
from engine.store import bm25
from engine.store.library_connection import LibraryConnection

WORDS_ONLY = SearchSettings(fusion="keyword")
SIZE = 5_000_000 if os.environ.get("CARREL_SLOW") else 600_000  # characters of a line
HEADINGS = 100_000 if os.environ.get("CARREL_SLOW") else 4_000
HUGE = {
    "blanks.md": "wombat " + " " * SIZE + "end of blanks\n",
    "lines.md": "wombat\n" + "\n" * SIZE + "end of lines\n",
    "letters.md": "wombat " + "a" * (SIZE // 10) + "\n",
    "signs.txt": "wombat " + "=" * (SIZE // 10) + " end of signs\n",
    "headings.md": "wombat\n\n" + "".join(f"{'#' * (1 + number % 6)} {number}\n" for number in range(HEADINGS)),
    "title.md": "# wombat " + "t" * (SIZE // 10) + "\n\nThe body.\n",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with library_of(tmp_path_factory.mktemp("huge"), {**HUGE, **FILLER}, fitted=False) as library:
        yield library


def test_each_is_indexed_and_found_by_a_word_at_its_beginning(library: Library) -> None:
    assert library.failures() == ()
    found = {os.path.basename(hit.path).decode() for hit in library.search("wombat", settings=WORDS_ONLY).hits}
    assert found == set(HUGE)


@pytest.mark.parametrize("settings", [WORDS_ONLY, SearchSettings()], ids=["words", "both"])
def test_a_list_reads_so_much_of_each_text_and_no_more(
    library: Library, monkeypatch: pytest.MonkeyPatch, settings: SearchSettings
) -> None:
    read: list[int] = []
    counted: list[int] = []
    rows_for, column = LibraryConnection.rows_for, bm25._column

    def reading(self: LibraryConnection, *asked: object) -> object:
        rows = rows_for(self, *asked)  # type: ignore[arg-type]
        read.extend(len(row.text) for row in rows.values())
        return rows

    def counting(written: str, *rest: object) -> object:
        counted.append(len(written))
        return column(written, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(LibraryConnection, "rows_for", reading)
    monkeypatch.setattr(bm25, "_column", counting)
    assert library.search("wombat end", settings=settings).hits
    assert max(read) == READ_LENGTH
    assert max(counted) == bm25.READ_CHARACTERS


@pytest.mark.parametrize("name", HUGE)
def test_each_is_shown_and_explained(library: Library, name: str) -> None:
    (hit,) = [each for each in library.search("wombat", settings=WORDS_ONLY).hits if each.path.endswith(name.encode())]
    assert len(hit.snippet) < 300 and hit.marks
    assert hit.keyword is not None and [term.tf > 0 for term in hit.keyword.terms] == [True]
    report = library.why("wombat", Path(os.fsdecode(hit.path)))
    assert report.stages
    document = library.document(hit.path)
    assert document is not None and len(document.text) >= len(HUGE[name]) - 2
    assert "".join(each.text for each in library.passages_of(hit.document_id)) == document.text
