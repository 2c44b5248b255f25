"""What stands beside the cells of an Excel sheet: comments, text boxes, charts, labels of forms, headers, footers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from lxml import etree

from engine.records import Link
from engine.sources.readers.drawingml import drawn_lists, paragraphs_of, picture_words
from engine.sources.readers.ooxml import external_targets, local_name, related_parts, relation_of, unescaped
from engine.sources.readers.page_furniture import distinct, is_page_number
from engine.sources.readers.xlsx_cells import each_element
from engine.sources.readers.zip_container import Archive

_PRINTED = frozenset(f"{page}{place}" for page in ("odd", "even", "first") for place in ("Header", "Footer"))
_HAS_MORE = re.compile(rb"(?:odd|even|first)(?:Header|Footer)>|prompt(?:Title)?=")
_FORMULA = re.compile(rb"HYPERLINK\((?:\"|&quot;)([^\"<>\r\n]{1,2000}?)(?:\"|&quot;)")
_CODE = re.compile(r"&(?:\"[^\"]*+\"|K[0-9A-Fa-f]{6}|K\d\d[+-]\d{3}|\d{1,4}|&|[A-Za-z])")
_STANDS_FOR_THREAD = "tc={"  # the author of an old comment that only says that a thread is there


def margin_texts(archive: Archive, sheet: str, content: bytes) -> list[str]:
    """Return the texts beside the cells of a sheet, each once; `content` is the sheet's own part."""
    parts = related_parts(archive, sheet)
    texts: list[str] = []
    for what, path in dict.fromkeys(parts.values()):
        if what == "vmlDrawing":
            texts += _form_labels(archive.read(path))
        elif (root := archive.xml_if_there(path) if what in _READERS else None) is not None:
            texts += _READERS[what](archive, path, root)
    if _HAS_MORE.search(content, max(content.rfind(b"sheetData"), 0)):
        texts += _printed_and_prompted(content)
    return list(distinct(texts))


def links_of(archive: Archive, sheet: str, content: bytes) -> list[Link]:
    """Return where the cells of a sheet lead outside the file, by a link or by a formula."""
    targets = external_targets(archive, sheet)
    links = [Link(unescape(match[1].decode("utf-8", "replace")), "") for match in _FORMULA.finditer(content)]
    if targets and b"hyperlink" in content:
        found = (targets.get(relation_of(each)) for each in each_element(content, "hyperlink"))
        links += [Link(target, "") for target in found if target]
    return links


def _threads(archive: Archive, path: str, root: etree._Element) -> Iterator[str]:
    for comment in root.iter("{*}text"):
        yield unescaped(comment.text or "")


def _comments(archive: Archive, path: str, root: etree._Element) -> Iterator[str]:
    authors = [author.text or "" for author in root.iter("{*}author")]
    for comment in root.iter("{*}comment"):
        number = str(comment.get("authorId") or "")
        author = authors[int(number)] if number.isdecimal() and int(number[:9]) < len(authors) else ""
        if not author.startswith(_STANDS_FOR_THREAD):
            yield unescaped("".join(text.text or "" for text in comment.iter("{*}t")))


def _drawing(archive: Archive, path: str, root: etree._Element) -> Iterator[str]:
    for shape in root.iter("{*}sp"):
        yield "\n".join(paragraphs_of(shape))
    yield from picture_words(root)
    for drawn in drawn_lists(archive, related_parts(archive, path), root):
        yield "\n".join(drawn)


_READERS = {"threadedComment": _threads, "comments": _comments, "drawing": _drawing}


def _form_labels(content: bytes) -> Iterator[str]:
    """Give what buttons and boxes of a sheet say; their old format is hardly ever well-formed XML."""
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return
    for element in root.iter() if root is not None else ():
        if local_name(element).rpartition(":")[2] == "textbox":
            yield " ".join("".join(map(str, element.itertext())).split())


def _printed_and_prompted(content: bytes) -> Iterator[str]:
    """Give what is printed above and below the sheet, and what a cell says to whom fills it in."""
    for element in each_element(content, "dataValidation", *_PRINTED):
        if local_name(element) in _PRINTED:
            words = _CODE.sub(_meaning, element.text or "")
            yield from (line.strip() for line in words.split("\n") if not is_page_number(line))
        else:
            yield "\n".join(str(element.get(name) or "") for name in ("promptTitle", "prompt")).strip()


def _meaning(code: re.Match[str]) -> str:
    """Return what a code in a header stands for: a place on the page, an ampersand, or nothing that is known here."""
    return {"&&": "&", "&L": "\n", "&C": "\n", "&R": "\n"}.get(code[0], "")
