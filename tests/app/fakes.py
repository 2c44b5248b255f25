"""A small library, indexer and editor for tests of the screen; all of them answer at once."""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from beside_fakes import FakeBeside
from textual.app import App
from training_fakes import FakeTraining

from app.editors import EditorCommand
from app.tui.indexer_state import IndexerState
from app.tui.library_port import ChangeFeedPort
from app.tui.pictures.picture_files import PictureFiles
from app.tui.ports import Freshness, Opened, Pace, Ports
from app.tui.query_history import History
from app.tui.settings_file import SettingsFile
from app.tui.watched_file import WatchedFile
from engine.errors import CarrelError, PathError
from engine.records import (
    Check,
    DocumentChange,
    Explanation,
    Facets,
    Failure,
    Filters,
    Folder,
    FolderCount,
    FolderNode,
    Grade,
    Hit,
    KeywordFigure,
    LateStatus,
    Mark,
    NearestWord,
    Query,
    ResolvedLink,
    SearchResult,
    SearchSettings,
    ShadowPair,
    ShadowReview,
    ShadowSearch,
    ShadowState,
    ShadowStream,
    Shares,
    SignalScale,
    Status,
    StoredDocument,
    StoredPassage,
    Term,
    TermScore,
    Tier,
    Timings,
    VectorFigure,
    Weights,
    WhyReport,
    WhyStage,
    WordReading,
)
from engine.records.team import SharedSearch
from engine.retrieval.cancellation import Cancellation, SearchCancelled

ROOT = b"/home/reader/notes"
NOW = 1_783_000_000.0  # 2 July 2026, 13:46 UTC
DAY = 86_400.0
STILL = Pace(
    rested=0.0,
    quiet=0.0,
    glance=0.0,
    patience=0.0,
    sentence=0.0,
    settle=None,
    stood=None,
    poll=3600.0,
    refresh=0.0,
    look=0.0,
    blink=False,
)

NOTES: dict[str, str] = {
    "kitchen/sourdough.md": (
        "# Sourdough\n\nNotes from the year of the wet dough.\n\n## Care\n\n"
        "Feed the starter with flour and water twice a day before baking.\n"
        "In the fridge once a week is enough; a layer of grey liquid means\nthat the starter is hungry.\n\n"
        "## Baking\n\nTake the starter out the evening before and let it rise until it doubles.\n"
    ),
    "books/yeast.md": (
        "# Yeast\n\nIn nature a starter is a stable culture of yeast and lactic acid bacteria, kept alive by\n"
        "regular feeding. The yeast makes the bubbles, the bacteria make it sour.\n"
    ),
    "kitchen/fermentation-log.md": (
        "# Fermentation log\n\n## Week 1\n\nCabbage and two per cent of salt.\n\n## Week 2\n\n"
        "The jar smelled of acetone, so I fed it every twelve hours until it was alive again.\n"
    ),
    "gear/stove.md": "# Camping stove\n\nThe electric starter must be kept dry, or it clicks without a spark.\n",
    "travel/japan.md": "# 日本の旅\n\n京都でスターターキットを買った。The starter kit was cheap.\n",
}


def passages_of(notes: Mapping[str, str]) -> list[tuple[int, int, str, str, tuple[str, ...], int, int]]:
    """Return (document id, passage id, path, title, headings, start, end) of every section of the notes."""
    rows: list[tuple[int, int, str, str, tuple[str, ...], int, int]] = []
    for number, (path, text) in enumerate(notes.items(), 1):
        title = text.split("\n", 1)[0].removeprefix("# ")
        starts = [0, *(match.start() for match in re.finditer(r"^## ", text, re.M)), len(text)]
        for part, (start, end) in enumerate(pairwise(starts)):
            first = text[start:end].split("\n", 1)[0]
            headings = (title, first.removeprefix("## ")) if first.startswith("## ") else (title,)
            rows.append((number, number * 100 + part, path, title, headings, start, end))
    return rows


class FakeCancellation(Cancellation):
    """Says whether it was cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.cancelled = threading.Event()

    def cancel(self) -> None:
        self.cancelled.set()


@dataclass(frozen=True)
class Answered:
    """How far an order is."""

    done: bool
    outcome: dict[str, Any] | None


class FakeLibrary:
    """Finds passages by the letters of the words; meaning is how many letters are shared."""

    def __init__(self, notes: Mapping[str, str] | None = None, *, read_only: bool = False) -> None:
        self.path = Path("/home/reader/library.carrel")
        self.read_only = read_only
        self.notes = dict(NOTES if notes is None else notes)
        self.folders: tuple[bytes, ...] = (ROOT,)
        self.commits = 1
        self.asked: list[tuple[str, str, bool]] = []
        self.cancellations: list[FakeCancellation] = []
        self.error: CarrelError | None = None
        self.verdict_none = False
        self.reading: dict[str, Any] = {}  # what a result tells of how its query was read
        self.held: set[str] = set()  # fusions whose searches wait until released or cancelled
        self.release = threading.Event()
        self.tried: list[SearchSettings] = []  # by "what if", in order
        self.traced: list[tuple[str, str, SearchSettings]] = []  # by "why not", in order
        self.reports: dict[bytes, WhyReport] = {}
        self.requests: list[tuple[str, str]] = []
        self.freshness: dict[bytes, Freshness] = {}  # of files that are not as they were indexed
        self.lines: dict[bytes, int | None] = {}  # where passages stand now in files that changed; None: gone
        self.visited: list[str] = []  # addresses shown in a web browser
        self.has_browser = True  # whether there is one
        self.marks: dict[tuple[str, int], Grade] = {}  # by query and passage
        self.sharing = False  # of marks with a team
        self.shared: tuple[SharedSearch, ...] = ()
        self.log: list[tuple[str, list[int]]] = []  # logged queries with what was opened
        self.refusal: CarrelError | None = None  # of every small write
        self.candidates_suffice = False  # whether more rows come from the candidates of the last search
        self.words: tuple[NearestWord, ...] = ()  # what the model finds
        self.sentences = False  # whether there is a model to find nearest sentences with
        self.waiting: set[int] = set()  # passages that have no vector yet
        self.embedding, self.given_up = threading.Event(), threading.Event()  # whether embedding began, and was left
        self.beside: ShadowState | None = None  # the model that runs beside, where one does
        self.late: LateStatus | None = None  # late interaction, where it is on
        self.shadow_log: list[ShadowSearch] = []
        self.finds_nothing = False  # the model in use, where the one beside finds something
        self.reviews: list[ShadowReview] = []
        self.comparing = threading.Event()  # whether a search was begun with the model beside
        self.compared: list[tuple[str, str]] = []  # questions that went through both, with their stream
        self.asked_for: list[tuple[int, ...]] = []  # passages that the indexer is to embed first

    def new_cancellation(self) -> FakeCancellation:
        cancellation = FakeCancellation()
        self.cancellations.append(cancellation)
        return cancellation

    def search(
        self,
        text: str,
        *,
        limit: int,
        settings: SearchSettings,
        typing: bool,
        cancel: Cancellation | None,
    ) -> SearchResult:
        self.asked.append((text, settings.fusion, typing))
        if settings.fusion in self.held:
            assert isinstance(cancel, FakeCancellation)
            while not (self.release.is_set() or cancel.cancelled.is_set()):
                self.release.wait(0.01)
        if self.error is not None:
            raise self.error
        found = search_notes(self.notes, text, settings, limit, self.verdict_none)
        hits = tuple(replace(hit, judged=self.marks.get((text, hit.passage_id))) for hit in found.hits)
        found = replace(found, hits=hits, **self.reading)
        return found if settings.fusion == "keyword" else by_words_so_far(found, self.waiting)

    def explore(
        self,
        text: str,
        *,
        limit: int,
        settings: SearchSettings,
        typing: bool,
        cancel: Cancellation | None,
    ) -> FakeExploration:
        result = self.search(text, limit=limit, settings=settings, typing=typing, cancel=cancel)
        return FakeExploration(self, text, result)

    def embed(self, passage_ids: Sequence[int], *, cancel: Cancellation) -> int:
        """Give passages that wait their vectors, once a test lets it go on; nothing where it is given up."""
        assert isinstance(cancel, FakeCancellation)
        self.embedding.set()
        while "embed" in self.held and not (self.release.is_set() or cancel.cancelled.is_set()):
            self.release.wait(0.01)
        if cancel.cancelled.is_set():
            self.given_up.set()
            raise SearchCancelled
        self.waiting -= set(passage_ids)
        return len(passage_ids)

    def ask_to_embed(self, passage_ids: Sequence[int]) -> None:
        self.asked_for.append(tuple(passage_ids))

    def mark(self, query: str, passage_id: int, grade: Grade) -> Mark:
        self._write()
        self.marks[query, passage_id] = grade
        return Mark(query, b"hash", ROOT, grade)

    def unmark(self, query: str, passage_id: int) -> bool:
        self._write()
        return self.marks.pop((query, passage_id), None) is not None

    def opened(self, query: str, passage_id: int) -> Mark:
        self._write()
        self.marks.setdefault((query, passage_id), 1)
        return Mark(query, b"hash", ROOT, 1)

    def share_marks(self, on: bool) -> None:
        self.sharing = on
        self.commits += 1

    def shared_searches(self) -> tuple[SharedSearch, ...]:
        return self.shared

    def share_search(self, name: str, query: str) -> None:
        self.shared = (*self.shared, SharedSearch("ada", name, query, True))

    def take_back_search(self, name: str) -> bool:
        before, self.shared = self.shared, tuple(each for each in self.shared if not (each.own and each.name == name))
        return before != self.shared

    def last_opened(self, limit: int) -> tuple[bytes, ...]:
        documents = {passage.id: passage.path for passage in self._passages()}
        return tuple(dict.fromkeys(documents[passage] for _, passage in reversed(self.marks)))[:limit]

    def log_search(self, result: SearchResult) -> int:
        self._write()
        self.log.append((result.query.text, []))
        return len(self.log)

    def log_opened(self, number: int, hit: Hit) -> None:
        self.log[number - 1][1].append(hit.passage_id)

    def empty_search_log(self) -> int:
        gone = len(self.log)
        self.log.clear()
        return gone

    def _write(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    def shadow_state(self) -> ShadowState | None:
        return self.beside

    def ask_for_shadow(self, name: str) -> int:
        self._write()
        return self.file_request("shadow", name)

    def late_status(self) -> LateStatus | None:
        return self.late

    def late_estimate(self, name: str, factor: int) -> tuple[int, int]:
        return 1_200, 9_600_000 // factor

    def stop_shadow(self) -> str:
        assert self.beside is not None
        name, self.beside = self.beside.shadow.name, None
        return name

    def shadow_score(
        self, text: str, stream: ShadowStream, *, settings: SearchSettings, cancel: Cancellation
    ) -> ShadowSearch | None:
        """Compare at once, or when a test releases it; nothing where it is given up."""
        assert isinstance(cancel, FakeCancellation)
        self.comparing.set()
        while "shadow" in self.held and not (self.release.is_set() or cancel.cancelled.is_set()):
            self.release.wait(0.01)
        if cancel.cancelled.is_set():
            self.given_up.set()
            raise SearchCancelled
        self._write()
        self.compared.append((text, stream))
        found = () if self.finds_nothing else (b"row",)
        return ShadowSearch(text, stream, "likely", "likely", 1.0, 1.0, found, (b"row",), pairs=(PAIR,))

    def shadow_lists(
        self, text: str, *, limit: int, settings: SearchSettings, cancel: Cancellation
    ) -> tuple[SearchResult, SearchResult]:
        found = search_notes(self.notes, text, settings, limit)
        return found, replace(found, hits=found.hits[::-1])

    def shadow_searches(
        self, *, pairs: bool = False, stream: ShadowStream | None = None, limit: int | None = None
    ) -> tuple[ShadowSearch, ...]:
        return tuple(each for each in self.shadow_log if stream in (None, each.stream))[:limit]

    def add_shadow_review(self, review: ShadowReview) -> int:
        self._write()
        self.reviews.append(replace(review, id=len(self.reviews) + 1))
        return len(self.reviews)

    def shadow_reviews(self) -> tuple[ShadowReview, ...]:
        return tuple(self.reviews)

    def similar(self, passage_id: int, *, limit: int) -> SearchResult:
        """Find the notes whose letters are nearest to those of a passage."""
        passage = self.passages((passage_id,))[0]
        settings = SearchSettings(fusion="vector", feedback=False)
        found = search_notes(self.notes, passage.text, settings, limit + 1)
        hits = [replace(hit, keyword=None) for hit in found.hits if hit.document_id != passage.document_id]
        ranked = tuple(_ranked(hit, rank) for rank, hit in enumerate(hits[:limit], 1))
        return replace(found, query=Query(f"like {passage.title}", ""), words=(), hits=ranked)

    def why(self, text: str, path: Path, *, settings: SearchSettings, limit: int) -> WhyReport:
        """Return the report that a test laid down, else one of a document that is in the list."""
        self.traced.append((text, str(path), settings))
        full = str(path).encode()
        if full in self.reports:
            return replace(self.reports[full], query=text)
        hits = search_notes(self.notes, text, settings, limit).hits
        rank = next((hit.rank for hit in hits if hit.path == full), None)
        listed = WhyStage("listed", rank is not None, rank, f"row {rank}")
        stages = (WhyStage("indexed", True, None, "1 passage"), listed)
        return WhyReport(text, full, rank is not None, rank, stages, None if rank else "listed", ())

    def documents_named(self, fragment: str, limit: int = 50) -> tuple[StoredDocument, ...]:
        found = [self.document_by_id(number) for number in range(1, len(self.notes) + 1)]
        named = [replace(each, title=each.text.split("\n", 1)[0].removeprefix("# "), text="") for each in found if each]
        wanted = fragment.lower()
        return tuple(each for each in named if wanted in each.title.lower() or wanted.encode() in each.path)[:limit]

    def warm(self) -> None:
        """Have nothing to load."""

    def document_by_id(self, document_id: int) -> StoredDocument | None:
        if not 1 <= document_id <= len(self.notes):
            return None
        path, text = list(self.notes.items())[document_id - 1]
        full = ROOT + b"/" + path.encode()
        return StoredDocument(document_id, full, "", "markdown", NOW, len(text), (), {}, 1, text)

    def document(self, path: bytes) -> StoredDocument | None:
        names = [ROOT + b"/" + name.encode() for name in self.notes]
        return self.document_by_id(names.index(path) + 1) if path in names else None

    def _passages(self) -> list[StoredPassage]:
        return [
            StoredPassage(
                passage, document, passage % 100, ROOT + b"/" + path.encode(), title, headings,
                self.notes[path][start:end], start, end, self.notes[path].count("\n", 0, start) + 1,
                self.notes[path].count("\n", 0, end), None,
            )
            for document, passage, path, title, headings, start, end in passages_of(self.notes)
        ]  # fmt: skip

    def passages(self, passage_ids: Sequence[int]) -> tuple[StoredPassage, ...]:
        known = {passage.id: passage for passage in self._passages()}
        return tuple(known[each] for each in passage_ids if each in known)

    def passages_of(self, document_id: int) -> tuple[StoredPassage, ...]:
        return tuple(passage for passage in self._passages() if passage.document_id == document_id)

    def links(self, document_id: int) -> tuple[ResolvedLink, ...]:
        """Resolve wiki links by the name of a note and others as paths below the root."""
        document = self.document_by_id(document_id)
        found = []
        for wiki, text, target in re.findall(
            r"\[\[([^\]]+)\]\]|\[([^\]]*)\]\(([^)]*)\)", document.text if document else ""
        ):
            file = target.partition("#")[0].lstrip("./")
            paths = [name for name in self.notes if name.endswith(f"/{wiki}.md") or (file and name.endswith(file))]
            path = ROOT + b"/" + paths[0].encode() if paths else None
            found.append(ResolvedLink(wiki or target, text or wiki, bool(wiki), path))
        return tuple(found)

    def nearest_sentence(self, query: str, text: str) -> tuple[int, int] | None:
        """Return the sentence that holds the most words of the query, where the library has a model."""
        if not self.sentences:
            return None
        spans = [match.span() for match in re.finditer(r"[^#.\n][^.]*\.", text)]
        return max(spans, key=lambda span: sum(word in text[slice(*span)] for word in query.split()), default=None)

    def nearest_words(self, query: str, text: str, kind: str) -> tuple[NearestWord, ...]:
        """Return the links that a test laid down, for the words that the text holds."""
        held = [(link, text.find(link.word)) for link in self.words if link.word in text]
        return tuple(
            replace(link, start=start, end=start + len(link.word)) if link.word else link for link, start in held
        )

    def file_request(self, kind: str, argument: str = "") -> int:
        self.requests.append((kind, argument))
        return len(self.requests)

    def status(self, *, stale: bool = False) -> Status:
        folders = tuple(Folder(i, path, "watching", len(self.notes)) for i, path in enumerate(self.folders, 1))
        count = len(passages_of(self.notes))
        return Status(str(self.path), 1, len(self.notes), count, 4096, "all-MiniLM-L6-v2", folders, None, -1)

    def version(self) -> int:
        return self.commits

    def following(self) -> ChangeFeedPort | None:
        return None

    def facets(self) -> Facets:
        folders = Counter(path.rpartition("/")[0] for path in self.notes)
        return Facets({"markdown": len(self.notes), "pdf": 2}, {"recipe": 3, "spring garden": 1}, folders)

    def add(self, folder: Path) -> Folder:
        if not folder.expanduser().is_dir():
            raise PathError(f"{folder} does not exist.", fix="Check the spelling of the path.")
        self.folders = (*self.folders, str(folder).encode())
        self.commits += 1
        return Folder(len(self.folders), self.folders[-1], "watching")

    def count_files(self, folder: Path, most: int, stop: Callable[[], bool]) -> FolderCount:
        """Return what a test says, else the notes of this library."""
        if not folder.expanduser().is_dir():
            raise PathError(f"{folder} does not exist.", fix="Check the spelling of the path.")
        return getattr(self, "counted", FolderCount(len(self.notes), True, {}))

    def forgotten(self) -> tuple[Folder, ...]:
        """Return what a test says was forgotten; a folder has the path, which is all that is asked."""
        return getattr(self, "forgotten_folders", ())

    def undo_remove(self, folder: Path) -> Folder:
        self.forgotten_folders = ()
        self.taken_back = folder
        return Folder(7, str(folder).encode(), "watching")

    def tree(self, folder: bytes) -> tuple[FolderNode, ...]:
        count = len(passages_of(self.notes))
        return (FolderNode(b"", 0, len(self.notes), count, 0),)

    def failures(self) -> tuple[Failure, ...]:
        return ()

    def left_out(self, folder: bytes | None) -> dict[str, int]:
        return {}

    def left_out_files(
        self, folder: bytes, reason: str | None, limit: int, rules: Sequence[str] | None
    ) -> tuple[tuple[bytes, str], ...]:
        return ()

    def ignore_files(self, folder: bytes) -> tuple[tuple[bytes, tuple[str, ...]], ...]:
        return ()

    def folder_rules(self, folder: bytes) -> tuple[str, ...]:
        return ()

    def set_folder_rules(self, folder: bytes, patterns: Sequence[str]) -> None:
        """Leave nothing out, whatever the patterns say."""

    def changed_since(self, moment: float, limit: int) -> tuple[DocumentChange, ...]:
        return ()

    def request_state(self, number: int) -> Answered:
        return Answered(True, {})

    def check(self) -> tuple[Check, ...]:
        return (Check("file", True, 0, "SQLite finds every page in order", False),)

    def visit(self, address: str) -> bool:
        self.visited.append(address)
        return self.has_browser

    def close(self) -> None:
        """Have nothing to let go of."""


class FakeExploration:
    """Searches the notes again for every "what if", and remembers what was tried."""

    def __init__(self, library: FakeLibrary, text: str, result: SearchResult) -> None:
        self._library = library
        self._text = text
        self.result = result
        self.scale = SignalScale(0.0, 0.8, (2, 5, 9, 14, 20, 26, 21, 12, 7, 4, 2, 1, 0, 1), 0.62, 0.5, True)

    def again(self, settings: SearchSettings, limit: int = 10) -> SearchResult:
        self._library.tried.append(settings)
        return search_notes(self._library.notes, self._text, settings, limit, self._library.verdict_none)

    def fills(self, result: SearchResult, limit: int) -> bool:
        return self._library.candidates_suffice


def by_words_so_far(found: SearchResult, waiting: set[int]) -> SearchResult:
    """Return a result in which some passages have no vector yet, so that they stand below by their words alone."""
    if not waiting or not found.query.meaning:
        return found
    hits = [_without_vector(hit) if hit.passage_id in waiting else hit for hit in found.hits]
    ranked = tuple(_ranked(hit, rank) for rank, hit in enumerate(sorted(hits, key=lambda hit: -hit.score), 1))
    awaited = tuple(hit.passage_id for hit in ranked if hit.pending)
    return replace(found, hits=ranked, embedded=0.34, so_far=True, awaited=awaited)


def _without_vector(hit: Hit) -> Hit:
    shares = Shares(0.0, hit.shares.keyword)
    return replace(hit, vector=None, shares=shares, score=hit.shares.keyword, pending=True)


def weights_of(settings: SearchSettings) -> tuple[float, float]:
    """Return the weights of meaning and words."""
    alone = {"vector": (1.0, 0.0), "keyword": (0.0, 1.0)}
    return alone.get(settings.fusion) or settings.weights or (0.8, 0.2)


def search_notes(
    notes: Mapping[str, str], text: str, settings: SearchSettings, limit: int, verdict_none: bool = False
) -> SearchResult:
    """Return a whole result whose figures add up."""
    words = re.findall(r"\w+", re.sub(r"\w+:\w*", "", text.lower()))
    sections = passages_of(notes)
    total = 41_870
    readings = []
    for word in words:
        holding = sum(word in notes[path][start:end].lower() for _, _, path, _, _, start, end in sections)
        documents = holding * 12
        idf = math.log(1 + (total - documents + 0.5) / (documents + 0.5)) if holding else 0.0
        readings.append(WordReading(word, documents, idf))
    scored = []
    for row in sections:
        body = notes[row[2]][row[5] : row[6]]
        found_terms = []
        for reading in readings:
            found = body.lower().count(reading.term)
            if found:
                tf = found * 2.2 / (found + 1.2)
                found_terms.append(TermScore(reading.term, reading.idf, tf, reading.idf * tf, reading.documents))
        shared = len(set(" ".join(words)) & set(body.lower())) / 30
        bm25 = sum(term.score for term in found_terms)
        scored.append((row, tuple(found_terms), bm25, shared + 0.05 * len(found_terms)))
    by_words = [row[0][1] for row in sorted(scored, key=lambda row: -row[2]) if row[2] > 0]
    by_meaning = [row[0][1] for row in sorted(scored, key=lambda row: -row[3])]
    best_words = max((row[2] for row in scored), default=0.0) or 1.0
    hits = []
    for row, terms, bm25, cosine in scored:
        only_words = settings.fusion == "keyword"
        if only_words and words and not bm25:
            continue
        vector_weight, keyword_weight = weights_of(settings)
        vector_share = vector_weight * cosine / 1.6
        keyword_share = keyword_weight * bm25 / best_words
        feedback = 0.004 if settings.feedback and settings.fusion == "convex" else None
        score = vector_share + keyword_share + (feedback or 0.0)
        hits.append(_hit(notes, row, terms, bm25, cosine, Shares(vector_share, keyword_share, feedback), score,
                         by_words, by_meaning, only_words, words))  # fmt: skip
    hits.sort(key=lambda hit: -hit.score)
    hits = _near_enough(hits, settings.cutoff)
    grouped = _grouped(hits) if settings.group and settings.diversity is None else hits
    ranked = tuple(_ranked(hit, rank) for rank, hit in enumerate(grouped, 1))[:limit]
    if not words:
        settings = replace(settings, fusion="convex")
        ranked = tuple(
            replace(hit, score=0.0, vector=None, keyword=None, shares=Shares(0.0, 0.0))
            for hit in sorted(ranked, key=lambda hit: -hit.modified)
        )
    filters = Filters(paths=tuple(re.findall(r"path:(\w+)", text)))
    query = Query(text, " ".join(words), tuple(Term(word) for word in words), filters)
    verdict = "none" if verdict_none else (ranked[0].tier if ranked else "none")
    weights = Weights(*weights_of(settings), "words only" if settings.fusion == "keyword" else "")
    weights = weights if words else Weights(0.0, 0.0, "no words asked: newest first")
    return SearchResult(query, verdict, "all-MiniLM-L6-v2", settings.fusion, weights, Timings(total=14.0),
                        tuple(readings), ranked, len(grouped), total)  # fmt: skip


def _hit(notes, row, terms, bm25, cosine, shares, score, by_words, by_meaning, only_words, words) -> Hit:  # type: ignore[no-untyped-def]
    document, passage, path, title, headings, start, end = row
    text = notes[path]
    body = text[start:end].split("\n", 2)[-1].strip() or text[start:end]
    snippet = body[:160]
    marks = tuple(sorted(m.span() for word in words for m in re.finditer(re.escape(word), snippet.lower())))
    marks = tuple(span for i, span in enumerate(marks) if i == 0 or span[0] >= marks[i - 1][1])
    signal = cosine + 0.2 * min(1.0, len(terms) / max(1, len(words)))
    tier: Tier = "strong" if signal > 0.62 else "likely" if signal > 0.5 else "weak"
    rank_words = by_words.index(passage) + 1 if passage in by_words else None
    rank_meaning = by_meaning.index(passage) + 1
    line_start = text.count("\n", 0, start) + 1
    return Hit(
        rank=1, score=score, tier=tier, passage_id=passage, document_id=document,
        path=ROOT + b"/" + path.encode(), title=title, headings=headings, kind="markdown",
        modified=NOW - DAY * 40 * document * document, start=start, end=end, line_start=line_start,
        line_end=line_start + text[start:end].count("\n"), page=None, snippet=snippet, marks=marks,
        vector=None if only_words else VectorFigure(rank_meaning, 1 - cosine),
        keyword=KeywordFigure(rank_words, bm25, terms) if bm25 else None, shares=shares,
        explanation=Explanation(
            cosine, rank_meaning, rank_words, rank_meaning, 1, signal, len(terms) / max(1, len(words)), 0.62, 0.5
        ),
    )  # fmt: skip


def _near_enough(hits: list[Hit], times: float | None) -> list[Hit]:
    """Leave out what has no word of the query and lies more than so many times the least distance off."""
    least = min((hit.vector.distance for hit in hits if hit.vector), default=0.0)
    if times is None:
        return hits
    return [hit for hit in hits if hit.keyword or (hit.vector and hit.vector.distance <= times * least)]


def _grouped(hits: list[Hit]) -> list[Hit]:
    best: dict[int, Hit] = {}
    for hit in hits:
        if hit.document_id in best:
            first = best[hit.document_id]
            best[hit.document_id] = replace(first, more_in_document=(*first.more_in_document, hit.passage_id))
        else:
            best[hit.document_id] = hit
    return list(best.values())


def _ranked(hit: Hit, rank: int) -> Hit:
    return replace(hit, rank=rank, explanation=replace(hit.explanation, rank_final=rank))


PAIR = ShadowPair(b"row", 1, 1, 0.5, 0.5, "likely", "likely", 0.0)


class FakeIndexer:
    """Says what a test tells it to say."""

    def __init__(self) -> None:
        self.started = False
        self.left = False
        self.report: Callable[[IndexerState], None] = lambda state: None

    def start(self, report: Callable[[IndexerState], None]) -> None:
        self.started = True
        self.report = report

    def leave(self) -> None:
        self.left = True


class FakeEditor:
    """Remembers what it was asked to open."""

    def __init__(self, trouble: str = "") -> None:
        self.commands: list[EditorCommand] = []
        self.trouble = trouble

    def __call__(self, app: App[Any], command: EditorCommand) -> str:
        self.commands.append(command)
        return self.trouble


def ports(
    library: FakeLibrary,
    indexer: FakeIndexer | None = None,
    editor: FakeEditor | None = None,
    pace: Pace = STILL,
) -> Ports:
    """Return ports to the fakes with a clock that stands still."""
    return Ports(
        open_library=lambda: Opened(library, library.new_cancellation),
        indexer=lambda: indexer,
        edit=editor or FakeEditor(),
        clock=lambda: NOW,
        typed=lambda: None,
        pace=pace,
        freshness=lambda document: library.freshness.get(document.path, "same"),
        find_line=lambda path, text, line: library.lines.get(path, line),
        visit=library.visit,
        which=lambda name: None,
        settings=SettingsFile(),
        history=History(None),
        watched=WatchedFile(None),
        training=FakeTraining(Path("/nowhere"), missing="This browser was started without it."),
        beside=FakeBeside(),
        pictures=PictureFiles("none"),
    )
