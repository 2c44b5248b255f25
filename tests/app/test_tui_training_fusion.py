"""Fitting the fusion from the training screen: planned without torch, read as a table, taken into use and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeIndexer, FakeLibrary, ports
from piloting import SMALL, WIDE, pressed, settle, written
from textual.pilot import Pilot
from training_fakes import BEGAN, FUSION, SOURCES, FakeTraining

from app.tui.app import CarrelApp
from app.tui.screens.confirm import ConfirmScreen
from app.tui.screens.training.constants_table import constant_lines
from app.tui.screens.training.screen import TrainingScreen
from app.tui.training_port import Run
from app.tui.training_state import TrainingState, after
from engine.installation import command_for
from training.protocol import decode

FITTED = Run(
    "tuned-4", BEGAN, "fusion", "all-MiniLM-L6-v2", "ended", verdict="gain", outcome="promotable",
    gain=0.546, low=0.509, high=0.584, promotable=True,
)  # fmt: skip


class Judging(FakeTraining):
    """Has marks of which most say what is right, and offers to fit the fusion."""

    def sources(self):
        return [replace(each, labelled=each.queries // 2 if each.name == "judged" else 0) for each in SOURCES]

    def recipes(self):
        return (FUSION,) if self.lacking else (*super().recipes(), FUSION)

    def prospect(self, sources, plan):
        self.plans.append(plan)
        return super().prospect(sources, plan)


@pytest.fixture
def training(tmp_path: Path) -> Judging:
    return Judging(tmp_path)


@pytest.fixture
def app(training: Judging) -> CarrelApp:
    return CarrelApp(replace(ports(FakeLibrary(), FakeIndexer()), training=training))


async def opened(pilot: Pilot[int]) -> TrainingScreen:
    await settle(pilot)
    await pressed(pilot, "f9")
    assert isinstance(pilot.app.screen, TrainingScreen)
    return pilot.app.screen


async def over(pilot: Pilot[int], training: Judging) -> TrainingScreen:
    training.record(FITTED, "fusion")
    screen = await opened(pilot)
    await pressed(pilot, "tab", "tab", "enter")
    for _ in range(500):
        if screen.state.over:
            break
        await pilot.pause(0.01)
    await settle(pilot)
    return screen


async def test_without_torch_the_fusion_can_be_fitted_and_the_command_for_the_rest_is_told(
    app: CarrelApp, training: Judging
) -> None:
    training.lacking = "It brings torch."
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        seen = written(pilot)
        assert "fusion: how meaning" in seen
        assert "It brings torch." in seen
        assert command_for("training").split()[-1] in seen
        await pressed(pilot, "b")
        assert ("start",) in training.done


async def test_only_questions_with_a_known_answer_count_and_no_budget_is_asked(
    app: CarrelApp, training: Judging
) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        assert "How much" in written(pilot)
        while screen.plan_page.planning.recipe != "fusion":
            await pressed(pilot, "down", "enter")
        assert "How much" not in written(pilot)
        assert training.plans[-1].sources == ("judged",)
        assert screen.plan_page.planning.queries == max(each.labelled for each in training.sources())


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_a_run_that_is_over_shows_the_constants_and_what_each_gives(
    app: CarrelApp, training: Judging, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await over(pilot, training)
        seen = written(pilot)
        assert "✓ candidates" in seen or "✓ queries" in seen
        assert "Better on questions" in seen
        for _ in range(4):
            await pressed(pilot, "pagedown")
            seen += written(pilot)
        assert "Constants of the fusion" in seen
        assert "never" in seen
        assert "each left out once" in seen


async def test_u_takes_the_constants_into_use_and_r_goes_back(app: CarrelApp, training: Judging) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await over(pilot, training)
        await pressed(pilot, "u")
        assert isinstance(app.screen, ConfirmScreen)
        assert "nothing is embedded anew" in written(pilot)
        await pressed(pilot, "y")
        assert ("promote", "tuned-4") in training.done
        training.change("tuned-4", use="in use")
        await pressed(pilot, "tab")
        await settle(pilot)
        await pressed(pilot, "r")
        assert isinstance(app.screen, ConfirmScreen)
        assert "constants before" in written(pilot)
        await pressed(pilot, "y")
        assert ("rollback",) in training.done


def test_the_table_fits_every_width() -> None:
    state = TrainingState()
    for line in (Path(__file__).parent / "training_events" / "fusion.jsonl").read_text().splitlines():
        event = decode(line)
        assert event is not None
        state = after(state, event)
    for width in (20, 40, 60, 80, 120):
        assert all(line.cell_length <= width for line in constant_lines(state, width))
    wide = "\n".join(line.plain for line in constant_lines(state, 120))
    assert "+.785 to +.878" in wide
