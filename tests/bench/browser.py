"""The browser in a terminal, driven as a person drives it, and how long each of its answers took."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from terminal import Screen, Terminal

WORDS_SO_FAR = "by words so far"
FINISHED = re.compile(r"[\d,]+ (strong|likely|weak)|nothing relevant")
QUERY_LINE, READING_LINE = 2, 3
ROWS, ROW_CELLS = slice(5, 30), 60  # where the rows stand, left of what is read beside them
REST_SECONDS = 0.25  # between an answer and the next key: less than the browser waits to take a word as finished
PATIENCE_SECONDS = 5.0
LEAVE = "\x11"  # ctrl+q
EMPTY = "\x1b\x1b"  # to the rows and back does no harm; in the query line it empties the line
EXPLAIN, WHAT_IF, RESET, BACK = "\x14", "\x1b[24~", "r", "\x1b"  # ctrl+t, f12, r, escape
OPENINGS = 5
OPENED = {  # the key that opens a screen, the one that leaves it, and what only that screen shows
    "palette": ("\x10", "\x1b", "Search for commands"),
    "library_screen": ("\x1bOR", "\x1bOR", "Folders"),
    "reader": ("\x0f", "q", "q back"),
}
STEPS = ("\x1b[D",) * 8 + ("\x1b[C",) * 4  # left and right: from the default weights no step meets an end


@dataclass
class Figures:
    """What was measured, in milliseconds."""

    first_paint: list[float] = field(default_factory=list)
    first_rows: list[float] = field(default_factory=list)
    first_hybrid: list[float] = field(default_factory=list)
    leaving: list[float] = field(default_factory=list)
    words: list[float] = field(default_factory=list)
    hybrid: list[float] = field(default_factory=list)
    echo: list[float] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    what_if: list[float] = field(default_factory=list)  # from a key that moves the slider to moved rows
    palette: list[float] = field(default_factory=list)  # from a key to the screen that it opens
    library_screen: list[float] = field(default_factory=list)
    reader: list[float] = field(default_factory=list)
    typed: list[tuple[float, float, str]] = field(default_factory=list)  # by words, by both legs, query


def one_run(
    environment: dict[str, str],
    figures: Figures,
    queries: Sequence[str],
    tried: Sequence[str],
    interval: float,
    indexing: bool,
) -> None:
    """Start the browser, type `queries`, move the what-if slider on the rows of `tried`, and leave."""
    terminal = Terminal([sys.executable, "-P", "-m", "app.cli"], environment)
    painted = terminal.wait(lambda screen: "Carrel" in screen.line(0), PATIENCE_SECONDS)
    assert painted is not None, terminal.screen.text
    figures.first_paint.append((painted - terminal.began) * 1e3)
    begin(terminal, figures)
    if queries:
        if indexing:  # until the encoder is at work
            terminal.wait(lambda screen: "/s" in screen.line(0), 60.0)
        terminal.rest(2.0)
        for query in queries:
            type_query(terminal, query, figures, interval)
    for query in tried:
        move_slider(terminal, query, figures)
    if tried:
        open_screens(terminal, tried[0], figures)
    taken = terminal.leave(LEAVE, 10.0)
    if taken is None:
        figures.missed.append("leaving")
    else:
        figures.leaving.append(taken * 1e3)


def begin(terminal: Terminal, figures: Figures) -> None:
    """Type a word as soon as anything stands on the screen, and wait for its rows."""
    terminal.press("commit")
    rows = terminal.wait(lambda screen: answered(screen) or WORDS_SO_FAR in screen.line(READING_LINE), 20.0)
    hybrid = terminal.wait(answered, 30.0)
    if rows is None or hybrid is None:
        figures.missed.append("first rows")
        return
    figures.first_rows.append((rows - terminal.began) * 1e3)
    figures.first_hybrid.append((hybrid - terminal.began) * 1e3)


def type_query(terminal: Terminal, query: str, figures: Figures, interval: float) -> None:
    """Type a query key by key; a space goes with the letter behind it, since it changes no row by itself."""
    terminal.press(EMPTY)
    terminal.wait(lambda screen: query_in(screen).startswith("Search"), 1.0)
    terminal.rest(0.5)
    pieces = re.findall(r" ?\S", query)
    typed = ""
    for number, piece in enumerate(pieces):
        typed += piece
        if interval and number + 1 < len(pieces):
            terminal.press(piece)
            terminal.rest(interval)
        else:
            one_key(terminal, piece, typed, figures)
            terminal.rest(REST_SECONDS)


def one_key(terminal: Terminal, piece: str, typed: str, figures: Figures) -> None:
    """Press a key and wait for the rows by words, and for those of both legs."""
    before = terminal.screen.line(READING_LINE)

    def changed(screen: Screen) -> bool:
        return screen.line(READING_LINE) != before

    pressed = terminal.press(piece)
    echo = terminal.wait(lambda screen: query_in(screen).startswith(typed), PATIENCE_SECONDS)
    words = terminal.wait(
        lambda screen: changed(screen) and (WORDS_SO_FAR in screen.line(READING_LINE) or answered(screen)),
        PATIENCE_SECONDS,
    )
    by_words = WORDS_SO_FAR in terminal.screen.line(READING_LINE)
    hybrid = terminal.wait(lambda screen: changed(screen) and answered(screen), PATIENCE_SECONDS)
    if echo is None or words is None or hybrid is None:
        figures.missed.append(typed)
        return
    figures.echo.append((echo - pressed) * 1e3)
    figures.hybrid.append((hybrid - pressed) * 1e3)
    figures.typed.append(((words - pressed) * 1e3, (hybrid - pressed) * 1e3, typed))
    if by_words:
        figures.words.append((words - pressed) * 1e3)


def move_slider(terminal: Terminal, query: str, figures: Figures) -> None:
    """Search, open what-if, and move the weights to and fro; each key counts that moved a row."""
    terminal.press(EMPTY)
    terminal.rest(1.0)
    terminal.press(query)
    terminal.wait(answered, 20.0)
    terminal.rest(2.0)
    for key in (EXPLAIN, WHAT_IF):
        terminal.press(key)
        terminal.rest(1.0)
    for number, key in enumerate(STEPS, 1):
        before = rows_in(terminal.screen)
        pressed = terminal.press(key)
        moved = terminal.wait(lambda screen, before=before: rows_in(screen) != before, PATIENCE_SECONDS)  # type: ignore[misc]
        if moved is None:
            figures.missed.append(f"step {number} of what if, {query}")
        else:
            figures.what_if.append((moved - pressed) * 1e3)
        terminal.rest(0.5)
    for key in (RESET, BACK, EXPLAIN):
        terminal.press(key)
        terminal.rest(0.5)


def open_screens(terminal: Terminal, query: str, figures: Figures) -> None:
    """Open the palette, the library screen and the reader a few times each, and come back."""
    terminal.press(EMPTY)
    terminal.rest(1.0)
    terminal.press(query)
    terminal.wait(answered, 20.0)
    terminal.rest(2.0)
    for name, (key, back, shown) in OPENED.items():
        for _ in range(OPENINGS):
            pressed = terminal.press(key)
            seen = terminal.wait(lambda screen, shown=shown: shown in screen.text, PATIENCE_SECONDS)  # type: ignore[misc]
            if seen is None:
                figures.missed.append(name.replace("_", " "))
            else:
                getattr(figures, name).append((seen - pressed) * 1e3)
            terminal.rest(0.7)
            terminal.press(back)
            terminal.rest(0.7)


def rows_in(screen: Screen) -> list[str]:
    """Return what stands where the rows are."""
    return ["".join(line[:ROW_CELLS]) for line in screen.lines[ROWS]]


def query_in(screen: Screen) -> str:
    """Return what stands in the query line, with what is offered to complete it."""
    return screen.line(QUERY_LINE).replace("┃", " ").strip()


def answered(screen: Screen) -> bool:
    """Whether both legs have answered."""
    return FINISHED.search(screen.line(READING_LINE)) is not None
