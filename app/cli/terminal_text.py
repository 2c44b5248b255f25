"""How values become text on a terminal: paths, numbers, times and tables, safe against what notes may hold."""

from __future__ import annotations

import os
import re
import shlex
import sys
import time
import unicodedata
from collections.abc import Iterable, Sequence

from engine.paths import display

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # a note could steer the terminal
REPLACEMENT = "\ufffd"
KIBI = 1024
DAY_SECONDS = 86_400


def cleaned(text: str) -> str:
    """Replace control and direction characters, line ends and tabs excepted."""
    return CONTROL.sub(REPLACEMENT, text)


def one_line(text: str) -> str:
    """Return `text` cleaned, with every run of white space made one space."""
    return cleaned(" ".join(text.split()))


def short_path(path: bytes) -> str:
    """Return a path as a person would type it: from the current folder if it lies inside, else with `~` for home."""
    text = cleaned(display(path).replace("\n", REPLACEMENT))
    here = os.getcwd() + os.sep
    if text.startswith(here):
        return text[len(here) :]
    home = os.path.expanduser("~")
    if home != os.sep and (text == home or text.startswith(home + os.sep)):
        return "~" + text[len(home) :]
    return text


def quoted(path: bytes) -> str:
    """Return a path as `short_path` does, so that a shell takes it as one word; `~` stays for the shell to read."""
    text = short_path(path)
    return "~/" + shlex.quote(text[2:]) if text.startswith("~/") else shlex.quote(text)


def located(path: bytes, line: int) -> str:
    """Return `PATH:LINE`, which `carrel open` and `carrel show` take as it stands."""
    return f"{short_path(path)}:{line}"


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 document`, `6,402 documents`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def fraction(value: float) -> str:
    """Return three decimals without the leading zero: .534, -.006, 1.000."""
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def size(octets: int) -> str:
    """Return a file's size in the largest unit that leaves at least 1."""
    value = float(octets)
    for unit in ("bytes", "KB", "MB"):
        if value < KIBI:
            return f"{value:.0f} {unit}"
        value /= KIBI
    return f"{value:.1f} GB"


def day(seconds: float, now: float | None = None) -> str:
    """Return a date as short as it can be understood: 3 Mar in the last year, else March 2024."""
    moment = time.localtime(seconds)
    recent = abs((now or time.time()) - seconds) < 300 * DAY_SECONDS
    month = time.strftime("%b", moment)
    return f"{moment.tm_mday} {month}" if recent else f"{month} {moment.tm_year}"


def duration(seconds: float) -> str:
    """Return a span of time in the two largest units."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def width(text: str) -> int:
    """Return how many terminal cells a text takes: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def padded(text: str, cells: int, *, right: bool = False) -> str:
    """Fill a text with spaces to a number of cells, in front of it where `right`."""
    spaces = " " * max(0, cells - width(text))
    return spaces + text if right else text + spaces


def cut(text: str, cells: int) -> str:
    """Return `text`, or as much of it as fits into a number of cells with an ellipsis."""
    if width(text) <= cells:
        return text
    kept = text[: max(0, cells - 1)]
    while kept and width(kept) > cells - 1:
        kept = kept[:-1]
    return kept + "…" if cells > 0 else ""


def table(rows: Iterable[Sequence[str]], *, right: Sequence[int] = (), indent: str = "") -> list[str]:
    """Return the rows as aligned lines, two spaces between the columns; columns in `right` are set to the right."""
    kept = [list(row) for row in rows]
    if not kept:
        return []
    widths = [max(width(row[column]) for row in kept) for column in range(len(kept[0]))]
    return [
        (indent + "  ".join(padded(cell, widths[i], right=i in right) for i, cell in enumerate(row))).rstrip()
        for row in kept
    ]


def interactive() -> bool:
    """Return whether a person sits at both ends: stdin and stdout are terminals."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty())
