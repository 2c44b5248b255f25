"""Moments and spans of time as a person reads them."""

from __future__ import annotations

import time

SAME_MONTH_SECONDS = 300 * 86_400  # within it a day and its month name one day only
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def clock(moment: float) -> str:
    """Return the time of day: 14:02."""
    return time.strftime("%H:%M", time.localtime(moment))


def day(moment: float, now: float | None = None) -> str:
    """Return a moment as short as it can be told: 14:02 today, 3 Mar within ten months, else Mar 2024."""
    now = time.time() if now is None else now
    then, today = time.localtime(moment), time.localtime(now)
    if (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday):
        return clock(moment)
    month = _MONTHS[then.tm_mon - 1]
    return f"{then.tm_mday} {month}" if abs(now - moment) < SAME_MONTH_SECONDS else f"{month} {then.tm_year}"


def duration(seconds: float) -> str:
    """Return how long something took: 3.2 s, 42 s, 11 min, 2 h 20 min, 12 h."""
    return f"{max(0.0, seconds):.1f} s" if round(seconds, 1) < 10 else estimate(seconds)


def estimate(seconds: float) -> str:
    """Return about how long something takes, in whole seconds and at least one: 3 s, 11 min, 2 h 20 min, 12 h."""
    whole = max(1, round(seconds))
    if whole < 100:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest and hours < 10 else f"{round(minutes / 60)} h"
