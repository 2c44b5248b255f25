"""A model beside the one in use whose searches are made up: a library in memory, read by the real statistics."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.errors import UsageError
from engine.records import (
    Explanation,
    Hit,
    Mark,
    Query,
    SearchResult,
    ShadowModel,
    ShadowPair,
    ShadowReview,
    ShadowSearch,
    ShadowState,
    Shares,
    StoredDocument,
    StoredPassage,
    Timings,
    Weights,
)
from training import shadow_promotion
from training.blind_review import ReviewStanding
from training.review_session import ReviewSession, TwoLists
from training.shadow_standing import Standing, standing

NOW = 1_783_000_000.0
CUT = 0.52
WORDS = ("how to keep a starter alive", "tar -xzf", "Emil's bicycle", "backup of a database in use", "ssh agent")
FOLDERS = ("/home/me/notes", "/home/me/mail")


def candidate(**changed: Any) -> ShadowState:
    """Return the state of a small model beside the embedded one."""
    state = ShadowState(
        active=ShadowModel(1, "all-MiniLM-L6-v2", 384, 23_000_000, 9_600_000, 160_000_000),
        shadow=ShadowModel(2, "tuned-1", 192, 12_000_000, 4_800_000, 90_000_000),
        coverage=1.0,
        covered=6_402,
        passages=6_402,
        waiting=0,
        shares_vectors=False,
        tiers_fitted=True,
        former_since=None,
        since=NOW - 86_400,
        searches={"live": 60, "replay": 40, "held-out": 0},
        reviews=0,
        reference_cut=CUT,
    )
    return replace(state, **changed)


def searches(count: int = 100, *, at: float = NOW - 3_600) -> tuple[ShadowSearch, ...]:
    """Return searches of ten passages each; the candidate has another scale, and errs a little."""
    chance = random.Random(3)
    return tuple(_search(number, chance, at) for number in range(count, 0, -1))


def _search(number: int, chance: random.Random, at: float) -> ShadowSearch:
    cosines = sorted((chance.betavariate(2, 4) for _ in range(10)), reverse=True)
    names = [f"{number}-{place}".encode() for place in range(10)]
    beside = [0.3 + cosine / 2 + chance.gauss(0, 0.03) for cosine in cosines]
    order = sorted(range(10), key=lambda place: -beside[place])
    pairs = tuple(
        ShadowPair(names[place], place + 1, order.index(place) + 1, cosines[place], beside[place],
                   "strong" if cosines[place] >= CUT else "weak", "strong" if beside[place] >= 0.56 else "weak", 0.5)
        for place in range(10)
    )  # fmt: skip
    return ShadowSearch(
        query=f"{WORDS[number % 5]} {number}",
        stream="live" if number <= 60 else "replay",
        verdict_a="likely",
        verdict_b="likely",
        ms_a=14 + number % 5,
        ms_b=9 + number % 4,
        top_a=tuple(names),
        top_b=tuple(names[place] for place in order),
        words=2 + number % 12,
        identifier=number % 5 == 1,
        folder=FOLDERS[number % 3 == 0],
        pairs=pairs,
        at=at,
        id=number,
    )


class FakeShadowLibrary:
    """A library of which only the model beside is there."""

    def __init__(self, state: ShadowState | None = None, found: Sequence[ShadowSearch] = ()) -> None:
        self.state = state
        self.found = tuple(found)
        self.reviews: list[ShadowReview] = []
        self.given: list[Mark] = []
        self.noted: list[tuple[str, Mapping[str, Any]]] = []
        self.cut: Mapping[str, Any] = {}
        self.judged: dict[str, dict[bytes, bool]] = {}
        self.alike: set[str] = set()  # questions that both models answer alike by now

    def shadow_state(self) -> ShadowState | None:
        return self.state

    def shadow_searches(self, *, pairs: bool = False) -> tuple[ShadowSearch, ...]:
        return self.found if pairs else tuple(replace(each, pairs=()) for each in self.found)

    def shadow_reviews(self) -> tuple[ShadowReview, ...]:
        return tuple(self.reviews)

    def add_shadow_review(self, review: ShadowReview) -> int:
        self.reviews.append(review)
        return len(self.reviews)

    def shadow_lists(self, text: str, *, limit: int) -> tuple[SearchResult, SearchResult]:
        search = next(each for each in self.found if each.query == text)
        a = _result(text, search.top_a[:limit])
        return a, a if text in self.alike else _result(text, search.top_b[:limit])

    def marks(self) -> Sequence[Mark]:
        return self.given

    def answers(self) -> dict[str, dict[bytes, bool]]:
        return self.judged

    def document(self, path: bytes) -> StoredDocument | None:
        return None

    def passages_of(self, document_id: int) -> tuple[StoredPassage, ...]:
        return ()

    def passage_hashes(self, passage_ids: Sequence[int]) -> dict[int, bytes]:
        return {}

    def keep_shadow_cut(self, cut: Mapping[str, Any]) -> None:
        self.cut = cut

    def note_shadow(self, kind: str, detail: Mapping[str, Any]) -> None:
        self.noted.append((kind, detail))

    def stop_shadow(self) -> str:
        assert self.state is not None
        name, self.state = self.state.shadow.name, None
        return name


def _result(text: str, rows: Sequence[bytes]) -> SearchResult:
    hits = tuple(_hit(place, row) for place, row in enumerate(rows, 1))
    return SearchResult(
        query=Query(text, text), hits=hits, verdict="likely", fusion="convex", weights=Weights(0.8, 0.2, ""),
        timings=Timings(), model="", words=(), found=len(hits), passages=6_402,
    )  # fmt: skip


def _hit(rank: int, row: bytes) -> Hit:
    search, place = row.decode().split("-")
    explanation = Explanation(0.5, rank, None, rank, rank, 0.5, 0.0, 0.6, 0.4)
    return Hit(
        rank=rank, score=0.5, tier="likely", passage_id=int(search) * 100 + int(place), document_id=int(place) + 1,
        path=f"/home/me/notes/{search}/{place}.md".encode(), title=f"Note {place} of {search}",
        headings=("Kept [b]warm",),
        kind="markdown", modified=NOW, start=0, end=40, line_start=3, line_end=5, page=None,
        snippet=f"What stands in the note {place}, in some words that go on for a while so that they fill two lines.",
        marks=((0, 4),), vector=None, keyword=None, shares=Shares(0.3, 0.2), explanation=explanation,
    )  # fmt: skip


class FakeBeside:
    """The port over a library in memory; a failing one says `trouble`."""

    def __init__(self, library: FakeShadowLibrary | None = None) -> None:
        self.library = library or FakeShadowLibrary()
        self.done: list[str] = []
        self.trouble = ""

    def standing(self) -> Standing | None:
        return standing(self.library, NOW)

    def review(self) -> FakeReview:
        return FakeReview(self)

    def promote(self, *, knowingly: bool = False) -> str:
        name = shadow_promotion.accept(self.library, NOW, knowingly=knowingly)
        self.done.append(f"promote {name}")
        return name

    def roll_back(self) -> str:
        name = shadow_promotion.former(self.library) or ""
        self.done.append(f"roll back {name}")
        return name

    def stop(self) -> str:
        self.done.append("stop")
        return shadow_promotion.stop(self.library, NOW)


class FakeReview:
    """A sitting of a review."""

    def __init__(self, port: FakeBeside) -> None:
        self._port = port
        self._session = ReviewSession(port.library)
        self.closed = False

    @property
    def standing(self) -> ReviewStanding:
        return self._session.standing

    def next(self) -> TwoLists | None:
        return self._session.next()

    def choose(self, choice: Any, seconds: float) -> ReviewStanding:
        if self._port.trouble:
            raise UsageError(self._port.trouble)
        return self._session.choose(choice, seconds)

    def close(self) -> None:
        self.closed = True
        self._port.done.append("closed")
