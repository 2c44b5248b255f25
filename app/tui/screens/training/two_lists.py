"""Two lists of rows as a blind review shows them: titles and text in one rendering, no score, nothing of a model."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from app.tui.screens.search.row import title_of
from app.tui.screens.search.row_snippet import snippet_lines
from app.tui.screens.training.line_parts import apart, fitted, heading, said
from app.tui.theme import BRIGHT, QUIET
from app.wording.beside import controls_said, review_said
from app.wording.safe_text import one_line
from engine.figures import counted
from engine.records import Hit
from training.blind_review import SHOWN, ReviewStanding

INDENT = 3
ROOMY_CELLS = 90  # from here on the question is followed by what is asked
MOST_SNIPPETS = 3  # lines of text of a row: what tells what it is about


def question_line(query: str, review: ReviewStanding, width: int) -> Content:
    """Return the question, and how many reviews are left at most."""
    left = Content.styled(f"{counted(review.left, 'more review')} at most", QUIET)
    asked = "which list answers it better?" if width >= ROOMY_CELLS else ""
    return apart(heading(f"“{one_line(query)}”", asked), left, width)


def list_lines(hits: Sequence[Hit], width: int, height: int) -> list[Content]:
    """Return a list of rows, with as many lines of their text as the height allows."""
    if not hits:
        return [Content.styled("nothing found", QUIET)]
    lines = []
    snippets = max(0, min(MOST_SNIPPETS, height // SHOWN - 1))
    for place, hit in enumerate(hits, 1):
        title, trail = title_of(hit)
        head = Content.assemble((f"{place}  ", QUIET), (title, f"bold {BRIGHT}"), (trail, QUIET))
        lines.append(fitted(head, width))
        room = max(1, width - INDENT)
        lines += (
            [Content.assemble(" " * INDENT, line) for line in snippet_lines(hit, room, snippets, frozenset()) if line]
            if snippets
            else []
        )
    return lines


def over_lines(review: ReviewStanding, reason: str, width: int) -> list[Content]:
    """Return what there is to say where no pair is left to be reviewed."""
    lines = said(reason, width, f"bold {BRIGHT}")
    lines += said(review_said(review), width)
    return [*lines, *(said(controls, width, QUIET) if (controls := controls_said(review)) else [])]
