"""An explanation to take along: as lines of text, or as the JSON object that `carrel search --json` prints of a row."""

from __future__ import annotations

import json

from app.json_shapes import FORMAT, hit_shape, search_shape
from app.tui.screens.search.explain import explanation_lines
from app.tui.screens.search.explanation.subject import Explained
from app.wording.safe_text import one_line
from engine.paths import display

TEXT_CELLS = 78  # of a mail or an issue


def as_text(explained: Explained) -> str:
    """Return the explanation as it is shown, with the query and the file above it."""
    query = one_line(explained.result.query.text)
    head = [f"query: {query}", f"file:  {one_line(display(explained.hit.path))}", ""]
    body = [line.plain.rstrip() for line in explanation_lines(explained, TEXT_CELLS)]
    return "\n".join([*head, *body]) + "\n"


def as_json(explained: Explained) -> str:
    """Return every figure of the row, unrounded, with the weights, words and limits that placed it."""
    result = search_shape(explained.result)
    kept = ("query", "verdict", "model", "fusion", "weights", "passages", "words")
    shape = {"format": FORMAT, **{name: result[name] for name in kept}, "result": hit_shape(explained.hit)}
    return json.dumps(shape, ensure_ascii=False, indent=2) + "\n"
