"""What is written to the terminal: only cells that differ, and of styles only what changes from one to the next.

Textual sets the whole style before every piece of text and takes it back after it, 40 bytes around three letters. Over
a slow line that is most of what a key costs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from textual.driver import Driver
from textual.events import Key, Resize
from textual.message import Message

from app.tui.shown_cells import ShownCells

KEPT_CHANGES = 4_096  # pairs of styles: a screen has some dozens
_STYLE = re.compile(r"\x1b\[([0-9;]*)m")
_MOVE = re.compile(r"(?:\x1b\[[0-9]*;[0-9]*H)+")  # a move of the cursor writes nothing: the style may wait behind it
_RESET = "\x1b[0m"
# What takes an attribute back, by the code that sets it (ECMA-48, 8.3.117).
_OFF = {1: "22", 2: "22", 3: "23", 4: "24", 5: "25", 7: "27", 8: "28", 9: "29"}
_COLOURS = {38: "39", 48: "49"}  # foreground and background; what takes them back
Attributes = dict[str, str]
"""The codes that are set, by the code that takes them back."""


def sparing(output: str) -> str:
    """Return output that draws the same with fewer changes of style; it begins and ends without a style."""
    pieces = _STYLE.split(output)
    parts: list[str] = []
    shown = wanted = ""
    for place, piece in enumerate(pieces):
        if place % 2:
            wanted = _joined(wanted, piece)
        elif piece:
            if wanted != shown and not _MOVE.fullmatch(piece):
                parts.append(change(shown, wanted))
                shown = wanted
            parts.append(piece)
    if shown:
        parts.append(_RESET)
    return "".join(parts)


def _joined(style: str, codes: str) -> str:
    if codes in ("", "0"):
        return ""
    return f"{style};{codes}" if style else codes


@lru_cache(KEPT_CHANGES)
def change(shown: str, wanted: str) -> str:
    """Return the shortest sequence from one style to another; styles are the codes that set them, "" is none."""
    whole = f"\x1b[0;{wanted}m" if shown and wanted else f"\x1b[{wanted or 0}m"
    before, after = attributes(shown), attributes(wanted)
    if before is None or after is None:
        return whole
    off = {code for code in before if code not in after}
    if "22" in before and before["22"] != after.get("22"):
        off.add("22")  # bold and dim are taken back together
    codes = [*sorted(off), *(code for key, code in after.items() if key in off or before.get(key) != code)]
    part = f"\x1b[{';'.join(codes)}m" if codes else ""
    return min(part, whole, key=len)


def attributes(style: str) -> Attributes | None:
    """Return what the codes of a style set; None where one is not known."""
    found: Attributes = {}
    codes = [int(code) if code else 0 for code in style.split(";")] if style else []
    while codes:
        code = codes.pop(0)
        if code in _OFF:
            key = _OFF[code]
            found[key] = f"{found[key]};{code}" if key in found else str(code)
        elif code in _COLOURS and codes and codes[0] in (2, 5):
            length = 4 if codes[0] == 2 else 2
            found[_COLOURS[code]] = ";".join(map(str, [code, *codes[:length]]))
            del codes[:length]
        elif 30 <= code <= 37 or 90 <= code <= 97:
            found["39"] = str(code)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            found["49"] = str(code)
        else:
            return None
    return found


@lru_cache
def with_sparing(driver: type[Driver]) -> type[Driver]:
    """Return a platform's driver that writes what is `sparing`, and of that only what is not there yet.

    Its app puts pictures in the place of the cells that stand for them.
    """

    class SparingDriver(driver):  # type: ignore[valid-type, misc]
        """Writes to the terminal of its platform."""

        def __init__(self, app: Any, *given: Any, **named: Any) -> None:
            super().__init__(app, *given, **named)
            self._draw: Callable[[str], str] = app.draw_pictures
            self._reader = app  # whoever wants to hear of a key may change
            self._shown = ShownCells()

        def write(self, data: str) -> None:
            """Write to the terminal."""
            super().write(sparing(self._draw(self._shown.changes(data))))

        def process_message(self, message: Message) -> None:
            """Take in what the terminal says; one that has another size may show anything."""
            if isinstance(message, Key):
                self._reader.key_read()  # here, since the app hears of it only when it gets Python's lock
            if isinstance(message, Resize):
                self._shown.forget()
            super().process_message(message)

    return SparingDriver
