"""Notes of Google Keep as its export has them: one JSON file each, with title, text or list, labels and links."""

from __future__ import annotations

import json
import time
from typing import Any

from engine.records import Document, Link
from engine.sources.readers.html import Page
from engine.sources.readers.html_parser import parse_html
from engine.sources.readers.source_file import Source
from engine.sources.readers.text_builder import TextBuilder

MAX_NOTE = 1_000_000  # code points; Keep itself takes 20,000
_OWN_KEYS = frozenset(("userEditedTimestampUsec", "isTrashed", "isPinned", "isArchived"))


def keep_note(source: Source, written: str) -> Document | None:
    """Return the document of a note of Keep; None where the JSON is anything else."""
    if len(written) > MAX_NOTE or "userEditedTimestampUsec" not in written:
        return None
    try:
        note = json.loads(written)
    except (ValueError, RecursionError):
        return None
    if not isinstance(note, dict) or len(_OWN_KEYS & note.keys()) < 2:
        return None
    title = _text(note.get("title")).strip()
    builder = TextBuilder()
    if title:
        builder.heading(title, 1)
    builder.add("paragraph", _content(note, "textContent"))
    builder.add("list", "\n".join(_item(each) for each in _listed(note.get("listContent"))))
    links = [
        Link(_text(each.get("url")), _text(each.get("title")) or _text(each.get("url")))
        for each in _listed(note.get("annotations"))
        if each.get("url")
    ]
    builder.add("list", "\n".join(f"- {link.text} <{link.target}>" for link in links))
    text, blocks = builder.finish()
    return source.document(
        "keep",
        text,
        blocks,
        title,
        tags=filter(None, (_text(each.get("name")) for each in _listed(note.get("labels")))),
        links=links,
        metadata=_edited(note.get("userEditedTimestampUsec")),
        line_map=(),
    )


def _item(item: dict[str, Any]) -> str:
    return f"- [{'x' if item.get('isChecked') is True else ' '}] {' '.join(_content(item, 'text').split())}"


def _content(holder: dict[str, Any], key: str) -> str:
    """Return a text of a note; newer exports may have it with its formatting alone, as HTML beside the plain name."""
    plain = _text(holder.get(key))
    formatted = _text(holder.get(f"{key}Html"))
    return plain if plain.strip() or not formatted else Page(parse_html(formatted)).builder.finish()[0]


def _listed(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _edited(microseconds: object) -> dict[str, str]:
    """Return the day on which a note was last edited, where it says so."""
    if not isinstance(microseconds, int) or not 0 < microseconds < 2**53:
        return {}
    return {"date": time.strftime("%Y-%m-%d", time.gmtime(microseconds / 1e6))}
