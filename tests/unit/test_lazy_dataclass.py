"""Records of `engine.lazy_dataclass` behave as those that `dataclasses` makes of the same text."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import FrozenInstanceError, asdict, astuple, field, fields, is_dataclass, replace
from itertools import product
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from engine import lazy_dataclass
from engine.lazy_dataclass import dataclass

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """A place with a name."""

    path: str
    line: int = 1
    tags: Mapping[str, int] = field(default_factory=dict)

    def below(self) -> Place:
        """Return the next line's place."""
        return replace(self, line=self.line + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The base of what is told."""

    type: ClassVar[str] = "told"
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Told):
    """So many."""

    type: ClassVar[str] = "counted"
    number: int
    place: Place = Place("here")


@dataclass(frozen=True, slots=True)
class Pair(Generic[T]):
    """Two of a kind."""

    first: T
    second: T


def twins(text: str) -> tuple[Any, Any]:
    """Return the class of a text made by this module, and the one that the standard library makes."""
    made = []
    for maker in (lazy_dataclass.dataclass, dataclasses.dataclass):
        space: dict[str, Any] = {"dataclass": maker, "field": field, "__name__": __name__}
        exec(f"from __future__ import annotations\n{text}", space)
        made.append(space["Made"])
    return made[0], made[1]


CLASSES = [
    "@dataclass(frozen=True, slots=True)\nclass Made:\n a: int\n b: str = 'x'\n c: tuple = ()",
    "@dataclass(frozen=True, slots=True)\nclass Made:\n a: int",
    "@dataclass(frozen=True, slots=True)\nclass Made:\n 'Nothing in it.'",
    "@dataclass(frozen=True, slots=True, kw_only=True)\nclass Made:\n a: int = 1\n b: int",
    "@dataclass(frozen=True, slots=True)\nclass Made:\n a: int\n b: dict = field(default_factory=dict)",
    "@dataclass(frozen=True, slots=True)\nclass Made:\n a: int\n b: int = field(default=0, compare=False)",
    "@dataclass(frozen=True, slots=True)\nclass Made:\n a: int = field(compare=False)\n b: int = field(default=2)",
    "@dataclass(frozen=True, slots=True)\nclass Made:\n a: int\n def __post_init__(self):\n  assert self.a",
    "@dataclass(frozen=True)\nclass Made:\n a: int = 3",
    "@dataclass\nclass Made:\n a: int = 3",
]


GIVEN = ((), (1,), (1, "y"), (1, "y", (2,)), (1, 2, 3, 4))
NAMED = ({}, {"a": 5}, {"b": 6}, {"a": 5, "b": 6}, {"unknown": 1})


@pytest.mark.parametrize("text", CLASSES)
def test_a_record_takes_and_shows_what_the_standard_one_does(text):
    for given, named in product(GIVEN, NAMED):
        ours, standard = twins(text)  # anew: the first call makes what the later ones use
        assert answer(ours, given, named) == answer(standard, given, named), (given, named)


def answer(made, given, named):
    try:
        record = made(*given, **named)
        return repr(record), record == made(*given, **named), record == "other", asdict(record)
    except TypeError as error:
        return str(error)


@pytest.mark.parametrize("text", CLASSES)
def test_a_class_is_described_as_the_standard_one_is(text):
    ours, standard = twins(text)
    assert [(each.name, each.kw_only, each.compare) for each in fields(ours)] == [
        (each.name, each.kw_only, each.compare) for each in fields(standard)
    ]
    assert ours.__match_args__ == standard.__match_args__
    assert getattr(ours, "__slots__", None) == getattr(standard, "__slots__", None)


def test_records_are_changed_by_replace_only():
    place = Place("a.md", 3)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'line'"):
        place.line = 4  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'line'"):
        del place.line  # type: ignore[misc]
    assert not hasattr(place, "__dict__")
    assert (place.below(), place) == (Place("a.md", 4), Place("a.md", 3))


def test_what_a_factory_makes_is_shared_by_no_two_records():
    assert Place("a").tags == {} and Place("a").tags is not Place("a").tags
    assert Place("a", tags={"b": 1}).tags == {"b": 1}


def test_a_heir_has_the_fields_of_its_base_and_its_own():
    told = Counted(number=3, at=2.0)
    assert repr(told) == "Counted(at=2.0, number=3, place=Place(path='here', line=1, tags={}))"
    assert [each.name for each in fields(Counted)] == ["at", "number", "place"]
    assert replace(told, number=4) == Counted(number=4, at=2.0) != told
    assert (Counted.type, Told.type) == ("counted", "told")
    assert Told() != Counted(number=1)


def test_a_class_of_the_standard_library_may_inherit_and_the_other_way_round():
    @dataclasses.dataclass(frozen=True)
    class Dated(Told):
        day: str = ""

    @dataclass(frozen=True, slots=True)
    class Signed(Dated):
        who: str = ""

    assert repr(Dated(at=1.0, day="x")).endswith("Dated(at=1.0, day='x')")
    assert astuple(Signed(at=1.0, day="x", who="y")) == (1.0, "x", "y")


def test_records_are_keys_and_travel_between_processes():
    pair = Pair(1, 2)
    assert {pair: "found"}[Pair(1, 2)] == "found"
    assert pickle.loads(pickle.dumps(pair)) == copy.deepcopy(pair) == copy.copy(pair) == pair
    assert is_dataclass(Pair) and is_dataclass(pair)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Pair([], []))


def test_what_is_not_compared_is_not_hashed_either():
    @dataclass(frozen=True, slots=True)
    class Copied:
        name: str
        where: list[str] = field(default_factory=list, compare=False)

    assert Copied("a", ["x"]) == Copied("a", ["y"]) != Copied("b", ["x"])
    assert len({Copied("a", ["x"]), Copied("a", ["y"])}) == 1


def test_a_record_may_refuse_what_it_is_given():
    @dataclass(frozen=True, slots=True)
    class Column:
        name: str = "body"

        def __post_init__(self) -> None:
            if self.name not in ("body", "title"):
                raise ValueError(f"no such column: {self.name}")

    assert Column("title").name == "title"
    with pytest.raises(ValueError, match="no such column: text"):
        Column("text")
    with pytest.raises(ValueError, match="no such column: text"):
        replace(Column(), name="text")


def test_equality_that_a_class_writes_itself_counts_and_its_hash_is_its_own():
    @dataclass(frozen=True, slots=True)
    class Folded:
        word: str

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Folded) and self.word.lower() == other.word.lower()

        def __hash__(self) -> int:
            return hash(self.word.lower())

    assert {Folded("Bread")} == {Folded("bread")}


def test_a_default_that_all_records_would_share_is_refused():
    with pytest.raises(ValueError, match="mutable default"):

        @dataclass(frozen=True, slots=True)
        class Wrong:
            tags: list[str] = []


def test_threads_that_ask_for_the_first_time_at_once_find_one_description(monkeypatch):
    """Searches of several threads change settings: whoever comes second must not describe the class again."""
    ours, _ = twins("@dataclass(frozen=True, slots=True)\nclass Made:\n a: int\n b: int = 3")
    at_once, both, turn, record = dataclasses.dataclass, threading.Barrier(2), threading.Lock(), ours(1)

    def held_up(**how):
        def describe(cls):
            with suppress(threading.BrokenBarrierError):
                both.wait(0.5)  # for a second one, that does not come
            with turn:
                return at_once(**how)(cls)

        return describe

    monkeypatch.setattr(dataclasses, "dataclass", held_up)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda number: replace(record, a=number).a, (5, 6))) == [5, 6]
