"""What a Word paragraph is, by its style: styles inherit from one another and keep their English names everywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from engine.records import BlockKind

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|rubrik|kop)\s*([1-9])$", re.IGNORECASE)
_HEADING_ID = re.compile(r"Heading([1-9])$")
_BODY_OUTLINE = 9  # w:outlineLvl of body text
MAX_INHERITANCE = 20  # styles above a style: a file may declare a circle


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
            str(style.get(f"{W}styleId")): style
            for style in (root.iter(f"{W}style") if root is not None else ())
            if style.get(f"{W}type") in (None, "paragraph")
        }
        self._known: dict[str, ParagraphStyle] = {}

    def of(self, properties: etree._Element) -> ParagraphStyle:
        """Say what a paragraph with these properties (`w:pPr`) is."""
        named = properties.find(f"{W}pStyle")
        identifier = str(named.get(f"{W}val")) if named is not None else ""
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
            properties = style.find(f"{W}pPr") if style is not None else None
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
    found = element.find(f"{W}{name}") if element is not None else None
    return str(found.get(f"{W}val") or "") if found is not None else ""


def _outline(properties: etree._Element) -> int | None:
    written = _value(properties, "outlineLvl")
    if not written.isdecimal():
        return None
    level = int(written[:3])
    return 0 if level >= _BODY_OUTLINE else level + 1


def _numbering(properties: etree._Element) -> int | None:
    """Return the depth of a list item from 0; None where the paragraph is not numbered, -1 where it must not be."""
    numbering = properties.find(f"{W}numPr")
    if numbering is None:
        return None
    if _value(numbering, "numId") == "0":
        return -1
    level = _value(numbering, "ilvl")
    return int(level[:3]) if level.isdecimal() else 0
