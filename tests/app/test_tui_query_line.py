"""The query line by itself."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from app.tui.screens.search import query_line
from app.tui.screens.search.query_line import QueryLine


class OneLine(App[None]):
    """Holds a query line and nothing else."""

    def compose(self) -> ComposeResult:
        yield QueryLine(id="query")


async def test_the_cursor_stands_still_at_rest_and_blinks_again_at_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_line, "BLINKING_SECONDS", 0.01)
    app = OneLine()
    async with app.run_test() as pilot:
        line = app.query_one(QueryLine)
        while line.cursor_blink:
            await pilot.pause()
        monkeypatch.setattr(query_line, "BLINKING_SECONDS", 3600.0)
        await pilot.press("a")
        assert line.cursor_blink
