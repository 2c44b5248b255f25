"""Which searches a blind review shows, on which side the candidate stands, and what the choices say so far.

Pure. The order follows from a seed that stands for the pair of models, so that a review that was left goes on where it
was, and nobody who reads this screen can tell the sides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter

from engine.evaluation.sequential_test import CAP, Outcome, Tally, outcome
from engine.lazy_dataclass import dataclass
from engine.records import ShadowReview, ShadowSearch

SHOWN = 5  # rows of each list: what is seen without scrolling
CONTROL_EVERY = 10  # of so many pairs one shows the same list twice
SIDES_TOGETHER = 10  # reviews in which the candidate stands as often at the left as at the right
SHORT_WORDS, MIDDLE_WORDS = 3, 10  # words of a question, up to which it is short, or of middle length


@dataclass(frozen=True, slots=True)
class Proposal:
    """A search to be reviewed: `left_is_b` where the candidate's list stands left; a control shows one list twice."""

    search: ShadowSearch
    left_is_b: bool
    control: bool = False


@dataclass(frozen=True, slots=True)
class Controls:
    """How many pairs of one list were shown, and on how many of them a side was preferred that was no better."""

    shown: int = 0
    preferred: int = 0

    @property
    def passed(self) -> bool:
        """Whether the choices can be trusted: at most half of the controls were taken for a difference."""
        return 2 * self.preferred <= self.shown


@dataclass(frozen=True, slots=True)
class ReviewStanding:
    """How a blind review stands. While it is open, nobody is told which way it leans: that would lead the next choice.

    `waiting` is how many searches there are still to be reviewed, `left` how many more are needed at most.
    """

    tally: Tally
    controls: Controls
    waiting: int

    @property
    def outcome(self) -> Outcome:
        """What the test says; choices that see differences where there are none accept nothing."""
        found = outcome(self.tally)
        if found != "accepted" or self.controls.passed:
            return found
        return "open" if self.tally.reviews < CAP else "undecided"

    @property
    def left(self) -> int:
        """How many more reviews there can be at most."""
        return CAP - self.tally.reviews if self.outcome == "open" else 0


def length_slice(words: int) -> str:
    """Return the slice of a question by its length."""
    if words <= SHORT_WORDS:
        return f"up to {SHORT_WORDS} words"
    return f"{SHORT_WORDS + 1} to {MIDDLE_WORDS} words" if words <= MIDDLE_WORDS else "more words"


def standing(searches: Sequence[ShadowSearch], reviews: Sequence[ShadowReview], seed: int) -> ReviewStanding:
    """Return how a review stands."""
    waiting = sum(not each.control for each in proposals(searches, reviews, seed))
    return ReviewStanding(tally_of(reviews), controls_of(reviews), waiting)


def tally_of(reviews: Iterable[ShadowReview]) -> Tally:
    """Return how often either list was preferred, or neither; controls left out."""
    chosen = [_preferred(each) for each in reviews if not each.control]
    return Tally(chosen.count("b"), chosen.count("a"), chosen.count(""))


def controls_of(reviews: Iterable[ShadowReview]) -> Controls:
    """Return what was chosen where both lists were the same."""
    chosen = [_preferred(each) for each in reviews if each.control]
    return Controls(len(chosen), sum(map(bool, chosen)))


def _preferred(review: ShadowReview) -> str:
    if review.choice not in ("left", "right"):
        return ""
    return "b" if (review.choice == "left") == review.left_is_b else "a"


def proposals(searches: Sequence[ShadowSearch], reviews: Sequence[ShadowReview], seed: int) -> Iterator[Proposal]:
    """Yield what is still to be reviewed, in order: each question once, only where the first five rows differ.

    Drawn so that each slice comes as often as it does among these searches. One pair of ten is a control, of a search
    that both models answer alike, where there is one.
    """
    questions = {each.id: question(each) for each in searches}
    done = {questions.get(each.search_id) for each in reviews}
    newest = {questions[each.id]: each for each in sorted(searches, key=lambda search: search.id)}
    open_ones = [search for asked, search in newest.items() if asked not in done]
    rest = _stratified([each for each in open_ones if _differs(each)], seed)
    alike = sorted((each for each in open_ones if not _differs(each)), key=lambda each: _chance(seed, each.id))
    shown, real = len(reviews), sum(not each.control for each in reviews)
    while rest:
        if _is_control(shown, seed):
            yield Proposal((alike or rest).pop(), _side(shown, seed ^ 1), control=True)
        else:
            yield Proposal(rest.pop(0), _side(real, seed))
            real += 1
        shown += 1


def _differs(search: ShadowSearch) -> bool:
    return search.top_a[:SHOWN] != search.top_b[:SHOWN]


def question(search: ShadowSearch) -> str:
    """Return what tells one question from another: its words, whatever their case and spaces."""
    return " ".join(search.query.casefold().split())


def _stratified(searches: Sequence[ShadowSearch], seed: int) -> list[ShadowSearch]:
    """Return all searches so that any first part of them holds each slice by its share; by chance within a slice."""
    strata: dict[tuple[str, bool], list[tuple[float, ShadowSearch]]] = {}
    drawn = [(_chance(seed, each.id), each) for each in searches]
    for chance, each in sorted(drawn, key=itemgetter(0)):
        strata.setdefault((length_slice(each.words), each.identifier), []).append((chance, each))
    places = [
        ((place + 0.5) / len(stratum), chance, search)
        for stratum in strata.values()
        for place, (chance, search) in enumerate(stratum)
    ]
    return [search for _, _, search in sorted(places, key=itemgetter(0, 1))]


def _chance(seed: int, *what: object) -> float:
    """Return a number from 0 to 1 that is the same in every process, as `random` with a text for a seed, but sooner."""
    digest = hashlib.blake2b(" ".join(map(str, (seed, *what))).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _is_control(shown: int, seed: int) -> bool:
    """Whether the next pair is a control: one of every ten, at a place that chance gives."""
    block, place = divmod(shown, CONTROL_EVERY)
    return place == int(_chance(seed, "control", block) * CONTROL_EVERY)


def _side(number: int, seed: int) -> bool:
    """Whether the candidate stands left: in each ten as often as not, so that who always presses left prefers none."""
    block, place = divmod(number, SIDES_TOGETHER)
    return place in _left_places(block, seed)


@lru_cache(maxsize=CAP)  # a review asks for the places of its ten blocks once for each pair
def _left_places(block: int, seed: int) -> frozenset[int]:
    drawn = sorted(range(SIDES_TOGETHER), key=lambda each: _chance(seed, "side", block, each))
    return frozenset(drawn[: SIDES_TOGETHER // 2])
