"""A small world for tests of the indexing room: watched folders, a library, and the fake encoder."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import apsw
from fake_encoder import FakeEncoder

from engine.errors import SourceError
from engine.events import Event
from engine.indexing.embedding_queue import EmbeddingQueue
from engine.indexing.stop_signal import Never
from engine.indexing.sync import refit_where_due, sync
from engine.records import Block, Document, SyncReport
from engine.store import folders, models, pending_vectors
from engine.store.connection import open_writer
from engine.store.vector_tables import read_matrix

LONG_AGO = 1_000_000_000


class PlainParser:
    """Reads text files in this process: paragraphs are blocks, and a first line `# Title` is a written title."""

    def __init__(self) -> None:
        self.read_paths: list[bytes] = []
        self.before_read: Callable[[bytes], None] = lambda path: None
        self.after_read: Callable[[bytes], None] = lambda path: None

    def read(self, path: bytes, root: bytes | None = None) -> Document:
        self.before_read(path)
        self.read_paths.append(path)
        try:
            raw = Path(os.fsdecode(path)).read_bytes()
        except OSError as error:
            raise SourceError(str(error.strerror)) from error
        if b"\0" in raw:
            raise SourceError("not text")
        text = raw.decode("utf-8", "replace")
        self.after_read(path)
        first = text.partition("\n")[0]
        written = first.startswith("# ")
        name = os.path.splitext(os.path.basename(path))[0].decode("utf-8", "replace")
        title = first[2:] if written else name
        return Document(text, title, written, "markdown", tuple(_paragraphs(text)))

    def close(self) -> None:
        pass


class CountingEncoder(FakeEncoder):
    """The fake encoder, which also keeps every text that it was asked to embed."""

    def __init__(self, dimension: int = 16) -> None:
        super().__init__(dimension=dimension)
        self.texts: list[str] = []

    def encode_passages(self, texts: Sequence[str]):
        self.texts.extend(texts)
        return super().encode_passages(texts)


@dataclass
class Shelf:
    """A folder of notes and the library beside it."""

    base: Path
    encoder: CountingEncoder = field(default_factory=CountingEncoder)
    parser: PlainParser = field(default_factory=PlainParser)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.notes = self.base / "notes"
        self.notes.mkdir()
        self.library = self.base / "home" / "library.carrel"
        self.conn = open_writer(self.library, create=True)
        folders.add(self.conn, os.fsencode(self.notes))

    def write(self, name: str, text: str | bytes, age: int = 0) -> Path:
        """Write a note; it was last changed `LONG_AGO`, plus `age` seconds."""
        path = self.notes / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        os.utime(path, (LONG_AGO + age, LONG_AGO + age))
        return path

    def sync(self, *, meaning: bool = True, refit: Callable[[], None] | None = None, **options) -> SyncReport:
        """Sync the words, and with `meaning` embed what waits, as an indexer does."""
        self.encoder.texts.clear()
        self.parser.read_paths.clear()
        self.events.clear()
        options.setdefault("on_event", self.events.append)
        on_event, stop = options["on_event"], options.get("stop") or Never()
        report = sync(self.conn, self.library, encoder=lambda: self.encoder, parser=lambda: self.parser, **options)
        if not meaning:
            return report
        embedded = EmbeddingQueue(self.conn, lambda: self.encoder, on_event).work(stop)
        if refit is not None:
            refit_where_due(self.conn, refit, on_event, stop)
        return replace(report, embedded=embedded, pending=pending_vectors.count(self.conn))

    def add_folder(self, name: str) -> Path:
        folder = self.base / name
        folder.mkdir(exist_ok=True)
        folders.add(self.conn, os.fsencode(folder))
        return folder

    def state(self, folder: Path | None = None) -> str:
        found = folders.at(self.conn, os.fsencode(folder or self.notes))
        assert found is not None
        return found.state

    def documents(self) -> dict[bytes, str]:
        """Return the title of each document by path."""
        rows = self.conn.execute("SELECT path, title FROM document WHERE failure IS NULL")
        return dict(rows)

    def failures(self) -> dict[bytes, str]:
        return dict(self.conn.execute("SELECT path, failure FROM document WHERE failure IS NOT NULL"))

    def passages(self, path: bytes) -> dict[int, str]:
        """Return the passages of a document: text by id."""
        rows = self.conn.execute(
            """SELECT passage.id, text FROM passage JOIN document ON document.id = document_id
            WHERE path = ? ORDER BY ordinal""",
            (path,),
        )
        return dict(rows)

    def contents(self) -> dict[tuple, bytes]:
        return contents(self.conn)


def contents(conn: apsw.Connection) -> dict[tuple, bytes]:
    """Return all that a library says, without ids and times: vector by (path, ordinal, text, headings, spans, hash)."""
    model = models.active(conn)
    assert model is not None
    ids, matrix = read_matrix(conn, model.id)
    vectors = {int(each): row.tobytes() for each, row in zip(ids, matrix, strict=True)}
    rows = conn.execute(
        """SELECT passage.id, folder.path || '/' || document.path, ordinal, text, headings, start, "end",
        line_start, line_end, page, hash
        FROM passage JOIN document ON document.id = document_id JOIN folder ON folder.id = folder_id"""
    )
    found = {tuple(row[1:]): vectors.pop(row[0]) for row in rows}
    assert not vectors, "a vector without a passage"
    return found


def words_are_sound(conn: apsw.Connection) -> bool:
    """Whether the word index agrees with the passages."""
    conn.execute("INSERT INTO passage_fts(passage_fts, rank) VALUES('integrity-check', 1)")
    return True


def _paragraphs(text: str):
    start = 0
    for piece in text.split("\n\n"):
        if piece.strip():
            yield Block("paragraph", start, start + len(piece))
        start += len(piece) + 2


def paragraph(word: str, words: int = 60) -> str:
    """Return a paragraph long enough to be a passage of its own."""
    return " ".join(f"{word}{number}" for number in range(words)) + "."


def spelt(number: float) -> str:
    """Return a number as letters: what is mostly figures counts as no words, and is not embedded."""
    return "".join(chr(ord("a") + ord(sign) % 26) for sign in str(number))


class StopAfter:
    """A stop signal that an event sets."""

    def __init__(self, kind: type[Event]) -> None:
        self._kind = kind
        self.event = threading.Event()

    def on_event(self, event: Event) -> None:
        if isinstance(event, self._kind):
            self.event.set()
