"""Files that changed with their size and time kept are found: by their ctime, and by a slow look at their bytes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from notes import library_of

from engine.indexing import content_check
from engine.library import Library

pytestmark = pytest.mark.usefixtures("unfitted")

DAY = 86_400


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    return library_of(tmp_path, {name: f"# {name}\n\nThe dipper {name}.\n" for name in ("c.md", "d.md")}, fitted=False)


def change_in_place(path: Path) -> None:
    """Change a word of a file, and keep its size and its modification time."""
    before = path.stat()
    path.write_text(path.read_text().replace("dipper", "dapper"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def days_later(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    """Let the library believe that so many days have gone by since it looked at anything."""
    now: Callable[[], float] = time.time
    monkeypatch.setattr(content_check.time, "time", lambda: now() + days * DAY)


def test_a_file_whose_time_was_set_back_is_found_by_its_ctime(library: Library, tmp_path: Path) -> None:
    change_in_place(tmp_path / "notes/c.md")
    assert library.sync().updated == 1
    assert [hit.path for hit in library.search("dapper").hits[:1]] == [os.fsencode(tmp_path / "notes/c.md")]
    assert library.sync().unchanged == 2


def test_a_file_that_only_got_other_rights_is_looked_at_once(library: Library, tmp_path: Path) -> None:
    (tmp_path / "notes/c.md").chmod(0o600)
    report = library.sync()
    assert (report.updated, report.unchanged) == (0, 2)
    with library._file.reading() as connection:
        assert connection.execute("SELECT count(*) FROM content_check").get == 1


def test_what_no_stat_tells_is_found_within_days(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (tmp_path / "notes").iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))  # long ago: what was just written is read once more anyway
    library.sync()
    change_in_place(tmp_path / "notes/c.md")
    with library._file.writing() as connection:  # as if the file system gave no ctime
        connection.execute("INSERT OR REPLACE INTO content_check SELECT id, ? FROM document", (time.time() + 3_600,))
    assert library.sync().updated == 0
    days_later(monkeypatch, 8)
    assert library.sync().updated == 1


def test_only_so_much_is_looked_at_in_one_sync_the_longest_unseen_first(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with library._file.reading() as connection:
        assert content_check.due(connection) == ()
        days_later(monkeypatch, 8)
        assert len(content_check.due(connection)) == 2
        monkeypatch.setattr(content_check, "BYTES_AT_ONCE", 1)
        assert [os.path.basename(path) for path in content_check.due(connection)] == [b"c.md"]


def test_the_doctor_tells_how_long_ago_the_bytes_were_looked_at(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> tuple[bool, int, str]:
        check = next(each for each in library.check() if each.name == "contents")
        return check.ok, check.count, check.detail

    assert said() == (True, 0, "the bytes of every file were held against the index today")
    days_later(monkeypatch, 40)
    ok, count, detail = said()
    assert (ok, count) == (True, 2)
    assert "2 of 2 files were not held against their bytes for a month" in detail


def test_documents_whose_files_are_held_to_be_gone_keep_no_other_file_from_being_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    library = library_of(
        tmp_path, {f"{number}.md": f"# {number}\n\nThe dipper.\n" for number in range(25)}, fitted=False
    )
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept.md").write_text("# Kept\n\nThe dapper.\n")
    library.add(other)
    library.sync()
    for path in (tmp_path / "notes").iterdir():
        path.unlink()
    (tmp_path / "notes/left.md").write_text("# Left\n")
    assert library.sync().held == 25
    days_later(monkeypatch, 8)
    monkeypatch.setattr(content_check, "FILES_AT_ONCE", 10)
    with library._file.reading() as connection:
        assert os.fsencode(other / "kept.md") in content_check.due(connection)
