"""Puts the addresses of links behind the text that was taken from a page or an office file, so that words find them.

Those of pages and slides stand at the end of each, where the reader of the format puts them; those of other files stand
at the end of all. In formats that people edit as text they stand where they are written, and are found there. What has
very many is a list of ways to somewhere else, as the navigation of a page, and gets none; nor does mail, whose links
mostly count who opens them.

What a page, an office file or a book says of itself in many words is put behind its text likewise: description and
category.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from engine.records import Block, Document, Link
from engine.sources.encodings import storable
from engine.sources.readers.text_builder import SEPARATOR

MOST = 100  # different addresses of a file, or of a page of it
_OFFICE = frozenset(("docx", "odg", "odp", "ods", "odt", "pptx", "rtf", "xlsx"))
_DESCRIBED = _OFFICE | {"epub", "html", "mhtml", "webarchive"}
_KINDS = _DESCRIBED | {"pdf"}
_ADDRESS = re.compile(r"(?!about:|blob:|cid:|data:|javascript:)[A-Za-z][A-Za-z0-9+.-]{1,30}:\S{1,2000}")


def with_targets(document: Document) -> Document:
    """Return a document with last blocks of what it says of itself, and of where its links lead: what no text holds."""
    if document.kind in _DESCRIBED:
        said = (document.metadata.get(name, "") for name in ("description", "category"))
        document = _with(document, [words for words in said if words and not _holds(document.text, words)])
    return _with(document, addresses(document.links, document.text)) if document.kind in _KINDS else document


def _with(document: Document, lines: list[str]) -> Document:
    if not lines:
        return document
    before = document.text + SEPARATOR if document.text else ""
    text = before + "\n".join(lines)
    block = Block("meta", len(before), len(text))
    line_map = (*document.line_map, (len(before), 0)) if document.line_map else document.line_map
    return replace(document, text=text, blocks=(*document.blocks, block), line_map=line_map)


def _holds(text: str, words: str) -> bool:
    """Whether a text has words as a piece of its own, and not as a part of others."""
    found = text.find(words)
    return found >= 0 and not text[found - 1 : found].isalnum() and not text[found + len(words) :][:1].isalnum()


def addresses(links: Iterable[Link], text: str) -> list[str]:
    """Return the addresses that links lead to, each once, without those in a text; none of very many."""
    targets = dict.fromkeys(storable(link.target).strip() for link in links)
    found = [target for target in targets if _ADDRESS.fullmatch(target)]
    return [target for target in found if target not in text] if len(found) <= MOST else []
