"""The indexer lock: one holder, who can be read, and who frees it however it ends."""

from __future__ import annotations

import errno
import fcntl
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import LibraryBusy, LibraryFull
from engine.store import lock
from engine.store.lock import IndexerLock, events_of, holder, lock_file

HOLD = """
import sys
from pathlib import Path
from engine.store.lock import IndexerLock
with IndexerLock(Path(sys.argv[1])).acquire("sync", Path("/run/events.jsonl")):
    print("held", flush=True)
    sys.stdin.read()
"""


def holding_process(library: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(library)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_nobody_holds_a_library_that_was_never_locked(tmp_path: Path) -> None:
    assert holder(tmp_path / "library.carrel") is None


def test_the_holder_can_be_read_while_it_holds_and_not_after(tmp_path: Path) -> None:
    library = tmp_path / "library.carrel"
    with IndexerLock(library).acquire("compact"):
        found = holder(library)
        assert found is not None
        assert (found.pid, found.task) == (os.getpid(), "compact")
        assert found.since > 0
    assert holder(library) is None


def test_another_process_is_refused_and_told_who_holds_the_lock(tmp_path: Path) -> None:
    library = tmp_path / "library.carrel"
    process = holding_process(library)
    try:
        with pytest.raises(LibraryBusy, match=rf"{process.pid}.*'sync'"), IndexerLock(library).acquire("repair"):
            pass
        assert events_of(library) == Path("/run/events.jsonl")
    finally:
        process.kill()
        process.communicate()


def test_a_holder_that_is_killed_frees_the_lock(tmp_path: Path) -> None:
    library = tmp_path / "library.carrel"
    process = holding_process(library)
    process.kill()
    process.communicate()
    assert json.loads(lock_file(library).read_text())["pid"] == process.pid
    assert holder(library) is None
    with IndexerLock(library).acquire("sync"):
        found = holder(library)
        assert found is not None
        assert found.pid == os.getpid()


def test_a_lock_is_freed_when_its_task_fails(tmp_path: Path) -> None:
    library = tmp_path / "library.carrel"
    with pytest.raises(ZeroDivisionError), IndexerLock(library).acquire("sync"):
        raise ZeroDivisionError
    assert holder(library) is None


def test_a_lock_file_with_nonsense_in_it_still_says_that_somebody_holds_it(tmp_path: Path) -> None:
    library = tmp_path / "library.carrel"
    with IndexerLock(library).acquire("sync"):
        lock_file(library).write_bytes(b"\xff{")
        found = holder(library)
        assert found is not None
        assert found.task == "starting"


def test_one_who_asks_for_long_who_holds_the_lock_makes_no_taker_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "library.carrel"
    process = holding_process(library)
    process.kill()
    process.communicate()  # so that the file names a holder that is dead
    asking = os.open(lock_file(library), os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH)
    pauses = itertools.count(1)

    def pause(seconds: float) -> None:
        if next(pauses) == 2 * lock.ATTEMPTS:
            os.close(asking)

    monkeypatch.setattr(lock.time, "sleep", pause)
    with IndexerLock(library).acquire("sync"):
        assert next(pauses) == 2 * lock.ATTEMPTS + 1


def test_a_lock_that_is_held_is_refused_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "library.carrel"
    pauses: list[float] = []
    with IndexerLock(library).acquire("sync"):
        monkeypatch.setattr(lock.time, "sleep", pauses.append)
        with pytest.raises(LibraryBusy), IndexerLock(library).acquire("repair"):
            pass
    assert sum(pauses) < 0.3


def test_a_full_disk_is_told_where_the_holder_cannot_be_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    library = tmp_path / "library.carrel"
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(LibraryFull), IndexerLock(library).acquire("sync"):
        pass
    monkeypatch.undo()
    with IndexerLock(library).acquire("sync"):
        pass
