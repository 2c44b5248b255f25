"""A document is found by its name in either Unicode form: macOS writes é as two code points, most people type one."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from cli_fakes import Call
from indexed_notes import TitledParser, written_notes

from engine.retrieval import tier_calibration
from engine.sources import parser

FORMS = ("NFC", "NFD")
TEXT = "# Coffee\n\nBeans from the roastery.\n"


def name_in(form: str, name: str = "Café crème.md") -> str:
    return unicodedata.normalize(form, name)  # type: ignore[arg-type]


@pytest.fixture(params=FORMS)
def stored(carrel: Call, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """Index a note whose name has one form; that form."""
    monkeypatch.setattr(parser, "configured_parser", TitledParser)
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: None)
    written_notes({f"kitchen/{name_in(request.param)}": TEXT}, monkeypatch)
    assert carrel("add", "notes").code == carrel("sync").code == 0
    return str(request.param)


@pytest.mark.parametrize("typed", FORMS)
def test_show_finds_a_name_in_either_form(carrel: Call, stored: str, typed: str) -> None:
    for path in (name_in(typed), f"kitchen/{name_in(typed)}", str(Path("notes/kitchen", name_in(typed)).absolute())):
        assert carrel("show", path).out == TEXT, (stored, typed, path)


@pytest.mark.parametrize("typed", FORMS)
def test_why_finds_a_name_in_either_form(carrel: Call, stored: str, typed: str) -> None:
    told = carrel("why", "beans", name_in(typed), "--json").json
    assert told["found"]
    assert told["path"].endswith(name_in(stored))


@pytest.mark.parametrize("typed", FORMS)
def test_open_finds_a_name_in_either_form(
    carrel: Call, stored: str, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.delenv("VISUAL", raising=False)
    assert carrel("open", name_in(typed)).code == 0


def test_of_two_names_that_differ_in_form_alone_the_one_that_was_typed_is_meant(
    carrel: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parser, "configured_parser", TitledParser)
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: None)
    written_notes({name_in(form): TEXT + form for form in FORMS}, monkeypatch)
    assert carrel("add", "notes").code == carrel("sync").code == 0
    for form in FORMS:
        assert carrel("show", name_in(form)).out.strip().endswith(form)
