"""Pictures of the page "beside" and of a blind review: at three sizes, light, and with few colours or none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from beside_fakes import FakeBeside, FakeShadowLibrary, candidate, searches
from fakes import STILL, FakeIndexer, FakeLibrary, ports
from piloting import SMALL, pressed, settle, until, written
from textual.pilot import Pilot
from training_fakes import FakeTraining

from app.tui.app import CarrelApp
from app.tui.screens.training.list_review import ListReviewScreen
from app.tui.settings_file import SettingsFile
from engine.config import Config

MIDDLE, LARGE = (120, 35), (200, 60)
PAGES = ("beside", "review")
GROUNDS: dict[str, dict[str, str]] = {
    "dark": {},
    "light": {},
    "16 colours": {"TERM": "xterm"},
    "none": {"TERM": "xterm-256color", "NO_COLOR": "1"},
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("ground", "size"),
    [("dark", SMALL), ("dark", MIDDLE), ("dark", LARGE), *((each, MIDDLE) for each in [*GROUNDS][1:])],
)
def test_pictures(
    snap_compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, ground: str, size: tuple[int, int]
) -> None:
    if GROUNDS[ground]:
        monkeypatch.delenv("COLORTERM", raising=False)
    for name, value in GROUNDS[ground].items():
        monkeypatch.setenv(name, value)
    settings = SettingsFile(config=Config(theme="carrel-light" if ground == "light" else ""))
    beside = FakeBeside(FakeShadowLibrary(candidate(), searches()))
    at_hand = ports(FakeLibrary(), FakeIndexer(), pace=replace(STILL, considered=0.0))
    app = CarrelApp(replace(at_hand, training=FakeTraining(tmp_path), beside=beside, settings=settings))

    async def before(pilot: Pilot[int]) -> None:
        await settle(pilot)
        await pressed(pilot, "f9", "shift+tab")
        await until(pilot, lambda: "reading" not in written(pilot))
        if page == "review":
            await pressed(pilot, "r")
            screen = pilot.app.screen
            assert isinstance(screen, ListReviewScreen)
            await until(pilot, lambda: screen.lists is not None)

    assert snap_compare(app, terminal_size=size, run_before=before)
