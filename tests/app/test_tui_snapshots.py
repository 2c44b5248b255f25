"""Pictures of the screen at the smallest size that is promised and at a comfortable one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fakes import FakeIndexer, FakeLibrary, ports
from textual.pilot import Pilot

from app.tui.app import CarrelApp
from app.tui.indexer_state import IndexerState

SIZES = [(80, 24), (120, 34)]


@pytest.fixture(autouse=True)
def _one_time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("COLORFGBG", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    os.environ.pop("TZ", None)
    time.tzset()


def picture(snap_compare: Any, library: FakeLibrary, size: tuple[int, int], query: str, *keys: str) -> bool:
    """Compare a picture taken after a query and some keys with the one that is kept."""
    indexer = FakeIndexer()

    async def before(pilot: Pilot[int]) -> None:
        await settle(pilot)
        indexer.report(IndexerState("watching", folders=5, covered=5))
        pilot.app.screen.query_one("#query").value = query  # type: ignore[attr-defined]
        await settle(pilot)
        if keys:
            await pilot.press(*keys)
        await settle(pilot)

    return bool(snap_compare(CarrelApp(ports(library, indexer)), terminal_size=size, run_before=before))


async def settle(pilot: Pilot[int]) -> None:
    """Wait until no worker is left and what they posted is shown."""
    await pilot.pause()
    while not all(worker.is_finished for worker in pilot.app.workers):
        await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
def test_results(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "path:kitchen starter alive", "down")


@pytest.mark.parametrize("size", SIZES)
def test_explanation(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "starter alive", "down", "ctrl+t")


@pytest.mark.parametrize("size", SIZES)
def test_nothing_relevant(snap_compare: Any, size: tuple[int, int]) -> None:
    library = FakeLibrary()
    library.verdict_none = True
    assert picture(snap_compare, library, size, "quantum starter")


@pytest.mark.parametrize("size", SIZES)
def test_the_beginning(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "")


@pytest.mark.parametrize("size", SIZES)
def test_an_empty_folder(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary({}), size, "")


@pytest.mark.parametrize("size", SIZES)
def test_help(snap_compare: Any, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FakeLibrary(), size, "starter", "f1")


def test_light(snap_compare: Any) -> None:
    assert picture(snap_compare, FakeLibrary(), (120, 34), "starter alive", "f4")


def test_read_only(snap_compare: Any) -> None:
    assert picture(snap_compare, FakeLibrary(read_only=True), (80, 24), "starter")
