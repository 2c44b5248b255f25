"""Dates as people write them in a filter: a year, a month, a day, or how long ago."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_CALENDAR = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_AGO = re.compile(r"(\d{1,4})([dwmy])", re.IGNORECASE)
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


def day_bounds(text: str, now: float) -> tuple[float, float] | None:
    """Return the first moment of what `text` names and the first after it, local time, in seconds since the epoch.

    None where it names no date. `7d` is the day a week before `now`; months count 30 days and years 365.
    """
    today = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
    text = text.strip().lower()
    named = {"today": 0, "yesterday": 1}.get(text)
    ago = _AGO.fullmatch(text)
    try:
        if named is not None or ago:
            days = named if named is not None else int(ago[1]) * _DAYS[ago[2]] if ago else 0
            start = today - timedelta(days=days)
            return start.timestamp(), (start + timedelta(days=1)).timestamp()
        match = _CALENDAR.fullmatch(text)
        return _calendar(match) if match else None
    except (ValueError, OverflowError, OSError):
        return None


def _calendar(match: re.Match[str]) -> tuple[float, float]:
    year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    start = datetime(year, month, day)
    if match[3]:
        end = start + timedelta(days=1)
    elif match[2]:
        end = datetime(year + month // 12, month % 12 + 1, 1)
    else:
        end = datetime(year + 1, 1, 1)
    return start.timestamp(), end.timestamp()
