"""Bookmarks that browsers export: titles, addresses, tags and notes, under the folders that hold them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from engine.records import Document, Link
from engine.sources.readers.source_file import MAX_LABEL, MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder

MAX_DEPTH = 50  # folders in one another
_PAGE = re.compile(r"\s*<!DOCTYPE NETSCAPE-Bookmark-file-1>", re.IGNORECASE)
_INSIDE = r"[^<]{0,50000}+(?:<(?!/?(?:a|h3|d[ltd]|p)\b)[^<]{0,5000}+){0,50}+"  # words, some of them perhaps bold
_PIECE = re.compile(
    rf"<H3\b([^>]{{0,5000}}+)>({_INSIDE})|<A\b([^>]{{0,100000}}+)>({_INSIDE})|<DD>({_INSIDE})|(<DL\b)|(</DL\b)",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]{0,500}>")
_ATTRIBUTE = re.compile(r"\b(HREF|TAGS)=\"([^\"]{0,50000}+)\"", re.IGNORECASE)
_JSON_MARKS = ('"bookmark_bar"', '"text/x-moz-place', '"placesRoot"')

_Entry = tuple[int, str, str, str, str]  # depth, title, address ("" for a folder), tags, note


def bookmarks(source: Source, written: str) -> Document | None:
    """Return the document of a page or a JSON file of bookmarks; None where the text is neither."""
    if _PAGE.match(written):
        return _document(source, _of_page(written))
    if written.lstrip()[:1] == "{" and any(mark in written for mark in _JSON_MARKS):
        try:
            return _document(source, _of_json(json.loads(written)))
        except (ValueError, RecursionError):
            return None
    return None


def _document(source: Source, entries: Iterator[_Entry]) -> Document:
    builder = TextBuilder()
    links: list[Link] = []
    tags: dict[str, None] = {}
    for depth, title, address, labels, note in entries:
        if not address:
            builder.heading(title[:MAX_LABEL], max(depth, 1))
            builder.add("paragraph", " ".join(note.split()))
            continue
        own = [label for each in labels.split(",") if (label := each.strip())]
        tags |= dict.fromkeys(own)
        lines = [title, address, f"Tags: {', '.join(own)}" if own else "", " ".join(note.split())]
        builder.add("list", "\n".join(filter(None, lines)))
        links.append(Link(address, title or address))
    text, blocks = builder.finish()
    return source.document("bookmarks", text, blocks, "", tags=tags, links=links[:MAX_LINKS], line_map=())


def _of_page(written: str) -> Iterator[_Entry]:
    depth = 0
    waiting: _Entry | None = None  # a note may follow its bookmark or folder
    for match in _PIECE.finditer(written):
        _, folder, attributes, title, note, opens, closes = match.groups()
        if note is not None:
            if waiting:
                yield (*waiting[:4], _shown(note))
                waiting = None
            continue
        if waiting:
            yield waiting
            waiting = None
        depth += (opens is not None) - (closes is not None)
        if folder is not None and folder.strip():
            waiting = (depth, _shown(folder), "", "", "")
        elif attributes is not None:
            said = {name.upper(): html.unescape(value) for name, value in _ATTRIBUTE.findall(attributes)}
            if address := said.get("HREF", ""):
                waiting = (depth, _shown(title), address, said.get("TAGS", ""), "")
    if waiting:
        yield waiting


def _shown(written: str) -> str:
    """Return the words of a piece of a page."""
    return html.unescape(_TAG.sub("", written).strip())


def _of_json(value: object) -> Iterator[_Entry]:
    """Give the bookmarks of Chrome, whose roots lie in `roots`, or of Firefox."""
    roots: Any = value.get("roots", value) if isinstance(value, dict) else {}
    first = (
        list(roots.values()) if isinstance(value, dict) and "roots" in value and isinstance(roots, dict) else [roots]
    )
    waiting = [(1, node) for node in reversed(first)]
    while waiting:
        depth, node = waiting.pop()
        if not isinstance(node, dict):
            continue
        title = _text(node.get("name")) or _text(node.get("title"))
        address = _text(node.get("url")) or _text(node.get("uri"))
        if address:
            yield depth, title, address, _text(node.get("tags")), ""
        elif title:
            yield depth, title, "", "", ""
        children = node.get("children")
        if isinstance(children, list) and depth < MAX_DEPTH:
            waiting += [(depth + 1, child) for child in reversed(children)]


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
