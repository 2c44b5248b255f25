"""Carrel's own themes, and the names of the colours that text is painted with.

One warm accent, like a desk lamp, leads the eye to what is selected; the rest is the paper and the ink. Meaning is
painted cool and words warm wherever the two are told apart, and never by colour alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from textual.theme import Theme

ACCENT = "$lead"  # what is selected, and the caret; beside it only the words that matched are warm
QUIET = "$quiet"  # figures and places beside the text: contrast of at least 4.5 to the background
FAINT = "$faint"  # rules and empty bars, which carry no words
BRIGHT = "$bright"
KEY = f"bold {BRIGHT}"  # a key that can be pressed, among quiet words
MARK = "bold $mark"  # a word of the query
MARK_IN_TEXT = "bold $mark on $mark-ground"
NEAREST = f"bold {BRIGHT} on $sentence-ground"  # the sentence nearest in meaning; unlike a link, on a ground of its own
NEAREST_WORD = "bold underline $meaning"  # a word that answers another of the query, with its number
MEANING = "$meaning"
WORDS = "$mark"
ALARM = "$alarm"
GOOD = "$good"
BAR = "▌"  # before what is selected in a list, so that no shade has to tell it


def _theme(
    name: str,
    *,
    dark: bool,
    ground: str,
    ink: str,
    lead: str,
    quiet: str,
    faint: str,
    bright: str,
    mark: str,
    meaning: str,
    alarm: str,
    good: str,
    panel: str,
    mark_ground: str,
    chosen: str,
    sentence_ground: str,
    scrollbar_hover: str,
    selection: str,
) -> Theme:
    """Return a theme of these colours: what Textual paints by itself takes the inks that text is painted with."""
    return Theme(
        name=name,
        primary=lead,
        secondary=meaning,
        accent=lead,
        warning=lead,
        error=alarm,
        success=good,
        foreground=ink,
        background=ground,
        surface=ground,
        panel=panel,
        dark=dark,
        variables={
            "lead": lead,
            "quiet": quiet,
            "faint": faint,
            "bright": bright,
            "mark": mark,
            "mark-ground": mark_ground,
            "meaning": meaning,
            "alarm": alarm,
            "good": good,
            "chosen": chosen,
            "sentence-ground": sentence_ground,
            "scrollbar": faint,
            "scrollbar-hover": scrollbar_hover,
            "scrollbar-active": lead,
            "scrollbar-background": ground,
            "scrollbar-background-hover": ground,
            "scrollbar-background-active": ground,
            "input-cursor-background": lead,
            "input-cursor-foreground": ground,
            "input-selection-background": selection,
            "screen-selection-background": selection,
            "screen-selection-foreground": bright,
        },
    )


DARK = _theme(
    "carrel-dark",
    dark=True,
    ground="#15171b",
    ink="#cfccc4",
    lead="#e3a857",
    quiet="#918e87",
    faint="#3b3f47",
    bright="#f4f1ea",
    mark="#f0bb6e",
    meaning="#86a8c3",
    alarm="#e5786d",
    good="#8fb573",
    panel="#1c1f24",
    mark_ground="#3a3020",
    chosen="#22262d",
    sentence_ground="#262d37",
    scrollbar_hover="#565b65",
    selection="#4a3c24",
)
LIGHT = _theme(
    "carrel-light",
    dark=False,
    ground="#fbf9f5",
    ink="#33312d",
    lead="#9a5a00",
    quiet="#6d6a63",
    faint="#cfc9bd",
    bright="#0e0d0b",
    mark="#8f5200",
    meaning="#2f628c",
    alarm="#b3261e",
    good="#3f7a1f",
    panel="#f1ede5",
    mark_ground="#fbe7c6",
    chosen="#f1e9da",
    sentence_ground="#e4ebf1",
    scrollbar_hover="#a9a295",
    selection="#f3d9ad",
)
CONTRAST = _theme(
    "carrel-contrast",
    dark=True,
    ground="#000000",
    ink="#ffffff",
    lead="#ffd75f",
    quiet="#d7d7d7",
    faint="#8a8a8a",
    bright="#ffffff",
    mark="#ffd75f",
    meaning="#5fd7ff",
    alarm="#ff8787",
    good="#87ff87",
    panel="#1c1c1c",
    mark_ground="#3a3000",
    chosen="#303030",
    sentence_ground="#303030",
    scrollbar_hover="#d7d7d7",
    selection="#5f5f00",
)
CARREL_THEMES = (DARK, LIGHT, CONTRAST)
TERMINAL_THEME_NAMES = ("ansi-dark", "ansi-light")  # Textual's own, of the terminal's sixteen colours


def preferred() -> str:
    """Return Carrel's light theme where the terminal says that its ground is light (COLORFGBG), else the dark one."""
    ground = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT.name if ground in {"7", "15"} else DARK.name


def few_colours() -> bool:
    """Whether the terminal shows fewer than 256 colours, or the person wants none of them (NO_COLOR)."""
    if "NO_COLOR" in os.environ:
        return True
    from rich.console import Console
    from textual.constants import COLOR_SYSTEM

    shown = Console(color_system=COLOR_SYSTEM, force_terminal=True, legacy_windows=False).color_system  # type: ignore[arg-type]
    return shown in (None, "standard")


def in_terminal_colours(theme: Theme) -> str:
    """Return the theme that is made of the terminal's own sixteen colours, for the ground of another theme."""
    if theme.ansi:
        return theme.name
    dark, light = TERMINAL_THEME_NAMES
    return dark if theme.dark else light


class ThemeChoice:
    """Which theme is shown: the one that is wanted, as far as the terminal can show it. `known` are all there are."""

    def __init__(self) -> None:
        self._few_colours = few_colours()

    def wanted(self, chosen: str, known: Mapping[str, Theme]) -> tuple[str, str]:
        """Return the theme to show where a person has `chosen` one, and what to tell of one that there is not.

        TEXTUAL_THEME wins over the settings, and these win over what the terminal says of its ground.
        """
        wanted = os.environ.get("TEXTUAL_THEME", "") or chosen
        if wanted in known:
            return self._showable(known[wanted]), ""
        trouble = f"There is no theme “{wanted}”. f5 lists those that there are." if wanted else ""
        return self._showable(known[preferred()]), trouble

    def other(self, dark: bool, chosen: str, known: Mapping[str, Theme]) -> str:
        """Return the theme of the other ground than the one in use: the chosen one where it has that, else Carrel's."""
        own = known.get(chosen)
        name = own.name if own is not None and own.dark != dark else LIGHT.name if dark else DARK.name
        return self._showable(known[name])

    def _showable(self, theme: Theme) -> str:
        asked = os.environ.get("TEXTUAL_THEME") == theme.name
        return in_terminal_colours(theme) if self._few_colours and not asked else theme.name
