"""The inks that text is painted with under a theme that is not Carrel's own: worked out from its colours.

Every ink keeps the contrast that makes it readable on the theme's ground, whatever the theme's maker chose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import BUILTIN_THEMES, Theme

from app.tui.theme import BAR, TERMINAL_THEME_NAMES

REVERSED = "ansi_bright_magenta"  # stands for reverse video, which Textual's styles of components cannot say
_REVERSED = Color.parse(REVERSED).rich_color
READABLE = 4.5  # least contrast of text to its ground (WCAG 2.2, level AA)
_STEPS = 20


def _ansi_inks(dark: bool) -> dict[str, str]:
    return {
        "lead": "ansi_yellow" if dark else "ansi_blue",
        "quiet": "ansi_default",
        "faint": "ansi_bright_black",
        "bright": "ansi_default",
        "mark": "ansi_yellow" if dark else "ansi_red",
        "mark-ground": "ansi_default",
        "meaning": "ansi_cyan" if dark else "ansi_blue",
        "alarm": "ansi_red",
        "good": "ansi_green",
        "chosen": REVERSED,
        "sentence-ground": "ansi_default",
    }


def _terminal_theme(name: str) -> Theme:
    """Return Textual's theme of the terminal's sixteen colours, of which none is a shade of the ground."""
    theme = BUILTIN_THEMES[name]
    shades = ("input-cursor", "input-selection", "screen-selection")
    reversed_shades = {f"{shade}-background": REVERSED for shade in shades}
    plain = {f"{shade}-foreground": "ansi_default" for shade in shades}
    own = _ansi_inks(theme.dark)
    bars = {
        "scrollbar": own["faint"],
        "scrollbar-hover": own["quiet"],
        "scrollbar-active": own["lead"],
        **{f"scrollbar-background{state}": "ansi_default" for state in ("", "-hover", "-active")},
    }
    return replace(theme, variables={**theme.variables, **reversed_shades, **plain, **bars})


TERMINAL_THEMES = tuple(_terminal_theme(name) for name in TERMINAL_THEME_NAMES)


class ReversedChoice(LineFilter):
    """Shows in reverse video what stands on the ground `REVERSED`; the bar before a choice stays as it is."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments of a line as they are shown."""
        return [
            Segment(text, _reversed(style, text != BAR), control)
            if style is not None and style.bgcolor == _REVERSED
            else Segment(text, style, control)
            for text, style, control in segments
        ]


def _reversed(style: RichStyle, turned: bool) -> RichStyle:
    return style + RichStyle(bgcolor="default", reverse=turned)


def inks(theme: Theme) -> dict[str, str]:
    """Return what stands for every name in app.tui.theme; colours of the terminal where the theme is made of those."""
    if theme.ansi:
        return _ansi_inks(theme.dark)
    colours = theme.to_color_system().generate()
    ground, ink = Color.parse(colours["background"]), Color.parse(colours["foreground"])
    return {name: colour.hex for name, colour in _inks(ground, ink, colours).items()}


def _inks(ground: Color, ink: Color, colours: Mapping[str, str]) -> dict[str, Color]:
    def of(name: str) -> Color:
        return readable(Color.parse(colours[name]), ground)

    mark = of("warning")
    return {
        "lead": of("accent"),
        "quiet": readable(ink.blend(ground, 0.35, alpha=1), ground),
        "faint": ground.blend(ink, 0.25, alpha=1),
        "bright": _towards(ground).blend(ink, 0.2, alpha=1),
        "mark": mark,
        "mark-ground": ground.blend(mark, 0.16, alpha=1),
        "meaning": of("secondary"),
        "alarm": of("error"),
        "good": of("success"),
        "chosen": ground.blend(ink, 0.1, alpha=1),
        "sentence-ground": ground.blend(of("secondary"), 0.14, alpha=1),
    }


def readable(colour: Color, ground: Color) -> Color:
    """Return the colour, taken towards white or black as little as makes it readable on the ground."""
    goal = _towards(ground)
    for step in range(_STEPS + 1):
        nearer = colour.blend(goal, step / _STEPS, alpha=1)
        if contrast(nearer, ground) >= READABLE:
            return nearer
    return goal


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _towards(ground: Color) -> Color:
    """Return whichever of white and black stands out from the ground."""
    white, black = Color(255, 255, 255), Color(0, 0, 0)
    return white if contrast(white, ground) >= contrast(black, ground) else black


def _luminance(colour: Color) -> float:
    """Return the relative luminance of a colour, 0 to 1."""

    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)

    red, green, blue = colour.normalized
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
