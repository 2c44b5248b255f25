"""The library remembers when it was last checked, and what was found."""

from __future__ import annotations

import os
import time
from pathlib import Path

import apsw
import pytest

from engine.library import Library


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "notes.carrel"
    Library.open(place, create=True).close()
    return place


def test_a_new_library_was_never_checked(path: Path) -> None:
    with Library.open(path) as library:
        assert library.status().checked is None


def test_a_check_is_remembered_for_the_next_start(path: Path) -> None:
    before = time.time()
    with Library.open(path) as library:
        faults = sum(not check.ok for check in library.check())
    with Library.open(path) as library:
        checked = library.status().checked
    assert checked is not None and checked.faults == faults
    assert before <= checked.at <= time.time()


@pytest.mark.parametrize("kept", ["", "{}", "[1]", '{"at": "x", "faults": 0}', b"\xff"])
def test_a_damaged_record_of_a_check_counts_as_none(path: Path, kept: str | bytes) -> None:
    conn = apsw.Connection(os.fspath(path))
    conn.execute("INSERT INTO meta(key, value) VALUES('last_check', ?)", (kept,))
    conn.close()
    with Library.open(path) as library:
        assert library.status().checked is None


def test_faults_are_remembered(path: Path) -> None:
    conn = apsw.Connection(os.fspath(path))
    conn.execute("PRAGMA foreign_keys = off")
    conn.execute(
        "INSERT INTO document(folder_id, path, path_text, title, title_written, kind, size, mtime_ns, inode, device,"
        " indexed_at) VALUES(99, x'61', 'a', 'a', 0, 'text', 1, 1, 1, 1, 1.0)"
    )
    conn.close()
    with Library.open(path) as library:
        faults = sum(not check.ok for check in library.check())
        checked = library.status().checked
    assert faults > 0
    assert checked is not None and checked.faults == faults


def test_a_check_that_cannot_be_written_down_is_told_all_the_same(path: Path) -> None:
    writer = apsw.Connection(os.fspath(path))
    writer.execute("BEGIN IMMEDIATE")
    try:
        with Library.open(path) as library:
            assert library.check()
            assert library.status().checked is None
    finally:
        writer.close()
