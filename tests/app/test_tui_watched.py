"""Saved searches that are watched: what is new beside their names, and the file that remembers what was there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fakes import FakeLibrary, ports
from piloting import WIDE, pressed, settle, written

from app.tui.app import CarrelApp
from app.tui.settings_file import SettingsFile
from app.tui.watched_file import WatchedFile, document_hash
from engine.config import Config


def beside(text: str, name: str) -> str:
    """Return the line of the screen that a saved search stands on."""
    return next(
        line for line in text.splitlines() if (name in line and "·" in line) or line.strip(" ▌").startswith(name)
    )


async def test_a_watched_search_tells_how_many_notes_are_new_until_it_is_looked_at(
    library: FakeLibrary, tmp_path: Path
) -> None:
    watched = WatchedFile(tmp_path / "state/watched.json")
    settings = SettingsFile(config=Config(saved={"doughs": "starter", "zebra": "stove"}))
    app = CarrelApp(replace(ports(library), settings=settings, watched=watched))
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        await pressed(pilot, "f6")
        assert "f8 watch, or no more" in written(pilot)
        await pressed(pilot, "f8")
        assert "watched · starter" in beside(written(pilot), "doughs")
        await pressed(pilot, "escape")
        library.notes["new/kit.md"] = "# Kit\n\nThe starter of this kit is a starter for a starter.\n"
        await pressed(pilot, "f6")
        assert "1 new · starter" in beside(written(pilot), "doughs")
        assert "new" not in beside(written(pilot), "zebra")  # which nobody watches
        await pressed(pilot, "enter", "f6", "down")
        assert "watched · starter" in beside(written(pilot), "doughs")
        await pressed(pilot, "f8")
        assert "watched" not in beside(written(pilot), "doughs")
        await pressed(pilot, "f8", "delete")
        assert watched.seen("doughs") is None and settings.config.saved == {"zebra": "stove"}


def test_what_was_seen_is_kept_privately_and_a_damaged_file_watches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state/watched.json"
    WatchedFile(path).keep("doughs", [document_hash(b"/notes/secret.md")])
    assert WatchedFile(path).seen("doughs") == {document_hash(b"/notes/secret.md")}
    assert b"secret" not in path.read_bytes() and path.stat().st_mode & 0o077 == 0
    for damaged in (b"\xff", b"[1]", b'{"doughs": 7}', b"[" * 100_000):
        path.write_bytes(damaged)
        assert WatchedFile(path).seen("doughs") is None
    WatchedFile(path).keep("doughs", [])
    assert WatchedFile(path).seen("doughs") == frozenset()
    WatchedFile(path).forget("doughs")
    assert WatchedFile(path).seen("doughs") is None
