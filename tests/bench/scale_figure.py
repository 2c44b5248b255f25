"""Draws how search grows with the library, from what `search_scale.py --json` measured, vstash's times beside it.

    python tests/bench/scale_figure.py SCALE.json --out screenshots/scale.svg

Both axes are logarithmic: a straight line that rises by one decade a decade grows as the library does.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 176, 44, 52
INK, QUIET, LINE = "#2b2b2b", "#6b6b6b", "#d9d9d9"
COLOURS = {"Carrel": "#c9832b", "vstash": "#3f78a8"}

Point = tuple[float, float]


def main() -> None:
    """Read the figures and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scale", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    lines = lines_of(json.loads(options.scale.read_text(encoding="utf-8")))
    options.out.write_text(picture(lines), encoding="utf-8")


def lines_of(report: dict[str, Any]) -> dict[str, list[Point]]:
    """Return by name the points (passages, milliseconds) of each line; vstash's where it was measured."""
    carrel = [(each["passages"], each["first"]["total"]) for each in report["sizes"]]
    vstash = [(each["passages"], each["vstash"]["first"]) for each in report["sizes"] if "vstash" in each]
    return {
        f"{name}, {part}": [(passages, times[part]) for passages, times in sizes]
        for name, sizes in (("Carrel", carrel), ("vstash", vstash))
        for part in ("p50", "p95")
        if sizes
    }


def picture(lines: dict[str, list[Point]]) -> str:
    """Return the picture as SVG."""
    points = [point for line in lines.values() for point in line]
    across = _decades([passages for passages, _ in points])
    up = _decades([milliseconds for _, milliseconds in points])

    def place(point: Point) -> Point:
        x = LEFT + (math.log10(point[0]) - across[0]) / (across[-1] - across[0]) * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - (math.log10(point[1]) - up[0]) / (up[-1] - up[0]) * (HEIGHT - TOP - BOTTOM)
        return x, y

    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 22, "One search, encoding left out: milliseconds by passages", INK, weight="bold"),
    ]
    for power in across:
        x, _ = place((10**power, 10 ** up[0]))
        drawn.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="{LINE}"/>')
        drawn.append(_text(x, HEIGHT - BOTTOM + 20, f"{10**power:,}", QUIET, anchor="middle"))
    for power in up:
        _, y = place((10 ** across[0], 10**power))
        drawn.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{LINE}"/>')
        drawn.append(_text(LEFT - 8, y + 4, f"{10**power:g}", QUIET, anchor="end"))
    for name, line in lines.items():
        colour = COLOURS[name.partition(",")[0]]
        placed = [place(point) for point in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        dashes = ' stroke-dasharray="5 4"' if name.endswith("p95") else ""
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in placed]
        drawn.append(_text(placed[-1][0] + 10, placed[-1][1] + 4, f"{name}: {line[-1][1]:.0f} ms", colour))
    return "\n".join([*drawn, "</svg>"]) + "\n"


def _decades(values: Sequence[float]) -> range:
    """Return the powers of ten around the values; a library of "a million" has some passages more."""
    return range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) - 0.01) + 1)


def _text(x: float, y: float, text: str, colour: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}" '
        'stroke="#ffffff" stroke-width="4" paint-order="stroke">'
        f"{escape(text)}</text>"
    )


if __name__ == "__main__":
    main()
