"""Numbers as a person reads them: short, without a signed zero, and adding up to the total that stands beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence

MINUS = "−"  # as wide as a plus, and a voice reads it; numbers for programs keep the hyphen of ASCII
NONE = "–"
MEGABYTE = 1_000_000
SIZE_UNITS = ("bytes", "KB", "MB", "GB", "TB")  # steps of 1,000, as disks and model hubs count
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def decimal(value: float, decimals: int = 3) -> str:
    """Return a number with its zero before the point, as a voice reads it best: 0.231, 1.024, −0.020."""
    text = f"{value:.{decimals}f}"
    return text.replace("-", MINUS) if text.strip("-0.") else text.removeprefix("-")


def figure(value: float, decimals: int = 3) -> str:
    """Return a number without the zero before its point: .231, 1.024, −.020."""
    text = decimal(value, decimals)
    return text.replace("0.", ".", 1) if text.startswith(("0.", f"{MINUS}0.")) else text


def value_of(shown: str) -> float:
    """Return the number that a figure shows."""
    return float(shown.replace(MINUS, "-"))


def signed(value: float, decimals: int = 3) -> str:
    """Return a difference with its sign: +.017, −.006; a decimal more where none of it would be left, else ±.000."""
    text = figure(abs(value), decimals)
    if not text.strip("0."):
        text = finer if (finer := figure(abs(value), decimals + 1)).strip("0.") else text
    if not text.strip("0."):
        return f"±{text}"
    return f"{'+' if value > 0 else MINUS}{text}"


def interval(low: float, high: float, decimals: int = 3) -> str:
    """Return the interval of a difference: −.006 to +.011."""
    return f"{signed(low, decimals)} to {signed(high, decimals)}"


def confidence(alpha: float) -> str:
    """Return what an interval holds, from the share of errors that is allowed: 95 %, 97.5 %."""
    return f"{100 * (1 - alpha):.3g} %"


def percent(share: float) -> str:
    """Return a share in whole percent; what is not all never reads as all, nor what is something as nothing."""
    whole = round(share * 100)
    if 0 < share < 1:
        whole = max(1, min(99, whole))
    return f"{whole} %"


def percent_there(share: float, decimals: int = 0) -> str:
    """Return a share in percent, rounded down, so that it never reads as all where something is missing."""
    units = round(share * 100 * 10**decimals, 9)  # .29 times 100 falls short of 29
    return f"{math.floor(units) / 10**decimals:g} %"


def count(number: int) -> str:
    """Return a count with thousands apart: 41,870."""
    return f"{number:,}"


def counted(number: int, one: str, many: str = "") -> str:
    """Return a count with its noun: 1 passage, 6,402 passages."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def ordinal(number: int) -> str:
    """Return a place in words up to tenth, then in figures: first, second, 11th."""
    if 1 <= number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def size(octets: int) -> str:
    """Return a number of bytes in its largest unit: 1 byte, 640 bytes, 5.2 KB, 61 MB."""
    if octets < 1000:
        return "1 byte" if octets == 1 else f"{octets} bytes"
    value, unit = float(octets), 0
    while round(value) >= 1000 and unit < len(SIZE_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {SIZE_UNITS[unit]}" if round(value, 1) < 10 else f"{value:,.0f} {SIZE_UNITS[unit]}"


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
