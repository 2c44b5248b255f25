"""How a spreadsheet shows a number: as a date, a time, a duration, a share, with leading zeros, or as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

_LAST_DAY = 2_958_465  # 9999-12-31
_LEAP_DAY = 60  # of 1900, which Excel counts though it never was
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_LITERAL = re.compile(r"\"[^\"]*+\"|\[[^\[\]]*+\]|\\.|_.|\*.|am/pm|a/p", re.IGNORECASE)
_DIGITS = re.compile(r"[0() /+-]{2,40}")
_BUILT_IN = {
    9: "0%", 10: "0.00%", **dict.fromkeys(range(14, 18), "yyyy-mm-dd"), 18: "h:mm", 19: "h:mm:ss", 20: "h:mm",
    21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", **dict.fromkeys((*range(27, 32), *range(50, 59)), "yyyy-mm-dd"),
    32: "h:mm", 33: "h:mm:ss", 34: "h:mm", 35: "h:mm:ss", 36: "yyyy-mm-dd", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss",
}  # fmt: skip
"""By number, those that mean more than a number (ECMA-376, 18.8.30)."""


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """What a format code says, as far as it changes what a person would search for.

    `unit` is what a duration is counted in; `places` are the decimals of a share; `pattern` is where digits go.
    """

    kind: Literal["number", "date", "time", "elapsed", "share", "digits"] = "number"
    has_seconds: bool = False
    unit: str = ""
    places: int = 0
    pattern: str = ""


PLAIN = NumberFormat()


def built_in(number: int) -> NumberFormat:
    """Return what a format means that files name by its number alone."""
    return parsed(_BUILT_IN.get(number, ""))


@lru_cache(maxsize=1000)
def parsed(code: str) -> NumberFormat:
    """Read a format code such as `[h]:mm`; of several sections the first counts."""
    elapsed = _ELAPSED.search(code)
    bare = _LITERAL.sub("", code[:1000]).split(";")[0].lower()
    if elapsed:
        return NumberFormat("elapsed", "s" in bare, elapsed[1][0].lower())
    if "y" in bare or "d" in bare or ("m" in bare and not ("h" in bare or "s" in bare)):
        return NumberFormat("date", "s" in bare)
    if "h" in bare or "s" in bare:
        return NumberFormat("time", "s" in bare)
    if "%" in bare:
        return NumberFormat("share", places=min(bare.partition(".")[2].count("0"), 10))
    written = code.replace('"', "").replace("\\", "")
    if written.count("0") > 1 and _DIGITS.fullmatch(written):
        return NumberFormat("digits", pattern=written)
    return PLAIN


def shown(value: str, form: NumberFormat, from_1904: bool = False) -> str:
    """Return what a cell shows for a stored number; what is no number, or beyond the dates, comes back as it is."""
    try:
        number = float(value)
    except ValueError:
        return value
    if form.kind == "elapsed" and abs(number) <= _LAST_DAY:
        return _duration(number, form)
    if form.kind in ("date", "time") and 0 <= number <= _LAST_DAY:
        return _moment(number, form, from_1904)
    if form.kind == "share" and abs(number) < 1e15:
        return f"{number * 100:.{form.places}f}%"
    if form.kind == "digits" and number >= 0 and number.is_integer():
        return _filled(f"{number:.0f}", form.pattern)
    return value if value.isdecimal() else f"{number:.15g}"  # Excel's precision: 0.1 + 0.2 is 0.30000000000000004


def _duration(number: float, form: NumberFormat) -> str:
    seconds = round(abs(number) * 86_400)
    sign = "-" if number < 0 < seconds else ""
    if form.unit == "s":
        return f"{sign}{seconds}"
    minutes, left = divmod(seconds, 60)
    tail = f":{left:02}" if form.has_seconds or left else ""
    if form.unit == "m":
        return f"{sign}{minutes}{tail}"
    return f"{sign}{minutes // 60}:{minutes % 60:02}{tail}"


def _moment(number: float, form: NumberFormat, from_1904: bool) -> str:
    first = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 31 if 1 <= number < _LEAP_DAY else 30)
    moment = first + timedelta(seconds=round(number * 86_400))
    time = f"{moment:%H:%M:%S}" if form.has_seconds or moment.second else f"{moment:%H:%M}"
    if form.kind == "time" or number < 1:
        return time
    return f"{moment:%Y-%m-%d}" if number == int(number) else f"{moment:%Y-%m-%d} {time}"


def _filled(digits: str, pattern: str) -> str:
    """Put digits into a pattern from its end, as `000-00-0000`; those that find no place stand in front."""
    left = list(digits)
    filled = [(left.pop() if left else "0") if sign == "0" else sign for sign in reversed(pattern)]
    return "".join(left) + "".join(reversed(filled))
