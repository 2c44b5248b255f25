"""`carrel shadow` with what both models found, its blind review on the terminal, and promotion from it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import click
import pytest
from beside_fakes import FakeShadowLibrary, candidate, searches
from cli_fakes import Call

from app.cli import factories, shadow_review
from engine.records import ShadowReview

LEFT, RIGHT = "\x1b[D", "\x1bOC"


class OpenedLibrary(FakeShadowLibrary):
    """A library that a command opens."""

    path = "/library.carrel"

    def __enter__(self) -> OpenedLibrary:
        return self

    def __exit__(self, *_: object) -> None:
        """Stay as it is, for the next command."""

    def status(self) -> Any:
        assert self.state is not None
        return SimpleNamespace(model=self.state.active.name)


@pytest.fixture
def shadowed(carrel: Call, monkeypatch: pytest.MonkeyPatch) -> OpenedLibrary:
    library = OpenedLibrary(candidate(), searches())
    monkeypatch.setattr(factories, "open_library", lambda path, create=False: library)
    return library


@pytest.fixture
def press(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a person press keys, each after some looking."""

    def pressed(*keys: str, seconds: float = 5.0) -> None:
        waiting, now = iter(keys), [0.0]

        def key(echo: bool = False) -> str:
            now[0] += seconds
            return next(waiting)

        monkeypatch.setattr(click, "getchar", key)
        monkeypatch.setattr(shadow_review.time, "monotonic", lambda: now[0])

    return pressed


def prefer(library: OpenedLibrary, won: int, lost: int = 0) -> None:
    library.reviews += [ShadowReview(-1 - at, True, "left" if at < won else "right", 3.0) for at in range(won + lost)]


def test_the_figures_of_the_page_stand_on_the_terminal_and_in_json(carrel: Call, shadowed: OpenedLibrary) -> None:
    shown = " ".join(carrel("shadow").out.split())
    assert "100 more reviews at most" in shown and "76 are accepted" in shown
    assert "Cut carried over .520" in shown and "Raw agreement says nothing" in shown
    found = carrel("shadow", "--json").json["standing"]
    assert found["agreement"]["kappa"] == pytest.approx(0.806, abs=0.001)
    assert found["agreement"]["streams"]["live"]["searches"] == 60
    assert found["agreement"]["curve"]["carried_over"]["cut"] == 0.52
    assert len(found["agreement"]["curve"]["points"]) == 121
    assert found["agreement"]["tiers"]["strong"]["weak"] > 0
    assert found["review"]["left_at_most"] == 100 and found["review"]["sees"]["whole"]["accepted"] > 0.76
    assert found["verdict"] == "open" and found["burn_in"] is None


def test_without_a_model_beside_there_is_no_standing_and_no_review(carrel: Call, shadowed: OpenedLibrary) -> None:
    shadowed.state = None
    assert carrel("shadow", "--json").json["standing"] is None
    ended = carrel("shadow", "review")
    assert ended.code == 2 and "nothing to review" in ended.err


def test_choices_are_kept_one_by_one_and_leaving_keeps_them(
    carrel: Call, shadowed: OpenedLibrary, press: Callable[..., None]
) -> None:
    press(LEFT, RIGHT, "?", "=", "N", "q")
    ended = carrel("shadow", "review")
    assert ended.code == 0
    assert [each.choice for each in shadowed.reviews] == ["left", "right", "tie", "neither"]
    assert all(each.seconds >= 5 for each in shadowed.reviews)
    real = sum(not each.control for each in shadowed.reviews)
    assert f"{real} reviews so far, {100 - real} more reviews at most" in ended.out
    assert "tuned-1" not in ended.err and "cosine" not in ended.err


def test_a_key_pressed_twice_chooses_once(carrel: Call, shadowed: OpenedLibrary, press: Callable[..., None]) -> None:
    press(LEFT, LEFT, LEFT, LEFT, "q", seconds=0.1)
    carrel("shadow", "review")
    assert len(shadowed.reviews) == 1  # the fourth, .4 s after the lists came


def test_how_the_choices_lean_is_in_no_output_before_the_end(carrel: Call, shadowed: OpenedLibrary) -> None:
    prefer(shadowed, won=9, lost=1)
    found = carrel("shadow", "--json").json["standing"]["review"]
    assert found["reviews"] == 10 and "for" not in found and "against" not in found
    assert "9 for" not in carrel("shadow").out
    prefer(shadowed, won=9)
    found = carrel("shadow", "--json").json["standing"]
    assert (found["review"]["for"], found["review"]["against"]) == (18, 1) and found["verdict"] == "accepted"


def test_a_review_that_is_over_asks_nothing_more(carrel: Call, shadowed: OpenedLibrary) -> None:
    prefer(shadowed, won=11)
    ended = carrel("shadow", "review")
    assert "The review is over" in ended.out and len(shadowed.reviews) == 11


def test_no_terminal_is_told(carrel: Call, shadowed: OpenedLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_terminal(echo: bool = False) -> str:
        raise OSError("no tty")

    monkeypatch.setattr(click, "getchar", no_terminal)
    ended = carrel("shadow", "review")
    assert ended.code == 2 and "no terminal" in ended.err


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the indexer was asked to take into use."""
    asked: list[str] = []
    monkeypatch.setattr("app.cli.indexer_request.switch_model", lambda library, name: not asked.append(name))
    return asked


def test_promotion_is_refused_where_the_cuts_were_not_fitted_anew_whatever_was_chosen(
    carrel: Call, shadowed: OpenedLibrary, switched: list[str]
) -> None:
    shadowed.state = candidate(tiers_fitted=False)
    prefer(shadowed, won=11)
    for arguments in (("tuned-1",), ("tuned-1", "--anyway")):
        ended = carrel("promote", *arguments)
        assert ended.code == 2 and "its own cuts of strong, likely and weak" in ended.err
    shadowed.state, shadowed.found = candidate(), searches(19)
    assert "190 of 200 pairs from 19 of 50" in carrel("promote", "tuned-1").err
    assert switched == [] and not shadowed.noted


def test_promotion_is_refused_until_the_candidate_is_accepted(
    carrel: Call, shadowed: OpenedLibrary, switched: list[str]
) -> None:
    ended = carrel("promote", "tuned-1")
    assert ended.code == 2 and "not accepted: open" in ended.err and switched == []
    prefer(shadowed, won=11)
    ended = carrel("promote", "tuned-1")
    assert ended.code == 0 and switched == ["tuned-1"]
    assert "all-MiniLM-L6-v2 is kept beside it" in ended.out
    assert shadowed.noted[0][0] == "shadow_accepted" and shadowed.cut["queries"] == 100


def test_what_was_in_use_before_is_gone_back_to_and_not_promoted(
    carrel: Call, shadowed: OpenedLibrary, switched: list[str]
) -> None:
    shadowed.state = candidate(former_since=1.0)
    ended = carrel("promote", "tuned-1")
    assert ended.code == 2 and "carrel rollback" in ended.err
    assert "Burn-in" in carrel("shadow").out or "Better go back" in carrel("shadow").out


def test_a_refused_candidate_is_noted_when_it_is_stopped(carrel: Call, shadowed: OpenedLibrary) -> None:
    prefer(shadowed, won=0, lost=5)
    assert "runs beside no more" in carrel("shadow", "stop").out
    assert shadowed.noted[0][0] == "shadow_refused"


@pytest.mark.parametrize("columns", ["80", "120", "30"])
def test_both_lists_fit_the_terminal(
    carrel: Call, shadowed: OpenedLibrary, press: Callable[..., None], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    press("q")
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("LINES", "24")
    ended = carrel("shadow", "review", "--no-color")
    lines = ended.err.splitlines()
    begin = next(place for place, line in enumerate(lines) if line.startswith("“"))
    shown = lines[begin:]
    assert len(shown) <= 24
    assert sum("1  Note" in line for line in shown) == (1 if columns == "120" else 2)
    assert all(len(line) < int(columns) for line in shown[:-1])
