"""What tests of the screen do again and again: wait, press keys, type a query, read the screen."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from app.tui.screens.search.screen import SearchScreen


async def settle(pilot: Pilot[int]) -> None:
    await pilot.pause()
    while not all(worker.is_finished for worker in pilot.app.workers):
        await pilot.pause()
    await pilot.pause()


async def pressed(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


async def typed(pilot: Pilot[int], text: str) -> SearchScreen:
    """Put a query into the line as if it had been typed, and wait for its answer."""
    await settle(pilot)
    screen: Any = pilot.app.screen_stack[0]
    screen.query_line.write(text)
    await settle(pilot)
    assert isinstance(screen, SearchScreen)
    return screen


def written(pilot: Pilot[int]) -> str:
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)
