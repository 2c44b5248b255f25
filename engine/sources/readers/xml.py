"""XML of any vocabulary: the text of its elements and the words in its attributes, under the titles that it has.

An element that has text beside other elements is a paragraph, whatever it is called; one that has only elements is gone
into. So DocBook, feeds, outlines, property lists, drawings and settings need no reader each. Entities are never
expanded by the parser: a file that would grow to gigabytes stays as long as it is written.
"""

from __future__ import annotations

import html
import plistlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from engine.errors import SourceError
from engine.records import Document, Link
from engine.sources.readers import text as plain_text
from engine.sources.readers.html import Page
from engine.sources.readers.html_parser import parse_html
from engine.sources.readers.source_file import MAX_LABEL, MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder

if TYPE_CHECKING:
    from lxml import etree

MAX_ENTITY = 1000  # code points that a file may declare a name for
_PARTING_WRITTEN = (
    "br lb pb cb p para simpara note footnote fn endnote indexterm primary secondary title subtitle head item li "
    "listitem list itemizedlist orderedlist ul ol table row tr td th entry cell l line v quote blockquote"
)
_PARTING = frozenset(_PARTING_WRITTEN.split())  # elements whose words never run together with those beside them
_SHAPING_WRITTEN = (
    "hi emph emphasis em strong b i u s sc bold italic underline strike monospace sup sub superscript subscript span "
    "phrase small big tt code c g mrk"
)
_SHAPING = frozenset(_SHAPING_WRITTEN.split())  # elements that may be parts of one word where they meet
MAX_DEPTH = 60  # of the lists of a property list within one another
LAST_KNOWN_LINE = 65_534  # what the parser counts lines to
TITLES = frozenset(("title", "heading", "head", "doctitle", "booktitle", "book-title"))
_DRAWN = frozenset(("style", "script", "defs", "metadata", "symbol", "clippath"))  # of a drawing: no text that is shown
_SPOKEN = frozenset(  # attributes that hold words whatever stands in them
    (
        *("title", "text", "label", "name", "alt", "desc", "description", "summary", "caption", "value", "content"),
        *("note", "_note", "comment", "tooltip", "placeholder", "author", "creator", "category", "term", "subject"),
        *("keywords", "aria-label", "key", "hint", "message"),
        *("body", "contact_name", "firstname", "lastname", "surname"),
    )
)
_TARGETS = frozenset(("href", "url", "xmlurl", "htmlurl", "src", "source", "uri"))
_SILENT = frozenset(("style", "class", "d", "points", "transform", "viewbox", "font-family", "schemalocation"))
_WORDS = re.compile(r"[^\W\d_]{2}\W{0,3}\s\W{0,3}[^\W\d_]{2}")  # two words with a blank between them
_HAS_WORD = re.compile(r"[^\W\d_]{2}")
_MARKUP = re.compile(r"</[a-zA-Z]|<(?:br|hr|img|p)\b")
_BLANKS = re.compile(r"\s+")
_APART = "\0"  # which no file of XML can hold: a blank, except beside the signs that stand close to words
_CLOSE = re.compile(r"(?<=[(\[{“‘«])\0++|(?<!\0)\0++(?=[,.;:!?)\]}…”’»])")


def read(source: Source) -> Document:
    """Read a file of XML; one that is damaged is read as the text that it is, so that no word of it is lost."""
    from lxml import etree

    if source.raw.startswith(b"bplist00"):
        return _property_list(source)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_pis=True)
    try:
        written = source.raw.lstrip(b"\r\n\t ")
        root = etree.fromstring(written or b"<empty/>", parser)
    except (etree.XMLSyntaxError, ValueError):
        return plain_text.read(source)
    walk = _Walk(root, source.raw.count(b"\n", 0, len(source.raw) - len(written)))
    walk.into(root, 1)
    walk.close()
    text, blocks = walk.builder.finish()
    if not text.strip() and walk.name(root) == "svg":
        raise SourceError("a drawing without words")
    return source.document(
        "xml", text, blocks, walk.title, links=walk.links[:MAX_LINKS], line_map=walk.builder.line_map
    )


class _Walk:
    """One file on its way into text."""

    def __init__(self, root: etree._Element, lines_before: int) -> None:
        """Begin with nothing; so many lines of the file stand before what was parsed."""
        self.builder = TextBuilder()
        self.links: list[Link] = []
        self.title = ""
        self._lines: list[str] = []  # of neighbouring elements that hold a text each: together they are one paragraph
        self._places: list[tuple[int, int]] = []
        self._length = 0
        self._lines_before = lines_before
        self._entities = _declared(root)
        self._drawing = self.name(root) == "svg"

    @staticmethod
    def name(element: etree._Element) -> str:
        """Return the name of an element without its namespace, in small letters; "" for what is none."""
        tag = element.tag
        return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""

    def into(self, element: etree._Element, level: int) -> None:
        """Add what an element holds; `level` is that of a heading in it."""
        name = self.name(element)
        if not name or (self._drawing and name in _DRAWN):
            return
        if name == "binary" and element.get("content-type"):  # a picture of an e-book in FictionBook
            return
        self._attributes(element)
        children = [each for each in element if isinstance(each.tag, str)]
        if name in TITLES and not (self._drawing and self.title):
            self._heading(element, level)
        elif not children or self._has_own_text(element):
            self._said(element)
        else:
            titled = any(self.name(each) in TITLES for each in children)
            self.close()
            for child in children:
                self.into(child, level if self.name(child) in TITLES else level + titled)
            self.close()

    def _heading(self, element: etree._Element, level: int) -> None:
        words = self._text(element)[:MAX_LABEL]
        self.close()
        if not words:
            return
        self.title = self.title or words
        self.builder.heading(words, level, line=self._line(element))

    def _said(self, element: etree._Element) -> None:
        text = self._text(element)
        for inner in element.iterdescendants():
            self._attributes(inner)
        if _MARKUP.search(text):  # a page inside, as feeds have it
            self.close()
            self.builder.line = self._line(element)
            self.links += Page(parse_html(text), self.builder).links
        else:
            self._add(text, element)

    def _attributes(self, element: etree._Element) -> None:
        for written, value in element.attrib.items():
            name = str(written).rpartition("}")[2].lower()
            words = _BLANKS.sub(" ", str(value)).strip()
            if name in _TARGETS and words:
                self.links.append(Link(words, self._text(element)[:MAX_LABEL] or words))
                self._add(words if not words.startswith("#") else "", element)
            elif name not in _SILENT and (_WORDS.search(words) or (name in _SPOKEN and _HAS_WORD.search(words))):
                self._add(words, element)

    def _add(self, words: str, element: etree._Element) -> None:
        if words:
            self._places.append((self._length, self._line(element)))
            self._lines.append(words)
            self._length += len(words) + 1

    def _line(self, element: etree._Element) -> int:
        """Return the line of the file on which an element stands, 0 where the parser has lost count."""
        line = cast(int, element.sourceline or 0)
        return line + self._lines_before if 0 < line <= LAST_KNOWN_LINE else 0

    def close(self) -> None:
        """End the paragraph of the elements so far."""
        self.builder.add("paragraph", "\n".join(self._lines), places=self._places)
        self._lines, self._places, self._length = [], [], 0

    def _has_own_text(self, element: etree._Element) -> bool:
        return bool((element.text or "").strip() or any((each.tail or "").strip() for each in element))

    def _text(self, element: etree._Element) -> str:
        written = _CLOSE.sub("", "".join(self._pieces(element)))
        return _BLANKS.sub(" ", written.replace(_APART, " ")).strip()

    def _pieces(self, element: etree._Element) -> Iterator[str]:
        """Give the text below an element in its order; an entity as what it stands for."""
        yield str(element.text or "")
        for child in element:
            if isinstance(child.tag, str):
                apart = _APART if self._parts(child) else ""
                yield _APART if self._meets(child) else apart
                yield from self._pieces(child)
                yield apart
            elif callable(child.tag) and getattr(child, "name", None):
                yield self._entities.get(child.name) or html.unescape(f"&{child.name};")
            yield str(child.tail or "")

    def _parts(self, element: etree._Element) -> bool:
        """Whether an element parts the words around it, as what stands for nothing but its place does too."""
        is_empty = len(element) == 0 and not element.text
        return (is_empty or self.name(element) in _PARTING) and element.get("break") != "no"

    def _meets(self, element: etree._Element) -> bool:
        """Whether an element begins where another ends, so that their words are not one, unless both shape letters."""
        before = element.getprevious()
        if before is None or before.tail or element.get("break") == "no":
            return False
        return self.name(before) != "" and not {self.name(element), self.name(before)} <= _SHAPING


def _declared(root: etree._Element) -> dict[str, str]:
    """Return the short texts that a file declares names for; a name that stands for other names is left as written."""
    declared: Any = root.getroottree().docinfo.internalDTD
    entities: list[Any] = list(declared.iterentities()) if declared is not None else []
    return {
        each.name: each.content
        for each in entities
        if each.content and len(each.content) <= MAX_ENTITY and "&" not in each.content and "<" not in each.content
    }


def _property_list(source: Source) -> Document:
    """Read a property list in Apple's binary form: its names and texts, a line each."""
    try:
        value = plistlib.loads(source.raw)
    except Exception:  # the standard library raises many kinds on damaged ones
        raise SourceError("damaged property list") from None
    builder = TextBuilder()
    builder.add("paragraph", "\n".join(_words_in(value, 0)))
    text, blocks = builder.finish()
    return source.document("xml", text, blocks, "", line_map=())


def _words_in(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, dict) and depth < MAX_DEPTH:
        for name, inner in value.items():
            if isinstance(inner, (dict, list)):
                yield str(name)
                yield from _words_in(inner, depth + 1)
            elif not isinstance(inner, bytes):
                yield f"{name}: {inner}"
    elif isinstance(value, list) and depth < MAX_DEPTH:
        for inner in value:
            yield from _words_in(inner, depth + 1)
    elif isinstance(value, str):
        yield value
