"""Word documents: paragraphs, headings, lists and tables in the order of the body, then footnotes and endnotes.

Word says what a paragraph is through styles that inherit from one another; their English names are the same in every
language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from engine.errors import SourceError
from engine.records import BlockKind, Document, Link
from engine.sources.readers.frontmatter import as_tags
from engine.sources.readers.markdown import written_title
from engine.sources.readers.ooxml import core_properties, external_targets, named_title, relation_of
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder
from engine.sources.readers.zip_container import Archive

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = b"http://purl.oclc.org/ooxml/wordprocessingml/main"
_TRANSITIONAL = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_SKIPPED = frozenset(("del", "moveFrom", "rPr", "pPr", "Fallback", "txbxContent", "instrText", "delText"))
_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|rubrik|kop)\s*([1-9])$", re.IGNORECASE)
_HEADING_ID = re.compile(r"Heading([1-9])$")
_BODY_OUTLINE = 9  # w:outlineLvl of body text
MAX_INHERITANCE = 20  # styles above a style: a file may declare a circle


def read(source: Source) -> Document:
    """Read a .docx file."""
    archive = Archive(source.raw, "DOCX")
    if "word/document.xml" not in archive.names:
        raise SourceError("a ZIP file, but no DOCX")
    body = _parse(archive, "word/document.xml")
    reader = _Reader(Styles(archive.xml_if_there("word/styles.xml")), external_targets(archive, "word/document.xml"))
    reader.walk(body)
    for part, name in (("word/footnotes.xml", "footnote"), ("word/endnotes.xml", "endnote")):
        if part in archive.names:
            reader.notes(_parse(archive, part), name)
    text, blocks = reader.builder.finish()
    properties = core_properties(archive)
    title = named_title(properties) or reader.title or written_title(blocks)
    return source.document(
        "docx",
        text,
        blocks,
        title,
        tags=as_tags(properties.pop("keywords", "")),
        links=reader.links[:MAX_LINKS],
        metadata=properties,
    )


def _parse(archive: Archive, name: str) -> etree._Element:
    root = archive.xml(name)
    if root.nsmap.get("w", "").encode() == _STRICT:  # the same elements under another name
        from engine.sources.readers.zip_container import parse_xml

        return parse_xml(archive.read(name).replace(_STRICT, _TRANSITIONAL), "damaged XML")
    return root


class _Reader:
    """Walks the body once."""

    def __init__(self, styles: Styles, relations: dict[str, str]) -> None:
        self.builder = TextBuilder()
        self.links: list[Link] = []
        self.title = ""
        self._styles = styles
        self._relations = relations
        self._list: list[str] = []

    def walk(self, root: etree._Element) -> None:
        """Add the paragraphs, lists and tables of a body in order."""
        for element in _blocks(root):
            if element.tag == f"{_W}p":
                self._paragraph(element)
            else:
                self._end_list()
                self.builder.add("table", "\n".join(_rows(element)))
                self._note_links(element)
            for box in _text_boxes(element):
                self.builder.add("paragraph", box)
        self._end_list()

    def notes(self, root: etree._Element, name: str) -> None:
        """Add footnotes, endnotes or comments, whose elements have this name."""
        for note in root.iter(f"{_W}{name}"):
            if note.get(f"{_W}type") in (None, "normal"):
                self.builder.add("paragraph", "\n".join(_text(paragraph) for paragraph in note.iter(f"{_W}p")).strip())

    def _paragraph(self, element: etree._Element) -> None:
        words = _text(element).strip()
        if not words:
            return
        properties = element.find(f"{_W}pPr")
        style = self._styles.of(properties) if properties is not None else NO_STYLE
        self._note_links(element)
        if style.list_level >= 0 and not style.level:
            self._list.append("  " * min(style.list_level, 8) + "- " + " ".join(words.split()))
            return
        self._end_list()
        if style.level:
            self.builder.heading(words, style.level)
            if style.is_title and not self.title:
                self.title = " ".join(words.split())
        else:
            self.builder.add(style.kind, words)

    def _end_list(self) -> None:
        if self._list:
            self.builder.add("list", "\n".join(self._list))
            self._list = []

    def _note_links(self, element: etree._Element) -> None:
        for link in element.iter(f"{_W}hyperlink"):
            target = self._relations.get(relation_of(link))
            if target:
                self.links.append(Link(target, " ".join(_text(link).split())))


def _blocks(root: etree._Element) -> Iterator[etree._Element]:
    """Give the paragraphs and tables in their order, those inside content controls and changes included."""
    stack = [root]
    while stack:
        element = stack.pop()
        tag = str(element.tag)
        if tag in (f"{_W}p", f"{_W}tbl"):
            yield element
        elif tag.startswith(_W) and tag[len(_W) :] not in _SKIPPED:
            stack.extend(reversed(element))


def _text(root: etree._Element) -> str:
    """Return the words of a paragraph, without what was deleted and without its text boxes."""
    pieces: list[str] = []
    stack = list(reversed(root))
    while stack:
        element = stack.pop()
        name = str(element.tag).rpartition("}")[2]
        if name == "t":
            pieces.append(element.text or "")
        elif name in _BREAKS:
            pieces.append(_BREAKS[name])
        elif name not in _SKIPPED:
            stack.extend(reversed(element))
    return "".join(pieces)


def _text_boxes(element: etree._Element) -> Iterator[str]:
    for box in element.iter(f"{_W}txbxContent"):
        if not any(str(above.tag).endswith("}Fallback") for above in box.iterancestors()):
            yield "\n".join(filter(str.strip, (_text(paragraph) for paragraph in box.iter(f"{_W}p"))))


def _rows(table: etree._Element) -> Iterator[str]:
    for row in table.iter(f"{_W}tr"):
        cells = [" ".join(" ".join(_text(p).split()) for p in cell.iter(f"{_W}p")) for cell in row.iter(f"{_W}tc")]
        if any(cells):
            yield " | ".join(cell.strip() for cell in cells)


@dataclass(frozen=True, slots=True)
class ParagraphStyle:
    """The role of a paragraph; `level` is 0 where it is no heading, `list_level` -1 where it is no item of a list."""

    kind: BlockKind = "paragraph"
    level: int = 0
    list_level: int = -1
    is_title: bool = False


NO_STYLE = ParagraphStyle()


class Styles:
    """The styles of one document."""

    def __init__(self, root: etree._Element | None) -> None:
        """Read them from styles.xml; without one, style identifiers are taken for their names."""
        self._styles = {
            str(style.get(f"{_W}styleId")): style
            for style in (root.iter(f"{_W}style") if root is not None else ())
            if style.get(f"{_W}type") in (None, "paragraph")
        }
        self._known: dict[str, ParagraphStyle] = {}

    def of(self, properties: etree._Element) -> ParagraphStyle:
        """Say what a paragraph with these properties (`w:pPr`) is."""
        named = properties.find(f"{_W}pStyle")
        identifier = str(named.get(f"{_W}val")) if named is not None else ""
        if identifier not in self._known:
            self._known[identifier] = self._resolve(identifier)
        style = self._known[identifier]
        outline = _outline(properties)
        if outline is not None and not style.is_title:
            style = ParagraphStyle(style.kind, outline, style.list_level)
        numbering = _numbering(properties)
        return style if numbering is None else ParagraphStyle(style.kind, style.level, numbering, style.is_title)

    def _resolve(self, identifier: str) -> ParagraphStyle:
        kind: BlockKind = "paragraph"
        list_level = -1
        for _ in range(MAX_INHERITANCE):
            style = self._styles.get(identifier)
            name = _value(style, "name") or identifier
            heading = _HEADING.match(name.strip()) or _HEADING_ID.match(identifier)
            if heading:
                return ParagraphStyle(kind, int(heading[1]), list_level)
            if name.strip().casefold() == "title":
                return ParagraphStyle(kind, 1, list_level, is_title=True)
            properties = style.find(f"{_W}pPr") if style is not None else None
            outline = _outline(properties) if properties is not None else None
            if outline:
                return ParagraphStyle(kind, outline, list_level)
            numbering = _numbering(properties) if properties is not None else None
            if list_level < 0 and (numbering is not None or name.startswith(("List Bullet", "List Number"))):
                list_level = numbering or 0
            if name.casefold() in ("quote", "intense quote"):
                kind = "quote"
            elif "source code" in name.casefold() or "code block" in name.casefold():
                kind = "code"
            identifier = _value(style, "basedOn")
            if not identifier:
                break
        return ParagraphStyle(kind, 0, list_level)


def _value(element: etree._Element | None, name: str) -> str:
    found = element.find(f"{_W}{name}") if element is not None else None
    return str(found.get(f"{_W}val") or "") if found is not None else ""


def _outline(properties: etree._Element) -> int | None:
    written = _value(properties, "outlineLvl")
    if not written.isdecimal():
        return None
    level = int(written[:3])
    return 0 if level >= _BODY_OUTLINE else level + 1


def _numbering(properties: etree._Element) -> int | None:
    """Return the depth of a list item from 0; None where the paragraph is not numbered, -1 where it must not be."""
    numbering = properties.find(f"{_W}numPr")
    if numbering is None:
        return None
    if _value(numbering, "numId") == "0":
        return -1
    level = _value(numbering, "ilvl")
    return int(level[:3]) if level.isdecimal() else 0
