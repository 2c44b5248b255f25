"""How long the preview and the reader take on long documents: a Markdown file of 1 MB, a log of 5 MB, code of 1 MB.

    python tests/bench/long_documents.py [--json]

Windows and layouts are made in threads; painting is what the keys wait for.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from machine import heading, machine
from spread import against, limit_lines
from textual.content import Content

from app.tui.pages.painter import Painter
from app.tui.pages.units import Units
from app.tui.screens.reader.highlights import Marks
from app.tui.screens.reader.layout import Layout
from app.tui.screens.reader.text_find import find_all
from app.tui.screens.search.preview import preview_lines
from app.tui.screens.search.window import window_of
from engine.records import Explanation, Hit, Shares, StoredDocument

WIDTH, HEIGHT = 100, 40
FRAME_MS = 100  # what the text of one screen may take, as a key that waits for rows by words
WORDS = frozenset({"lorem", "request", "value"})
DOCUMENTS: dict[str, tuple[str, str]] = {
    "Markdown": (
        "markdown",
        "".join(
            f"## Section {i}\n\nSome **bold** words, a [link](a/b.md), `code` and *more*, "
            + "lorem ipsum dolor sit amet " * 14
            + "\n\n- item [[Wiki|w]]\n- [x] done\n\n```python\ndef f(x):\n    return 'a'  # c\n```\n\n> quote\n\n"
            for i in range(2_000)
        ),
    ),
    "log": (
        "text",
        "".join(
            f"2026-01-01T00:00:{i % 60:02d} INFO server.worker request {i} took {i % 97} ms path=/a/b/c/{i} "
            "user=alice agent=Mozilla/5.0 and some more words\n"
            for i in range(42_000)
        ),
    ),
    "code": (
        "code",
        "".join(
            f"def function_{i}(value: int) -> str:\n    '''Doc {i}.'''\n    return f'{{value}}' + str({i})  # note\n\n"
            for i in range(12_000)
        ),
    ),
    "one line": ("text", "lorem " * 800_000),
}


def timed(work: Callable[[], object]) -> float:
    """Return the milliseconds that a piece of work takes."""
    began = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - began)


def document_of(name: str) -> StoredDocument:
    kind, text = DOCUMENTS[name]
    return StoredDocument(1, b"/n", name, kind, 0.0, len(text), (), {"language": "python"}, 1, text)


def hit_in(text: str) -> Hit:
    """Return a hit near the end, where the most has to be passed over."""
    start = int(len(text) * 0.98)
    return Hit(
        1, 0.5, "strong", 1, 1, b"/n", "T", (), "text", 0.0, start, start + 400, 1, 1, None, "", (), None, None,
        Shares(0.4, 0.1), Explanation(0.5, 1, 1, 1, 1, 0.5, 1.0, 0.6, 0.5),
    )  # fmt: skip


def measured(name: str) -> dict[str, float]:
    """Return the size of one document in MB, and the milliseconds of each thing that is done with it."""
    document = document_of(name)
    hit, units = hit_in(document.text), Units(document.text, document.kind)
    window = window_of(document, hit, WORDS)
    painter = Painter(units, language="python")
    layout = Layout(painter, WIDTH, wrap=True)
    screens = [timed(partial(screen, layout, top)) for top in range(layout.rows - 60 * HEIGHT, 0, -997)]
    return {
        "mb": len(document.text) / 1e6,
        "window": timed(lambda: window_of(document, hit, WORDS)),
        "rows": timed(lambda: preview_lines(window, 58)),
        "cut": timed(lambda: Units(document.text, document.kind)),
        "laid out": timed(lambda: Layout(painter, WIDTH, wrap=True)),
        "screen": statistics.median(screens),
        "worst": max(screens),
        "find": timed(lambda: find_all(document.text, "words")),
    }


def main() -> None:
    """Measure every document and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {name: measured(name) for name in DOCUMENTS}
    limits = against({name: each["worst"] for name, each in found.items()}, dict.fromkeys(found, FRAME_MS))
    report = {"machine": machine(), "ms": found, "limits_of_the_worst_screen": limits}
    print(json.dumps(report, indent=1) if options.json else table(report))


def table(report: dict[str, Any]) -> str:
    """Return a line for each document."""
    heads = list(next(iter(report["ms"].values())))
    lines = [heading(report["machine"]), f"{'ms':10}" + "".join(f"{head:>10}" for head in heads)]
    lines += [f"{name:10}" + "".join(f"{each[head]:>10.1f}" for head in heads) for name, each in report["ms"].items()]
    worst = max(report["limits_of_the_worst_screen"].items(), key=lambda each: each[1]["found"])
    return "\n".join([*lines, *limit_lines(dict([worst]), "ms")])


def screen(layout: Layout, top: int) -> None:
    """Make what one screen of text shows, without a terminal."""
    marks, units = Marks(words=WORDS), layout.painter.units
    dressed: dict[int, Content] = {}
    for row in range(top, min(layout.rows, top + HEIGHT)):
        unit, part = layout.unit_at(row)
        if unit not in dressed:
            dressed[unit] = marks.paint(layout.painter.line(unit), units.starts[unit], units.ends[unit])
        layout.row(dressed[unit], layout.starts(unit), part, unit)


if __name__ == "__main__":
    main()
