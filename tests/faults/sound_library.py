"""A library that agrees with its notes, to be copied and damaged, and what tells whether it is as before."""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest
from fake_encoder import FakeEncoder
from notes import write
from shelf import PlainParser, contents

from engine.library import Library
from engine.maintenance import Maintenance
from engine.records import Check
from engine.retrieval import tier_calibration
from engine.sources import parser
from engine.store.connection import open_reader, open_writer

WORDS = ("granite", "violin", "harbour", "tulip", "comet", "ledger", "saddle", "lantern", "walnut", "glacier")
NOTES = {
    f"{word}/{number}.md": f"# {word.title()} {number}\n\n"
    + "\n\n".join(f"{word} {one} {number}" for one in WORDS * 12)
    for number, word in enumerate(WORDS)
}


class Sound:
    """A library that agrees with its notes, to be copied and damaged."""

    def __init__(self, folder: Path) -> None:
        self.notes = write(folder / "notes", NOTES)
        self.file = folder / "sound.carrel"
        with Library.open(self.file, create=True, encoder=FakeEncoder()) as library:
            library.add(self.notes)
            library.sync()
        conn = open_writer(self.file)
        conn.execute("INSERT INTO judgement(at, query, passage_hash, path, grade) VALUES(1.5, 'q', x'00', x'2f61', 2)")
        conn.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self.contents = contents(conn)
        self.model = int(conn.execute("SELECT id FROM model").get)
        self.passages = len(self.contents)
        conn.close()
        self.backup = folder / "carrel.backup"
        Maintenance(self.file).back_up(self.backup)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CARREL_HOME", str(tmp_path_factory.mktemp("home")))
        patched.setattr(parser, "configured_parser", PlainParser)
        patched.setattr(tier_calibration, "refit", lambda *_: None)
        return Sound(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def library(sound: Sound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(parser, "configured_parser", PlainParser)  # a child for each sync would take minutes
    monkeypatch.setattr(tier_calibration, "refit", lambda *_: None)  # and so would fitting the tiers
    path = tmp_path / "library.carrel"
    shutil.copy(sound.file, path)
    path.chmod(0o600)
    return path


def care(library: Path) -> Maintenance:
    return Maintenance(library, FakeEncoder())


def faults(library: Path) -> list[Check]:
    return [check for check in care(library).check().checks if not check.ok]


def assert_as_before(library: Path, sound: Sound) -> None:
    assert faults(library) == []
    reader = open_reader(library)
    assert contents(reader) == sound.contents
    reader.close()
    with Library.open(library, encoder=FakeEncoder()) as opened:
        assert opened.search("harbour tulip").hits
