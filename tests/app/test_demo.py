"""The vault that comes with Carrel, and `carrel demo`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import rough_tiers

from app.cli import factories, main
from app.demo import AGES, VAULT, ages, copy_vault, demo_library, demo_notes, ready_notes
from engine.errors import PathError
from engine.library import Library
from engine.paths import places
from engine.records import Document, SearchSettings
from engine.retrieval import tier_calibration
from engine.sources.discovery import FoundFile, LeftOut, discover
from engine.sources.parser import Parser

ROOT = Path(__file__).resolve().parents[2]
FLAT = "why is my bread flat"
ANSWER = "Loaves that did not rise.md"


def in_vault() -> set[str]:
    """Return every note of the vault, the left out ones too, by its path below it."""
    files = (path for path in VAULT.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(VAULT).as_posix() for path in files if not path.name.startswith(".")}


@pytest.fixture(scope="module")
def documents() -> dict[str, Document]:
    """Return what the real readers make of each file that is not left out."""
    root = os.fsencode(VAULT)
    with Parser() as parser:
        return {
            item.path.decode(): parser.read(os.path.join(root, item.path))
            for item in discover(root)
            if isinstance(item, FoundFile)
        }


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Return a library of the vault, made by the real indexer with the real model."""
    base = tmp_path_factory.mktemp("demo")
    copy_vault(base / "notes")
    with Library.open(base / "library.carrel", create=True) as library:
        library.add(base / "notes")
        library.sync()
        yield library


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CARREL_LIBRARY", raising=False)
    return tmp_path / "home"


def names(library: Library, query: str, settings: SearchSettings | None = None) -> list[str]:
    return [os.path.basename(hit.path.decode()) for hit in library.search(query, settings=settings).hits]


# --- the notes ----------------------------------------------------------------------------------------------------


def test_every_note_of_the_vault_can_be_read(documents: dict[str, Document]) -> None:
    assert 36 <= len(documents) <= 45
    assert all(len(document.text) > 300 for document in documents.values())
    kinds = {document.kind for document in documents.values()}
    assert kinds >= {"markdown", "org", "rst", "html", "notebook", "pdf", "docx", "email", "code", "text"}


def test_the_pdf_has_two_pages_and_the_letter_its_headings(documents: dict[str, Document]) -> None:
    assert {block.page for block in documents["garden/allotment rules.pdf"].blocks} == {1, 2}
    letter = documents["letters/Letter to the council.docx"]
    assert [block.level for block in letter.blocks if block.kind == "heading"] == [1, 2, 2]


def test_the_papers_are_those_that_their_script_makes(tmp_path: Path) -> None:
    code = "import sys, demo_papers as made, pathlib; made.VAULT = pathlib.Path(sys.argv[1]); made.main()"
    (tmp_path / "garden").mkdir()
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT / "screenshots", check=True)
    for name in ("garden/allotment rules.pdf", "letters/Letter to the council.docx"):
        assert (tmp_path / name).read_bytes() == (VAULT / name).read_bytes()


def test_each_note_has_its_age() -> None:
    assert set(ages()) == in_vault()


def test_the_draft_is_left_out_and_the_reason_is_known() -> None:
    reasons = {item.path: item.reason for item in discover(os.fsencode(VAULT)) if isinstance(item, LeftOut)}
    assert reasons == {b".carrelignore": "hidden", b"kitchen/drafts": ".carrelignore"}


def test_the_answer_holds_none_of_the_words_of_its_question(documents: dict[str, Document]) -> None:
    written = documents[f"kitchen/{ANSWER}"].text.casefold().split()
    assert not {word.strip(".,:;") for word in written} & set(FLAT.split())


# --- found by meaning and by words ---------------------------------------------------------------------------------


def test_the_answer_is_found_by_its_meaning(library: Library) -> None:
    assert names(library, FLAT)[0] == ANSWER
    assert ANSWER not in names(library, FLAT, SearchSettings(fusion="keyword"))


def test_one_word_stands_for_four_things(library: Library) -> None:
    found = set(names(library, "starter")[:5])
    assert found >= {"camping stove.md", "The car only clicks.md", "Starters for Dad's 70th.md"}
    assert found & {"sourdough.md", "Sourdough for Mira.md"}  # the note, or the copy that it was sent as


def test_a_copied_note_collapses_into_the_one_that_it_was_copied_from(library: Library) -> None:
    first = library.search("how do I keep a starter alive").hits[0]
    assert first.path.endswith(b"/kitchen/sourdough.md")
    (copy,) = library.passages(first.duplicates)
    assert copy.path.endswith(b"/phone/Sourdough for Mira.md")


def test_japanese_words_are_found(library: Library) -> None:
    assert names(library, "かつお節")[0] == "京都の台所.md"


def test_what_was_never_written_about_is_not_found(library: Library) -> None:
    assert library.search("pension tax return").verdict == "none"


def test_links_lead_somewhere(library: Library) -> None:
    folder = library.folders()[0].path
    for name in ("Start here.md", "garden/plot-14.org", "travel/Kyoto.md", "kitchen/sourdough.md"):
        document = library.document(os.path.join(folder, os.fsencode(name)))
        assert document is not None
        links = library.links(document.id)
        assert links and all(link.path is not None for link in links), (name, links)


# --- carrel demo ---------------------------------------------------------------------------------------------------


def test_the_first_demo_copies_the_vault_and_opens_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[Path | None, list[Path]]] = []
    kept: list[Path] = []

    def open_browser(library: Path | None, folders: list[Path]) -> int:
        opened.append((library, folders))
        kept.extend((places().settings, places().state, places().log))
        return 0

    monkeypatch.setattr(factories, "interactive", lambda: True)
    monkeypatch.setattr(factories, "open_browser", open_browser)

    assert main(("demo",)) == 0
    assert opened == [(demo_library(), [demo_notes()])]
    assert all(demo_library().parent in path.parents for path in kept)
    assert not any(path in (places().settings, places().state, places().log) for path in kept)
    assert home in demo_notes().parents
    assert (demo_notes() / "kitchen" / ANSWER).is_file()


def test_a_copy_is_the_persons_until_a_fresh_one_is_asked_for(home: Path) -> None:
    mine = ready_notes() / "kitchen" / "mine.md"
    mine.write_text("My own.", encoding="utf-8")
    assert ready_notes() == demo_notes()
    assert mine.exists()

    ready_notes(fresh=True)
    assert not mine.exists()
    assert not list(demo_notes().parent.glob("*.unfinished"))


def test_the_notes_have_different_dates(home: Path) -> None:
    notes, now = ready_notes(), time.time()
    assert now - (notes / "journal/First frost.md").stat().st_mtime < 86_400
    assert now - (notes / "travel/Kyoto.md").stat().st_mtime > 300 * 86_400


def test_a_place_that_cannot_be_written_is_told(home: Path) -> None:
    home.write_text("no folder", encoding="utf-8")
    with pytest.raises(PathError, match="cannot be copied"):
        ready_notes()


def test_without_a_terminal_the_demo_is_indexed_and_says_how_to_search(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tier_calibration, "calibrate", rough_tiers.calibrate)
    assert main(("demo", "--no-color")) == 0
    said = capsys.readouterr()
    assert "up to date" in said.out
    assert f"carrel search --library {demo_library()}" in said.out

    assert main(("search", "--library", str(demo_library()), "--fusion", "keyword", "nematodes")) == 0
    assert "slugs.md" in capsys.readouterr().out


def test_the_wheel_holds_the_vault(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = set(wheel.namelist())
    assert {f"app/demo/vault/{name}" for name in in_vault()} <= packed
    assert {"app/demo/vault/.carrelignore", f"app/demo/{AGES.name}"} <= packed
