"""Other names of a note count as its name: it is found by them, by words, by meaning and by `title:`."""

from __future__ import annotations

from pathlib import Path

import pytest
from notes import FILLER, library_of

from engine.library import Library
from engine.records import SearchSettings

pytestmark = pytest.mark.usefixtures("unfitted")

NOTES = {
    "mention.md": "# Walk\n\nWe walked past the Zephyrine and had lunch there, then went home by train.\n",
    "mention2.md": "# Shopping\n\nBuy bread near the old mill and the new mill, then milk.\n",
    "mention3.md": "# A walk\n\nOld mill, old mill, the old mill: old mill and Zephyrine, Zephyrine.\n",
    "real.md": '---\naliases:\n  - Zephyrine\n  - "Old mill"\n---\n\n# Water power station\n\nTurbines and the weir.\n',
    "mill.adoc": "= Water power\n:aliases: Mylnka, Old weir\n\nTurbines.\n",
    "mill.rst": ":aliases: Vodyanka, Old sluice\n\nWater power\n===========\n\nTurbines.\n",
    "pages/chess.md": "tags:: hobby, chess\ntitle:: The Sicilian\n\n- a block about openings\n",
    "pages/garden%2Fweeding plan.md": "- a page on thistles\n",
}
WORDS = SearchSettings(fusion="keyword")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return library_of(tmp_path_factory.mktemp("names"), {**FILLER, **NOTES}, fitted=False)


def found(library: Library, query: str, settings: SearchSettings = WORDS) -> list[str]:
    """Return the names of the files that answer, best first."""
    return [Path(hit.path.decode()).name for hit in library.search(query, settings=settings).hits]


@pytest.mark.parametrize("query", ["Zephyrine", "old mill"])
def test_a_note_comes_first_by_its_other_names(library: Library, query: str) -> None:
    assert found(library, query, SearchSettings())[0] == "real.md"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("title:zephyrine", "real.md"),
        ('title:"old mill"', "real.md"),
        ('title:"water power station"', "real.md"),
        ('title:"old weir"', "mill.adoc"),
        ("title:mylnka", "mill.adoc"),
        ('title:"old sluice"', "mill.rst"),
        ("title:vodyanka", "mill.rst"),
        ("title:sicilian", "chess.md"),
        ("tag:hobby", "chess.md"),
        ("weeding", "garden%2Fweeding plan.md"),
    ],
)
def test_filters_and_words_take_every_name_for_a_name(library: Library, query: str, name: str) -> None:
    assert found(library, query) == [name]


def test_a_name_that_goes_is_a_name_no_more(tmp_path: Path) -> None:
    library = library_of(tmp_path, {"a.md": "---\nalias: Zephyrine\n---\nTurbines.\n"}, fitted=False)
    assert found(library, "zephyrine") == found(library, "title:zephyrine") == ["a.md"]
    (tmp_path / "notes/a.md").write_text("---\nalias: Other\n---\nTurbines.\n")
    library.sync()
    assert found(library, "title:zephyrine") == found(library, "zephyrine") == []
    assert found(library, "other") == ["a.md"]


def test_a_note_is_offered_and_linked_to_by_its_other_names(tmp_path: Path) -> None:
    notes = {"a.md": "---\nalias: Zephyrine\n---\n# Station\n\nTurbines.\n", "b.md": "See [[zephyrine]].\n"}
    library = library_of(tmp_path, notes, fitted=False)
    assert [document.title for document in library.documents_named("zephy", 9)] == ["Station"]
    (link,) = library.links(library.document(bytes(tmp_path / "notes/b.md")).id)
    assert link.path == bytes(tmp_path / "notes/a.md")
