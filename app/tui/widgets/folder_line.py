"""A line for the path of a folder, completed from the folders that there are."""

from __future__ import annotations

import os
from functools import partial

from textual.suggester import Suggester

from app.tui.threads import in_thread
from app.tui.widgets.text_line import TextLine

LOOKED_AT = 2_000  # entries of one folder; a folder with more is completed from the first ones


class FolderSuggester(Suggester):
    """Completes the last part of a path; hidden folders only where a dot was typed."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return the path as it would be, or None."""
        return await in_thread(partial(completed_folder, value))


def completed_folder(text: str) -> str | None:
    """Return `text` with the first folder that begins like it, in the order of names, and a slash behind it."""
    parent, typed = os.path.split(text)
    if not parent and not typed.startswith(("/", "~", ".")):
        return None
    try:
        with os.scandir(os.path.expanduser(parent) or ".") as entries:
            names = [entry.name for _, entry in zip(range(LOOKED_AT), entries) if _fits(entry, typed)]  # noqa: B905
    except OSError:
        return None
    return text + min(names, key=str.lower)[len(typed) :] + "/" if names else None


def _fits(entry: os.DirEntry[str], typed: str) -> bool:
    if not entry.name.startswith(typed) or (entry.name.startswith(".") and not typed):
        return False
    try:
        return entry.is_dir() and entry.name.isprintable()
    except OSError:
        return False


class FolderLine(TextLine):
    """One line without a border; right takes the completion, and whoever holds it may give that another key too."""

    def __init__(self, value: str = "", *, id: str | None = None, blink: bool = True) -> None:
        super().__init__(
            value, placeholder="~/notes", compact=True, select_on_focus=False, suggester=FolderSuggester(), id=id
        )
        self.cursor_blink = blink

    def take_offered(self) -> None:
        """Take the completion into the line."""
        if self._suggestion.startswith(self.value):
            self.value = self._suggestion
            self.cursor_position = len(self.value)
