"""`carrel show`, `open` and `why`: which document a path names, and what is done with it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from cli_fakes import Call, FakeLibrary, a_document

from engine.config import Config, save
from engine.records import Folder

SOURDOUGH = b"/notes/kitchen/sourdough.md"
YEAST = b"/notes/books/yeast.md"
TEXT = "# Sourdough\n\n## Care\n\nFeed it.\nTwice a day.\n"


@pytest.fixture(autouse=True)
def documents(library: FakeLibrary) -> None:
    """Put two notes into the library."""
    library.watched = [Folder(1, b"/notes", "watching")]
    library.documents = {path: a_document(path, TEXT) for path in (SOURDOUGH, YEAST)}


@pytest.mark.parametrize(
    "name",
    ["/notes/kitchen/sourdough.md", "kitchen/sourdough.md", "sourdough.md", "/notes/../notes/kitchen/sourdough.md"],
)
def test_show_prints_the_whole_text_of_the_document_that_is_named(carrel: Call, name: str) -> None:
    ended = carrel("show", name)

    assert (ended.code, ended.out) == (0, TEXT)


def test_show_finds_a_document_from_the_current_folder(carrel: Call, library: FakeLibrary) -> None:
    here = os.fsencode(Path.cwd() / "sourdough.md")
    library.documents[here] = a_document(here, "the one here")

    assert carrel("show", "sourdough.md").out == "the one here\n"


def test_show_from_a_line_marks_it(carrel: Call) -> None:
    assert carrel("show", "sourdough.md:5").out.splitlines() == ["3   ## Care", "4", "5 ▌ Feed it.", "6   Twice a day."]


def test_show_counts_the_lines_that_an_editor_counts(carrel: Call, library: FakeLibrary) -> None:
    library.documents[YEAST] = a_document(YEAST, "one\u2028still one\x0c\x85\ntwo\n")

    assert "2 ▌ two" in carrel("show", "yeast.md:2").out
    assert carrel("show", "yeast.md:3").code == 2


def test_show_takes_a_place_with_a_column(carrel: Call) -> None:
    assert "5 ▌ Feed it." in carrel("show", "sourdough.md:5:12").out


@pytest.mark.parametrize("line", ["0", "99"])
def test_show_refuses_a_line_that_is_not_there(carrel: Call, line: str) -> None:
    ended = carrel("show", f"sourdough.md:{line}")

    assert (ended.code, ended.out) == (2, "")
    assert f"line {line}" in ended.err


def test_an_ending_that_two_documents_share_is_refused_with_both(carrel: Call, library: FakeLibrary) -> None:
    library.documents[b"/notes/old/yeast.md"] = a_document(b"/notes/old/yeast.md")

    ended = carrel("show", "yeast.md")

    assert ended.code == 2
    assert "/notes/books/yeast.md, /notes/old/yeast.md" in ended.err


def test_an_unknown_document_is_told(carrel: Call) -> None:
    ended = carrel("show", "nowhere.md")

    assert (ended.code, ended.out) == (2, "")
    assert "There is no document nowhere.md in the library." in ended.err


def test_a_file_outside_the_library_is_told_from_a_missing_one(carrel: Call) -> None:
    Path("other.md").write_text("x")

    assert "other.md is not in the library." in carrel("show", "other.md").err


def test_show_as_json_has_text_and_metadata(carrel: Call) -> None:
    shown = carrel("show", "--json", "sourdough.md").json

    assert shown["format"] == 1
    assert (shown["path"], shown["text"], shown["tags"]) == ("/notes/kitchen/sourdough.md", TEXT, ["bread"])


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let $EDITOR write its arguments into the file returned."""
    said = tmp_path / "said"
    script = tmp_path / "vim"
    script.write_text(f"#!{sys.executable}\nimport sys; open({str(said)!r}, 'w').write(repr(sys.argv[1:]))\n")
    script.chmod(0o755)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(script))
    return said


def test_open_starts_the_editor_at_the_line(carrel: Call, editor: Path) -> None:
    Path("note.md").write_text("x\n" * 14)

    assert carrel("open", "note.md:14").code == 0
    assert editor.read_text() == repr(["+14", str(Path("note.md").absolute())])


def test_open_names_no_line_that_the_file_has_not(carrel: Call, editor: Path) -> None:
    Path("min.json").write_text('{"a": 1}\n')

    assert carrel("open", "min.json:2000").code == 0
    assert editor.read_text() == repr([str(Path("min.json").absolute())])


def test_open_finds_a_document_by_the_end_of_its_path(carrel: Call, library: FakeLibrary, editor: Path) -> None:
    Path("deep").mkdir()
    note = Path("deep/long-name.md").absolute()
    note.write_text("x")
    library.documents[os.fsencode(note)] = a_document(os.fsencode(note))

    assert carrel("open", "long-name.md").code == 0
    assert str(note) in editor.read_text()


def test_open_takes_a_file_whose_name_ends_like_a_line(carrel: Call, editor: Path) -> None:
    Path("log:12").write_text("x")

    assert carrel("open", "log:12").code == 0
    assert editor.read_text() == repr(["+1", str(Path("log:12").absolute())])


def test_open_says_that_a_documents_file_is_gone(carrel: Call, editor: Path) -> None:
    ended = carrel("open", "sourdough.md")

    assert ended.code == 2
    assert "its file is gone" in ended.err
    assert not editor.exists()


def test_an_editor_that_is_not_there_is_told(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("note.md").write_text("x")
    monkeypatch.setenv("VISUAL", "/nowhere/edit")

    ended = carrel("open", "note.md")

    assert ended.code == 2
    assert "could not be started" in ended.err


def test_why_follows_the_search_that_the_person_makes(carrel: Call, library: FakeLibrary) -> None:
    save(Config(fusion="keyword", cutoff=1.5))
    carrel("why", "starter", "sourdough.md")
    (asked,) = library.of("why by")
    assert (asked.fusion, asked.cutoff) == ("keyword", 1.5)


def test_why_shows_the_stages_and_the_advice(carrel: Call, library: FakeLibrary) -> None:
    ended = carrel("why", "starter", "sourdough.md")

    assert ended.code == 0
    assert library.of("why") == [("starter", Path("/notes/kitchen/sourdough.md"))]
    assert ended.out.splitlines() == [
        "/notes/kitchen/sourdough.md is not in the list.",
        "",
        "✓ passed  indexed     3 passages",
        "✓ passed  by meaning  rank 188, distance .512",
        "✗ lost    by words    no passage holds starter — needed: one of its words",
        "",
        "→ Search by meaning alone (rank 188).",
    ]


def test_why_as_json_has_every_stable_key(carrel: Call) -> None:
    report = carrel("why", "--json", "starter", "sourdough.md").json

    assert report.keys() == {"format", "query", "path", "found", "final_rank", "stages", "dropped_at", "advice"}
    assert report["stages"][0].keys() == {"stage", "passed", "rank", "detail", "needed"}
    assert (report["found"], report["dropped_at"]) == (False, "keyword")


def test_why_asks_about_a_file_that_is_not_indexed_too(carrel: Call, library: FakeLibrary) -> None:
    Path("other.md").write_text("x")

    assert carrel("why", "starter", "other.md").code == 0
    assert library.of("why") == [("starter", Path("other.md").absolute())]


def test_why_wants_a_query_and_one_path(carrel: Call) -> None:
    assert carrel("why", "sourdough.md").code == 2


def test_a_line_counts_in_json_too(carrel: Call, library: FakeLibrary) -> None:
    assert carrel("show", "sourdough.md:5", "--json").json["text_line"] == 5
    assert carrel("show", "sourdough.md", "--json").json["text_line"] is None
    assert carrel("show", "sourdough.md:500", "--json").code == 2
