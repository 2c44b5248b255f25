"""The whole explanation of a row: as lines of the pane, and to take along as text or as JSON."""

from __future__ import annotations

import json

from rich.cells import cell_len
from textual.content import Content

from app.tui.screens.search.explanation.leg_lines import meaning_lines, places_lines, setting_lines, words_lines
from app.tui.screens.search.explanation.nearest import nearest_lines
from app.tui.screens.search.explanation.score import memory_lines, neighbour_lines, score_lines
from app.tui.screens.search.explanation.subject import Explained
from app.tui.screens.search.explanation.trust import trust_lines
from app.tui.screens.search.row import is_listing, title_of
from app.tui.theme import BRIGHT, QUIET
from app.tui.widgets.line_views import wrapped
from app.wording.cells import cut_front
from app.wording.paths import owner_words
from app.wording.safe_text import one_line
from engine.figures import ordinal
from engine.harmful_characters import escaped
from engine.paths import display

TEXT_CELLS = 78  # of a mail or an issue


def explanation_lines(explained: Explained, width: int) -> list[Content]:
    """Return the whole explanation, folded to `width` cells."""
    if is_listing(explained.result):
        said = "No words were asked, so nothing was ranked: the newest document comes first."
        return [*_heading(explained, width), Content(), *wrapped(Content.styled(said, QUIET), width, Content())]
    sections = (
        [*_heading(explained, width), *neighbour_lines(explained, width)],
        [*score_lines(explained, width), *memory_lines(explained, width)],
        [*meaning_lines(explained, width), *words_lines(explained, width)],
        nearest_lines(explained, width),
        places_lines(explained, width),
        trust_lines(explained, width),
        setting_lines(explained, width),
    )
    lines: list[Content] = []
    for section in sections:
        lines += [*section, Content()] if section else []
    return [line.truncate(width) for line in lines[:-1]]


def _heading(explained: Explained, width: int) -> list[Content]:
    title, trail = title_of(explained.hit)
    question = Content.styled(f"Why is this {ordinal(explained.hit.rank)}?", f"bold {BRIGHT}")
    lines = [question, Content.styled(title + trail, QUIET).truncate(width, ellipsis=True)]
    if whose := owner_words(explained.hit.path):
        place = "/" + display(explained.hit.path).partition(":/")[2]
        said = f"from {whose}: "
        kept = cut_front(one_line(place), max(1, width - cell_len(said)))
        lines.append(Content.styled(said + kept, QUIET).truncate(width, ellipsis=True))
    return lines


def as_text(explained: Explained) -> str:
    """Return the explanation as it is shown, with the query and the file above it."""
    query = one_line(explained.result.query.text)
    head = [f"query: {query}", f"file:  {one_line(display(explained.hit.path))}", ""]
    body = [line.plain.rstrip() for line in explanation_lines(explained, TEXT_CELLS)]
    return "\n".join([*head, *body]) + "\n"


def as_json(explained: Explained) -> str:
    """Return every figure of the row, unrounded, with the weights, words and limits that placed it."""
    from app.json_shapes import FORMAT, hit_shape, search_shape  # not needed before the first paint

    result = search_shape(explained.result)
    kept = ("query", "verdict", "model", "fusion", "weights", "constants", "passages", "words")
    shape = {
        "format": FORMAT,
        **{name: result[name] for name in kept},
        "result": hit_shape(explained.hit, explained.nearest or None),
    }
    return escaped(json.dumps(shape, ensure_ascii=False, indent=2)) + "\n"
