"""Carrel's own themes, and the names of the colours that text is painted with.

One warm accent, like a desk lamp, leads the eye; the rest is the paper and the ink. Meaning is painted cool and words
warm wherever the two are told apart, and never by colour alone.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from textual.theme import Theme

ACCENT = "$lead"
QUIET = "$quiet"  # figures and places beside the text: contrast of at least 4.5 to the background
FAINT = "$faint"  # rules and empty bars, which carry no words
BRIGHT = "$bright"
MARK = "bold $mark"  # a word of the query
MARK_IN_TEXT = "bold $mark on $mark-ground"
MEANING = "$meaning"
WORDS = "$mark"
ALARM = "$alarm"
GOOD = "$good"

DARK = Theme(
    name="carrel-dark",
    primary="#e3a857",
    secondary="#86a8c3",
    accent="#e3a857",
    warning="#e3a857",
    error="#e5786d",
    success="#8fb573",
    foreground="#cfccc4",
    background="#15171b",
    surface="#15171b",
    panel="#1c1f24",
    dark=True,
    variables={
        "lead": "#e3a857",
        "quiet": "#918e87",
        "faint": "#3b3f47",
        "bright": "#f4f1ea",
        "mark": "#f0bb6e",
        "mark-ground": "#3a3020",
        "meaning": "#86a8c3",
        "alarm": "#e5786d",
        "good": "#8fb573",
        "chosen": "#22262d",
        "chosen-blurred": "#1d2026",
        "scrollbar": "#3b3f47",
        "scrollbar-hover": "#565b65",
        "scrollbar-active": "#e3a857",
        "scrollbar-background": "#15171b",
        "scrollbar-background-hover": "#15171b",
        "scrollbar-background-active": "#15171b",
        "input-cursor-background": "#e3a857",
        "input-cursor-foreground": "#15171b",
        "input-selection-background": "#4a3c24",
    },
)

LIGHT = Theme(
    name="carrel-light",
    primary="#9a5a00",
    secondary="#2f628c",
    accent="#9a5a00",
    warning="#9a5a00",
    error="#b3261e",
    success="#3f7a1f",
    foreground="#33312d",
    background="#fbf9f5",
    surface="#fbf9f5",
    panel="#f1ede5",
    dark=False,
    variables={
        "lead": "#9a5a00",
        "quiet": "#6d6a63",
        "faint": "#cfc9bd",
        "bright": "#0e0d0b",
        "mark": "#8f5200",
        "mark-ground": "#fbe7c6",
        "meaning": "#2f628c",
        "alarm": "#b3261e",
        "good": "#3f7a1f",
        "chosen": "#f1e9da",
        "chosen-blurred": "#f4efe6",
        "scrollbar": "#cfc9bd",
        "scrollbar-hover": "#a9a295",
        "scrollbar-active": "#9a5a00",
        "scrollbar-background": "#fbf9f5",
        "scrollbar-background-hover": "#fbf9f5",
        "scrollbar-background-active": "#fbf9f5",
        "input-cursor-background": "#9a5a00",
        "input-cursor-foreground": "#fbf9f5",
        "input-selection-background": "#f3d9ad",
    },
)


CONTRAST = Theme(
    name="carrel-contrast",
    primary="#ffd75f",
    secondary="#5fd7ff",
    accent="#ffd75f",
    warning="#ffd75f",
    error="#ff8787",
    success="#87ff87",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    dark=True,
    variables={
        "lead": "#ffd75f",
        "quiet": "#d7d7d7",
        "faint": "#8a8a8a",
        "bright": "#ffffff",
        "mark": "#ffd75f",
        "mark-ground": "#3a3000",
        "meaning": "#5fd7ff",
        "alarm": "#ff8787",
        "good": "#87ff87",
        "chosen": "#303030",
        "chosen-blurred": "#262626",
        "scrollbar": "#8a8a8a",
        "scrollbar-hover": "#d7d7d7",
        "scrollbar-active": "#ffd75f",
        "scrollbar-background": "#000000",
        "scrollbar-background-hover": "#000000",
        "scrollbar-background-active": "#000000",
        "input-cursor-background": "#ffd75f",
        "input-cursor-foreground": "#000000",
        "input-selection-background": "#5f5f00",
    },
)
CARREL_THEMES = (DARK, LIGHT, CONTRAST)


def preferred() -> str:
    """Return Carrel's light theme where the terminal says that its ground is light (COLORFGBG), else the dark one."""
    ground = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT.name if ground in {"7", "15"} else DARK.name


def at_start(chosen: str, known: Collection[str]) -> tuple[str, str]:
    """Return the theme to begin with, and what to tell of a chosen one that there is not.

    TEXTUAL_THEME wins over the settings, and these win over what the terminal says of its ground.
    """
    wanted = os.environ.get("TEXTUAL_THEME", "") or chosen
    if wanted in known:
        return wanted, ""
    return preferred(), f"There is no theme “{wanted}”. F5 lists those that there are." if wanted else ""


def other(dark: bool, chosen: str) -> str:
    """Return the theme of the other ground: the person's own where it has that ground, else Carrel's.

    `dark` is the ground in use; `chosen` the name of the person's theme where it has the other one, else "".
    """
    return chosen or (LIGHT.name if dark else DARK.name)
