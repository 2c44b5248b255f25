"""The pictures that a note shows, made beside the keys."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from textual.content import Content

from app.tui.browser import Browser
from app.tui.threads import in_thread

MOST_PICTURES = 20  # of a note, or of the part of one that the preview shows


async def cells_of(browser: Browser, note: bytes, targets: Iterable[str]) -> dict[str, tuple[Content, ...]]:
    """Return the cells of the pictures that a note refers to, by the target as written; of those that can be shown."""
    files, found = browser.ports.pictures, {}
    if not files.shows or not browser.config.pictures:
        return {}
    for target in list(dict.fromkeys(targets))[:MOST_PICTURES]:
        work = partial(files.cells, note, target, browser.roots, browser.send_to_terminal)
        if cells := await in_thread(work):
            found[target] = cells
    return found
