"""Scanned pages, read by an installed Tesseract where a person wants it: here a program that says what it was given."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from engine import config
from engine.errors import ConfigError, SourceError
from engine.sources.parser import Limits, Parser, configured_parser
from engine.sources.readers import ocr
from engine.sources.readers.ocr import Recogniser, grey_picture

pytestmark = pytest.mark.processes

SAYS_WHAT_IT_SEES = (
    'head -c 2 > "$0.head"; cat > "$0.rest"; echo "$* on page $(echo x >> "$0.pages"; wc -l < "$0.pages")"'
)


@pytest.fixture
def tesseract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name, the first on the search path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return program(folder / "tesseract", SAYS_WHAT_IT_SEES)


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def scanned(folder: Path, pages: int = 2) -> bytes:
    """A PDF whose pages hold a black square and no text."""
    kids = b" ".join(b"3 0 R" for _ in range(pages))
    content = b"0 0 40 40 re f"
    path = folder / "scan.pdf"
    path.write_bytes(
        b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count %d/Kids[%s]>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Contents 4 0 R>>endobj\n"
        b"4 0 obj<</Length %d>>stream\n%s\nendstream endobj\ntrailer<</Root 1 0 R>>\n"
        % (pages, kids, len(content), content)
    )
    return os.fsencode(path)


def reason(parser: Parser, path: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        parser.read(path)
    return caught.value.reason


@pytest.mark.usefixtures("tesseract")
def test_pages_without_text_are_not_recognised_unless_asked_for(tmp_path: Path) -> None:
    with Parser() as parser:
        assert reason(parser, scanned(tmp_path)) == "scanned: no text layer"


def test_each_scanned_page_is_recognised_in_the_languages_asked_for(tmp_path: Path, tesseract: Path) -> None:
    with Parser(ocr="deu+eng") as parser:
        document = parser.read(scanned(tmp_path))
    assert [(block.page, document.text[block.start : block.end]) for block in document.blocks] == [
        (1, "stdin stdout -l deu+eng on page 1"),
        (2, "stdin stdout -l deu+eng on page 2"),
    ]
    picture = tesseract.with_name("tesseract.head").read_bytes() + tesseract.with_name("tesseract.rest").read_bytes()
    assert picture.startswith(b"P5\n300 300\n255\n")
    assert len(picture) == len(b"P5\n300 300\n255\n") + 300 * 300
    assert picture.count(0) > 20_000, "the black square"


def test_without_tesseract_the_reason_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with Parser(ocr="eng") as parser:
        expected = "scanned: no text layer, and OCR needs Tesseract, which is not installed"
        assert reason(parser, scanned(tmp_path)) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            "cat > /dev/null; echo \"Failed loading language 'klingon'\" >&2; exit 1",
            "has no language klingon; install it",
        ),
        ("exit 3", "Tesseract ended with status 3"),
        ("cat > /dev/null", "scanned: OCR found no words"),
    ],
)
def test_a_tesseract_that_fails_says_why(tmp_path: Path, tesseract: Path, script: str, expected: str) -> None:
    program(tesseract, script)
    with Parser(ocr="klingon") as parser:
        assert expected in reason(parser, scanned(tmp_path))


def test_a_page_that_takes_too_long_costs_only_itself(
    tmp_path: Path, tesseract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ocr, "PAGE_SECONDS", 0.1)
    program(tesseract, "exec sleep 600")
    assert Recogniser("eng").words(b"") == ""


def test_only_so_many_pages_are_recognised(monkeypatch: pytest.MonkeyPatch, tesseract: Path) -> None:
    monkeypatch.setattr(ocr, "MAX_PAGES", 1)
    told: list[None] = []
    recogniser = Recogniser("eng", before_page=lambda: told.append(None))
    assert recogniser.words(b"") == "stdin stdout -l eng on page 1"
    assert recogniser.words(b"") == ""
    assert len(told) == 1


def test_a_file_that_is_given_up_ends_its_tesseract_too(tmp_path: Path, tesseract: Path) -> None:
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    listening = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    with Parser(ocr="eng") as parser:
        parser.read(scanned(tmp_path))  # the child is there, so that the two seconds are Tesseract's alone
        program(tesseract, f'exec 3> "{alive}"; echo started >&3; exec sleep 600')
        assert parser._child is not None
        parser._limits, parser._child._seconds = Limits(seconds=2), 2
        assert reason(parser, scanned(tmp_path)) == "took longer than 2 s"
    assert os.read(listening, 100) == b"started\n"
    poll = select.poll()
    poll.register(listening, select.POLLHUP)
    assert poll.poll(10_000), "the pipe has nobody at its other end"
    os.close(listening)


def test_rows_are_packed_without_their_padding() -> None:
    assert grey_picture(2, 2, 4, b"ab..cd..") == b"P5\n2 2\n255\nabcd"


def test_the_setting_names_languages_and_no_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.from_mapping({"ocr": "deu+script/Latin"}, "here").ocr == "deu+script/Latin"
    for written in ("--help", "eng osd", "eng;rm", 3, "../x"):
        with pytest.raises(ConfigError):
            config.from_mapping({"ocr": written}, "here")


@pytest.mark.usefixtures("tesseract")
def test_the_indexer_reads_as_the_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_HOME", os.fspath(tmp_path / "home"))
    config.save(config.Config(ocr="fra"))
    with configured_parser() as parser:
        assert "-l fra on page 1" in parser.read(scanned(tmp_path)).text
