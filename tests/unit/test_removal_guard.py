"""Documents stay where most of a folder is gone at once, until the files are back or the person lets them go."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from notes import library_of, write
from shelf import Shelf

from engine.events import Trouble
from engine.indexing import removal_run
from engine.library import Library
from engine.maintenance import Maintenance
from engine.paths import places
from engine.store import folders
from engine.store.connection import open_writer

pytestmark = pytest.mark.usefixtures("unfitted")

NOTES = {
    f"{number:02}.md": f"# Note {number}\n\nHarbour lantern number{number} of the comet.\n" for number in range(30)
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings in a place of this test's own."""
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "carrel"))


@pytest.fixture
def shelf(tmp_path: Path):
    made = Shelf(tmp_path)
    fill(made.notes)
    made.sync()
    yield made
    made.conn.close()


def fill(folder: Path) -> None:
    write(folder, NOTES)


def unlink_notes(folder: Path, number: int = len(NOTES)) -> None:
    for name in sorted(NOTES)[:number]:
        (folder / name).unlink()


def held(shelf: Shelf, folder: Path | None = None) -> int:
    found = folders.at(shelf.conn, os.fsencode(folder or shelf.notes))
    assert found is not None
    return found.held


def test_a_folder_that_is_suddenly_empty_keeps_its_documents_and_says_so_once(shelf: Shelf) -> None:
    before = shelf.contents()
    unlink_notes(shelf.notes)
    report = shelf.sync()
    assert (report.removed, report.held, held(shelf)) == (0, 30, 30)
    assert shelf.contents() == before
    (told,) = (event for event in shelf.events if isinstance(event, Trouble))
    assert "30 documents" in told.message and "--accept-removals" in told.fix
    assert shelf.sync().held == 30
    assert not any(isinstance(event, Trouble) for event in shelf.events)


def test_it_heals_by_itself_when_the_files_are_back(shelf: Shelf) -> None:
    before = shelf.contents()
    unlink_notes(shelf.notes)
    shelf.sync()
    fill(shelf.notes)
    report = shelf.sync()
    assert (report.held, held(shelf), report.embedded) == (0, 0, 0)
    assert shelf.contents() == before


def test_a_folder_that_comes_back_half_keeps_the_other_half(shelf: Shelf) -> None:
    unlink_notes(shelf.notes)
    shelf.sync()
    write(shelf.notes, dict(list(NOTES.items())[:20]))
    report = shelf.sync()
    assert (report.removed, report.held, len(shelf.documents())) == (0, 10, 30)
    report = shelf.sync(accept_removals=True)
    assert (report.removed, report.held, held(shelf), len(shelf.documents())) == (10, 0, 0, 20)


def test_a_folder_that_empties_file_by_file_is_held_back_at_its_half(shelf: Shelf) -> None:
    for name in sorted(NOTES)[:25]:
        (shelf.notes / name).unlink()
        shelf.sync()
    assert (len(shelf.documents()), held(shelf)) == (11, 6)
    fill(shelf.notes)
    shelf.sync()
    assert (len(shelf.documents()), held(shelf)) == (30, 0)


def test_removals_with_rests_between_them_do_not_add_up(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr(removal_run.time, "time", lambda: now[0])
    for name in sorted(NOTES):
        now[0] += removal_run.QUIET_SECONDS
        (shelf.notes / name).unlink()
        shelf.sync()
    assert (len(shelf.documents()), held(shelf)) == (0, 0)


def test_what_goes_and_comes_does_not_add_up(shelf: Shelf) -> None:
    for _ in range(2):
        for name in sorted(NOTES)[:19]:
            (shelf.notes / name).unlink()
            shelf.sync()
            write(shelf.notes, {name: NOTES[name]})
            shelf.sync()
    assert (len(shelf.documents()), held(shelf)) == (30, 0)


def test_accepted_removals_begin_a_new_count(shelf: Shelf) -> None:
    for name in sorted(NOTES)[:19]:
        (shelf.notes / name).unlink()
        shelf.sync()
    (shelf.notes / sorted(NOTES)[19]).unlink()
    assert shelf.sync(accept_removals=True).removed == 1
    (shelf.notes / sorted(NOTES)[20]).unlink()
    assert (shelf.sync().removed, held(shelf)) == (1, 0)


@pytest.mark.parametrize(("gone", "removed"), [(10, 10), (15, 15), (16, 16), (19, 19), (20, 0)])
def test_fewer_than_twenty_go_as_before(shelf: Shelf, gone: int, removed: int) -> None:
    unlink_notes(shelf.notes, gone)
    assert shelf.sync().removed == removed


def test_half_of_a_folder_goes_as_before(shelf: Shelf) -> None:
    write(shelf.notes / "more", NOTES)
    shelf.sync()
    shutil.rmtree(shelf.notes / "more")
    assert shelf.sync().removed == 30


def test_one_path_of_a_folder_that_is_gone_shows_that_all_of_it_is(shelf: Shelf) -> None:
    write(shelf.notes / "more", dict(list(NOTES.items())[:25]))
    shelf.sync()
    shutil.rmtree(shelf.notes / "more")
    unlink_notes(shelf.notes)
    report = shelf.sync(paths=[os.fsencode(shelf.notes / "more")])
    assert (report.removed, report.held, held(shelf)) == (0, 55, 55)


def test_a_file_that_comes_back_alone_is_no_longer_held(shelf: Shelf) -> None:
    unlink_notes(shelf.notes)
    shelf.sync()
    one = write(shelf.notes, {"00.md": NOTES["00.md"]}) / "00.md"
    assert shelf.sync(paths=[os.fsencode(one)]).held == 29
    assert held(shelf) == 29


def test_two_folders_at_once_are_held_and_let_go_one_by_one(shelf: Shelf) -> None:
    other = shelf.add_folder("other")
    fill(other)
    shelf.sync()
    unlink_notes(shelf.notes)
    unlink_notes(other)
    assert shelf.sync().held == 60
    report = shelf.sync(paths=[os.fsencode(other)], accept_removals=True)
    assert (report.removed, held(shelf), held(shelf, other)) == (30, 30, 0)


def test_other_files_in_their_place_do_not_make_it_half(shelf: Shelf) -> None:
    unlink_notes(shelf.notes)
    write(shelf.notes / "branch", {f"new{name}": text + "more\n" for name, text in (NOTES | NOTES).items()})
    write(shelf.notes / "branch", {f"two{name}": text + "most\n" for name, text in NOTES.items()})
    report = shelf.sync()
    assert (report.added, report.removed, report.held) == (60, 0, 30)


def test_a_folder_that_empties_while_it_is_read_keeps_its_documents(shelf: Shelf) -> None:
    def unmounted(path: bytes) -> None:
        for name in NOTES:
            (shelf.notes / name).unlink(missing_ok=True)

    shelf.parser.before_read = unmounted
    report = shelf.sync(full=True)
    assert report.removed == 0
    assert len(shelf.documents()) + len(shelf.failures()) == 30
    assert shelf.sync().held == 30


def test_what_a_rule_leaves_out_goes_though_it_is_most(shelf: Shelf) -> None:
    (shelf.notes / ".carrelignore").write_text("*.md\n")
    assert shelf.sync().removed == 30


def test_moved_files_are_moved_and_not_held(shelf: Shelf) -> None:
    (shelf.notes / "deep").mkdir()
    for name in NOTES:
        (shelf.notes / name).rename(shelf.notes / "deep" / name)
    report = shelf.sync()
    assert (report.moved, report.held) == (30, 0)


def test_the_setting_switches_it_off(shelf: Shelf) -> None:
    settings = places().settings
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("hold_back = false\n")
    unlink_notes(shelf.notes)
    assert shelf.sync().removed == 30


def test_it_is_known_after_a_restart_and_removing_the_folder_ends_it(tmp_path: Path) -> None:
    library_of(tmp_path, NOTES).close()
    unlink_notes(tmp_path / "notes")
    with Library.open(tmp_path / "library.carrel", encoder=FakeEncoder()) as library:
        assert library.sync().held == 30
    with Library.open(tmp_path / "library.carrel", encoder=FakeEncoder()) as library:
        assert library.sync().held == 30
        assert library.search("harbour lantern number7").hits
        (folder,) = library.folders()
        assert (folder.held, folder.documents) == (30, 30)
        assert library.status(stale=True).stale == 0
        note = tmp_path / "notes" / "07.md"
        report = library.why("harbour lantern number7", note)
        assert report.found
        assert "its file is gone" in report.stages[0].detail
        assert any("--accept-removals" in advice for advice in report.advice)
        fresh = next(c for c in Maintenance(library.path, FakeEncoder()).check().checks if c.name == "up to date")
        assert fresh.ok and fresh.count == 30 and "30 documents" in fresh.detail
        assert library.remove(tmp_path / "notes") == 30
        assert library.folders() == ()


def test_a_sync_that_was_killed_before_it_wrote_down_the_hold_holds_the_next_time(shelf: Shelf) -> None:
    unlink_notes(shelf.notes)

    class Killed(BaseException):
        pass

    def die(event: object) -> None:
        raise Killed

    with pytest.raises(Killed):
        shelf.sync(on_event=die)
    shelf.conn.close()
    shelf.conn = open_writer(shelf.library)
    assert (shelf.sync().held, len(shelf.documents())) == (30, 30)


def test_what_has_gone_counts_though_the_sync_gave_way_behind_it(shelf: Shelf) -> None:
    class BehindTheRemoval:
        def is_set(self) -> bool:
            return len(shelf.documents()) < 30

    for name in sorted(NOTES)[:12]:
        (shelf.notes / name).unlink()
    assert shelf.sync(meaning=False, stop=BehindTheRemoval()).removed == 12
    for name in sorted(NOTES)[12:24]:
        (shelf.notes / name).unlink()
    assert (shelf.sync().held, len(shelf.documents())) == (12, 18)
