"""Evernote exports (ENEX): each note is a section under its title, with its date, author, tags and source.

Its tasks and the files that hang on it follow.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from lxml import etree

from engine.errors import SourceError
from engine.records import Document, Entry
from engine.sources.readers.attached_files import known_name
from engine.sources.readers.html import Page
from engine.sources.readers.html_parser import parse_html
from engine.sources.readers.link_targets import addresses
from engine.sources.readers.message_text import MessageText
from engine.sources.readers.source_file import MAX_LINKS, Source

ATTACHED_SECONDS = 300.0  # for the files that hang on all notes
ATTACHED_A_SPELL = 10_000_000  # code points of them after which the reader asks for as much time again
UNNAMED = "(without a title)"
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z")
_SHOWN = {"created": "Created", "updated": "Updated", "author": "Author", "source-url": "Source"}


def read(source: Source) -> Document:
    """Read an export of notes; with one note its title is the document's."""
    notes = _Notes(source)
    try:
        for _, note in etree.iterparse(
            io.BytesIO(source.raw), tag="note", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
        ):
            notes.add(note)
            note.clear()
    except etree.XMLSyntaxError:
        if not notes.entries:
            raise SourceError("not an export of Evernote") from None
        notes.text.builder.add("paragraph", "(The file is damaged here: what follows could not be read.)")
    return notes.finish()


class _Notes:
    """The notes of an export on their way into one document."""

    def __init__(self, source: Source) -> None:
        """Begin with none."""
        self.text = MessageText(source, ATTACHED_SECONDS)
        self.entries: list[Entry] = []
        self._source = source
        self._author = ""
        self._spell = 0  # how much was attached since the reader asked for time

    def add(self, note: etree._Element) -> None:
        """Add a note with what hangs on it: all of that belongs to the note, which is numbered like a page."""
        number, title = len(self.entries) + 1, _words(note, "title") or UNNAMED
        builder = self.text.builder
        begun = len(builder.blocks)
        labels = [words for each in note.iterchildren("tag") if (words := _line(each.text))]
        said = {name: words for name in _SHOWN if (words := _words(note, name))}
        self._author = self._author or said.get("author", "")
        self.entries.append(_entry(number, title, said, labels))
        builder.line = cast(int, note.sourceline or 0)
        builder.heading(title, 1)
        shown = [f"{_SHOWN[name]}: {words}" for name, words in said.items()]
        builder.add("meta", "\n".join([*shown, f"Tags: {', '.join(labels)}"] if labels else shown))
        led = Page(parse_html(str(note.findtext("content") or "")), builder).links
        builder.add("meta", "\n".join(addresses(led, "\n".join(link.text for link in led))))
        self.text.links += led
        builder.add("list", "\n".join(filter(None, map(_task, note.iterchildren("task")))))
        self._add_attached(note)
        builder.blocks[begun:] = [replace(block, page=number) for block in builder.blocks[begun:]]

    def _add_attached(self, note: etree._Element) -> None:
        """Add the files that hang on a note: what they say where a reader exists, and the names of all.

        One without a name is read where its type tells by which reader; a picture may have neither.
        """
        unread: dict[str, str] = {}
        for resource in note.iterchildren("resource"):
            name = known_name(
                _line(resource.findtext("resource-attributes/file-name")), resource.findtext("mime") or ""
            )
            written = str(resource.findtext("data") or "")
            self._spell += len(written)
            if self._spell > ATTACHED_A_SPELL:
                self._spell = 0
                self._source.go_on()
            if name:
                unread[name] = self.text.add_attached(name, _decoded(written), 2)
        self.text.list_attached(unread)

    def finish(self) -> Document:
        """Return the document of all notes."""
        text, blocks = self.text.builder.finish()
        document = self._source.document(
            "enex",
            text,
            blocks,
            self.entries[0].title if len(self.entries) == 1 else "",
            tags=[tag for entry in self.entries for tag in entry.tags],
            links=self.text.links[:MAX_LINKS],
            metadata={**({"author": self._author} if self._author else {}), "pages": str(len(self.entries))},
            line_map=self.text.builder.line_map,
        )
        return replace(document, entries=tuple(self.entries))


def _decoded(written: str) -> bytes:
    """Return the bytes of what hangs on a note, b"" where they are damaged."""
    try:
        return base64.b64decode(written)
    except ValueError:
        return b""


def _task(task: etree._Element) -> str:
    title = _line(task.findtext("title"))
    done = _line(task.findtext("taskStatus")).lower() == "completed"
    return f"- [{'x' if done else ' '}] {title}" if title else ""


def _entry(number: int, title: str, said: Mapping[str, str], labels: Sequence[str]) -> Entry:
    """Return a note as it is found: under its title, with its author, its tags and its day."""
    created = _MOMENT.fullmatch(said.get("created", ""))
    day = {"date": f"{created[1]}-{created[2]}-{created[3]}T{created[4]}:{created[5]}:{created[6]}Z"} if created else {}
    author = {"author": said["author"]} if "author" in said else {}
    return Entry(number, title, {**author, **day}, tuple(labels))


def _words(note: etree._Element, name: str) -> str:
    """Return what a note says of itself; what hangs on it says the like."""
    return _line(note.findtext(name)) or _line(note.findtext(f"note-attributes/{name}"))


def _line(written: str | None) -> str:
    return " ".join((written or "").split())
