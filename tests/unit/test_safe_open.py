"""A folder is swapped for a link, or for another folder, while its files are read: nothing from outside gets in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from shelf import PlainParser, Shelf

from engine.indexing import file_reader
from engine.indexing.file_identity import Stat
from engine.records import Document
from engine.sources.readers import read_document
from engine.sources.safe_open import open_beneath

NAMES = [f"{number}.md" for number in range(4)]


class RealParser(PlainParser):
    """Reads as the parser's process does, here."""

    def read(self, path: bytes, root: bytes | None = None) -> Document:
        self.before_read(path)
        try:
            return read_document(path, None, root)
        finally:
            self.after_read(path)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    shelf = Shelf(tmp_path, parser=RealParser())
    for name in NAMES:
        shelf.write(f"d/{name}", f"# Inside\n\ninside {name}\n")
    return shelf


def other(tmp_path: Path, where: Path) -> Path:
    where.mkdir(parents=True)
    for name in NAMES:
        (where / name).write_text(f"# Outside\n\noutside {name}\n")
    return where


def swap(shelf: Shelf, place: Path) -> None:
    """Exchange the folder `d` and what lies at `place`."""
    aside = shelf.base / "aside"
    (shelf.notes / "d").rename(aside)
    place.rename(shelf.notes / "d")
    aside.rename(place)


def texts(shelf: Shelf) -> list[str]:
    return sorted(row[0] for row in shelf.conn.execute("SELECT text FROM passage"))


INSIDE = sorted(f"# Inside\n\ninside {name}\n" for name in NAMES)


@pytest.mark.parametrize("moment", ["while it is parsed", "while it is hashed", "from the hash on"])
@pytest.mark.parametrize("kind", ["link", "folder"])
def test_a_folder_swapped_while_it_is_read(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, moment: str
) -> None:
    place = tmp_path / "other"
    if kind == "link":
        place.symlink_to(other(tmp_path, tmp_path / "outside"))
    else:
        other(tmp_path, place)
    identity, turns = file_reader.identity, iter(range(3))

    def swapped(path: bytes, root: bytes) -> tuple[Stat, bytes]:
        if (turn := next(turns, None)) is None:
            return identity(path, root)
        swap(shelf, place)
        try:
            return identity(path, root)
        finally:
            if moment == "while it is hashed" or turn == 2:
                swap(shelf, place)

    with monkeypatch.context() as raced:
        if moment == "while it is parsed":
            shelf.parser.before_read = shelf.parser.after_read = lambda _: swap(shelf, place)
        else:
            raced.setattr(file_reader, "identity", swapped)
        shelf.sync()
        if kind == "link":
            assert not [text for text in texts(shelf) if "outside" in text]
        shelf.parser.before_read = shelf.parser.after_read = lambda _: None
    if (shelf.notes / "d").is_symlink() or "outside" in (shelf.notes / "d" / NAMES[0]).read_text():
        swap(shelf, place)
    shelf.sync()
    assert texts(shelf) == INSIDE
    assert shelf.failures() == {}


def test_no_link_below_the_root_is_followed(tmp_path: Path) -> None:
    inside = tmp_path / "notes" / "a" / "b"
    inside.mkdir(parents=True)
    (inside / "real.md").write_text("here")
    (inside / "link.md").symlink_to(inside / "real.md")
    (tmp_path / "notes" / "way").symlink_to(inside)
    (tmp_path / "root").symlink_to(tmp_path / "notes")
    root = os.fsencode(tmp_path / "root")  # the way to the root may hold links: the person chose it

    def content(path: str) -> bytes:
        descriptor = open_beneath(os.path.join(root, os.fsencode(path)), root)
        with open(descriptor, "rb") as file:
            return file.read()

    assert content("a/b/real.md") == b"here"
    for refused in ("a/b/link.md", "way/real.md", "a/../../outside", "../notes/a/b/real.md"):
        with pytest.raises(OSError):
            content(refused)
