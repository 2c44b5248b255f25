"""`carrel remove`, `remove --undo` and `add` on the real engine: what is forgotten is gone, and can be taken back."""

from __future__ import annotations

import os
import queue
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import Call
from fake_encoder import FakeEncoder
from indexed_notes import documents, found, indexed

from engine.indexing import removed_folders
from engine.library import Library
from engine.paths import places

__all__ = ["indexed"]


class Counting(FakeEncoder):
    """Counts the passages that are embedded."""

    embedded = 0

    def encode_passages(self, texts: Any) -> Any:
        Counting.embedded += len(texts)
        return super().encode_passages(texts)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> type[Counting]:
    """Count what is embedded from now on."""
    Counting.embedded = 0
    opened = Library.open

    def open_counting(path: Path | None = None, **options: Any) -> Library:
        return opened(path, **{**options, "encoder": Counting()})

    monkeypatch.setattr(Library, "open", open_counting)
    return Counting


def test_a_forgotten_folder_is_gone_everywhere_and_comes_back_whole(
    carrel: Call, indexed: Path, counted: type[Counting]
) -> None:
    before = found(carrel, "starter")
    with Library.open() as library:
        titles = {each.path: each.title for each in library.documents_named("")}
    ended = carrel("remove", "--yes", str(indexed))
    assert ended.out == "Forgotten: notes, with 3 documents\n"
    assert "carrel remove --undo notes" in ended.err

    assert (documents(carrel), found(carrel, "starter")) == (0, [])
    assert carrel("show", "yeast.md").code == 2
    why = carrel("why", "starter", str(indexed / "kitchen/sourdough.md"), "--json").json
    assert "was forgotten" in why["stages"][0]["detail"]
    assert "carrel remove --undo" in why["advice"][0]
    (waiting,) = carrel("folders", "--json").json["forgotten"]
    assert (waiting["path"], waiting["documents"]) == (str(indexed), 3)
    assert carrel("doctor").code == 0

    back = carrel("remove", "--undo", str(indexed), "--json").json

    assert back["taken_back"] == [{"path": str(indexed), "documents": 3}]
    assert counted.embedded == 0
    assert found(carrel, "starter") == before
    with Library.open() as library:
        assert {each.path: each.title for each in library.documents_named("")} == titles
    assert carrel("folders", "--json").json["forgotten"] == []
    assert not removed_folders._place(places().library).exists()
    assert carrel("doctor").code == 0


def test_adding_a_forgotten_folder_again_brings_it_back_with_its_rules(
    carrel: Call, indexed: Path, counted: type[Counting]
) -> None:
    with Library.open() as library:
        library.set_folder_rules(os.fsencode(indexed), ["*.tmp"])
    carrel("remove", "--yes", str(indexed))
    (indexed / "kitchen/yeast.md").unlink()
    (indexed / "new.md").write_text("# New\n\nWritten in between.\n")

    carrel("add", str(indexed))
    report = carrel("sync", "--json").json

    assert (report["added"], report["removed"], counted.embedded) == (1, 1, 1)
    with Library.open() as library:
        assert library.folder_rules(os.fsencode(indexed)) == ("*.tmp",)


def test_after_a_day_a_folder_is_forgotten_for_good(
    carrel: Call, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrel("remove", "--yes", str(indexed))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + removed_folders.KEPT_SECONDS + 1)
    assert carrel("folders", "--json").json["forgotten"] == []
    ended = carrel("remove", "--undo", str(indexed))
    assert ended.code == 2
    assert "was not forgotten within the last day" in ended.err
    carrel("sync")
    assert not list(places().library.parent.glob("**/*.portion")), "and its space is free"


def test_forgetting_forever_keeps_nothing(carrel: Call, indexed: Path) -> None:
    carrel("remove", "--yes", "--forever", str(indexed))
    assert carrel("folders", "--json").json["forgotten"] == []
    assert not list(places().library.parent.glob("**/*.portion"))
    assert carrel("remove", "--undo", str(indexed)).code == 2


def test_a_folder_that_waits_can_be_forgotten_forever(carrel: Call, indexed: Path) -> None:
    carrel("remove", "--yes", str(indexed))
    assert carrel("remove", "--yes", str(indexed)).code == 2, "without --forever there is nothing to do"
    ended = carrel("remove", "--yes", "--forever", str(indexed))
    assert (ended.code, ended.out) == (0, "Forgotten: notes, with 3 documents\n")
    assert not list(places().library.parent.glob("**/*.portion"))
    assert carrel("remove", "--undo", str(indexed)).code == 2
    again = carrel("remove", "--yes", "--forever", str(indexed))
    assert (again.code, "is not a watched folder" in again.err) == (2, True)


def test_an_indexer_at_work_forgets_forever_what_waits(carrel: Call, indexed: Path) -> None:
    from engine.indexer.orders import Orders

    carrel("remove", "--yes", str(indexed))
    with Library.open() as library, library._file.writing(lock_held=True) as connection:
        connection.execute("DELETE FROM request")  # for a sync, from when the folder was added
        number = library.file_request("remove_forever", str(indexed))
        Orders(connection, None, queue.SimpleQueue(), threading.Event()).take()  # type: ignore[arg-type]
        assert library.request_state(number).outcome == {"documents": 3}
    assert not list(places().library.parent.glob("**/*.portion"))


def test_what_waits_can_be_read_by_its_owner_only(carrel: Call, indexed: Path) -> None:
    carrel("remove", "--yes", str(indexed))
    (portion,) = places().library.parent.glob("**/*.portion")
    assert (stat.S_IMODE(portion.stat().st_mode), stat.S_IMODE(portion.parent.stat().st_mode)) == (0o600, 0o700)


def test_a_removal_that_was_killed_loses_nothing(carrel: Call, indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.store.document_writer import Writer

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Writer, "remove", killed)
        assert carrel("remove", "--yes", str(indexed)).code == 130
    carrel("sync")
    assert documents(carrel) == 3
    assert carrel("folders", "--json").json["forgotten"] == []


def test_a_folder_around_a_forgotten_one_does_not_swallow_it(carrel: Call, indexed: Path) -> None:
    carrel("remove", "--yes", str(indexed))
    carrel("add", str(indexed.parent))
    ended = carrel("remove", "--undo", str(indexed))
    assert ended.code == 2
    assert "lies in the watched folder" in ended.err
