"""OpenDocument, zipped or flat: texts with headings and lists, sheets as rows, presentations and drawings page by page.

Beside them stand notes, comments, the words of charts, labels of forms, headers and footers, each once.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice

from lxml import etree

from engine.errors import SourceError
from engine.records import Document, Link
from engine.sources.encodings import storable
from engine.sources.readers.attached_files import add_attached
from engine.sources.readers.csv import line_of
from engine.sources.readers.embedded_objects import object_files
from engine.sources.readers.file_types import kind_of
from engine.sources.readers.frontmatter import as_keywords
from engine.sources.readers.link_targets import addresses
from engine.sources.readers.ooxml import local_name
from engine.sources.readers.opendocument_words import (
    asides,
    attribute,
    comment,
    is_picture_word,
    items,
    number,
    one_line,
    paragraphs,
    pieces,
    words,
)
from engine.sources.readers.page_furniture import distinct, is_page_number
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder
from engine.sources.readers.xlsx import MAX_ROWS, add_sheet
from engine.sources.readers.xlsx_cells import MAX_COLUMNS
from engine.sources.readers.zip_container import Archive, parse_xml

_BODIES = {"odt": "text", "ods": "spreadsheet", "odp": "presentation", "odg": "drawing"}
_FIELDS = {
    "creator": "author", "initial-creator": "author", "creation-date": "created", "subject": "subject",
    "description": "description",
}  # fmt: skip
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_LINKS = ("a", "area-rectangle", "area-circle", "area-polygon", "event-listener")
_FURNITURE = frozenset(f"{place}{pages}" for place in ("header", "footer") for pages in ("", "-left", "-first"))
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_DECLARED = ("{*}header-decl", "{*}footer-decl", "{*}date-time-decl")  # what the slides of a talk repeat
_LABELS = ("label", "current-value", "value")  # of the fields of a form
_SHOWN_VALUES = ("string-value", "date-value", "time-value", "boolean-value", "value")  # of a cell without its text
MAX_OBJECTS = 500  # charts and the like of one document


@dataclass(frozen=True, slots=True)
class _Package:
    """The parts of one file; a flat one has no `archive`, and all of it lies in `content`."""

    content: etree._Element
    meta: etree._Element | None
    styles: etree._Element | None
    archive: Archive | None = None


def read(source: Source) -> Document:
    """Read .odt, .ods, .odp and .odg files, and their flat XML forms."""
    kind = kind_of(source.name) or "odt"
    package = _package(source.raw, kind)
    body = next(package.content.iter(f"{_OFFICE}{_BODIES[kind]}"), None)
    if body is None:
        raise SourceError(f"no {kind.upper()} inside")
    reader = _Reader(package)
    walk: dict[str, Callable[[etree._Element], None]] = {
        "odt": reader.text,
        "ods": reader.sheets,
        "odp": reader.slides,
        "odg": partial(reader.slides, unnamed="Page"),
    }
    walk[kind](body)
    reader.add_forms(body)
    reader.add_furniture(body)
    add_attached(source, reader.builder, reader.embedded(body))
    text, blocks = reader.builder.finish()
    if not text:
        raise SourceError("no text inside")
    fields = _fields(package.meta)
    title = fields.pop("title", "") or reader.title
    links = [link for part in (body, *reader.furniture()) for link in _links(part)]
    return source.document(
        kind,
        text,
        blocks,
        title,
        tags=as_keywords(fields.pop("keyword", "")),
        links=links[:MAX_LINKS],
        metadata=fields,
    )


def _package(raw: bytes, kind: str) -> _Package:
    if raw.lstrip()[:1] == b"<":
        root = parse_xml(raw, f"damaged XML, or no flat {kind.upper()}")
        meta = next(root.iter(f"{_OFFICE}meta"), None)
        return _Package(root, meta, next(root.iter("{*}master-styles"), None))
    archive = Archive(raw, kind.upper())
    if not archive.has("content.xml"):
        raise SourceError(f"a ZIP file, but no {kind.upper()}")
    manifest = archive.xml_if_there("META-INF/manifest.xml")
    if manifest is not None and next(manifest.iter("{*}encryption-data"), None) is not None:
        raise SourceError("encrypted")
    meta, styles = archive.xml_if_there("meta.xml"), archive.xml_if_there("styles.xml")
    return _Package(archive.xml("content.xml"), meta, styles, archive)


def _style_names(content: etree._Element) -> dict[str, str]:
    """Map the names of automatic styles to the styles that they were made from."""
    return {attribute(style, "name"): attribute(style, "parent-style-name") for style in content.iter("{*}style")}


def _fields(meta: etree._Element | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in meta.iter() if meta is not None else ():
        name = local_name(element)
        said = " ".join(storable(element.text or "").split())
        if name == "keyword" and said:
            found[name] = f"{found[name]}, {said}" if name in found else said
        elif said and (name == "title" or name in _FIELDS):
            found[_FIELDS.get(name, name)] = said
    return found


def _links(body: etree._Element) -> list[Link]:
    links: list[Link] = []
    for anchor in body.iter(*(f"{{*}}{name}" for name in _LINKS)):
        if target := storable(str(anchor.get(_XLINK) or "")):
            links.append(Link(target, " ".join(words(anchor).split())))
        if len(links) >= MAX_LINKS:
            break
    return links


class _Reader:
    """Walks one body."""

    def __init__(self, package: _Package) -> None:
        self.builder = TextBuilder()
        self.title = ""
        self._package = package
        self._styles = _style_names(package.content)
        self._objects: set[str] = set()

    def text(self, body: etree._Element, page: int | None = None) -> None:
        """Add a text: its pieces in order, each followed by its charts, then the notes that they refer to."""
        notes: list[str] = []
        for element in pieces(body):
            name = local_name(element)
            if name == "h":
                self.builder.heading(words(element), number(element, "outline-level", 10), page)
            elif name == "list":
                self.builder.add("list", "\n".join(items(element)), page=page)
            elif name == "table":
                self.builder.add("table", "\n".join(filter(None, map(line_of, _rows(element)))), page=page)
            elif name == "annotation":
                self.builder.add("paragraph", comment(element), page=page)
                continue
            elif is_picture_word(element):
                self.builder.add("paragraph", element.text or "", page=page)
            elif name == "p":
                self._paragraph(element, page)
            for drawn in self._drawn(element):
                self.builder.add("list", "\n".join(f"- {each}" for each in drawn), page=page)
            if not is_picture_word(element):
                notes += asides(element)
        for note in notes:
            self.builder.add("paragraph", note, page=page)

    def sheets(self, body: etree._Element) -> None:
        """Add the sheets of a spreadsheet, each with what stands beside its cells."""
        for table in body:
            if local_name(table) == "table":
                beside = [*asides(table), *("\n".join(drawn) for drawn in self._drawn(table))]
                beside += [paragraphs(shapes) for shapes in table.iterchildren("{*}shapes")]
                add_sheet(self.builder, attribute(table, "name"), list(_rows(table)), beside)

    def slides(self, body: etree._Element, unnamed: str = "Slide") -> None:
        """Add slides or pages, each under its title or as `unnamed` with its number, with its notes at the end."""
        page = 0
        for slide in body:
            if local_name(slide) != "page":
                continue
            page += 1
            frames = [frame for frame in slide if local_name(frame) not in ("notes", "forms")]
            title = next((one_line(frame) for frame in frames if attribute(frame, "class") == "title"), "")
            self.title = self.title or title
            self.builder.heading(title or f"{unnamed} {page}", 1, page)
            for frame in frames:
                if local_name(frame) == "annotation":
                    self.builder.add("paragraph", comment(frame), page=page)
                elif attribute(frame, "class") != "title":
                    self.text(frame, page)
            for notes in slide.iter("{*}notes"):
                if one_line(notes):
                    self.builder.heading("Notes", 2, page)
                    self.text(notes, page)
            links = _links(slide)
            self.builder.add("meta", "\n".join(addresses(links, "\n".join(link.text for link in links))), page=page)

    def add_forms(self, body: etree._Element) -> None:
        """Add what the fields of forms say and what was typed into them."""
        fields = [field for form in body.iter("{*}forms") for field in form.iter() if local_name(field) != "property"]
        said = [attribute(field, name) for field in fields if local_name(field) for name in _LABELS]
        self.builder.add("list", "\n".join(f"- {each}" for each in distinct(said) if not each.isdigit()))

    def furniture(self) -> Iterator[etree._Element]:
        """Give what stands above and below the pages, and what all slides show beside the places that they fill."""
        styles = self._package.styles
        for model in styles.iter("{*}master-page") if styles is not None else ():
            for part in model:
                drawn = str(part.tag).startswith(_DRAW) and not attribute(part, "class")
                if drawn or local_name(part) in _FURNITURE:
                    yield part

    def add_furniture(self, body: etree._Element) -> None:
        """Add what stands above and below the pages, and what the slides repeat, once."""
        said = [paragraphs(each) for each in self.furniture()]
        said += [each.text or "" for each in body.iter(*_DECLARED)]
        for each in distinct(said):
            if not is_page_number(each):
                self.builder.add("paragraph", each)

    def embedded(self, body: etree._Element) -> Iterator[tuple[str, bytes]]:
        """Give the files that lie in the document as objects of other programs."""
        archive = self._package.archive
        for element in islice(body.iter("{*}object-ole"), MAX_OBJECTS):
            path = str(element.get(_XLINK) or "").removeprefix("./")
            with suppress(SourceError, ValueError):
                if archive is None:
                    written = element.findtext("{*}binary-data") or ""
                    yield from object_files("Object", base64.b64decode(written))
                elif path:
                    yield from object_files(path, archive.read(path))

    def _paragraph(self, element: etree._Element, page: int | None) -> None:
        said = words(element).strip()
        style = attribute(element, "style-name")
        if said and not self.title and "Title" in (style, self._styles.get(style)):
            self.title = " ".join(said.split())
            self.builder.heading(said, 1, page)
        elif said:
            quoted = "Quotations" in (style, self._styles.get(style))
            self.builder.add("quote" if quoted else "paragraph", said, page=page)

    def _drawn(self, root: etree._Element) -> Iterator[list[str]]:
        """Give the words of the charts and other objects below an element, and numbers only where there are words."""
        for element in root.iter("{*}object"):
            inside = self._object(element)
            lines = paragraphs(inside).split("\n") if inside is not None else []
            if said := [each for each in distinct(lines) if any(map(str.isalpha, each)) and each != "NaN"]:
                yield said

    def _object(self, element: etree._Element) -> etree._Element | None:
        """Return the content of an object, which lies inside the element or in a folder of the package; each once."""
        if len(element):
            return element
        folder = str(element.get(_XLINK) or "").removeprefix("./").strip("/")
        archive = self._package.archive
        if archive is None or not folder or folder in self._objects or len(self._objects) >= MAX_OBJECTS:
            return None
        self._objects.add(folder)
        return archive.xml_if_there(f"{folder}/content.xml")


def _rows(table: etree._Element) -> Iterator[list[str]]:
    """Give the rows of a table, a repeated one once; those of tables inside its cells belong to the cells."""
    given = 0
    for row in table.iter("{*}table-row"):
        if next((above for above in row.iterancestors() if local_name(above) == "table"), None) is not table:
            continue
        cells: list[str] = []
        for cell in row:
            if local_name(cell) in ("table-cell", "covered-table-cell"):
                room = max(1, MAX_COLUMNS - len(cells))
                said = one_line(cell) or next(filter(None, (attribute(cell, name) for name in _SHOWN_VALUES)), "")
                cells += [said] * (number(cell, "number-columns-repeated", room) if said else 1)
        if any(cells):
            yield cells
            given += 1
        if given >= MAX_ROWS:
            return
