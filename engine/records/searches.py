"""A query, and its results with every figure behind them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from engine.lazy_dataclass import dataclass
from engine.records.fusion_constants import DEFAULT_CONSTANTS, FusionConstants

TermKind = Literal["word", "prefix", "phrase", "signs"]  # signs: no letter and no digit, searched as they stand
Fusion = Literal["convex", "rrf", "rrf-published", "vector", "keyword"]
RECIPROCAL: tuple[Fusion, ...] = ("rrf", "rrf-published")  # the fusions by ranks alone
Tier = Literal["strong", "likely", "weak"]
Verdict = Literal["strong", "likely", "weak", "none"]
Grade = Literal[2, -2, 1]  # marked right, marked wrong, opened
# How a piece of the query line was read that can mean two things: a dash that leaves nothing out by its form, by what
# the library holds, or because nothing stands beside it; a filter without a value or with no date, and date: with a
# value that it does not have; a quotation mark that nothing closes; AND, OR, NOT; signs beside words; signs for which
# not the whole library was looked through.
RemarkKind = Literal[
    "option",
    "written so",
    "alone",
    "no value",
    "no date",
    "neither",
    "open quote",
    "operator",
    "signs",
    "capped",
    "long",
]


@dataclass(frozen=True, slots=True)
class Term:
    """One thing asked of the words: a word, a prefix, or a phrase, perhaps excluded."""

    text: str
    kind: TermKind = "word"
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """Which documents a search may see at all, whatever its query says; empty tuples hide nothing.

    `folders` are absolute paths: only what lies in one of them is seen. `not_names` are patterns of file names, with
    `*`, in lower case.
    """

    folders: tuple[bytes, ...] = ()
    not_kinds: tuple[str, ...] = ()
    not_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """What restricts both legs before their candidates are taken. Empty tuples and None restrict nothing.

    `after` is inclusive and `before` exclusive, both in seconds since the epoch, held against the file's mtime;
    with `own_dates` against the date that the document gives itself, where it gives one.
    """

    paths: tuple[str, ...] = ()
    not_paths: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    not_kinds: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    not_titles: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    not_authors: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    not_senders: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    not_recipients: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    not_subjects: tuple[str, ...] = ()
    after: float | None = None
    before: float | None = None
    own_dates: bool = False
    hidden: tuple[int, ...] = ()  # ids of documents outside the scope of the search

    def __bool__(self) -> bool:
        """Whether anything is restricted."""
        return replace(self, own_dates=False, hidden=()) != Filters()


@dataclass(frozen=True, slots=True)
class Remark:
    """How one piece of the query line, as it was typed, was read; `app.wording.remarks` says it in words."""

    piece: str
    kind: RemarkKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A search, understood. `meaning` is the text that the encoder sees: the words and phrases, no operators.

    `remarks` tell what could have been meant otherwise.
    """

    text: str
    meaning: str
    terms: tuple[Term, ...] = ()
    filters: Filters = Filters()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """What a search may be told. `weights` are (vector, keyword); None means the fusion's own, as for `collapse`.

    `constants` are those of the fusion `convex`; None means the library's, which are the defaults unless others were
    fitted to it and taken into use.
    """

    fusion: Fusion = "convex"
    weights: tuple[float, float] | None = None
    feedback: bool = True
    group: bool = True
    collapse: float | None = None  # cosine from which passages of two documents count as one; 0: never
    diversity: float | None = None  # 0 to 1: several passages of a document by intra-document MMR; None: off
    cutoff: float | None = None  # times the least cosine distance, from which meaning alone brings nothing; None: off
    memory: bool = True  # whether marks for like queries count; in the fusion `convex` only
    late: float = 0.3  # what late interaction counts among the best hundred, 0 to 1; where the library has it on
    opened_until: float | None = None  # when the question was asked: what was opened later does not count yet
    scope: Scope = Scope()
    constants: FusionConstants | None = None

    @property
    def used_constants(self) -> FusionConstants:
        """The constants that the search goes by: those given, else the defaults; what is set beside them wins."""
        constants = self.constants or DEFAULT_CONSTANTS
        return constants if self.collapse is None else replace(constants, collapse=self.collapse)


@dataclass(frozen=True, slots=True)
class TermScore:
    """What one query term gave a row: its idf, its weighted frequency there, its part of the row's bm25.

    `rare` is what it gives to the score beside the bm25 where it is rare, or names the document, else 0.
    """

    term: str
    idf: float
    tf: float
    score: float
    documents: int  # passages that hold the term
    rare: float = 0.0


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
    """What each part gave to the score; the parts that are not None sum to it.

    `keyword` is what bm25 gave; `rare` what words gave beside it that are rare or name the document; `around` what the
    passages before and after it changed, `late` what late interaction changed, each of which may be below 0.
    """

    vector: float
    keyword: float
    feedback: float | None = None
    memory: float | None = None
    rare: float | None = None
    around: float | None = None
    late: float | None = None

    @property
    def words(self) -> float:
        """What words gave in all: by their bm25, and by being rare."""
        return self.keyword + (self.rare or 0.0)


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
    """The past query whose judgement changed a row's score, how near it lies, and what was thought of the passage.

    `by` is the member of a team who shares that judgement, "" for the reader.
    """

    query: str
    cosine: float
    grade: Grade
    by: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """One row of a result list, with everything that a person sees of it.

    Lines are those of the file, counted from 1; None where the text stands on none, as in a PDF.
    """

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
    line_start: int | None
    line_end: int | None
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
    judged_below: tuple[int, Grade] | None = None  # a passage folded into this row that was marked, with its mark
    pending: bool = False  # meaning was asked, and the passage has no vector yet: it is ranked by its words


@dataclass(frozen=True, slots=True)
class WordReading:
    """How one word of the query was read: the passages that hold it and its idf here (0 documents: unknown).

    `asked` is the word as typed where no passage holds it, so that words that begin so (`term` is `word*`) or hold it
    (`*word*`) were searched instead.
    `nearest` is a word of the library that an unknown one may have been meant for, "" where none is near.
    """

    term: str
    documents: int
    idf: float
    asked: str = ""
    nearest: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What `-term` took out of a search: the passages that hold it, of those that pass the filters."""

    term: str
    passages: int


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds spent in each stage of a search; in a large library both legs are searched at the same time."""

    load: float = 0.0
    encode: float = 0.0
    keyword: float = 0.0
    vector: float = 0.0
    fuse: float = 0.0
    total: float = 0.0
    embed: float = 0.0  # of passages on demand, before the search was done again with their vectors
    server: float = 0.0  # waited for the server of a team's library, within the others; 0 for a file


@dataclass(frozen=True, slots=True)
class Weights:
    """The leg weights that were used, and where they came from, in words."""

    vector: float
    keyword: float
    reason: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A query's verdict and rows. `found` counts the documents among the candidates, shown or not.

    While passages wait for their vectors, `embedded` is the share of the library that has them, `so_far` tells that it
    is too small for a verdict by meaning, and `awaited` are the candidates that wait, as passage ids, the one that this
    search would gain most by first. `constants` are those of the fusion `convex` that it went by.
    """

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
    left_out: tuple[LeftOut, ...] = ()
    embedded: float = 1.0
    so_far: bool = False
    awaited: tuple[int, ...] = ()
    constants: FusionConstants = DEFAULT_CONSTANTS
    late: str = ""  # the late model that ranked the best again, "" where none did


@dataclass(frozen=True, slots=True)
class NearestWord:
    """One word of a question, and the word of a passage that is nearest to it in meaning, by the model's token vectors.

    `start` and `end` are its code points in the passage's text; `same` is one that is the word itself, or has its stem.
    `word` is "" and `cosine` None where no word of the passage is near enough. `faint` lies below the cut.
    """

    asked: str
    word: str = ""
    start: int = 0
    end: int = 0
    cosine: float | None = None
    same: bool = False
    faint: bool = False
