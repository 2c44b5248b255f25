"""Figures as a person reads them: short, aligned, and adding up to the total that stands beside them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Literal

NONE = "–"
RARE_FROM = 0.65  # share of the greatest idf that the library could give; 12 of 40,000 passages gives .79
UNCOMMON_FROM = 0.35  # 300 of 40,000 gives .48, 9,000 of 40,000 gives .15
_LEVELS = "▁▂▃▄▅▆▇"

Rarity = Literal["unknown", "rare", "uncommon", "common"]


def figure(value: float, decimals: int = 3) -> str:
    """Return a number without the zero before its point: .231, 1.024, -.020."""
    text = f"{value:.{decimals}f}"
    if text.startswith("0."):
        return text[1:]
    if text.startswith("-0."):
        return text[1:].replace("0.", ".", 1) if not text.strip("-0.") else "-" + text[2:]
    return text


def count(number: int) -> str:
    """Return a count with thousands apart: 41,870."""
    return f"{number:,}"


def counted(number: int, one: str, many: str = "") -> str:
    """Return a count with its noun: 1 passage, 2 passages."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def ordinal(number: int) -> str:
    """Return a place in words up to tenth, then in figures: first, second, 11th."""
    words = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
    if 1 <= number <= len(words):
        return words[number - 1]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def adding_up(parts: Sequence[float], total: float, decimals: int) -> list[str]:
    """Return the parts rounded so that, as shown, they sum to the total as shown.

    Each part is at most one unit of the last place away from its own value (largest remainders).
    """
    unit = 10**decimals
    floors = [math.floor(part * unit) for part in parts]
    missing = round(float(f"{total:.{decimals}f}") * unit) - sum(floors)  # rounded as `figure` rounds the total
    by_remainder = sorted(range(len(parts)), key=lambda i: floors[i] - parts[i] * unit)
    for index in by_remainder[: max(0, min(missing, len(parts)))]:
        floors[index] += 1
    return [figure(whole / unit, decimals) for whole in floors]


def rarity(documents: int, idf: float, passages: int) -> tuple[Rarity, str]:
    """Return how rare a word is in a library of `passages`, in a word and as a level sign."""
    if documents <= 0:
        return "unknown", "·"
    greatest = math.log(1 + (passages - 0.5) / 1.5) if passages > 1 else idf
    share = min(1.0, max(0.0, idf / greatest)) if greatest > 0 else 0.0
    level = _LEVELS[min(len(_LEVELS) - 1, int(share * len(_LEVELS)))]
    if share >= RARE_FROM:
        return "rare", level
    return ("uncommon" if share >= UNCOMMON_FROM else "common"), level


def duration(seconds: float) -> str:
    """Return a time span in its largest unit: 13 s, 4 min, 2 h."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 100 * 60 else f"{round(seconds / 3600)} h"


def day(moment: float, now: float) -> str:
    """Return when a file was changed, as short as it can be told: 14:02 today, 3 Mar, 2024."""
    then, today = time.localtime(moment), time.localtime(now)
    if (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday):
        return time.strftime("%H:%M", then)
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{then.tm_mday} {months[then.tm_mon - 1]}" if then.tm_year == today.tm_year else str(then.tm_year)


def bar(filled: float, hatched: float, full: float, cells: int) -> tuple[int, int]:
    """Return how many of `cells` are filled and how many hatched, where `full` fills them all.

    The sum is rounded first, so that two bars of one score have one length; what is above nothing shows a cell.
    """
    if full <= 0:
        return 0, 0
    filled, hatched = max(0.0, filled), max(0.0, hatched)
    whole = min(cells, round((filled + hatched) / full * cells))
    if filled + hatched > 0:
        whole = max(1, whole)
    second = min(whole, round(hatched / full * cells)) if filled else whole
    if hatched and not second and whole > 1:
        second = 1
    if filled and whole == second and whole > 1:
        second -= 1
    return whole - second, second
