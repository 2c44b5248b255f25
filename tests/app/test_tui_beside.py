"""The page of the model beside the one in use, and its blind review, driven by keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from beside_fakes import NOW, FakeBeside, FakeShadowLibrary, candidate, searches
from fakes import STILL, FakeIndexer, FakeLibrary, ports
from piloting import SMALL, WIDE, pressed, settle, told, until, written
from textual.pilot import Pilot
from training_fakes import FakeTraining

from app.tui.app import CarrelApp
from app.tui.screens.confirm import ConfirmScreen
from app.tui.screens.training.list_review import ListReviewScreen
from app.tui.screens.training.screen import TrainingScreen
from app.tui.widgets.footer import KeyLine
from engine.records import Mark, ShadowReview
from training.burn_in import DAY_SECONDS


@pytest.fixture
def library() -> FakeShadowLibrary:
    return FakeShadowLibrary(candidate(), searches())


@pytest.fixture
def beside(library: FakeShadowLibrary) -> FakeBeside:
    return FakeBeside(library)


@pytest.fixture
def app(beside: FakeBeside, tmp_path: Path) -> CarrelApp:
    return CarrelApp(replace(ports(FakeLibrary(), FakeIndexer(), pace=replace(STILL, considered=0.0)),
                             training=FakeTraining(tmp_path), beside=beside))  # fmt: skip


async def opened(pilot: Pilot[int]) -> TrainingScreen:
    """Go to the page "beside", and wait until it was read."""
    await settle(pilot)
    await pressed(pilot, "f9", "shift+tab")
    screen = pilot.app.screen
    assert isinstance(screen, TrainingScreen) and screen.page == "beside"
    await until(pilot, lambda: "reading" not in written(pilot))
    return screen


async def reviewing(pilot: Pilot[int]) -> ListReviewScreen:
    """Begin a review, and wait for its first two lists."""
    await opened(pilot)
    await pressed(pilot, "r")
    screen = pilot.app.screen
    assert isinstance(screen, ListReviewScreen)
    await until(pilot, lambda: screen.lists is not None)
    return screen


def said(pilot: Pilot[int]) -> str:
    """Return what the screen says as one line of words, the page "beside" part by part."""
    screen, lines = pilot.app.screen, [written(pilot)]
    if isinstance(screen, TrainingScreen):
        lines += [*screen.beside_page.figures.shown_lines, *screen.beside_page.curve.shown_lines]
    return " ".join(" ".join(lines).replace("│", " ").split())


def footer(pilot: Pilot[int]) -> str:
    return pilot.app.screen.query_one(KeyLine).render().plain


def decided(library: FakeShadowLibrary, won: int, lost: int = 0) -> None:
    """Have reviews made, of which so many prefer the candidate."""
    library.reviews += [ShadowReview(-1 - at, True, "left" if at < won else "right", 3.0) for at in range(won + lost)]


async def test_the_page_says_how_far_both_agree_and_how_many_reviews_are_left(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        shown = said(pilot)
        assert "tuned-1 beside all-MiniLM-L6-v2" in shown
        assert "60 live, 40 replayed, 0 held out" in shown
        assert "100 more reviews at most" in shown
        assert "Of 100 candidates preferred in 65 %, 76 are accepted" in shown and "15 pairs would see 17" in shown
        assert "kappa RBO .9" in shown and "identifiers" in shown
        assert "carried over .520" in shown and "fitted anew" in shown
        assert "Raw agreement says nothing" in shown


async def test_at_80_columns_all_of_it_is_scrolled_to(app: CarrelApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        assert "100 more reviews at most" in said(pilot)
        lines = screen.beside_page.figures.shown_lines
        assert any("carried over" in line for line in lines) and any("memory" in line for line in lines)
        await pressed(pilot, "end")
        assert "memory" in written(pilot)
        assert footer(pilot).startswith(("tab page", " tab page")) and "r review" in footer(pilot)


async def test_where_nothing_runs_beside_the_page_says_how_to_begin(app: CarrelApp, library: FakeShadowLibrary) -> None:
    library.state = None
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        assert "No model runs beside the one in use." in said(pilot) and "carrel shadow MODEL" in said(pilot)
        await pressed(pilot, "r", "p", "x", "b")  # nothing to do, and nothing breaks
        assert isinstance(app.screen, TrainingScreen)
        assert "review" not in footer(pilot)


async def test_a_review_keeps_each_choice_and_goes_on_where_it_was(app: CarrelApp, library: FakeShadowLibrary) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await reviewing(pilot)
        assert "100 more reviews at most" in written(pilot)
        for key, choice in (("left", "left"), ("right", "right"), ("equals_sign", "tie"), ("n", "neither")):
            count = len(library.reviews)
            await pressed(pilot, key)
            await until(pilot, lambda count=count: len(library.reviews) > count and screen.lists is not None)
            assert library.reviews[-1].choice == choice
        first = screen.lists
        await pressed(pilot, "q")
        assert isinstance(app.screen, TrainingScreen)
        real = sum(not each.control for each in library.reviews)
        await until(pilot, lambda: f"{real} reviews so far, {100 - real} more reviews at most" in said(pilot))
        await pressed(pilot, "r")
        again = app.screen
        assert isinstance(again, ListReviewScreen)
        await until(pilot, lambda: again.lists is not None)
        assert again.lists == first


async def test_nothing_on_the_screen_tells_whose_list_is_whose(app: CarrelApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await reviewing(pilot)
        shown = written(pilot)
        assert "tuned" not in shown and "MiniLM" not in shown and "cosine" not in shown and "strong" not in shown
        assert "Kept [b]warm" in shown  # what notes say is text


async def test_the_lists_stand_above_each_other_where_there_is_no_room(app: CarrelApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        screen = await reviewing(pilot)
        assert screen.first.region.bottom <= screen.second.region.y
        assert all(f"{place}  Note" in written(pilot) for place in range(1, 6))
        await pilot.resize_terminal(120, 35)
        await settle(pilot)
        assert screen.first.region.right <= screen.second.region.x


async def test_a_higher_terminal_has_room_for_more_of_each_text(app: CarrelApp) -> None:
    """Also where it is as wide as before."""
    async with app.run_test(size=(80, 18)) as pilot:
        screen = await reviewing(pilot)
        before = len(screen.first.shown_lines)
        await pilot.resize_terminal(80, 60)
        await settle(pilot)
        assert len(screen.first.shown_lines) > before


async def test_a_key_pressed_twice_chooses_once(beside: FakeBeside, tmp_path: Path) -> None:
    """The clock of the fakes stands still, so that no time passes between two lists and a key."""
    app = CarrelApp(replace(ports(FakeLibrary(), FakeIndexer(), pace=replace(STILL, considered=0.4)),
                            training=FakeTraining(tmp_path), beside=beside))  # fmt: skip
    async with app.run_test(size=WIDE) as pilot:
        screen = await reviewing(pilot)
        before = screen.lists
        await pressed(pilot, "left", "left")
        assert screen.lists is before and not beside.library.reviews


async def test_how_the_choices_lean_is_told_at_the_end_only(app: CarrelApp, library: FakeShadowLibrary) -> None:
    decided(library, won=9, lost=1)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        assert "10 reviews so far" in said(pilot) and "9 for" not in said(pilot) and "9 to 1" not in said(pilot)
        decided(library, won=9)
        await pressed(pilot, "f9", "f9")
        await until(pilot, lambda: "18 for the candidate, 1 against it" in said(pilot))
        assert "● accepted" in said(pilot)


async def test_a_review_that_is_over_says_so_at_once(app: CarrelApp, library: FakeShadowLibrary) -> None:
    decided(library, won=11)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pressed(pilot, "r")
        await until(pilot, lambda: "No more pairs are needed" in said(pilot))
        await pressed(pilot, "left", "right")
        assert len(library.reviews) == 11


async def test_searches_that_agree_by_now_are_passed_over(app: CarrelApp, library: FakeShadowLibrary) -> None:
    library.alike = {each.query for each in library.found}
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pressed(pilot, "r")
        await until(pilot, lambda: "No pair of lists is left" in said(pilot))


async def test_what_goes_wrong_with_a_choice_is_told_and_ends_the_sitting(app: CarrelApp, beside: FakeBeside) -> None:
    beside.trouble = "The disk is [b]full[/]."
    async with app.run_test(size=WIDE) as pilot:
        await reviewing(pilot)
        await pressed(pilot, "left")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        assert "The disk is [b]full[/]." in told(pilot)


async def test_an_accepted_model_is_taken_into_use_after_a_question(
    app: CarrelApp, beside: FakeBeside, library: FakeShadowLibrary
) -> None:
    decided(library, won=11)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pressed(pilot, "p")
        assert isinstance(app.screen, ConfirmScreen) and "14 days" in said(pilot)
        await pressed(pilot, "escape")
        assert beside.done == []
        await pressed(pilot, "p", "y")
        await until(pilot, lambda: beside.done == ["promote tuned-1"])
        assert library.cut["pairs"] == 1_000 and library.noted[0][0] == "shadow_accepted"


async def test_without_its_own_cuts_no_model_is_taken_into_use(
    app: CarrelApp, beside: FakeBeside, library: FakeShadowLibrary
) -> None:
    library.state = candidate(tiers_fitted=False)
    decided(library, won=11)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        assert "its own cuts of strong, likely and weak" in said(pilot)
        await pressed(pilot, "p", "y", "enter")
        assert beside.done == [] and not library.noted


async def test_a_model_that_is_not_accepted_is_used_knowingly_only(app: CarrelApp, beside: FakeBeside) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pressed(pilot, "p")
        assert "It is not accepted: Nothing has shown yet that it is better." in said(pilot)
        await pressed(pilot, "y")
        await until(pilot, lambda: beside.done == ["promote tuned-1"])


async def test_the_burn_in_stands_on_the_page_and_leads_back(
    app: CarrelApp, beside: FakeBeside, library: FakeShadowLibrary
) -> None:
    since = NOW - 15 * DAY_SECONDS
    library.state = candidate(former_since=since)
    library.found = tuple(replace(each, stream="live", verdict_a="none", at=NOW - 60) for each in searches(110))
    library.given = [Mark(each.query, each.top_a[0], b"/n", 1, at=NOW) for each in library.found[:12]]
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        assert "Better go back to tuned-1: 100 % more of the searches have no answer" in said(pilot)
        assert "b model before" in footer(pilot) and "r review" not in footer(pilot)
        await pressed(pilot, "b", "y")
        await until(pilot, lambda: beside.done == ["roll back tuned-1"])


async def test_a_model_beside_is_stopped_after_a_question(
    app: CarrelApp, beside: FakeBeside, library: FakeShadowLibrary
) -> None:
    decided(library, won=0, lost=5)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        assert "✗ refused" in said(pilot)
        await pressed(pilot, "x", "y")
        await until(pilot, lambda: "No model runs beside the one in use." in said(pilot))
        assert library.noted == [
            ("shadow_refused", {"reason": "The reviews prefer the model in use: 0 to 5, 0 for neither."})
        ]


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 60), (40, 10), (20, 5)])
async def test_both_fit_every_terminal(app: CarrelApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        await reviewing(pilot)
        await pressed(pilot, "q")
        assert isinstance(app.screen, TrainingScreen)
        assert all(len(line) <= size[0] for line in written(pilot).splitlines())
