"""A library that answers from what a test put into it, and a way to call `carrel` as a shell does."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.cli import factories, main
from engine.errors import CarrelError, LibraryMissing
from engine.events import Event, Watching
from engine.maintenance import DoctorReport
from engine.records import (
    Check,
    Explanation,
    Folder,
    Hit,
    KeywordFigure,
    Query,
    SearchResult,
    SearchSettings,
    Shares,
    Status,
    StoredDocument,
    StoredPassage,
    SyncReport,
    TermScore,
    Timings,
    VectorFigure,
    Weights,
    WhyReport,
    WhyStage,
    WordReading,
    Writer,
)

MARCH = 1_772_532_000.0


def a_hit(path: bytes = b"/notes/kitchen/sourdough.md", **changes: Any) -> Hit:
    """Return a row; `changes` replace its fields."""
    fields: dict[str, Any] = {
        "rank": 1,
        "score": 0.534,
        "tier": "strong",
        "passage_id": 7,
        "document_id": 3,
        "path": path,
        "title": "Sourdough",
        "headings": ("Sourdough", "Care"),
        "kind": "markdown",
        "modified": MARCH,
        "start": 20,
        "end": 90,
        "line_start": 14,
        "line_end": 16,
        "page": None,
        "snippet": "Feed the starter with flour and water twice a day",
        "marks": ((9, 16),),
        "vector": VectorFigure(rank=1, distance=0.231),
        "keyword": KeywordFigure(rank=2, bm25=8.41, terms=(TermScore("starter", 7.1, 1.9, 8.41, 12),)),
        "shares": Shares(vector=0.322, keyword=0.2, feedback=0.012),
        "explanation": Explanation(0.769, 1, 2, 1, 1, 0.81, 1.0, 0.42, 0.3),
    }
    return Hit(**{**fields, **changes})


def a_result(*hits: Hit, **changes: Any) -> SearchResult:
    """Return a search result of these rows."""
    fields: dict[str, Any] = {
        "query": Query("starter", "starter"),
        "verdict": "strong",
        "model": "fake",
        "fusion": "convex",
        "weights": Weights(0.8, 0.2, ""),
        "timings": Timings(1.0, 2.0, 3.0, 4.0, 5.0, 15.0),
        "words": (WordReading("starter", 12, 7.1),),
        "hits": hits,
        "found": len(hits),
        "passages": 41_870,
    }
    return SearchResult(**{**fields, **changes})


@dataclass
class FakeLibrary:
    """Answers as it was told to and remembers what it was asked."""

    path: Path = Path("/library.carrel")
    read_only: bool = False
    watched: list[Folder] = field(default_factory=list)
    documents: dict[bytes, StoredDocument] = field(default_factory=dict)
    result: SearchResult = field(default_factory=lambda: a_result(a_hit()))
    report: SyncReport = field(default_factory=SyncReport)
    happenings: Sequence[Event] = ()
    during_sync: Callable[[threading.Event], None] = lambda stop: None
    checks: tuple[Check, ...] = (Check("file", True, 0, "sound", False),)
    writer: Writer | None = None
    covered: Watching | None = None
    model: str = "all-MiniLM-L6-v2"
    stale: int = 0
    refusals: dict[str, list[CarrelError]] = field(default_factory=dict)
    outcomes: list[SimpleNamespace] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    stored: list[StoredPassage] = field(default_factory=list)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def __enter__(self) -> FakeLibrary:
        return self

    def __exit__(self, *_: object) -> None:
        self.asked.append(("close", None))

    def _note(self, what: str, argument: Any) -> None:
        self.asked.append((what, argument))
        refusals = self.refusals.get(what, [])
        if refusals:
            raise refusals.pop(0)

    def of(self, what: str) -> list[Any]:
        """Return what was asked of one kind."""
        return [argument for kind, argument in self.asked if kind == what]

    def add(self, folder: Path) -> Folder:
        self._note("add", folder)
        for known in self.watched:
            if known.path == os.fsencode(folder):
                return known
        added = Folder(len(self.watched) + 1, os.fsencode(folder), "watching")
        self.watched.append(added)
        return added

    def remove(self, folder: Path, *, forever: bool = False) -> int:
        self._note("remove", folder)
        gone = next(one for one in self.watched if one.path == os.fsencode(folder))
        self.watched.remove(gone)
        return gone.documents

    def folders(self) -> tuple[Folder, ...]:
        return tuple(self.watched)

    def forgotten(self) -> tuple[()]:
        return ()

    def sync(
        self,
        paths: Sequence[Path] = (),
        *,
        full: bool = False,
        accept_removals: bool = False,
        meaning: bool = True,
        on_event: Any = None,
        stop: Any = None,
    ) -> SyncReport:
        asked = [*(["accepted"] if accept_removals else []), *([] if meaning else ["words"])]
        self._note("sync", (tuple(paths), full, *asked))
        for event in self.happenings:
            on_event(event)
        self.during_sync(stop)
        return self.report

    def search(
        self, text: str, *, limit: int = 10, settings: SearchSettings | None = None, embed_seconds: float = 0.0
    ) -> SearchResult:
        self._note("search", (text, limit, settings))
        return self.result

    def ask_to_embed(self, passage_ids: Sequence[int]) -> None:
        self._note("ask_to_embed", tuple(passage_ids))

    def why(self, text: str, path: Path, *, settings: SearchSettings) -> WhyReport:
        self._note("why", (text, path))
        self._note("why by", settings)
        return WhyReport(
            text,
            os.fsencode(path),
            False,
            None,
            (
                WhyStage("indexed", True, None, "3 passages"),
                WhyStage("vector", True, 188, "distance .512"),
                WhyStage("keyword", False, None, "no passage holds starter", "one of its words"),
            ),
            "keyword",
            ("Search by meaning alone (rank 188).",),
        )

    def document(self, path: bytes) -> StoredDocument | None:
        return self.documents.get(path)

    def paths_ending(self, ending: bytes) -> tuple[bytes, ...]:
        return tuple(path for path in self.documents if path.endswith(b"/" + ending))

    def passages(self, passage_ids: Sequence[int]) -> tuple[StoredPassage, ...]:
        return tuple(each for each in self.stored if each.id in passage_ids)

    def passages_of(self, document_id: int) -> tuple[StoredPassage, ...]:
        found = next(each for each in self.documents.values() if each.id == document_id)
        last = found.text.count("\n") + 1
        text = found.text
        return (StoredPassage(1, found.id, 0, found.path, found.title, (), text, 0, len(text), 1, last, None),)

    def watching(self) -> Watching | None:
        return self.covered

    def late_status(self) -> None:
        return None

    def status(self, *, stale: bool = False) -> Status:
        return Status(
            library=str(self.path),
            schema=1,
            documents=len(self.documents),
            passages=9,
            bytes=64_000_000,
            model=self.model,
            folders=self.folders(),
            writer=self.writer,
            stale=self.stale if stale else -1,
            failed=1,
            skipped={"hidden": 3, "inside node_modules (built-in rule)": 918},
        )

    def embed_first(self, paths: Sequence[Path]) -> None:
        self._note("embed_first", tuple(paths))

    def pending(self, *, asked: bool = False) -> int:
        return self.waiting.pop(0) if self.waiting else 0

    def check(self, *, repair: bool = False, on_event: Any = None) -> DoctorReport:
        self._note("check", repair)
        return DoctorReport(self.checks)

    def file_request(self, kind: str, argument: str = "") -> int:
        self._note("request", (kind, argument))
        return 1

    def withdraw_request(self, number: int) -> None:
        self._note("withdrawn", number)

    def request_state(self, number: int) -> SimpleNamespace:
        return self.outcomes.pop(0)

    def use_model(self, name: str, *, on_event: Any = None, stop: Any = None) -> None:
        self._note("use_model", name)


def a_document(path: bytes = b"/notes/kitchen/sourdough.md", text: str = "# Sourdough\n\nFeed it.\n") -> StoredDocument:
    """Return a stored document."""
    return StoredDocument(3 + len(path), path, "Sourdough", "markdown", MARCH, 22, ("bread",), {"lang": "en"}, 1, text)


@dataclass
class Ended:
    """How a call of `carrel` ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return the JSON on stdout."""
        return json.loads(self.out)


Call = Callable[..., Ended]


@pytest.fixture
def library() -> FakeLibrary:
    """Return the library that every call of `carrel` in this test opens."""
    return FakeLibrary()


@pytest.fixture
def carrel(
    library: FakeLibrary, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Call:
    """Return a function that calls `carrel` in this process, in an empty folder and an own home."""
    home = tmp_path / "carrel-home"
    monkeypatch.setenv("CARREL_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("CARREL_LIBRARY", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def open_library(path: Path | None, *, create: bool = False) -> FakeLibrary:
        library.asked.append(("open", (path, create)))
        return library

    monkeypatch.setattr(factories, "open_library", open_library)
    monkeypatch.setattr(factories, "open_care", lambda path: library)

    def call(*arguments: str) -> Ended:
        code = main(arguments)
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return call


@pytest.fixture
def no_library(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every call find that there is no library yet."""

    def open_library(path: Path | None, *, create: bool = False) -> FakeLibrary:
        raise LibraryMissing("There is no library yet.", fix="`carrel add FOLDER` makes one.")

    monkeypatch.setattr(factories, "open_library", open_library)
    monkeypatch.setattr(factories, "open_care", open_library)
