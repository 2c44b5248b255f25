"""Draws Textual's SVG as PNG with a headless chromium; other converters collapse the spaces between the words."""

from __future__ import annotations

import html
import math
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from rich.cells import cell_len

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SIZE = re.compile(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"')
_TEXT = re.compile(r'(textLength=")([0-9.]+)("[^>]*>)([^<]*)(?=</text>)')
PATIENCE_SECONDS = 60


def browser() -> str | None:
    """Return a chromium of this machine, if there is one."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def wide_signs_apart(svg: str) -> str:
    """Return the SVG with text of wide signs as long as its cells are; Rich counts each of them as one cell."""

    def spread(match: re.Match[str]) -> str:
        text = html.unescape(match[4])
        length = float(match[2]) * cell_len(text) / max(1, len(text))
        return (
            f"{match[1]}{length:.4g}{match[3]}{match[4]}"
            if not text.isascii() and len(text) != cell_len(text)
            else match[0]
        )

    return _TEXT.sub(spread, svg)


def draw(program: str, svg: Path) -> Path:
    """Draw one picture beside its SVG and return where it is."""
    size = _SIZE.search(svg.read_text(encoding="utf-8"))
    assert size is not None, svg
    width, height = (math.ceil(float(number)) for number in size.groups())
    png = svg.with_suffix(".png")
    with tempfile.TemporaryDirectory(prefix="carrel-drawing-") as profile:
        page = Path(profile) / "page.html"  # an SVG that is opened by itself is scaled to the window
        page.write_text(
            f"<style>body{{margin:0}}img{{display:block}}</style><body>{_inline(svg, width, height)}</body>",
            encoding="utf-8",
        )
        command = [program, "--headless", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"]
        command += ["--no-sandbox"] if os.geteuid() == 0 else []
        command += ["--default-background-color=00000000", f"--window-size={width},{height}"]
        command += [f"--screenshot={png}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    _make_small(png)
    return png


def _make_small(png: Path) -> None:
    """Keep 256 colours of a picture, where pngquant is installed: a third of the size, and no difference to the eye."""
    if quantizer := shutil.which("pngquant"):
        subprocess.run([quantizer, "--force", "--strip", "--ext", ".png", "256", str(png)], check=True)


def _inline(svg: Path, width: int, height: int) -> str:
    """Return the SVG with its size in pixels, to stand in a page."""
    return svg.read_text(encoding="utf-8").replace("<svg ", f'<svg width="{width}" height="{height}" ', 1)
