"""Evernote exports (ENEX): each note is a section under its title, with its date, author, tags and source."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lxml import etree

from engine.errors import SourceError
from engine.records import Document, Entry, Link
from engine.sources.readers.html import Page, parse_html
from engine.sources.readers.link_targets import addresses
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder

UNNAMED = "(without a title)"
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z")
_SHOWN = {"created": "Created", "updated": "Updated", "author": "Author", "source-url": "Source"}


def read(source: Source) -> Document:
    """Read an export of notes; with one note its title is the document's."""
    builder = TextBuilder()
    links: list[Link] = []
    tags: list[str] = []
    titles: list[str] = []
    metadata: dict[str, str] = {}
    entries: list[Entry] = []
    try:
        for _, note in etree.iterparse(
            io.BytesIO(source.raw), tag="note", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
        ):
            titles.append(_words(note, "title") or UNNAMED)
            begun = len(builder.blocks)
            labels = [words for each in note.iterchildren("tag") if (words := " ".join(str(each.text or "").split()))]
            said = {name: words for name in _SHOWN if (words := _words(note, name))}
            builder.line = note.sourceline or 0
            builder.heading(titles[-1], 1)
            shown = [f"{_SHOWN[name]}: {words}" for name, words in said.items()]
            entries.append(_entry(len(titles), titles[-1], said, labels))
            builder.add("meta", "\n".join([*shown, f"Tags: {', '.join(labels)}"] if labels else shown))
            led = Page(parse_html(str(note.findtext("content") or "")), builder).links
            builder.add("meta", "\n".join(addresses(led, "\n".join(link.text for link in led))))
            builder.blocks[begun:] = [replace(block, page=len(titles)) for block in builder.blocks[begun:]]
            links += led
            tags += labels
            metadata = {**({"author": said["author"]} if "author" in said else {}), **metadata}
            note.clear()
    except etree.XMLSyntaxError:
        if not titles:
            raise SourceError("not an export of Evernote") from None
        builder.add("paragraph", "(The file is damaged here: what follows could not be read.)")
    text, blocks = builder.finish()
    title = titles[0] if len(titles) == 1 else ""
    metadata["pages"] = str(len(titles))
    document = source.document(
        "enex", text, blocks, title, tags=tags, links=links[:MAX_LINKS], metadata=metadata, line_map=builder.line_map
    )
    return replace(document, entries=tuple(entries))


def _entry(number: int, title: str, said: Mapping[str, str], labels: Sequence[str]) -> Entry:
    """Return a note as it is found: under its title, with its author, its tags and its day."""
    created = _MOMENT.fullmatch(said.get("created", ""))
    day = {"date": f"{created[1]}-{created[2]}-{created[3]}T{created[4]}:{created[5]}:{created[6]}Z"} if created else {}
    author = {"author": said["author"]} if "author" in said else {}
    return Entry(number, title, {**author, **day}, tuple(labels))


def _words(note: etree._Element, name: str) -> str:
    found = next(note.iter(name), None)
    return " ".join(str(found.text or "").split()) if found is not None else ""
