"""Word documents: paragraphs, headings, lists and tables in the order of the body, then all that is written beside it.

Beside it stand notes, comments, headers and footers, each once. Which part holds what is told by the relationships of
the package and not by names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lxml import etree

from engine.errors import SourceError
from engine.records import Document, Link
from engine.sources.readers import read_attached
from engine.sources.readers.attached_files import add_attached
from engine.sources.readers.docx_links import links_of
from engine.sources.readers.docx_styles import NO_STYLE, Styles, W
from engine.sources.readers.drawingml import drawn_lists, picture_words
from engine.sources.readers.embedded_objects import embedded_files
from engine.sources.readers.frontmatter import as_keywords
from engine.sources.readers.markdown import written_title
from engine.sources.readers.note_marks import follows_word
from engine.sources.readers.ooxml import (
    core_properties,
    local_name,
    main_part,
    named_title,
    related_parts,
    relation_of,
)
from engine.sources.readers.page_furniture import distinct, is_page_number
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder
from engine.sources.readers.zip_container import Archive, parse_xml

_STRICT = b"http://purl.oclc.org/ooxml/wordprocessingml/main"
_TRANSITIONAL = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_BREAKS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_NOT_BODY = frozenset(("del", "moveFrom", "rPr", "pPr", "Fallback", "txbxContent", "instrText", "delText"))
_SKIPPED = _NOT_BODY | {"rt"}  # the reading over a Japanese word would part it
_NOTES = {"footnotes": "footnote", "endnotes": "endnote"}
_USUAL_FOLDER = "word/"  # of parts in a file that has no relationships
MAX_CHUNKS = 200  # documents that a document takes in


def read(source: Source) -> Document:
    """Read a .docx file."""
    archive = Archive(source.raw, "DOCX")
    main = main_part(archive, "DOCX", "word/document.xml")
    reader = _Reader(source, archive, main)
    if local_name(reader.root) != "document":
        raise SourceError("a ZIP file, but no DOCX")
    reader.walk(reader.root)
    reader.add_notes()
    reader.add_comments()
    reader.add_labels()
    reader.add_headers()
    properties = core_properties(archive)
    title = named_title(properties) or reader.title or written_title(reader.builder.blocks)
    reader.add_embedded()
    text, blocks = reader.builder.finish()
    if reader.left_out:
        properties["left out"] = "; ".join(reader.left_out)
    return source.document(
        "docx",
        text,
        blocks,
        title,
        tags=as_keywords(properties.pop("keywords", "")),
        links=reader.links[:MAX_LINKS],
        metadata=properties,
    )


class _Reader:
    """Walks the body once, then the parts beside it."""

    def __init__(self, source: Source, archive: Archive, main: str) -> None:
        self.builder = TextBuilder()
        self.links: list[Link] = []
        self.title = ""
        self.left_out: list[str] = []
        self._source = source
        self._archive = archive
        self._main = main
        self._parts = related_parts(archive, main) or _usual_parts(archive)
        self.root = self._transitional(archive.xml(main), main)
        self._styles = Styles(next(self._named("styles"), None))
        self._list: list[str] = []
        self._chunks: set[str] = set()

    def walk(self, root: etree._Element) -> None:
        """Add the paragraphs, lists and tables of a body in order."""
        for element in _blocks(root):
            name = local_name(element)
            if name == "p":
                self._paragraph(element)
            elif name == "altChunk":
                self._end_list()
                self._chunk(element)
            elif name == "tbl":
                self._end_list()
                self.builder.add("table", "\n".join(_rows(element)))
            for box in _text_boxes(element):
                self.builder.add("paragraph", box)
            for words in picture_words(element):
                self.builder.add("paragraph", words)
            for drawn in drawn_lists(self._archive, self._parts, element):
                self.builder.add("list", "\n".join(f"- {words}" for words in drawn))
        self._end_list()
        self.links += links_of(self._archive, self._main, root)

    def add_notes(self) -> None:
        """Add the footnotes, then the endnotes."""
        for part, name in _NOTES.items():
            for root in self._named(part):
                for note in root.iter(f"{W}{name}"):
                    if note.get(f"{W}type") in (None, "normal"):
                        self.builder.add("paragraph", _all_words(note))

    def add_comments(self) -> None:
        """Add what was said in the margin, behind the name of who said it."""
        for root in self._named("comments"):
            for comment in root.iter(f"{W}comment"):
                author, words = str(comment.get(f"{W}author") or "").strip(), _all_words(comment)
                self.builder.add("paragraph", f"{author}: {words}" if author and words else words)

    def add_labels(self) -> None:
        """Add what the fields of forms are called and say to whom fills them in."""
        fields = (f"{W}alias", f"{W}helpText", f"{W}statusText")
        said = (str(element.get(f"{W}val") or "") for element in self.root.iter(*fields))
        self.builder.add("list", "\n".join(f"- {words}" for words in distinct(said)))

    def add_headers(self) -> None:
        """Add what stands above and below the pages, once, however many sections repeat it."""
        written = (
            words
            for what in ("header", "footer")
            for root in self._named(what)
            for words in (_all_words(root), *picture_words(root))
            if not is_page_number(words)
        )
        for words in distinct(written):
            self.builder.add("paragraph", words)

    def add_embedded(self) -> None:
        """Add what the files say that lie in the document as objects."""
        add_attached(self._source, self.builder, embedded_files(self._archive, self._parts.values()))

    def _named(self, what: str) -> Iterator[etree._Element]:
        """Give the parts of a kind, with their links noted; a damaged one is passed over, as Word does."""
        for kind, path in dict.fromkeys(self._parts.values()):
            root = self._archive.xml_if_there(path) if kind == what else None
            if root is not None:
                part = self._transitional(root, path)
                self.links += links_of(self._archive, path, part)
                yield part

    def _transitional(self, root: etree._Element, path: str) -> etree._Element:
        """Return a part under the names of elements that most files use; a strict one has the same under others."""
        if root.nsmap.get("w", "").encode() != _STRICT:
            return root
        return parse_xml(self._archive.read(path).replace(_STRICT, _TRANSITIONAL), "damaged XML")

    def _chunk(self, element: etree._Element) -> None:
        """Add a document of whatever format that Word takes in when it opens this one."""
        what, path = self._parts.get(relation_of(element), ("", ""))
        if what != "aFChunk" or path in self._chunks:
            return
        self._chunks.add(path)
        if len(self._chunks) > MAX_CHUNKS:
            return
        try:
            self.builder.include(read_attached(self._source, path.rpartition("/")[2], self._archive.read(path)))
        except SourceError as error:
            self.left_out.append(f"{path.rpartition('/')[2]}: {error.reason}")

    def _paragraph(self, element: etree._Element) -> None:
        words = _text(element).strip()
        if not words:
            return
        properties = element.find(f"{W}pPr")
        style = self._styles.of(properties) if properties is not None else NO_STYLE
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


def _usual_parts(archive: Archive) -> dict[str, tuple[str, str]]:
    """Return the parts of a file without relationships by the names that Word gives them."""
    kinds = ("styles", *_NOTES, "comments")
    return {kind: (kind, path) for kind in kinds if archive.has(path := f"{_USUAL_FOLDER}{kind}.xml")}


def _blocks(root: etree._Element) -> Iterator[etree._Element]:
    """Give the paragraphs and tables in their order, those inside content controls and changes included.

    A table that has one column lays out the page, and is read like the rest of it.
    """
    stack = [root]
    while stack:
        element = stack.pop()
        tag = str(element.tag)
        if tag in (f"{W}p", f"{W}altChunk") or (tag == f"{W}tbl" and _has_columns(element)):
            yield element
        elif tag.startswith(W) and tag[len(W) :] not in _NOT_BODY:
            stack.extend(reversed(element))


def _text(root: etree._Element) -> str:
    """Return the words of a paragraph, without what was deleted and without its text boxes."""
    pieces: list[str] = []
    stack = list(reversed(root))
    while stack:
        element = stack.pop()
        name = local_name(element)
        if name == "t":
            words = element.text or ""
            if follows_word(words, pieces) and _is_raised(element):
                pieces.append(" ")
            pieces.append(words)
        elif name in _BREAKS:
            pieces.append(_BREAKS[name])
        elif name == "ddList":
            pieces.append(_chosen(element))
        elif name not in _SKIPPED:
            stack.extend(reversed(element))
    return "".join(pieces)


def _is_raised(words: etree._Element) -> bool:
    """Whether the run that holds words stands above the line."""
    return words.find(f"../{W}rPr/{W}vertAlign[@{W}val='superscript']") is not None


def _chosen(field: etree._Element) -> str:
    """Return the entry that is chosen in the drop-down list of an old form, which the body does not hold."""
    entries = [str(entry.get(f"{W}val") or "") for entry in field.iter(f"{W}listEntry")]
    result = field.find(f"{W}result")
    number = str(result.get(f"{W}val") or "0") if result is not None else "0"
    chosen = int(number[:4]) if number[:4].isdecimal() else 0
    return entries[chosen] if chosen < len(entries) else ""


def _paragraphs(root: etree._Element) -> Iterator[etree._Element]:
    """Give all paragraphs below an element, those of tables and text boxes too, once each."""
    stack = list(reversed(root))
    while stack:
        element = stack.pop()
        if element.tag == f"{W}p":
            yield element
        if local_name(element) not in ("Fallback", "del", "moveFrom"):
            stack.extend(reversed(element))


def _all_words(root: etree._Element) -> str:
    return _joined(_text(paragraph) for paragraph in _paragraphs(root))


def _joined(paragraphs: Iterable[str]) -> str:
    return "\n".join(words for each in paragraphs if (words := each.strip()))


def _text_boxes(element: etree._Element) -> Iterator[str]:
    """Give the text boxes that hang on a paragraph or table, the ones inside them with them."""
    for box in element.iter(f"{W}txbxContent"):
        above = {local_name(each) for each in box.iterancestors()}
        if not above & {"Fallback", "txbxContent"}:
            yield _all_words(box)


def _within(root: etree._Element, name: str) -> Iterator[etree._Element]:
    """Give the elements of a name below another, but not those of tables inside it."""
    stack = list(reversed(root))
    while stack:
        element = stack.pop()
        if element.tag == f"{W}{name}":
            yield element
        elif element.tag != f"{W}tbl" and local_name(element) not in _NOT_BODY:
            stack.extend(reversed(element))


def _has_columns(table: etree._Element) -> bool:
    return any(len(list(_within(row, "tc"))) > 1 for row in _within(table, "tr"))


def _rows(table: etree._Element) -> Iterator[str]:
    """Give the rows of a table; the words of a table inside a cell belong to the cell."""
    for row in _within(table, "tr"):
        cells = [_cell(cell) for cell in _within(row, "tc")]
        if any(cells):
            yield " | ".join(cells)


def _cell(cell: etree._Element) -> str:
    """Return the words of a cell on one line, without the text boxes in it."""
    words = (_text(paragraph) for paragraph in cell.iter(f"{W}p") if not _is_in_box(paragraph, cell))
    return " ".join(" ".join(words).split())


def _is_in_box(paragraph: etree._Element, cell: etree._Element) -> bool:
    for above in paragraph.iterancestors():
        if above is cell:
            return False
        if local_name(above) in ("txbxContent", "Fallback"):
            return True
    return False
