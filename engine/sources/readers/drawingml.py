"""What Word, Excel and PowerPoint draw: the words of charts, of diagrams, and those that stand for a picture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lxml import etree

from engine.sources.readers.ooxml import local_name, relation_of, unescaped
from engine.sources.readers.zip_container import Archive

_BREAKS = {"br": "\n", "tab": "\t"}
_CHARTS = frozenset(("chart", "chartEx"))
_DIAGRAM = "diagramData"
_DATA_IDS = (
    "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm",
    "{http://purl.oclc.org/ooxml/officeDocument/relationships}dm",
)
_MADE_BY_MACHINE = re.compile(
    r"\bAI[- ]generated content may be incorrect\.?|\bdescription (?:automatically )?generated\b[^\n]{0,80}"
    r"|^[^\s/\\]{0,200}\.(?:png|jpe?g|gif|bmp|tiff?|svg|emf|wmf)$",
    re.IGNORECASE | re.MULTILINE,
)


def paragraphs_of(root: etree._Element) -> Iterator[str]:
    """Give the paragraphs of drawn text that hold words."""
    for paragraph in root.iter("{*}p"):
        if words := run_words(paragraph).strip():
            yield words


def run_words(root: etree._Element) -> str:
    """Return the words of the runs below an element, those that older programs are shown in their place left out."""
    pieces: list[str] = []
    stack = [root]
    while stack:
        element = stack.pop()
        name = local_name(element)
        if name == "Fallback":
            continue
        pieces.append((element.text or "") if name == "t" else _BREAKS.get(name, ""))
        stack.extend(reversed(element))
    return unescaped("".join(pieces))


def drawn_lists(archive: Archive, parts: Mapping[str, tuple[str, str]], root: etree._Element) -> Iterator[list[str]]:
    """Give the words of each chart and diagram that an element refers to, in their order."""
    for element in root.iter("{*}chart", "{*}relIds"):
        identifiers = [relation_of(element), *(str(element.get(name) or "") for name in _DATA_IDS)]
        for what, path in (parts[each] for each in identifiers if each in parts):
            drawing = archive.xml_if_there(path) if what in _CHARTS or what == _DIAGRAM else None
            if drawing is not None:
                yield list(paragraphs_of(drawing) if what == _DIAGRAM else chart_words(drawing))


def chart_words(root: etree._Element) -> Iterator[str]:
    """Give the texts of a chart once each: its titles, then the names of its series and categories; no numbers."""
    seen = set()
    names = [element for kind in ("strCache", "strLit", "strDim", "txData") for element in root.iter(f"{{*}}{kind}")]
    values = [value for element in names for value in element.iter("{*}v", "{*}pt") if not len(value)]
    for words in (*paragraphs_of(root), *(unescaped(value.text or "").strip() for value in values)):
        if words and words not in seen:
            seen.add(words)
            yield words


def picture_words(root: etree._Element) -> Iterator[str]:
    """Give what a person wrote to stand for the pictures below an element, and what is drawn as letters."""
    for element in root.iter("{*}docPr", "{*}cNvPr", "{*}textpath"):
        if not any(local_name(above) == "Fallback" for above in element.iterancestors()):
            written = unescaped(str(element.get("descr") or element.get("string") or ""))
            if words := _MADE_BY_MACHINE.sub("", written).strip():
                yield words
