"""The title of the terminal's window: it says the query while the browser runs, and gets back its own behind it."""

from __future__ import annotations

from collections.abc import Callable

from app.wording.safe_text import one_line

LONGEST_QUERY = 80  # code points: the bar of a window shows no more
KEEP_TITLE, OWN_TITLE = "\x1b[22;2t", "\x1b[23;2t"  # xterm's stack of titles, which others have taken over


class WindowTitle:
    """Writes to a terminal by `send`, only where the title changes."""

    def __init__(self, name: str, send: Callable[[str], None]) -> None:
        self._name = name
        self._send = send
        self._shown = ""

    def show(self, query: str) -> None:
        """Let the title say a query; the terminal keeps the one that it has."""
        said = one_line(query).strip()[:LONGEST_QUERY]
        title = f"{said} · {self._name}" if said else self._name
        if title != self._shown:
            self._send(("" if self._shown else KEEP_TITLE) + f"\x1b]2;{title}\x1b\\")
            self._shown = title

    def give_back(self) -> None:
        """Let the terminal have its own title again."""
        if self._shown:
            self._send(OWN_TITLE)
            self._shown = ""
