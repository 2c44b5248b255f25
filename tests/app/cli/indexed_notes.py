"""A few notes in a library of the real engine, with the fake encoder, read in this process, for commands to work on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from cli_fakes import Call
from fake_encoder import FakeEncoder

from app.cli import factories
from engine.library import Library
from engine.maintenance import Maintenance
from engine.records import Block, Document
from engine.retrieval import tier_calibration
from engine.sources import parser

NOTES = {
    "kitchen/sourdough.md": "# Sourdough\n\nFeed the starter with flour and water twice a day.\n",
    "kitchen/yeast.md": "# Yeast\n\nA fungus that makes bread rise.\n",
    "gear/stove.md": "# Camping stove\n\nThe electric starter must be kept dry.\n",
}


class TitledParser:
    """Reads Markdown notes of one paragraph; a child process for each test would take minutes."""

    def read(self, path: bytes, root: bytes | None = None) -> Document:
        text = Path(os.fsdecode(path)).read_text()
        title = text.partition("\n")[0].removeprefix("# ")
        return Document(text, title, True, "markdown", (Block("paragraph", len(title) + 2, len(text)),))

    def close(self) -> None:
        pass


def written_notes(notes: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write notes into the current folder, let `carrel` open libraries of the real engine, and return their folder."""

    def open_library(path: Path | None, *, create: bool = False) -> Library:
        return Library.open(path, create=create, encoder=FakeEncoder())  # type: ignore[arg-type]

    monkeypatch.setattr(factories, "open_library", open_library)
    monkeypatch.setattr(factories, "open_care", lambda path: Maintenance(path, FakeEncoder()))  # type: ignore[arg-type]
    for name, text in notes.items():
        (Path("notes") / name).parent.mkdir(parents=True, exist_ok=True)
        (Path("notes") / name).write_text(text)
    return Path("notes").absolute()


@pytest.fixture
def indexed(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write notes and index them, read in this process; the notes' folder."""
    monkeypatch.setattr(parser, "configured_parser", TitledParser)
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: None)  # seconds a library, and it only reads
    notes = written_notes(NOTES, monkeypatch)
    assert carrel("add", "notes").code == 0
    assert carrel("sync").code == 0
    return notes


def found(carrel: Call, *words: str) -> list[str]:
    """Return the names of the notes that a search finds."""
    results = carrel("search", *words, "--json").json["results"]
    return sorted({Path(one["path"]).name for one in results})


def documents(carrel: Call) -> int:
    """Return how many documents the library has."""
    return int(carrel("status", "--json").json["documents"])
