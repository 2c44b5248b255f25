"""How long the preview and the reader take on long documents: a Markdown file of 1 MB, a log of 5 MB, code of 1 MB.

    python tests/bench/long_documents.py

Windows and layouts are made in threads; painting is what the keys wait for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from textual.content import Content

from app.tui.pages.painter import Painter
from app.tui.pages.units import Units
from app.tui.screens.reader.finding import find_all
from app.tui.screens.reader.layout import Layout
from app.tui.screens.reader.marks import Marks
from app.tui.screens.search.preview import preview_lines
from app.tui.screens.search.window import window_of
from engine.records import Explanation, Hit, Shares, StoredDocument

WIDTH, HEIGHT = 100, 40
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


def measured(name: str) -> str:
    """Return a line of figures for one document."""
    document = document_of(name)
    hit, units = hit_in(document.text), Units(document.text, document.kind)
    window = window_of(document, hit, WORDS)
    painter = Painter(units, language="python")
    layout = Layout(painter, WIDTH, wrap=True)
    screens = sorted(timed(partial(screen, layout, top)) for top in range(layout.rows - 60 * HEIGHT, 0, -997))
    figures = (
        timed(lambda: window_of(document, hit, WORDS)),
        timed(lambda: preview_lines(window, 58)),
        timed(lambda: Units(document.text, document.kind)),
        timed(lambda: Layout(painter, WIDTH, wrap=True)),
        screens[len(screens) // 2],
        screens[-1],
        timed(lambda: find_all(document.text, "words")),
    )
    return f"{name:10} {len(document.text) / 1e6:4.1f} " + " ".join(f"{figure:9.1f}" for figure in figures)


def main() -> None:
    """Print a line for each document."""
    print(f"{'ms':10} {'MB':>4}    window      rows       cut  laid out    screen     worst      find")
    for name in DOCUMENTS:
        print(measured(name))


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
