"""Where the share of memory comes from: which past search, how near it lies, and what was thought of the row there."""

from __future__ import annotations

from textual.content import Content

from app.tui.screens.search.explanation.subject import Explained, labelled
from app.tui.theme import QUIET
from app.wording.figures import figure
from app.wording.safe_text import one_line

DEEDS = {2: "marked right for", -2: "marked wrong for", 1: "opened for"}


def memory_lines(explained: Explained, width: int) -> list[Content]:
    """Return the past search that changed the score, in a sentence; nothing where none did."""
    remembered = explained.hit.explanation.remembered
    if remembered is None:
        return []
    near = "this very search" if remembered.cosine > 0.9995 else f"cosine {figure(remembered.cosine)} with this search"
    said = Content.assemble(
        (f"{DEEDS[remembered.grade]} ", QUIET), f"“{one_line(remembered.query)}”", (f" · {near}", QUIET)
    )
    return labelled("memory", said, width)
