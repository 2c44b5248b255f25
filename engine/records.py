"""The plain frozen records that travel between rooms; none of them knows a file, a database or a screen.

Offsets count code points of the document's text, ranks start at 1, lines start at 1 and are inclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal["heading", "paragraph", "list", "code", "table", "quote", "meta"]
TermKind = Literal["word", "prefix", "phrase"]
Fusion = Literal["convex", "rrf", "vector", "keyword"]
Tier = Literal["strong", "likely", "weak"]
Verdict = Literal["strong", "likely", "weak", "none"]
FolderState = Literal["watching", "paused", "missing"]
Grade = Literal[2, -2, 1]  # marked right, marked wrong, opened


# --- what a reader gives ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block:
    """One structural piece of a document, in order of `start`; blocks never overlap.

    `label` is a heading's text without its markup and `level` its depth from 1; both are empty for other kinds.
    `page` counts from 1 where the format has pages. A `meta` block (front matter) is kept but never embedded.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    label: str = ""
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link written in a document: its target as written, the words that carry it, and whether it is a wiki link."""

    target: str
    text: str
    wiki: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """What a reader makes of one file.

    `text` has `\\n` line ends. For formats that people edit (Markdown, code, ...) it is the file's own text, so that
    lines agree with the editor's. `title_written` is true where the title stands in the document, false where it was
    taken from the file name: only a written title is embedded.
    """

    text: str
    title: str
    title_written: bool
    kind: str
    blocks: tuple[Block, ...] = ()
    tags: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


# --- what chunking gives ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that is embedded and found as one.

    The passages of a document tile it: joining their `text` in order of `ordinal` (from 0) gives the document's text.
    `embedded` is exactly what the encoder sees, prefix included; `hash` is the 16-byte BLAKE2b of it.
    """

    ordinal: int
    text: str
    headings: tuple[str, ...]
    start: int
    end: int
    line_start: int
    line_end: int
    page: int | None
    embedded: str
    hash: bytes


# --- a query and what came of it ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Term:
    """One thing asked of the words: a word, a prefix, or a phrase, perhaps excluded."""

    text: str
    kind: TermKind = "word"
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Filters:
    """What restricts both legs before their candidates are taken. Empty tuples and None restrict nothing.

    `after` is inclusive and `before` exclusive, both in seconds since the epoch, held against the file's mtime.
    """

    paths: tuple[str, ...] = ()
    not_paths: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    not_kinds: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    not_titles: tuple[str, ...] = ()
    after: float | None = None
    before: float | None = None

    def __bool__(self) -> bool:
        """Whether anything is restricted."""
        return self != Filters()


@dataclass(frozen=True, slots=True)
class Query:
    """A search, understood. `meaning` is the text that the encoder sees: the words and phrases, no operators."""

    text: str
    meaning: str
    terms: tuple[Term, ...] = ()
    filters: Filters = Filters()


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """What a search may be told. `weights` are (vector, keyword) and None means the fusion's own."""

    fusion: Fusion = "convex"
    weights: tuple[float, float] | None = None
    feedback: bool = True
    group: bool = True
    collapse: float | None = 0.95  # cosine from which passages of two documents count as one; None: never
    diversity: float | None = None  # 0 to 1: several passages of a document by intra-document MMR; None: off
    cutoff: float | None = None  # times the least cosine distance, from which meaning alone brings nothing; None: off
    memory: bool = True  # whether marks for like queries count; in the fusion `convex` only


@dataclass(frozen=True, slots=True)
class TermScore:
    """What one query term gave a row: its idf, its weighted frequency there, its part of the row's bm25."""

    term: str
    idf: float
    tf: float
    score: float
    documents: int  # passages that hold the term


@dataclass(frozen=True, slots=True)
class VectorFigure:
    """A row in the vector leg: rank (None outside its candidates) and cosine distance, 0 to 2."""

    rank: int | None
    distance: float


@dataclass(frozen=True, slots=True)
class KeywordFigure:
    """A row in the keyword leg: rank (None outside its candidates), bm25 (higher is better), and its terms."""

    rank: int | None
    bm25: float
    terms: tuple[TermScore, ...] = ()


@dataclass(frozen=True, slots=True)
class Shares:
    """What each part gave to the score; the parts that are not None sum to it."""

    vector: float
    keyword: float
    feedback: float | None = None
    memory: float | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every figure that placed one row, as the ranking used it."""

    cosine: float
    rank_by_meaning: int | None
    rank_by_words: int | None
    rank_fused: int
    rank_final: int
    signal: float  # what the tier was read from: cosine plus .2 x coverage
    coverage: float  # idf-weighted share of the query's words that stand in the passage, 0 to 1
    cut_strong: float
    cut_likely: float
    remembered: Remembered | None = None  # where the score's share of memory comes from
    rank_grouped: int | None = None  # one row a document, before near-duplicates are folded


@dataclass(frozen=True, slots=True)
class Remembered:
    """The past query whose judgement changed a row's score, how near it lies, and what was thought of the passage."""

    query: str
    cosine: float
    grade: Grade


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person thinks of a passage as an answer to a query; `at` in seconds since the epoch, 0: now."""

    query: str
    passage_hash: bytes
    path: bytes  # absolute
    grade: Grade
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class LoggedRow:
    """A row of a logged search: display path, passage hash, rank, and when it was opened, if it was."""

    path: str
    passage_hash: bytes
    rank: int
    opened: float | None = None


@dataclass(frozen=True, slots=True)
class LoggedSearch:
    """A finished search of the log; `at` in seconds since the epoch."""

    at: float
    query: str
    verdict: str
    fusion: str
    milliseconds: float
    rows: tuple[LoggedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One row of a result list, with everything that a person sees of it."""

    rank: int
    score: float
    tier: Tier
    passage_id: int
    document_id: int
    path: bytes  # absolute, as the file system has it
    title: str
    headings: tuple[str, ...]
    kind: str
    modified: float  # seconds since the epoch
    start: int
    end: int
    line_start: int
    line_end: int
    page: int | None
    snippet: str
    marks: tuple[tuple[int, int], ...]  # spans of `snippet` that hold a query word
    vector: VectorFigure | None
    keyword: KeywordFigure | None
    shares: Shares
    explanation: Explanation
    more_in_document: tuple[int, ...] = ()  # further passage ids of this document among the candidates, best first
    duplicates: tuple[int, ...] = ()  # passage ids of near-duplicates in other documents that collapsed into this
    judged: Grade | None = None  # what the person thinks of it for this very query


@dataclass(frozen=True, slots=True)
class WordReading:
    """How one word of the query was read: the passages that hold it and its idf here (0 documents: unknown)."""

    term: str
    documents: int
    idf: float


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds spent in each stage of a search."""

    load: float = 0.0
    encode: float = 0.0
    keyword: float = 0.0
    vector: float = 0.0
    fuse: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Weights:
    """The leg weights that were used, and where they came from, in words."""

    vector: float
    keyword: float
    reason: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A query's verdict and rows. `found` counts the documents among the candidates, shown or not."""

    query: Query
    verdict: Verdict
    model: str
    fusion: Fusion
    weights: Weights
    timings: Timings
    words: tuple[WordReading, ...]
    hits: tuple[Hit, ...]
    found: int
    passages: int  # passages in the library


@dataclass(frozen=True, slots=True)
class WhyStage:
    """One stage of "why not": whether the document passed it, its rank there, and what would be needed."""

    stage: str  # indexed, filters, vector, keyword, fused, grouped, collapsed, listed
    passed: bool
    rank: int | None
    detail: str
    needed: str = ""


@dataclass(frozen=True, slots=True)
class WhyChanges:
    """What would bring a document back, as values to search with; the report's advice says the same in words."""

    weights: tuple[float, float] | None = None  # of meaning and words: the nearest under which it is listed
    fusion: Fusion | None = None
    words: tuple[str, ...] = ()  # telling words of the document that the query lacks


@dataclass(frozen=True, slots=True)
class WhyReport:
    """Where a document fell out of a search, and what would bring it back."""

    query: str
    path: bytes
    found: bool
    final_rank: int | None
    stages: tuple[WhyStage, ...]
    dropped_at: str | None
    advice: tuple[str, ...]
    changes: WhyChanges = field(default_factory=WhyChanges)


# --- the library --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Folder:
    """A watched root with its counts. `path` is absolute, as the file system has it."""

    id: int
    path: bytes
    state: FolderState
    documents: int = 0
    passages: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as the library holds it; `text` is joined from its passages, "" where only counts were asked."""

    id: int
    path: bytes
    title: str
    kind: str
    modified: float
    size: int
    tags: tuple[str, ...]
    metadata: Mapping[str, str]
    passages: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be read, and why."""

    path: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one sync did. `skipped` counts the files left out, by reason."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    moved: int = 0
    removed: int = 0
    failed: tuple[Failure, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    embedded: int = 0
    reused: int = 0
    passages_removed: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Writer:
    """The process that holds the indexer lock."""

    pid: int
    task: str
    since: float


@dataclass(frozen=True, slots=True)
class LastCheck:
    """The last check of a library file: when it ended, in seconds since 1970, and how many faults it found."""

    at: float
    faults: int


@dataclass(frozen=True, slots=True)
class Status:
    """The library at a glance. `stale` counts files that differ from the index, or -1 where it was not counted."""

    library: str
    schema: int
    documents: int
    passages: int
    bytes: int
    model: str
    folders: tuple[Folder, ...]
    writer: Writer | None
    stale: int
    failed: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    read_only: bool = False
    checked: LastCheck | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the library: its name, whether all is well, how many faults, and whether repair can mend them.

    `remedy` names what mends a fault that repair cannot, "" where nothing is wrong or repair does it.
    """

    name: str
    ok: bool
    count: int
    detail: str
    repairable: bool
    remedy: str = ""


# --- what a browser looks at --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as the library holds it; `path` is absolute, offsets are those of the document's text."""

    id: int
    document_id: int
    ordinal: int
    path: bytes
    title: str
    headings: tuple[str, ...]
    text: str
    start: int
    end: int
    line_start: int
    line_end: int
    page: int | None


@dataclass(frozen=True, slots=True)
class ResolvedLink:
    """A link written in a document, with the absolute path of the watched document that it leads to, if any."""

    target: str
    text: str
    wiki: bool
    path: bytes | None


@dataclass(frozen=True, slots=True)
class Facets:
    """The values that filters can take here, each with the number of its documents.

    `folders` are the paths of folders below the roots, relative to them.
    """

    kinds: Mapping[str, int]
    tags: Mapping[str, int]
    folders: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FolderNode:
    """A folder below a root, with all that lies in it at any depth; `path` is relative, b"" for the root."""

    path: bytes
    depth: int
    documents: int
    passages: int
    failed: int


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """A document that was indexed, or failed to be, at a moment in seconds since the epoch."""

    path: bytes
    title: str
    at: float
    what: Literal["indexed", "failed"]


@dataclass(frozen=True, slots=True)
class SignalScale:
    """What foreign queries' rows reach here: counts in equal bins from `low` to `high`, and the limits of the tiers.

    `fitted` is false before the first fit, when the limits are guesses and there are no bins.
    """

    low: float
    high: float
    histogram: tuple[int, ...]
    strong: float
    likely: float
    fitted: bool
