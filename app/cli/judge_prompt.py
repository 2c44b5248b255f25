"""The prompt of `carrel judge`: one passage at a time, one key each; nothing tells how it was found."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import click

from app.wording.safe_text import cleaned, one_line
from engine.errors import UsageError
from engine.figures import counted
from engine.store.judgements import RIGHT, WRONG

if TYPE_CHECKING:
    from engine.library import Library
    from engine.records import Grade, StoredPassage

Answer = Literal["right", "wrong", "later", "back", "leave"]
KEYS: dict[str, Answer] = {"y": "right", "n": "wrong", "s": "later", "b": "back", "q": "leave", "\x03": "leave"}
GRADES: dict[Answer, Grade] = {"right": RIGHT, "wrong": WRONG}
LEGEND = "y answers it   n does not   s later   b back   q leave; all is kept"
FRAME_LINES = 7  # question, place, and keys around the text
LEAST_LINES = 4


def judge_question(library: Library, query: str, passages: Sequence[StoredPassage], place: str) -> bool:
    """Ask about the passages of one question that are not judged yet; False where the person wants to leave."""
    known = {
        mark.passage_hash for mark in library.marks() if mark.query == " ".join(query.split()) and abs(mark.grade) > 1
    }
    hashes = library.passage_hashes([passage.id for passage in passages])
    open_ones = [passage for passage in passages if hashes.get(passage.id) not in known]
    at = 0
    while at < len(open_ones):
        passage = open_ones[at]
        said = f"{place} · passage {at + 1} of {len(open_ones)}"
        answer = _asked("\n".join(screen(query, passage, said)))
        if answer == "leave":
            return False
        if answer == "back":
            at = max(0, at - 1)
            continue
        if answer in GRADES:
            library.mark(query, passage.id, GRADES[answer])
        at += 1
    return True


def screen(query: str, passage: StoredPassage, place: str) -> Iterator[str]:
    """Yield the lines of one passage: question, where it stands, its text as far as it fits, and the keys."""
    columns, lines = shutil.get_terminal_size((80, 24))
    width = max(20, min(columns, 100) - 1)
    yield click.style(textwrap.shorten(one_line(query), width, placeholder=" …"), bold=True)
    yield click.style(place, dim=True)
    yield ""
    headings = passage.headings[1:] if passage.headings[:1] == (passage.title,) else passage.headings
    trail = " › ".join(one_line(part) for part in (passage.title, *headings))
    yield click.style(textwrap.shorten(trail, width, placeholder=" …"), underline=True)
    wrapped = [
        piece
        for line in cleaned(passage.text).expandtabs(4).splitlines()
        for piece in (textwrap.wrap(line, width, break_long_words=True) or [""])
    ]
    room = max(LEAST_LINES, lines - FRAME_LINES)
    yield from wrapped[:room]
    if len(wrapped) > room:
        yield click.style(f"… {counted(len(wrapped) - room, 'more line')}", dim=True)
    yield ""
    yield LEGEND


def _asked(text: str) -> Answer:
    """Show a passage and wait for one of the keys; others are passed over."""
    click.clear()
    click.echo(text, err=True)
    while True:
        try:
            key = click.getchar().lower()
        except KeyboardInterrupt:
            return "leave"
        except (OSError, EOFError) as error:
            raise UsageError("There is no terminal to judge on.", fix="Run `carrel judge` in a terminal.") from error
        if key in KEYS:
            return KEYS[key]
