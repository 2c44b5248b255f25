"""Where the number of `PATH:NUMBER` stands in a document: a line of its file, a page, or a line of its text."""

from __future__ import annotations

from collections.abc import Sequence

from app.wording.paths import short_path
from engine.errors import PathError
from engine.records import StoredDocument, StoredPassage


def passages_at(passages: Sequence[StoredPassage], number: int) -> list[StoredPassage]:
    """Return the passages that the number of `PATH:NUMBER` names, in order.

    It is a line of the file; in a file without lines, as a PDF is, a page; where there is neither, a line of the text
    that `carrel show` prints.
    """
    if any(passage.line_start for passage in passages):
        return [each for each in passages if (each.line_start or 0) <= number <= (each.line_end or 0)]
    if any(passage.page for passage in passages):
        return [each for each in passages if each.page == number]
    found, line = [], 1
    for passage in passages:
        last = line + passage.text.rstrip("\n").count("\n")
        line += passage.text.count("\n")
        if line - passage.text.count("\n") <= number <= last:
            found.append(passage)
    return found


def has_own_lines(document: StoredDocument, passages: Sequence[StoredPassage]) -> bool:
    """Return whether the lines of a document's text are those of its file."""
    from engine.sources.readers.file_types import OWN_LINES

    last = passages[-1].line_end if passages else None
    return document.kind in OWN_LINES and bool(last) and (last or 0) <= document.text.count("\n") + 1


def line_of_text(document: StoredDocument, passages: Sequence[StoredPassage], number: int) -> int:
    """Return the line of a document's text that `PATH:NUMBER` names. Raises PathError where there is none."""
    if has_own_lines(document, passages):
        return number
    found = passages_at(passages, number)
    if not found:
        raise PathError(f"Nothing of {short_path(document.path)} stands at {number:,}.", fix="Leave the number away.")
    if not found[0].line_start and not found[0].page:
        return number
    return line_at(document, found[0])


def line_at(document: StoredDocument, passage: StoredPassage) -> int:
    """Return the line of a document's text where a passage begins."""
    lead = len(passage.text) - len(passage.text.lstrip("\n"))
    return document.text.count("\n", 0, passage.start + lead) + 1
