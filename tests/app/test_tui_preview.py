"""The preview: what is rendered, marked and said of the selected result, and what can be done with it."""

from __future__ import annotations

import base64
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import NOTES, NOW, ROOT, FakeEditor, FakeLibrary, ports, search_notes
from piloting import SIZES, SMALL, WIDE, pressed, settle, told, typed, written
from textual.pilot import Pilot

from app.tui.app import CarrelApp
from app.tui.browser import Place
from app.tui.editor_launch import current_line, line_of, targets_now
from app.tui.freshness import Reindexing, freshness_of
from app.tui.pages.units import Units
from app.tui.screens.reader.screen import ReaderScreen
from app.tui.screens.search.preview import preview_lines
from app.tui.screens.search.window import form, window_of, words_of
from app.tui.screens.search.word_notes import notes_of
from app.tui.theme import MARK_IN_TEXT, NEAREST, NEAREST_WORD
from app.word_links import placed
from engine.records import Folder, Hit, NearestWord, SearchResult, SearchSettings, StoredDocument, StoredPassage

SOURDOUGH = ROOT + b"/kitchen/sourdough.md"


def document(text: str, kind: str = "markdown", **metadata: str) -> StoredDocument:
    return StoredDocument(1, b"/n/a", "T", kind, NOW, len(text), (), metadata, 1, text)


def hit_at(text: str, passage: str, **changes: object) -> Hit:
    """Return a hit whose passage is `passage` inside `text`."""
    hit = search_notes(NOTES, "starter", SearchSettings(), 10).hits[0]
    start = text.index(passage)
    line = text.count("\n", 0, start) + 1
    values = {"start": start, "end": start + len(passage), "line_start": line, "line_end": line, "headings": ()}
    return replace(hit, **{**values, **changes})  # type: ignore[arg-type]


def shown(text: str, passage: str, kind: str = "markdown", **metadata: str) -> list[str]:
    window = window_of(document(text, kind, **metadata), hit_at(text, passage), frozenset({"start"}))
    return [line.plain.rstrip() for line in preview_lines(window, 60)]


def test_markdown_is_rendered_line_by_line() -> None:
    text = (
        "# One **bold**\n\nSome *slanted* `code` and [a link](b.md), [[Other|wiki]].\n\n- item\n1. first\n- [x] done\n"
        "\n> said\n\n```python\nx = '**no**'\n```\n\n---\n\nsnake_case_name and 2*3*4\n"
    )
    assert shown(text, "Some")[:7] == [
        "  # One bold", "", "▌ Some slanted code and a link→, wiki→.", "", "  • item", "  1. first", "  • ☑ done"
    ]  # fmt: skip
    lines = shown(text, "Some")
    assert "  ▎ said" in lines
    assert lines[lines.index("  ┌ python") + 1] == "  │ x = '**no**'"
    assert "  snake_case_name and 2*3*4" in lines
    assert "  " + "─" * 24 in lines


def test_code_is_shown_with_its_line_numbers_and_colours() -> None:
    text = "".join(f"value_{i} = {i}\n" for i in range(1, 120)) + "def starter():\n    return 'flour'\n"
    window = window_of(document(text, "code", language="python"), hit_at(text, "def starter"), frozenset({"start"}))
    lines = preview_lines(window, 60)
    row = next(line for line in lines if "def starter" in line.plain)
    assert row.plain.startswith("▌ 120 def starter():")
    assert len({str(span.style) for span in row.spans}) >= 4
    unknown = window_of(document(text, "code", language="no such"), hit_at(text, "def starter"), frozenset())
    assert any("def starter" in line.plain for line in preview_lines(unknown, 60))


def test_a_passage_inside_a_block_of_code_is_painted_as_code() -> None:
    text = "# T\n\n```python\n" + "a = 1\n" * 200 + "starter = 2\n```\n\n**after**\n"
    assert "▌ │ starter = 2" in shown(text, "starter = 2")
    assert "  after" in shown(text, "starter = 2")


def test_marks_and_the_nearest_sentence_stand_where_their_words_are_shown() -> None:
    text = "# T\n\nFirst. The **starter** is [alive](x.md) now. Last.\n"
    hit = hit_at(text, text[5:-1])
    result = search_notes(NOTES, "starter", SearchSettings(), 10)
    window = window_of(document(text), hit, words_of(result))
    start = text.index("The **")
    lines = preview_lines(window, 80, (start, text.index(" Last")))
    row = next(line for line in lines if "First." in line.plain)
    said = [row.plain[span.start : span.end] for span in row.spans if str(span.style) == NEAREST]
    assert "".join(said).replace("→", "") == "The starter is alive now."
    assert any(row.plain[span.start : span.end] == "starter" for span in row.spans if "mark" in str(span.style))


HOSTILE = {
    "markup": "[/] [b]x[/b] [@click=app.quit]y[/] starter\n",
    "controls": "\x1b[31mred\x07 \x00 \x9b31m \u202egnp.exe starter\r\n",
    "stars": "*" * 3_000 + "`" * 3_000 + "[" * 3_000 + " starter\n",
    "opened": "**a " * 900 + "_b " * 900 + "[x](" * 900 + " starter\n",
    "wide": "漢字" * 400 + " starter 👩‍👩‍👧‍👦 ❤️ שלום مرحبا\n",
    "tabs": "\tstarter\t\tx\n" * 3,
    "long": "x" * 60_000 + " starter " + "y" * 40_000 + "\n",
    "fences": "```\n~~~~\n```` starter\n",
    "surrogate": "starter \ud800 half\n",
}


@pytest.mark.parametrize("kind", ["markdown", "text", "code", "org", "html"])
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("width", [3, 20, 58])
def test_hostile_text_fits_its_width_and_holds_no_controls(kind: str, name: str, width: int) -> None:
    text = HOSTILE[name]
    window = window_of(document(text, kind, language="python"), hit_at(text, "starter"), frozenset({"start"}))
    for line in preview_lines(window, width, (0, len(text))):
        assert line.cell_length <= max(width, 8)
        assert not set(line.plain) & {*map(chr, range(32)), "\x9b", "\u202e", "\ud800"}


def test_a_unit_of_every_line_is_found_again() -> None:
    text = "---\na: b\n---\n# T\n\n" + "w " * 5_000 + "\n```\nx\n```\nend"
    units = Units(text, "markdown", pages=[(1, 0), (2, text.index("end"))])
    states = [units.state(unit) for unit in range(len(units))]
    assert states[:4] == ["page", "front", "front", "front"]
    assert states[-5:] == ["opening", "code", "closing", "page", "prose"]
    assert "".join(units.raw(unit) for unit in range(len(units))) == text.replace("\n", "")
    for offset in range(0, len(text), 97):
        unit = units.at(offset)
        assert units.starts[unit] <= offset <= units.ends[unit]
        assert units.line(unit) == text.count("\n", 0, offset) + 1
    assert units.page_of(len(units) - 1) == 2


async def test_the_next_hit_of_the_same_document_is_shown() -> None:
    app = CarrelApp(ports(FakeLibrary()))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        assert "line 5 of 13 · hit 2 of 3" in screen.pane.caption.text
        await pilot.press("alt+down")
        await settle(pilot)
        assert "line 11 of 13 · hit 3 of 3" in screen.pane.caption.text
        assert any(line.startswith("▌ Take the starter out") for line in screen.pane.preview.shown_lines)
        await pilot.press("tab", "alt+down")
        await settle(pilot)
        assert "line 1 of 13 · hit 1 of 3" in screen.pane.caption.text
        await pilot.press("alt+up")
        await settle(pilot)
        assert "hit 3 of 3" in screen.pane.caption.text


async def test_the_nearest_sentence_is_marked_after_the_rest_is_shown() -> None:
    library = FakeLibrary()
    library.sentences = True
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry")
        painted = screen.pane.preview._lines
        marked = [line.plain[span.start : span.end] for line in painted for span in line.spans
                  if str(span.style) == NEAREST]  # fmt: skip
        assert any("starter is hungry" in part for part in marked)


LINKS = (
    NearestWord("famished", "hungry", cosine=0.74),
    NearestWord("culture", "starter", cosine=0.61),
    NearestWord("grey", "grey", cosine=0.9, same=True),
    NearestWord("salt"),
)


async def test_words_that_answer_others_of_the_question_get_numbers_and_a_legend() -> None:
    library = FakeLibrary()
    library.words = LINKS
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "layer")
        lines = screen.pane.preview.shown_lines
        assert any(line.startswith("▌") and "is hungry¹." in line for line in lines)
        assert any(line.startswith("▌ Feed the starter² with flour") for line in lines)
        assert screen.pane.legend.text == "nearest words  famished ¹hungry · culture ²starter"
        numbered = [line.plain[span.start : span.end] for line in screen.pane.preview._lines for span in line.spans
                    if str(span.style) == NEAREST_WORD]  # fmt: skip
        assert sorted(numbered) == ["hungry¹", "starter²"]
        await pilot.press("ctrl+t")
        await settle(pilot)
        assert not screen.pane.legend.display
        told = "\n".join(screen.pane.explanation.shown_lines)
        assert "no share of the score" in told
        assert re.search(r"famished +hungry +\.74 +line 9", told)
        assert re.search(r"salt +no counterpart", told)
        library.words = ()
        await typed(pilot, "flour")
        assert not screen.pane.legend.display
        assert "no share of the score" not in "\n".join(screen.pane.explanation.shown_lines)


@pytest.mark.parametrize("width", [10, 24, 60])
def test_marks_sentences_and_links_stay_on_their_words_where_numbers_come_between(width: int) -> None:
    text = "# T\n\nThe **famous** loaf and [a link](b.md) of rye\tstarter rest.\n"
    hit = hit_at(text, text[5:-1])
    window = window_of(document(text), hit, frozenset({form("loaf"), form("rest")}))
    links = tuple(NearestWord("x", word, *_span(text[5:], word), 0.7) for word in ("famous", "link", "loaf", "starter"))
    lines = preview_lines(window, width, (5, len(text) - 1), notes_of(placed(hit, text[5:], links)))
    plain = " ".join(line.plain.removeprefix("▌ ").strip() for line in lines)
    assert " ".join(plain.split()).startswith("# T The famous¹ loaf³ and a link²→ of rye starter⁴ rest.")
    marked = [line.plain[span.start : span.end] for line in lines for span in line.spans
              if str(span.style) == MARK_IN_TEXT]  # fmt: skip
    assert marked == ["loaf", "rest"]


def _span(text: str, word: str) -> tuple[int, int]:
    return text.index(word), text.index(word) + len(word)


async def test_a_changed_file_is_marked_and_indexed_again_once() -> None:
    library = FakeLibrary()
    library.freshness[SOURDOUGH] = "changed"
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry")
        assert "≠ changed" in screen.pane.caption.text
        assert library.requests == [("sync", SOURDOUGH.decode())]
        await typed(pilot, "hungry starter")
        assert len(library.requests) == 1
        library.freshness[SOURDOUGH] = "gone"
        await typed(pilot, "hungry")
        assert "✗ no longer there" in screen.pane.caption.text


async def test_open_finds_the_line_again_and_tells_of_a_file_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "vim")
    monkeypatch.delenv("VISUAL", raising=False)
    library, editor = FakeLibrary(), FakeEditor()
    library.lines[SOURDOUGH] = 40
    app = CarrelApp(ports(library, editor=editor))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await typed(pilot, "hungry")
        await pilot.press("enter")
        await settle(pilot)
        assert editor.commands[0].arguments == (b"vim", b"+40", SOURDOUGH)
        library.lines[SOURDOUGH] = None
        await pilot.press("enter")
        await settle(pilot)
        assert len(editor.commands) == 1
        assert "is no longer there" in told(pilot)[-1]


async def test_marked_results_are_opened_and_copied_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "nano")
    monkeypatch.delenv("VISUAL", raising=False)
    library, editor = FakeLibrary(), FakeEditor()
    app = CarrelApp(ports(library, editor=editor))
    async with app.run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "starter")
        await pilot.press("tab", "x", "x")
        assert len(screen.rows.marked) == 2
        painted = "\n".join("".join(part.text for part in strip) for strip in screen._compositor.render_strips())
        assert painted.count("✓") == 2
        await pilot.press("y", "p")
        await settle(pilot)
        paths = app.clipboard.split("\n")
        assert len(paths) == 2 and all(path.startswith("/home/reader/notes/") for path in paths)
        await pilot.press("Y")
        await settle(pilot)
        assert "Feed the starter" in app.clipboard
        await pilot.press("enter")
        await settle(pilot)
        assert len(editor.commands) == 1 and len(editor.commands[0].arguments) == 5
        assert not screen.rows.marked


async def test_copying_works_from_the_query_line_and_keeps_controls_out() -> None:
    library = FakeLibrary({"a/x.md": "# X\n\nstarter \x1b[31m\x07 end\n"})
    app = CarrelApp(ports(library))
    async with app.run_test(size=WIDE) as pilot:
        await typed(pilot, "starter")
        await pilot.press("ctrl+y", "p")
        await settle(pilot)
        assert app.clipboard == "/home/reader/notes/a/x.md"
        await pilot.press("tab", "Y")
        await settle(pilot)
        assert "starter" in app.clipboard and "\x1b" not in app.clipboard and "\x07" not in app.clipboard
        assert base64.b64encode(app.clipboard.encode())


# --- the files behind ---------------------------------------------------------------------------------------------


def test_freshness_compares_date_and_size(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("one\n")
    found = path.stat()
    known = replace(document("one\n"), path=os.fsencode(path), modified=found.st_mtime_ns / 1e9, size=4)
    assert freshness_of(known) == "same"
    path.write_text("other\n")
    assert freshness_of(known) == "changed"
    path.unlink()
    assert freshness_of(known) == "gone"


def test_a_read_only_library_is_asked_for_nothing_and_a_name_without_text_for_everything() -> None:
    library = FakeLibrary(read_only=True)
    Reindexing().ask(library, document("x"))
    assert library.requests == []
    writable = FakeLibrary()
    Reindexing().ask(writable, replace(document("x"), path=b"/n/\xff.md"))
    assert writable.requests == [("sync", "")]


def test_a_look_at_a_document_of_a_paused_folder_changes_nothing() -> None:
    library = FakeLibrary()
    status = library.status()
    library.status = lambda **_: replace(status, folders=(Folder(1, b"/n", "paused"),))  # type: ignore[method-assign]
    Reindexing().ask(library, replace(document("x"), path=b"/n/a.md"))
    assert library.requests == []
    Reindexing().ask(library, replace(document("x"), path=b"/notes/a.md"))
    assert library.requests == [("sync", "/notes/a.md")]


def test_a_passage_is_found_again_wherever_it_moved(tmp_path: Path) -> None:
    passage = "\nFeed the starter twice.\nKeep it cool.\n"
    moved = "new\n" * 30 + "Feed the starter twice.\nKeep it cool.\n"
    assert line_of(moved, passage, 4) == 30
    assert line_of("x\n" * 9 + "Keep it cool.\n", passage, 4) == 10
    assert line_of("nothing of it\n" * 3, passage, 40) == 4
    assert line_of("same here\n" * 50, "same here", 33) == 33
    path = tmp_path / "a.md"
    path.write_text(moved)
    assert current_line(os.fsencode(path), passage, 4) == 30
    assert current_line(os.fsencode(tmp_path / "gone.md"), passage, 4) is None


def test_derived_text_is_opened_at_its_line_and_never_looked_for_in_its_file() -> None:
    asked: list[tuple[str, int]] = []

    def find_line(_: bytes, text: str, line: int) -> int | None:
        asked.append((text, line))
        return line

    places = [
        Place(b"/a.md", 3, "markdown", None, "words"),
        Place(b"/a.html", 7, "html", None, "words"),
        Place(b"/a.eml", None, "email", None, "words"),
    ]
    targets, gone = targets_now(places, find_line)
    assert asked == [("words", 3), ("", 7), ("", 0)]
    assert [target.line for target in targets] == [3, 7, None]
    assert gone == []


class Paged(FakeLibrary):
    """Documents of a format with pages: each section stands on one of its own; the reader may have counted more."""

    counted: dict[str, str] = {}

    def search(self, *arguments: Any, **named: Any) -> SearchResult:
        result = super().search(*arguments, **named)
        return replace(result, hits=tuple(replace(hit, page=hit.passage_id % 100 + 1) for hit in result.hits))

    def document_by_id(self, document_id: int) -> StoredDocument | None:
        found = super().document_by_id(document_id)
        return replace(found, kind="pdf", metadata=self.counted) if found else None

    def _passages(self) -> list[StoredPassage]:
        return [replace(each, page=each.ordinal + 1) for each in super()._passages()]


@pytest.mark.parametrize(("counted", "told_of"), [({}, "page 2 of 3"), ({"pages": "1200"}, "page 2 of 1,200")])
async def test_the_caption_tells_the_page_and_how_many_there_are(counted: dict[str, str], told_of: str) -> None:
    library = Paged()
    library.counted = counted
    async with CarrelApp(ports(library)).run_test(size=WIDE) as pilot:
        screen = await typed(pilot, "hungry starter")
        assert screen.rows.hit is not None and screen.rows.hit.title == "Sourdough"
        assert told_of in screen.pane.caption.text


# --- pictures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_with_marks_and_a_changed_file(snap_compare: Any, size: tuple[int, int]) -> None:
    library = FakeLibrary()
    library.sentences = True
    library.freshness[SOURDOUGH] = "changed"

    async def before(pilot: Pilot[int]) -> None:
        await typed(pilot, "hungry starter")
        await pilot.press(*(("f2",) if size[0] < 100 else ()), "tab", "x")
        await settle(pilot)
        await pilot.press("up")
        await settle(pilot)

    assert snap_compare(CarrelApp(ports(library)), terminal_size=size, run_before=before)


# --- where it stands, and where its links lead ----------------------------------------------------------------------

LONG = "# Long\n\n" + "A line about nothing.\n\n" * 30 + "## Care\n\nFeed the starter, see [[yeast]] or "
LONG += "[the page](https://example.org/a).\n"


async def test_a_preview_that_is_opened_later_stands_at_the_hit_and_its_links_are_clicked() -> None:
    library = FakeLibrary({**NOTES, "kitchen/long.md": LONG})
    async with CarrelApp(ports(library)).run_test(size=SMALL) as pilot:
        screen = await typed(pilot, "feed starter see page")
        screen.rows.choose(next(at for at, hit in enumerate(screen.rows.hits) if hit.title == "Long"))
        await settle(pilot)
        await pressed(pilot, "f2")
        lines = written(pilot).split("\n")
        at = next(place for place, line in enumerate(lines) if "see yeast→ or" in line)
        await pilot.click(offset=(lines[at].index("the page") + 1, at))
        await settle(pilot)
        assert library.visited == ["https://example.org/a"]
        await pilot.click(offset=(lines[at].index("yeast") + 1, at))
        await settle(pilot)
        reader = pilot.app.screen
        assert isinstance(reader, ReaderScreen)
        assert "In nature a starter is" in written(pilot)
