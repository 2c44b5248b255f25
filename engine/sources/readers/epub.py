"""E-books: the chapters of an EPUB in reading order, headed by the table of contents where they name no chapter."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import etree

from engine.errors import SourceError
from engine.records import Block, Document, Link
from engine.sources.encodings import storable
from engine.sources.readers.html import Page, html_text, parse_html
from engine.sources.readers.html_elements import tag_of, words_of
from engine.sources.readers.source_file import MAX_LINKS, Source
from engine.sources.readers.text_builder import TextBuilder
from engine.sources.readers.zip_container import Archive

_FONT_OBFUSCATION = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_FIELDS = {"creator": "author", "language": "language", "publisher": "publisher", "date": "date"}


def read(source: Source) -> Document:
    """Read an EPUB of version 2 or 3."""
    archive = Archive(source.raw, "EPUB")
    _refuse_protected(archive)
    package_path = _package_path(archive)
    package = archive.xml(package_path)
    folder = posixpath.dirname(package_path)
    items = _manifest(package, folder)
    contents = _contents(archive, package, items)
    builder, links = TextBuilder(), list[Link]()
    for path in _spine(package, items):
        if path in archive.names:
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


def _refuse_protected(archive: Archive) -> None:
    root = archive.xml_if_there("META-INF/encryption.xml")
    if root is not None:
        methods = (method.get("Algorithm") for method in root.iter("{*}EncryptionMethod"))
        if any(method not in _FONT_OBFUSCATION for method in methods):
            raise SourceError("protected (DRM)")


def _package_path(archive: Archive) -> str:
    if "META-INF/container.xml" in archive.names:
        for root in archive.xml("META-INF/container.xml").iter("{*}rootfile"):
            path = str(root.get("full-path") or "")
            if path in archive.names:
                return path
    found = sorted(name for name in archive.names if name.endswith(".opf"))
    if not found:
        raise SourceError("a ZIP file, but no EPUB")
    return found[0]


def _manifest(package: etree._Element, folder: str) -> dict[str, tuple[str, etree._Element]]:
    """Map each item's identifier to its path inside the archive and its element."""
    return {
        str(item.get("id")): (_resolve(folder, str(item.get("href") or "")), item) for item in package.iter("{*}item")
    }


def _resolve(folder: str, reference: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(reference.partition("#")[0])))


def _spine(package: etree._Element, items: dict[str, tuple[str, etree._Element]]) -> Iterator[str]:
    for reference in package.iter("{*}itemref"):
        path, item = items.get(str(reference.get("idref")), ("", None))
        if item is not None and item.get("media-type") in _PAGES and "nav" not in str(item.get("properties")).split():
            yield path


def _contents(
    archive: Archive, package: etree._Element, items: dict[str, tuple[str, etree._Element]]
) -> dict[str, str]:
    """Map the path of each chapter to the name that the table of contents gives to its beginning."""
    names: dict[str, str] = {}
    for path, item in items.values():
        is_nav = "nav" in str(item.get("properties")).split()
        if path not in archive.names or not (is_nav or item.get("media-type") == "application/x-dtbncx+xml"):
            continue
        root = archive.xml_if_there(path)
        for entry in root.iter("{*}a" if is_nav else "{*}navPoint") if root is not None else ():
            label = entry if is_nav else entry.find("{*}navLabel")
            content = None if is_nav else entry.find("{*}content")
            target = entry.get("href") if is_nav else content.get("src") if content is not None else None
            if target and label is not None:
                names.setdefault(_resolve(posixpath.dirname(path), str(target)), words_of(label))
    return names


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
    for element in package.iter("{http://purl.org/dc/elements/1.1/}*"):
        words = " ".join(storable(element.text or "").split())
        if words:
            found.setdefault(tag_of(element), []).append(words)
    return found
