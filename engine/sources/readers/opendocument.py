"""OpenDocument, zipped or flat: texts with headings and lists, sheets as rows, presentations slide by slide."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lxml import etree

from engine.errors import SourceError
from engine.records import Document, Link
from engine.sources.encodings import storable
from engine.sources.readers.csv import line_of
from engine.sources.readers.file_types import kind_of
from engine.sources.readers.frontmatter import as_tags
from engine.sources.readers.ooxml import local_name
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder
from engine.sources.readers.xlsx import MAX_ROWS, add_sheet
from engine.sources.readers.xlsx_cells import MAX_COLUMNS
from engine.sources.readers.zip_container import Archive, parse_xml

_BODIES = {"odt": "text", "ods": "spreadsheet", "odp": "presentation"}
_SKIPPED = frozenset(("note", "annotation", "tracked-changes", "ruby-text", "forms", "sequence-decls"))
_FIELDS = {"creator": "author", "initial-creator": "author", "creation-date": "created", "subject": "subject"}
_XLINK = "{http://www.w3.org/1999/xlink}href"
MAX_SPACES = 1000  # that one element may stand for
MAX_DEPTH = 12  # of lists in lists that are shown as such


def read(source: Source) -> Document:
    """Read .odt, .ods and .odp files, and their flat XML forms."""
    kind = kind_of(source.name) or "odt"
    content, meta = _parts(source.raw, kind)
    body = next(content.iter(f"{{*}}{_BODIES[kind]}"), None)
    if body is None:
        raise SourceError(f"no {kind.upper()} inside")
    builder = TextBuilder()
    reader = _Reader(builder, _style_names(content))
    walk: dict[str, Callable[[etree._Element], None]] = {
        "odt": reader.text,
        "ods": reader.sheets,
        "odp": reader.slides,
    }
    walk[kind](body)
    text, blocks = builder.finish()
    if not text:
        raise SourceError("no text inside")
    fields = _fields(meta)
    title = fields.pop("title", "") or reader.title
    return source.document(
        kind, text, blocks, title, tags=as_tags(fields.pop("keyword", "")), links=_links(body), metadata=fields
    )


def _parts(raw: bytes, kind: str) -> tuple[etree._Element, etree._Element | None]:
    """Return the content, and what is said about it."""
    if raw.lstrip()[:1] == b"<":
        root = parse_xml(raw, f"damaged XML, or no flat {kind.upper()}")
        return root, next(root.iter("{urn:oasis:names:tc:opendocument:xmlns:office:1.0}meta"), None)
    archive = Archive(raw, kind.upper())
    if "content.xml" not in archive.names:
        raise SourceError(f"a ZIP file, but no {kind.upper()}")
    manifest = archive.xml_if_there("META-INF/manifest.xml")
    if manifest is not None and next(manifest.iter("{*}encryption-data"), None) is not None:
        raise SourceError("encrypted")
    return archive.xml("content.xml"), archive.xml_if_there("meta.xml")


def _style_names(content: etree._Element) -> dict[str, str]:
    """Map the names of automatic styles to the styles that they were made from."""
    return {_named(style, "name"): _named(style, "parent-style-name") for style in content.iter("{*}style")}


def _named(element: etree._Element, name: str) -> str:
    """Return an attribute by its name, whatever its namespace."""
    return next((str(value) for key, value in element.attrib.items() if str(key).rpartition("}")[2] == name), "")


def _number(element: etree._Element, name: str, most: int) -> int:
    written = _named(element, name)
    return min(int(written), most) if written.isascii() and written.isdigit() and len(written) < 10 else 1


def _fields(meta: etree._Element | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in meta.iter() if meta is not None else ():
        name = local_name(element)
        words = " ".join(storable(element.text or "").split())
        if name == "keyword" and words:
            found[name] = f"{found[name]}, {words}" if name in found else words
        elif words and (name == "title" or name in _FIELDS):
            found[_FIELDS.get(name, name)] = words
    return found


def _links(body: etree._Element) -> list[Link]:
    links = []
    for anchor in body.iter("{*}a"):
        if target := storable(str(anchor.get(_XLINK) or "")):
            links.append(Link(target, " ".join(_words(anchor).split())))
        if len(links) >= MAX_LINKS:
            break
    return links


class _Reader:
    """Walks one body."""

    def __init__(self, builder: TextBuilder, styles: dict[str, str]) -> None:
        self.title = ""
        self._builder = builder
        self._styles = styles

    def text(self, body: etree._Element, page: int | None = None) -> None:
        """Add a text: its pieces in order, then the notes that they refer to."""
        notes: list[str] = []
        for element in _pieces(body):
            name = local_name(element)
            if name == "h":
                self._builder.heading(_words(element), _number(element, "outline-level", 10), page)
            elif name == "list":
                self._builder.add("list", "\n".join(_items(element)), page=page)
            elif name == "table":
                self._builder.add("table", "\n".join(filter(None, map(line_of, _rows(element)))), page=page)
            else:
                self._paragraph(element, page)
            notes += [_paragraphs(note) for note in element.iter("{*}note-body")]
        for note in notes:
            self._builder.add("paragraph", note, page=page)

    def sheets(self, body: etree._Element) -> None:
        """Add the sheets of a spreadsheet."""
        for table in body:
            if local_name(table) == "table":
                add_sheet(self._builder, _named(table, "name"), list(_rows(table)))

    def slides(self, body: etree._Element) -> None:
        """Add the slides of a presentation, each a page under its title, with its notes at the end."""
        number = 0
        for slide in body:
            if local_name(slide) != "page":
                continue
            number += 1
            frames = [frame for frame in slide if local_name(frame) != "notes"]
            title = next((_one_line(frame) for frame in frames if _named(frame, "class") == "title"), "")
            self.title = self.title or title
            self._builder.heading(title or f"Slide {number}", 1, number)
            for frame in frames:
                if _named(frame, "class") != "title":
                    self.text(frame, number)
            for notes in slide.iter("{*}notes"):
                if _one_line(notes):
                    self._builder.heading("Notes", 2, number)
                    self.text(notes, number)

    def _paragraph(self, element: etree._Element, page: int | None) -> None:
        words = _words(element).strip()
        style = _named(element, "style-name")
        if words and not self.title and "Title" in (style, self._styles.get(style)):
            self.title = " ".join(words.split())
            self._builder.heading(words, 1, page)
        elif words:
            quoted = "Quotations" in (style, self._styles.get(style))
            self._builder.add("quote" if quoted else "paragraph", words, page=page)


def _pieces(root: etree._Element) -> Iterator[etree._Element]:
    """Give headings, paragraphs, lists and tables in order, those in sections, frames and indexes included."""
    stack = list(reversed(root))
    while stack:
        element = stack.pop()
        name = local_name(element)
        if name in ("h", "p", "list", "table"):
            yield element
        elif name not in _SKIPPED:
            stack.extend(reversed(element))


def _words(root: etree._Element) -> str:
    """Return the words of a paragraph with its spaces, tabs and line breaks, without its notes and comments."""
    pieces: list[str] = []
    stack: list[etree._Element | str] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            pieces.append(item)
            continue
        if item is not root and item.tail:
            stack.append(item.tail)
        name = local_name(item)
        if not name or (item is not root and name in _SKIPPED):
            continue
        if name == "s":
            pieces.append(" " * _number(item, "c", MAX_SPACES))
        elif name in ("tab", "line-break"):
            pieces.append("\t" if name == "tab" else "\n")
        elif item is not root and name in ("p", "h"):
            stack.append("\n")  # of a text box that stands in the line
        stack.extend(reversed(item))
        if item.text and name not in ("frame", "table", "table-row", "table-cell", "list", "list-item"):
            pieces.append(item.text)
    return "".join(pieces)


def _paragraphs(root: etree._Element) -> str:
    return "\n".join(words for part in root.iter("{*}p", "{*}h") if (words := _words(part).strip()))


def _one_line(root: etree._Element) -> str:
    return " ".join(_paragraphs(root).split())


def _items(root: etree._Element) -> Iterator[str]:
    """Give the items of a list as lines, moved in by how deep they lie."""
    for part in root.iter("{*}p", "{*}h"):
        depth = -1
        for above in part.iterancestors():
            depth += local_name(above) == "list"
            if above is root:
                break
        if words := " ".join(_words(part).split()):
            yield "  " * min(depth, MAX_DEPTH) + "- " + words


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
                words = _one_line(cell)
                cells += [words] * (_number(cell, "number-columns-repeated", room) if words else 1)
        if any(cells):
            yield cells
            given += 1
        if given >= MAX_ROWS:
            return
