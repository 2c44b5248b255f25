"""A disk that is full or fails at any call: the person is told, nothing that was saved is lost, and it goes on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from fake_encoder import FakeEncoder
from faulty_disk import FaultyDisk, faulty_disk
from notes import write
from shelf import PlainParser, contents

from engine.errors import CarrelError, LibraryFull
from engine.library import Library
from engine.maintenance import Maintenance
from engine.retrieval import tier_calibration
from engine.sources import parser
from engine.store import integrity
from engine.store.connection import open_reader, open_writer

NOTES = {
    "soil.md": "# Soil\n\nClay holds water.\n\n## Sand\n\nSand lets it go.\n",
    "seeds/beans.md": "# Beans\n\nSow them in May.\n",
    "seeds/kale.md": "# Kale\n\nIt stands the frost.\n",
}
CHANGED = {"soil.md": "# Soil\n\nClay holds water, and silt more.\n", "seeds/peas.md": "# Peas\n\nSow them early.\n"}


class Prepared:
    """A library that agrees with its notes, and notes that have changed since."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = write(folder / "notes", NOTES)
        self.library = folder / "library.carrel"
        with Library.open(self.library, create=True, encoder=FakeEncoder()) as library:
            library.add(self.notes)
            library.sync()
        shutil.copyfile(self.library, folder / "before")
        write(self.notes, CHANGED)
        (self.notes / "seeds/kale.md").unlink()
        with Library.open(folder / "fresh.carrel", create=True, encoder=FakeEncoder()) as library:
            library.add(self.notes)
            library.sync()
        self.fresh = read(folder / "fresh.carrel")

    def again(self) -> Path:
        """Put the library back as it was before the notes changed."""
        for each in self.folder.glob("library.carrel*"):
            each.unlink()
        shutil.copyfile(self.folder / "before", self.library)
        self.library.chmod(0o600)
        return self.library


def read(library: Path) -> dict[tuple, bytes]:
    reader = open_reader(library)
    try:
        assert [check for check in integrity.checks(reader) if not check.ok] == []
        return contents(reader)
    finally:
        reader.close()


def read_here(patched: pytest.MonkeyPatch) -> None:
    """Read files in this process and keep the tiers as they are, for a child and a fit a sync would take minutes."""
    patched.setattr(parser, "configured_parser", PlainParser)
    patched.setattr(tier_calibration, "refit", lambda *_: None)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CARREL_HOME", str(tmp_path_factory.mktemp("home")))
        read_here(patched)
        return Prepared(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FaultyDisk]:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    read_here(monkeypatch)
    with faulty_disk(monkeypatch) as disk:
        yield disk


def sync(library: Path) -> None:
    """Sync as a process of its own would: open, index, close."""
    with Library(library, FakeEncoder(), read_only=False) as opened:  # `open` would read beside the exclusive writer
        opened.sync()


def calls_of_a_sync(prepared: Prepared, disk: FaultyDisk) -> list[str]:
    library = prepared.again()
    disk.mend()
    sync(library)
    return list(disk.calls)


@pytest.mark.parametrize("lasts", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError], ids=["full", "input-output error"])
def test_a_sync_survives_a_disk_that_fails_at_any_call(
    prepared: Prepared, disk: FaultyDisk, error: type[apsw.Error], lasts: bool
) -> None:
    calls = calls_of_a_sync(prepared, disk)
    assert {"write", "sync"} <= set(calls)
    told = 0
    tried = range(1, len(calls) + 1, 3 if lasts else 1)
    for number in tried:
        library = prepared.again()
        disk.fail_at(number, error, lasts=lasts)
        try:
            sync(library)
        except LibraryFull as failure:
            told += 1
            assert failure.fix.startswith("Free some space")
        disk.mend()
        sync(library)
        assert contents_over(library) == prepared.fresh
    assert told > len(tried) / 2


def contents_over(library: Path) -> dict[tuple, bytes]:
    conn = open_writer(library)
    try:
        assert [check for check in integrity.checks(conn) if not check.ok] == []
        return contents(conn)
    finally:
        conn.close()


def test_a_backup_onto_a_full_disk_leaves_the_one_before(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = prepared.again()
    target = tmp_path / "carrel.backup"
    Maintenance(library).back_up(target)
    before = target.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CarrelError, match="No space left on device"):
        Maintenance(library).back_up(target)
    assert target.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["carrel.backup"]
