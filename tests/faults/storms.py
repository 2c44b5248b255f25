"""A live indexer over two folders in this process, and what editors and other programs do to files."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from equality import Contents, differences, made_anew, read_contents, words_are_sound
from fake_encoder import FakeEncoder

from engine.events import Event, Watching
from engine.indexer.service import Service
from engine.indexer.warm_parser import WarmParser
from engine.records import Document
from engine.sources.readers import read_document
from engine.store import folders, requests
from engine.store.connection import open_writer

DEADLINE_SECONDS = 120.0  # a busy machine may take long; a sound one needs about one second


class ReadHere:
    """Reads files as the parser's child does, without the child."""

    def read(self, path: bytes, root: bytes | None = None) -> Document:
        return read_document(path)

    def close(self) -> None:
        pass


class Weather:
    """Two watched folders, a place outside them, and an indexer that follows what happens."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.notes, self.more, self.outside = (base / name for name in ("notes", "more", "outside"))
        for folder in (self.notes, self.more, self.outside):
            folder.mkdir()
        self.library = base / "home" / "library.carrel"
        self.conn = open_writer(self.library, create=True)
        for root in (self.notes, self.more):
            folders.add(self.conn, os.fsencode(root))
        self.events: list[Event] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._numbers = itertools.count()

    def start(self) -> None:
        self._thread.start()
        self.until(lambda: any(isinstance(event, Watching) for event in self.events), lambda: "it did not start")

    def close(self) -> None:
        self._stop.set()
        self._thread.join(DEADLINE_SECONDS)
        assert not self._thread.is_alive()
        self.conn.close()

    def _run(self) -> None:
        with closing(open_writer(self.library)) as conn:
            Service(
                conn,
                self.library,
                encoder_of=lambda name: FakeEncoder(),
                parser=WarmParser(ReadHere),
                refit=None,
                on_event=self.events.append,
                stop=self._stop,
            ).run(watch=True)

    def until(self, condition: Callable[[], bool], what: Callable[[], object]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, what()
            assert self._thread.is_alive(), "the indexer died"
            time.sleep(0.05)

    # --- the library ------------------------------------------------------------------------------------------------

    def fresh(self) -> Contents:
        file = self.base / "home" / f"fresh{next(self._numbers)}.carrel"
        return made_anew(file, (self.notes, self.more), FakeEncoder, ReadHere)

    def text(self, path: Path) -> str:
        """Return what the library has of a file, "" where it has nothing."""
        rows = self.conn.execute(
            """SELECT text FROM passage JOIN document ON document.id = document_id JOIN folder ON folder.id = folder_id
            WHERE CAST(folder.path || '/' || document.path AS BLOB) = ? ORDER BY ordinal""",
            (os.fsencode(path),),
        )
        return "".join(row[0] for row in rows)

    def until_read(self, path: Path, word: str) -> None:
        self.until(lambda: word in self.text(path), lambda: f"{path} does not have {word}: {self.text(path)[:200]}")

    def passes(self) -> None:
        """Wait until the library, which hears of its files from the watcher alone, is as a new one would be.

        Then a sync of everything, which hears of nothing, must find nothing left to do.
        """
        fresh = self.fresh()
        self.until(
            lambda: not differences(read_contents(self.library), fresh),
            lambda: "\n".join(differences(read_contents(self.library), fresh)),
        )
        outcome = self.order("sync")
        assert {outcome[name] for name in ("added", "updated", "moved", "removed")} == {0}, outcome
        assert differences(read_contents(self.library), self.fresh()) == []
        words_are_sound(self.conn)

    def order(self, kind: str) -> dict[str, object]:
        number = requests.file(self.conn, kind)

        def outcome() -> dict[str, object] | None:
            state = requests.state(self.conn, number)
            return state.outcome if state is not None else None

        self.until(lambda: outcome() is not None, lambda: f"{kind} was not answered")
        answered = outcome()
        assert answered is not None
        return answered


# --- how programs save a file ---------------------------------------------------------------------------------------


def save_in_place(path: Path, text: str) -> None:
    """Write over a file, as nano and most scripts do."""
    path.write_text(text)


def save_by_rename(path: Path, text: str) -> None:
    """Write beside a file and rename it into place, as VS Code's atomic save and most libraries do."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    draft.write_text(text)
    os.replace(draft, path)


def save_from_outside(path: Path, text: str, outside: Path) -> None:
    """Write somewhere else on the same disk and rename it into place."""
    draft = outside / f"draft-{path.name}"
    draft.write_text(text)
    os.replace(draft, path)


def save_as_vim(path: Path, text: str) -> None:
    """Rename the old file to a backup, write a new one, delete the backup; a swap file lies beside it meanwhile."""
    swap, probe, backup = path.with_name(f".{path.name}.swp"), path.with_name("4913"), Path(f"{path}~")
    swap.write_bytes(b"b0VIM 9.0")
    probe.touch()
    probe.unlink()
    path.rename(backup)
    path.write_text(text)
    path.chmod(0o644)
    backup.unlink()
    swap.unlink()


def save_as_vscode(path: Path, text: str) -> None:
    """Truncate the file, write it in place, and touch it, as VS Code does without its atomic setting."""
    with path.open("r+b") as file:
        file.truncate(0)
        file.flush()
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    os.utime(path)
