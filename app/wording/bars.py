"""Figures drawn as signs: the sign of a tier, the filled cells of a bar, the level of a rare word."""

from __future__ import annotations

import math
from typing import Literal

from engine.records import Tier

TIER_SIGNS: dict[Tier, str] = {"strong": "●", "likely": "◐", "weak": "○"}
RARE_FROM = 0.65  # share of the greatest idf that the library could give; 12 of 40,000 passages gives .79
UNCOMMON_FROM = 0.35  # 300 of 40,000 gives .48, 9,000 of 40,000 gives .15
_LEVELS = "▁▂▃▄▅▆▇"

Rarity = Literal["unknown", "rare", "uncommon", "common"]


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
