"""Takes out of a text what was meant for a terminal: colours, overstruck letters, lines printed over one another.

Every line stays the line that it is in the file, and every word stays.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\x07\x1b\n]*+(?:\x07|\x1b\\)|[()*+][0-9A-Z]|[@-Z\\^_=>78cNO]|)")
_SPELT = re.compile(r"(?:\^\[|\\u001[bB]|\\x1[bB]|\\0?33|\\e)?\[[0-9]{1,3}(?:;[0-9]{1,3}){0,9}m")
"""Colours whose escape character a program wrote in letters, or lost on the way."""
_SPELT_RESET = "[0m"  # without it a text is no such log, and `[10m` is a length
_RETURN = b"\x1b[G"  # what moves the cursor to the first column, as a carriage return does
_TO_COLUMN = re.compile(r"\x1b\[1?G(?:\x1b\[[0-2]?K)?")
_CHANGING = re.compile(r"[\W\d_]+")


def without_escapes(text: str) -> str:
    """Return a text without the sequences that set colours, titles and the cursor of a terminal."""
    return _ESCAPE.sub("", text) if "\x1b" in text else text


def with_returns(raw: bytes) -> bytes:
    """Return a log with each lone carriage return as a sequence, so that decoding does not make a line end of it.

    Where no line ends otherwise, as in files of old Macs, a return is the line end.
    """
    if b"\r" not in raw or b"\n" not in raw or b"\0" in raw:
        return raw
    return raw.replace(b"\r\n", b"\n").replace(b"\r", _RETURN)


def as_printed(text: str) -> str:
    """Return a decoded log as a terminal shows it; what was printed over is kept where it held other words."""
    if "\x1b" in text:
        text = without_escapes(_TO_COLUMN.sub("\r", text))
    if _SPELT_RESET in text:
        text = _SPELT.sub("", text)
    if "\b" in text or "\r" in text:
        text = "\n".join(_settled(line) for line in text.split("\n"))
    return text


def _settled(line: str) -> str:
    if "\r" in line:
        line = " ".join(_told_apart(line.split("\r")))
    return _backspaced(line) if "\b" in line else line


def _told_apart(states: list[str]) -> list[str]:
    """Leave out each state of a progress line that differs from the one after it in figures and bars alone."""
    words = [_CHANGING.sub(" ", state).strip() for state in states]
    kept = [state for at, state in enumerate(states[:-1]) if words[at] not in ("", words[at + 1])]
    return [*kept, states[-1]]


def _backspaced(line: str) -> str:
    kept: list[str] = []
    for character in line:
        if character != "\b":
            kept.append(character)
        elif kept:
            kept.pop()
    return "".join(kept)
