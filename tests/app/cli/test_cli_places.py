"""Where a passage stands: on a line of its file, else on its page, and what `show`, `open` and `mark` make of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from cli_fakes import Call
from indexed_notes import written_notes

from engine.records import Document
from engine.retrieval import tier_calibration
from engine.sources import parser
from engine.sources.readers import read_document

OFFICE = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
DRAW = 'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
TEXT = 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
SLIDE = "<draw:page><draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame></draw:page>"
NOTES = {
    "page.html": "<html>\n<style>\np {}\n</style>\n<body>\n\n<p>The quince\nstands alone.</p>\n</body>\n",
    "talk.fodp": f"<office:document {OFFICE} {DRAW} {TEXT}><office:body><office:presentation>"
    + SLIDE.format("A medlar, " + "and so on. " * 90)
    + SLIDE.format("The lighthouse " + "leans far. " * 90)
    + "</office:presentation></office:body></office:document>",
    "letter.rtf": r"{\rtf1\ansi A portcullis.\par And a gazebo.\par}",
    "plain.md": "# Plain\n\nThe orangery.\n",
    "one.json": '{"a": ["rhubarb", "' + "sorrel " * 400 + '"]}\n',
    "box.mbox": "From a\nSubject: Tea\n\nKiosk biscuit.\n\nFrom b\nSubject: Cake\n\nBakery biscuit.\n",
}


class InProcess:
    """Reads files without a child process."""

    def read(self, path: bytes, root: bytes | None = None) -> Document:
        return read_document(path, None, root)

    def close(self) -> None:
        pass


@pytest.fixture
def indexed(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(parser, "configured_parser", InProcess)
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: None)
    notes = written_notes(NOTES, monkeypatch)
    assert carrel("add", "notes").code == 0
    assert carrel("sync").code == 0
    return notes


def found(carrel: Call, word: str) -> dict[str, object]:
    result: dict[str, object] = carrel("search", "--fusion", "keyword", "--json", word).json["results"][0]
    return result


@pytest.mark.parametrize(
    ("word", "lines", "page", "shown"),
    [
        ("quince", (7, 8), None, "notes/page.html:7"),
        ("lighthouse", (None, None), 2, "notes/talk.fodp  slide 2"),
        ("gazebo", (None, None), None, "notes/letter.rtf"),
        ("orangery", (1, 3), None, "notes/plain.md:1"),
        ("rhubarb", (1, 1), None, "notes/one.json:1"),
        ("bakery", (6, 6), 2, "notes/box.mbox:6  message 2"),
    ],
)
def test_a_row_tells_the_line_of_the_file_or_the_page_or_nothing(
    carrel: Call, indexed: Path, word: str, lines: tuple[int | None, int | None], page: int | None, shown: str
) -> None:
    hit = found(carrel, word)
    assert ((hit["line_start"], hit["line_end"]), hit["page"]) == (lines, page)
    assert carrel("search", "--fusion", "keyword", word).out.splitlines()[1].strip() == shown
    plain = carrel("search", "--plain", "--fusion", "keyword", word).out
    assert ("line" in plain.split("File ")[1].split("\n")[0]) == (lines[0] is not None)


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("page.html:8", "▌ The quince stands alone."),
        ("talk.fodp:2", "The lighthouse"),
        ("letter.rtf:1", "▌ A portcullis."),
        ("plain.md:3", "▌ The orangery."),
        ("box.mbox:6", "▌ Cake"),
    ],
)
def test_show_takes_the_place_that_a_row_tells(carrel: Call, indexed: Path, place: str, told: str) -> None:
    marked = [line for line in carrel("show", place).out.splitlines() if "▌" in line]
    assert told in carrel("show", place).out
    assert len(marked) == 1


def test_each_message_of_a_mailbox_is_a_row_of_its_own(carrel: Call, indexed: Path) -> None:
    rows = carrel("search", "--fusion", "keyword", "--json", "biscuit").json["results"]
    assert sorted((row["headings"], row["page"]) for row in rows) == [(["Cake"], 2), (["Tea"], 1)]
    assert all(not row["more_in_document"] for row in rows)


def test_show_and_mark_say_which_places_there_are(carrel: Call, indexed: Path) -> None:
    assert carrel("show", "page.html:99").code == 2
    assert carrel("show", "talk.fodp:9").code == 2
    assert "no page 9. Its last one is page 2." in carrel("mark", "x", "talk.fodp:9").err
    assert "no line 99. Its last one is line 8." in carrel("mark", "x", "page.html:99").err
    assert carrel("mark", "a lighthouse", "talk.fodp:2").code == 0
    assert carrel("mark", "a quince", "page.html:7").out.strip().endswith("notes/page.html:7")


def test_open_gives_the_editor_a_line_of_the_file_or_none(
    carrel: Call, indexed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    script = tmp_path / "vim"
    script.write_text(f"#!{sys.executable}\nimport sys; open({str(said)!r}, 'w').write(' '.join(sys.argv[1:]))\n")
    script.chmod(0o755)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", os.fspath(script))
    for place, given in (("page.html:7", "+7 "), ("one.json:1", "+1 "), ("one.json:700", ""), ("box.mbox:6", "+6 ")):
        assert carrel("open", place).code == 0
        assert said.read_text() == f"{given}{indexed / place.partition(':')[0]}"


EXPORTS = {
    "keep.json": '{"textContent": "Buy milk\\nCall the plumber\\nBorrow a jigsaw", "title": "f\\u00fcr"}',
    "chat.json": '{\n "messages": [\n  {"from": "\\u041e\\u043b\\u0435\\u0433", "text": "x\\n'
    '\\u0412\\u0441\\u0442\\u0440\\u0435\\u0447\\u0430"}\n ]\n}',
    "log.jsonl": '{"content": "Question\\nPlease explain the astrolabe"}\n{"content": "b"}\n',
    "modal.html": "<div aria-hidden='true'><p>To the hermitage.</p></div><div role='dialog'>Accept</div>",
    "cells.html": "<table><tr><td><div>Marta</div><div>Archivist</div></td><td>b</td></tr></table><ul><li>a"
    "<script>leakedtracker</script></li></ul>",
    "list.eml": "Subject: s\nContent-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: text/html\n\n"
    "<p>The quinces.\n--B\n\nOrchard list\n--B--\n",
    "page.mht": "Subject: s\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n"
    "<p>lamp=\nlighter\n",
}


def test_words_are_found_however_their_program_wrote_them(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "configured_parser", InProcess)
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: None)
    written_notes(EXPORTS, monkeypatch)
    assert carrel("add", "notes").code == 0
    assert carrel("sync").code == 0
    asked = {
        "keep.json": ["Borrow", '"Call the plumber"', "für"],
        "chat.json": ["Встреча", "Олег"],
        "log.jsonl": ["please", "astrolabe"],
        "modal.html": ["hermitage", "accept"],
        "cells.html": ["Marta", "Archivist"],
        "list.eml": ["quinces", "orchard"],
        "page.mht": ["lamplighter"],
    }
    for name, words in asked.items():
        for word in words:
            assert os.path.basename(str(found(carrel, word)["path"])) == name
    assert carrel("search", "--fusion", "keyword", "--json", "leakedtracker").json["results"] == []
