"""The facts that explain one row, computed once: the rows, the sentences and the screen only render them.

Every figure stands here as it is shown, rounded so that parts sum to their total; JSON prints the records unrounded.
"""

from __future__ import annotations

from app.wording.bars import Rarity, rarity
from app.wording.safe_text import one_line
from engine.figures import adding_up, figure, value_of
from engine.lazy_dataclass import dataclass
from engine.records import RECIPROCAL, Fusion, Grade, Hit, Remembered, SearchResult, TermScore, WordReading

DEEDS: dict[Grade, str] = {2: "marked right for", -2: "marked wrong for", 1: "opened for"}
SAME = 0.9995  # cosine from which two searches are one, as shown
PARTS = ("meaning", "words", "rare", "around", "feedback", "memory", "late")
STAGE_NAMES = {  # of what "why not" follows a document through
    "indexed": "indexed",
    "filters": "filters",
    "vector": "by meaning",
    "keyword": "by words",
    "cutoff": "cut-off",
    "fused": "fused",
    "late": "late",
    "grouped": "grouped",
    "collapsed": "near-duplicates",
    "listed": "in the list",
}


@dataclass(frozen=True, slots=True)
class Part:
    """What one part gave to the score: its value, and as shown."""

    name: str
    value: float
    shown: str


@dataclass(frozen=True, slots=True)
class Word:
    """What one word of the query gave to a row: its part of the bm25 and of the score, as shown.

    `points` is "" where the ranking took the rank by words and not their bm25.
    """

    score: TermScore
    rarity: Rarity
    bm25: str
    points: str

    @property
    def term(self) -> str:
        """The word as the index holds it."""
        return self.score.term


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where a row would stand by each leg alone, and where fusion, grouping and collapsing put it."""

    meaning: int | None
    words: int | None
    fused: int
    grouped: int | None
    final: int

    @property
    def in_notes_above(self) -> int:
        """How many better passages went into rows of their notes above."""
        return max(0, self.fused - (self.grouped or self.final))

    @property
    def alike_above(self) -> int:
        """How many better near-duplicates went into rows above."""
        return max(0, (self.grouped or self.final) - self.final)


@dataclass(frozen=True, slots=True)
class Signal:
    """What the tier was read from, as shown: the total is the sum of cosine and coverage."""

    total: str
    cosine: str
    coverage: str


@dataclass(frozen=True, slots=True)
class Memory:
    """The judgement that changed the score: what was thought of the row, in which search, and how near that lies."""

    deed: str
    query: str
    near: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that explains one row; `decimals` is how many places its score is shown with."""

    decimals: int
    score: str
    parts: tuple[Part, ...]
    words: tuple[Word, ...]
    absent: tuple[WordReading, ...]  # words of the query that do not stand in the row's passage
    ranks: Ranks
    signal: Signal
    memory: Memory | None = None

    def shown(self, part: str, otherwise: str = "") -> str:
        """Return a part of the score as shown, or `otherwise` where it was not used."""
        return next((each.shown for each in self.parts if each.name == part), otherwise)


def facts_of(hit: Hit, result: SearchResult) -> Facts:
    """Return the facts about one row of a result, or about a passage that has no row of its own."""
    decimals = decimals_of(result.fusion)
    parts = _parts(hit, decimals)
    terms = hit.keyword.terms if hit.keyword else ()
    present = {term.term for term in terms}
    told = hit.explanation
    return Facts(
        decimals=decimals,
        score=figure(hit.score, decimals),
        parts=parts,
        words=_words(hit, result, next(each.shown for each in parts if each.name == "words"), decimals),
        absent=tuple(word for word in result.words if word.term not in present),
        ranks=ranks_of(hit),
        signal=Signal(figure(told.signal), *adding_up([told.cosine, told.signal - told.cosine], told.signal, 3)),
        memory=_memory(told.remembered) if told.remembered is not None else None,
    )


def ranks_of(hit: Hit) -> Ranks:
    """Return where a row stands by each way of ranking."""
    told = hit.explanation
    return Ranks(told.rank_by_meaning, told.rank_by_words, told.rank_fused, told.rank_grouped, told.rank_final)


def decimals_of(fusion: Fusion) -> int:
    """Return how many places a score needs: reciprocal ranks are below .033."""
    return 4 if fusion in RECIPROCAL else 3


def differences(one: Facts, other: Facts) -> dict[str, int]:
    """Return how much more each part gave to one row than to another, in units of the last place as shown."""
    used = [name for name in PARTS if one.shown(name) or other.shown(name)]
    return {
        name: units(one.shown(name, "0"), one.decimals) - units(other.shown(name, "0"), one.decimals) for name in used
    }


def units(shown: str, decimals: int) -> int:
    """Return a shown figure in whole units of its last place."""
    return round(value_of(shown) * 10.0**decimals)


def _memory(remembered: Remembered) -> Memory:
    near = "this very search" if remembered.cosine > SAME else f"cosine {figure(remembered.cosine)} with this search"
    deed = DEEDS[remembered.grade]
    if remembered.by:
        deed = deed.replace(" for", f" by {one_line(remembered.by)} for")
    return Memory(deed, remembered.query, near)


def _parts(hit: Hit, decimals: int) -> tuple[Part, ...]:
    """Return the parts of the score that were used; as shown, they sum to the score as shown."""
    shares = hit.shares
    given = zip(
        PARTS,
        (
            shares.vector,
            shares.keyword,
            shares.rare,
            shares.around,
            shares.feedback,
            shares.memory,
            shares.late,
        ),
        strict=True,
    )
    used = [(name, value) for name, value in given if value is not None]
    shown = adding_up([value for _, value in used], hit.score, decimals)
    return tuple(Part(name, value, text) for (name, value), text in zip(used, shown, strict=True))


def _words(hit: Hit, result: SearchResult, share: str, decimals: int) -> tuple[Word, ...]:
    """Return the words that stand in the row, with what each gave; the figures sum to bm25 and to the words' part."""
    if hit.keyword is None:
        return ()
    terms = hit.keyword.terms
    bm25 = adding_up([term.score for term in terms], hit.keyword.bm25, 2)
    apart = hit.keyword.bm25 > 0 and result.fusion not in RECIPROCAL
    points = _points(terms, value_of(share), decimals) if apart else []
    return tuple(
        Word(term, rarity(term.documents, term.idf, result.passages)[0], part, point)
        for term, part, point in zip(terms, bm25, points or [""] * len(terms), strict=True)
    )


def _points(terms: tuple[TermScore, ...], share: float, decimals: int) -> list[str]:
    whole = sum(term.score for term in terms)
    if whole <= 0:
        return []
    return adding_up([term.score / whole * share for term in terms], share, decimals)
