"""`carrel backup`, `restore` and `compact` on the real engine."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from cli_fakes import Call
from indexed_notes import NOTES, documents, found, indexed

from engine.paths import places
from engine.store import models, vector_tables
from engine.store.connection import open_reader, open_writer, prepare
from engine.store.lock import IndexerLock
from engine.store.migrations import MIGRATIONS, migrate, newest_version, version

__all__ = ["indexed"]


def test_a_backup_brings_everything_back(carrel: Call, indexed: Path) -> None:
    before = found(carrel, "starter")
    saved = carrel("backup", "carrel.backup", "--json").json
    assert (saved["documents"], saved["path"]) == (3, str(Path("carrel.backup").absolute()))
    assert stat.S_IMODE(os.stat("carrel.backup").st_mode) == 0o600
    for name in NOTES:
        (indexed / name).unlink()
    carrel("sync")
    assert documents(carrel) == 0

    restored = carrel("restore", "carrel.backup", "--json").json

    assert restored["documents"] == 3
    assert Path(restored["kept"]["path"]).is_file()
    assert found(carrel, "starter") == before
    assert carrel("doctor").code == 0


def as_version_1(backup: Path, older: Path) -> None:
    """Write what a backup holds into a library as the first Carrel made it."""
    older.touch()
    with closing(apsw.Connection(str(older))) as conn:
        prepare(conn, 1000)
        migrate(conn, older, migrations=MIGRATIONS[:1])
        conn.execute("ATTACH ? AS newer", (str(backup),))
        for table in ("folder", "document", "passage", "model", "calibration", "meta"):
            there = {row[1] for row in conn.execute(f"PRAGMA newer.table_info({table})")}
            known = [row[1] for row in conn.execute(f"PRAGMA main.table_info({table})")]
            columns = ", ".join(f'"{name}"' for name in known if name in there)
            conn.execute(f"INSERT INTO main.{table}({columns}) SELECT {columns} FROM newer.{table}")
        conn.execute("DELETE FROM meta WHERE key = 'words_made_by'")
        for model in models.every(conn):
            name = vector_tables.table(model.id)
            conn.execute(str(conn.execute("SELECT sql FROM newer.sqlite_master WHERE name = ?", (name,)).get))
            conn.execute(f"INSERT INTO main.{name}(rowid, embedding) SELECT rowid, embedding FROM newer.{name}")
        conn.execute("INSERT INTO passage_fts(passage_fts) VALUES('rebuild')")


def test_a_backup_of_an_older_carrel_is_brought_up_to_date(carrel: Call, indexed: Path) -> None:
    before = found(carrel, "starter")
    carrel("backup", "carrel.backup")
    as_version_1(Path("carrel.backup"), Path("older.backup"))
    assert carrel("restore", "older.backup", "--json").code == 0
    assert found(carrel, "starter") == before
    with closing(open_reader(places().library)) as conn:
        assert version(conn) == newest_version()
        assert not conn.execute("SELECT 1 FROM sqlite_schema WHERE name = 'event'").fetchall()
    assert [name for name in os.listdir(places().library.parent) if ".part-" in name or "before-v" in name] == []
    assert carrel("doctor").code == 0


def test_a_backup_is_taken_while_an_indexer_writes(carrel: Call, indexed: Path) -> None:
    library, stop = places().library, threading.Event()

    def write_on() -> None:
        conn = open_writer(library)
        while not stop.is_set():
            conn.execute("INSERT INTO request(kind, requested_at) VALUES('x', 1.5)")
        conn.close()

    with IndexerLock(library).acquire("watching"):
        writer = threading.Thread(target=write_on)
        writer.start()
        try:
            assert [carrel("backup", "b").code for _ in range(3)] == [0, 0, 0]
        finally:
            stop.set()
            writer.join()
    assert carrel("doctor", "--library", "b").code == 0


@pytest.mark.parametrize("part", ["", "-wal", ".lock"])
def test_a_backup_onto_the_library_itself_is_refused(carrel: Call, indexed: Path, part: str) -> None:
    library = places().library
    ended = carrel("backup", str(library) + part)
    assert ended.code == 2
    assert "is the library itself" in ended.err
    assert documents(carrel) == 3


def test_a_backup_through_a_link_to_the_library_is_refused(carrel: Call, indexed: Path) -> None:
    Path("link").symlink_to(places().library)
    assert "is the library itself" in carrel("backup", "link").err
    assert "is the library itself" in carrel("restore", "link").err


def test_a_backup_never_replaces_what_is_no_library(carrel: Call, indexed: Path) -> None:
    Path("thesis.txt").write_text("years of work")
    ended = carrel("backup", "thesis.txt")
    assert ended.code == 2
    assert Path("thesis.txt").read_text() == "years of work"


def test_a_backup_needs_a_folder_to_lie_in(carrel: Call, indexed: Path) -> None:
    assert "There is no folder" in carrel("backup", "nowhere/b").err
    assert "is a folder" in carrel("backup", ".").err


@pytest.mark.parametrize("command", [("restore", "b"), ("compact",), ("restore", "--rebuild"), ("import", "x.jsonl")])
def test_what_replaces_the_library_waits_for_the_indexer(carrel: Call, indexed: Path, command: tuple[str, ...]) -> None:
    carrel("backup", "b")
    carrel("export", "x.jsonl")
    with IndexerLock(places().library).acquire("watching"):
        ended = carrel(*command)
    assert ended.code == 3
    assert "the task 'watching'" in ended.err


def test_what_a_killed_backup_left_is_removed_by_the_next(carrel: Call, indexed: Path) -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    dead, alive = Path(f".b.part-{child.pid}"), Path(f".b.part-{os.getppid()}")
    for draft in (dead, dead.with_name(dead.name + "-journal"), alive):
        draft.write_bytes(b"half a backup")
    assert carrel("backup", "b").code == 0
    assert [each.name for each in Path().glob(".b.*")] == [alive.name]


def test_restore_wants_one_thing_to_restore_from(carrel: Call, indexed: Path) -> None:
    assert carrel("restore").code == 2
    assert carrel("restore", "x", "--rebuild").code == 2
    assert "There is no backup" in carrel("restore", "x").err


def test_beginning_anew_reads_the_folders_again(carrel: Call, indexed: Path) -> None:
    places().library.write_bytes(b"not a database at all, but something of that length" * 200)
    ended = carrel("doctor")
    assert ended.code == 1
    assert "carrel restore --rebuild" in ended.err
    assert carrel("search", "starter").code != 0

    rebuilt = carrel("restore", "--rebuild", "--json").json

    assert Path(rebuilt["kept"]["path"]).read_bytes().startswith(b"not a database")
    assert rebuilt["saved"]["folders"] == 0
    carrel("add", str(indexed))
    carrel("sync")
    assert carrel("doctor").code == 0
    assert "sourdough.md" in found(carrel, "starter")


# --- compaction ---------------------------------------------------------------------------------------------------


def test_compaction_tells_its_gain_and_changes_nothing_that_is_found(carrel: Call, indexed: Path) -> None:
    for number in range(150):
        (indexed / f"{number}.md").write_text(f"# Note {number}\n\n" + "words to be removed again " * 100)
    carrel("sync")
    for number in range(150):
        (indexed / f"{number}.md").unlink()
    carrel("sync", "--accept-removals", str(indexed))
    before = found(carrel, "starter")

    compacted = carrel("compact", "--json").json

    assert compacted["before"] - compacted["after"] == compacted["gained"] > 0
    assert compacted["share"] == pytest.approx(compacted["gained"] / compacted["before"], abs=1e-4)
    assert places().library.stat().st_size == compacted["after"]
    assert found(carrel, "starter") == before
    assert carrel("doctor").code == 0


def test_compaction_is_refused_where_the_disk_lacks_space(
    carrel: Call, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = places().library.read_bytes()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    ended = carrel("compact")
    assert ended.code == 1
    assert "too little space" in ended.err
    assert places().library.read_bytes() == before
