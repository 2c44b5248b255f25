"""E-books: the chapters of an EPUB in reading order, headed by the table of contents where they name no chapter."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from unicodedata import normalize
from urllib.parse import unquote

from lxml import etree

from engine.errors import SourceError
from engine.records import Block, Document, Link
from engine.sources.encodings import storable
from engine.sources.readers.html import Page
from engine.sources.readers.html_elements import tag_of, words_of
from engine.sources.readers.html_parser import html_text, parse_html
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder
from engine.sources.readers.zip_container import Archive

_FONT_OBFUSCATION = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_PAGES = frozenset(
    ("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document", "image/svg+xml")
)
_PAGE_SUFFIXES = (".xhtml", ".html", ".htm", ".xht", ".xml")  # where the media type says nothing
_SAYS_NOTHING = frozenset(("", "text/xml", "application/xml", "text/plain", "application/octet-stream"))
_NCX = "application/x-dtbncx+xml"
_DUBLIN_CORE = "purl.org/dc/"
MAX_FALLBACKS = 5  # of an item that stands for another
_FIELDS = {name: name for name in ("language", "publisher", "date", "description")} | {"creator": "author"}
_TAG = re.compile(r"<[^<>]{0,200}>")  # of HTML in a description


def read(source: Source) -> Document:
    """Read an EPUB of version 2 or 3, or the older form of it."""
    archive = Archive(source.raw, "EPUB")
    names = _Names(archive)
    _refuse_protected(archive, names)
    package_path = _package_path(archive, names)
    package = archive.xml(package_path)
    items = _manifest(package, posixpath.dirname(package_path), names)
    contents = _contents(archive, package, items)
    builder, links = TextBuilder(), list[Link]()
    for path in _reading_order(package, items):
        links += _add_chapter(builder, archive.read(path), contents.get(path, ""))
    text, blocks = builder.finish()
    if not text:
        raise SourceError("no text inside")
    fields = _fields(package)
    title = " ".join(fields.pop("title", [])[:1])
    title = "" if title.casefold() in ("unknown", "untitled", "untitled document") else title
    tags = fields.pop("subject", [])
    return source.document(
        "epub",
        text,
        blocks,
        title,
        tags=tags,
        links=links[:MAX_LINKS],
        metadata={_FIELDS[name]: ", ".join(values) for name, values in fields.items() if name in _FIELDS},
    )


class _Names:
    """The files in the archive by the names that others call them, which may differ in case, slashes and escapes."""

    def __init__(self, archive: Archive) -> None:
        self._exact = archive.names
        self._alike = {_folded(name): name for name in sorted(archive.names, reverse=True)}

    def find(self, name: str) -> str:
        """Return the name of a file as the archive has it, "" where there is none."""
        if name in self._exact:
            return name
        return self._alike.get(_folded(name)) or self._alike.get(_folded(unquote(name)), "")

    def ending(self, suffix: str) -> list[str]:
        """Return the files whose names end so."""
        return sorted(name for name in self._exact if name.lower().endswith(suffix))


def _folded(name: str) -> str:
    return normalize("NFC", name.replace("\\", "/").lstrip("/")).casefold()


@dataclass(frozen=True, slots=True)
class _Item:
    """A file that the package names: its path in the archive, "" where it is not there, and what it says of it."""

    path: str
    element: etree._Element

    @property
    def media_type(self) -> str:
        """What the file is said to be."""
        return str(self.element.get("media-type") or "").partition(";")[0].strip().lower()

    @property
    def is_nav(self) -> bool:
        """Whether it is the table of contents of EPUB 3."""
        return "nav" in str(self.element.get("properties") or "").split()

    @property
    def is_ncx(self) -> bool:
        """Whether it is the table of contents of EPUB 2."""
        return self.media_type == _NCX or self.path.lower().endswith(".ncx")

    @property
    def is_page(self) -> bool:
        """Whether it is a page of the book, by what it is said to be, else by its name."""
        if not self.path or self.is_nav or self.is_ncx:
            return False
        unsaid = self.media_type in _SAYS_NOTHING and self.path.lower().endswith(_PAGE_SUFFIXES)
        return self.media_type in _PAGES or unsaid


def _refuse_protected(archive: Archive, names: _Names) -> None:
    root = archive.xml_if_there(names.find("META-INF/encryption.xml"))
    if root is not None:
        methods = (method.get("Algorithm") for method in root.iter("{*}EncryptionMethod"))
        if any(method not in _FONT_OBFUSCATION for method in methods):
            raise SourceError("protected (DRM)")


def _package_path(archive: Archive, names: _Names) -> str:
    root = archive.xml_if_there(names.find("META-INF/container.xml"))
    for file in root.iter("{*}rootfile") if root is not None else ():
        if path := names.find(str(file.get("full-path") or "")):
            return path
    found = names.ending(".opf")
    if not found:
        raise SourceError("a ZIP file, but no EPUB")
    return found[0]


def _manifest(package: etree._Element, folder: str, names: _Names) -> dict[str, _Item]:
    """Return the files that the package names by their identifiers."""
    found = package.iter("{*}item")
    return {
        str(item.get("id")): _Item(names.find(_resolve(folder, str(item.get("href") or ""))), item) for item in found
    }


def _resolve(folder: str, reference: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(reference.partition("#")[0])))


def _reading_order(package: etree._Element, items: Mapping[str, _Item]) -> list[str]:
    """Return the pages in the order of the spine, then those that it leaves out, such as notes."""
    spine = [_page_for(str(reference.get("idref")), items) for reference in package.iter("{*}itemref")]
    others = [item.path for item in items.values() if item.is_page]
    return list(dict.fromkeys(path for path in (*spine, *others) if path))


def _page_for(identifier: str, items: Mapping[str, _Item]) -> str:
    """Return the page that an item is, or that stands for it where readers cannot show it; "" for none."""
    for _ in range(MAX_FALLBACKS):
        item = items.get(identifier)
        if item is None or item.is_page:
            return item.path if item is not None else ""
        identifier = str(item.element.get("fallback") or "")
    return ""


def _contents(archive: Archive, package: etree._Element, items: Mapping[str, _Item]) -> dict[str, str]:
    """Map the path of each chapter to the name that the table of contents gives to its beginning."""
    by_path = {_folded(item.path): item.path for item in items.values() if item.path}
    names: dict[str, str] = {}
    for item in items.values():
        if not item.path or not (item.is_nav or item.is_ncx):
            continue
        folder = posixpath.dirname(item.path)
        for target, label in _entries(archive, item):
            resolved = _resolve(folder, target)
            names.setdefault(by_path.get(_folded(resolved), resolved), label)
    return names


def _entries(archive: Archive, item: _Item) -> Iterator[tuple[str, str]]:
    """Give the targets and names of a table of contents."""
    root = archive.xml_if_there(item.path)
    if root is None:  # as HTML is often written, though it should not be here
        root = parse_html(html_text(archive.read(item.path)))
    if root is None:
        return
    for link in root.iter("{*}a"):
        if target := link.get("href"):
            yield str(target), words_of(link)
    for point in root.iter("{*}navPoint", "{*}navpoint"):
        label, content = point.find("{*}navLabel"), point.find("{*}content")
        if label is not None and content is not None and (target := content.get("src")):
            yield str(target), words_of(label)


def _add_chapter(builder: TextBuilder, content: bytes, name: str) -> list[Link]:
    chapter = Page(parse_html(html_text(content)), TextBuilder())
    text, blocks = chapter.builder.finish()
    if not text:
        return []
    if name and not any(block.kind == "heading" for block in blocks):
        first = blocks[0]
        if text[first.start : first.end].casefold() != name.casefold():
            builder.heading(name, 1)
        else:  # the chapter's name stands there, only not as a heading
            blocks = (Block("heading", first.start, first.end, 1, name), *blocks[1:])
    offset = builder.open_piece(text)
    builder.blocks += [Block(b.kind, b.start + offset, b.end + offset, b.level, b.label) for b in blocks]
    return chapter.links


def _fields(package: etree._Element) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for element in package.iter("*"):
        if _DUBLIN_CORE not in str(element.tag):
            continue
        words = " ".join(storable(element.text or "").split())
        if tag_of(element) == "description":
            words = " ".join(unescape(_TAG.sub(" ", words)).split())
        if words:
            found.setdefault(tag_of(element), []).append(words)
    return found
