"""What tests of the screen do again and again: wait, press keys, type a query, read the screen, compare its picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fakes import FakeIndexer, FakeLibrary, ports
from textual.pilot import Pilot

from app.tui.app import CarrelApp
from app.tui.indexer_state import IndexerState
from app.tui.screens.search.screen import SearchScreen
from app.tui.settings_file import SettingsFile
from app.wording.safe_text import one_line
from engine.config import Config

SMALL = (80, 24)  # the least that everything is made for
WIDE = (120, 34)  # results and preview beside each other
SIZES = (SMALL, WIDE)
WATCHING = IndexerState("watching", folders=5, covered=5)


async def settle(pilot: Pilot[int]) -> None:
    """Wait until no worker is left and what they posted is shown, with all that was begun on it."""
    quiet = 0
    while quiet < 2:
        await pilot.pause()
        quiet = quiet + 1 if all(worker.is_finished for worker in pilot.app.workers) else 0


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, and until all that followed is shown."""
    for _ in range(500):
        if condition():
            await settle(pilot)
            return
        await pilot.pause(0.01)
    raise AssertionError("it never came:\n" + written(pilot))


async def pressed(pilot: Pilot[int], *keys: str) -> None:
    """Press keys, each after all that the one before it began is done."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


def screen_of(pilot: Pilot[int]) -> SearchScreen:
    """Return the search screen, whatever lies above it."""
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, SearchScreen)
    return screen


async def typed(pilot: Pilot[int], text: str) -> SearchScreen:
    """Put a query into the line as if it had been typed, and wait for its answer."""
    await settle(pilot)
    screen = screen_of(pilot)
    screen.query_line.value = one_line(text)
    screen.query_line.cursor_position = len(text)
    await settle(pilot)
    return screen


def written(pilot: Pilot[int]) -> str:
    """Return everything on the screen as text."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def told(pilot: Pilot[int]) -> list[str]:
    """Return what the notifications said, oldest first, those that a key took away too."""
    return list(getattr(pilot.app, "told", ()))


def picture(
    snap_compare: Any,
    library: FakeLibrary,
    size: tuple[int, int],
    *keys: str,
    query: str = "",
    config: Config | None = None,
    asked: tuple[str, ...] = (),
    state: IndexerState = WATCHING,
) -> bool:
    """Compare a picture taken after a query and some keys with the kept one; `asked` is what the history holds."""
    indexer = FakeIndexer()
    app = CarrelApp(replace(ports(library, indexer), settings=SettingsFile(config=config)))
    for text in asked:
        app.ports.history.remember(text)

    async def before(pilot: Pilot[int]) -> None:
        await settle(pilot)
        indexer.report(state)
        if query:
            await typed(pilot, query)
        await pressed(pilot, *keys)

    return bool(snap_compare(app, terminal_size=size, run_before=before))
