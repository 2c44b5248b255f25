"""Indexed collections in the cache: used again, told of, and gone when no run used them for long."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from tiny_training import make_collection

from app.cli.entry import run as carrel
from engine.atomic_files import exclusive
from engine.store.connection import open_reader
from training import collection_libraries

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("unfitted")]

DAY = 86_400


class GivenUp(Exception):
    """A run was cancelled."""


def test_a_run_that_waits_for_another_ones_collection_can_be_cancelled(home: Path) -> None:
    collection = make_collection(home / "one", 3)
    told: list[int] = []

    def cancelled(done: int) -> None:
        told.append(done)
        raise GivenUp

    cache = collection_libraries._cache()
    cache.mkdir(parents=True)
    with exclusive(cache), pytest.raises(GivenUp):
        collection_libraries.library_of(collection, FakeEncoder(), cancelled)  # type: ignore[arg-type]
    assert told == [0]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARREL_HOME", str(tmp_path / "home"))
    return tmp_path


def indexed(folder: Path, documents: int) -> Path:
    if not folder.exists():
        make_collection(folder, documents)
    return collection_libraries.library_of(folder, FakeEncoder(), lambda _: None)  # type: ignore[arg-type]


def age(path: Path, days: int) -> None:
    moment = time.time() - days * DAY
    os.utime(path, (moment, moment))


def test_a_collection_is_indexed_once_and_what_is_in_use_stays(home: Path) -> None:
    path = indexed(home / "one", 5)
    before = path.stat().st_ino
    age(path, 400)
    assert indexed(home / "one", 5) == path
    assert path.stat().st_ino == before
    assert time.time() - path.stat().st_mtime < DAY


def test_two_runs_that_index_one_collection_at_the_same_time_both_get_it_whole(home: Path) -> None:
    make_collection(home / "one", 100)
    begun, other_began = threading.Event(), threading.Event()

    def first() -> Path:
        def on_indexed(_: int) -> None:
            begun.set()
            other_began.wait(120)

        return collection_libraries.library_of(home / "one", FakeEncoder(), on_indexed)  # type: ignore[arg-type]

    def second() -> Path:
        assert begun.wait(120)
        other_began.set()
        return indexed(home / "one", 100)

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.submit(first), pool.submit(second)
        assert one.result() == other.result()
    connection = open_reader(other.result())
    assert connection.execute("SELECT count(*) FROM document").get == 100
    connection.close()
    assert collection_libraries.kept()[1] == 1


def test_what_no_run_used_for_long_goes_when_another_is_used(home: Path) -> None:
    old, recent = indexed(home / "one", 5), indexed(home / "two", 6)
    rest = Path(f"{old}-wal")
    rest.touch()
    broken = old.with_suffix(".part")
    broken.write_bytes(b"killed in the midst")
    age(old, collection_libraries.UNUSED_DAYS + 1)
    age(broken, collection_libraries.UNUSED_DAYS + 1)
    age(recent, collection_libraries.UNUSED_DAYS - 1)
    another = indexed(home / "three", 7)
    assert recent.exists() and another.exists()
    assert not (old.exists() or rest.exists() or broken.exists())


def test_the_command_line_says_where_they_lie_and_how_large_they_are(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carrel(["runs"]) == 0
    assert "collection" not in capsys.readouterr().err
    path = indexed(home / "one", 5)
    assert carrel(["runs"]) == 0
    told = capsys.readouterr().err
    assert "Indexed for `retrain --collection`: 1 library, " in told
    assert str(path.parent) in told
    assert "30 days" in told
