"""Where the links of a Word document lead: those of its elements, those of its fields, and those of its pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from engine.records import Link
from engine.sources.encodings import storable
from engine.sources.readers.docx_styles import W
from engine.sources.readers.drawingml import run_words
from engine.sources.readers.ooxml import external_targets, local_name, relation_of
from engine.sources.readers.zip_container import Archive

_GONE = frozenset(("del", "moveFrom", "Fallback"))
_FIELD = re.compile(r"\bHYPERLINK\s+(?:[\"“]([^\"“”]{1,2000})[\"”]|([^\s\"“”\\]\S{0,2000}))", re.IGNORECASE)


def links_of(archive: Archive, path: str, root: etree._Element) -> Iterator[Link]:
    """Give the links of a part, without those that were deleted."""
    targets = external_targets(archive, path)
    for element in root.iter(f"{W}hyperlink", f"{W}p", f"{W}fldSimple", "{*}hlinkClick"):
        found = _targets(element, targets)
        if found and not _is_gone(element):
            words = "" if local_name(element) == "p" else " ".join(run_words(element).split())
            yield from (Link(target, words) for target in found)


def _targets(element: etree._Element, targets: dict[str, str]) -> list[str]:
    name = local_name(element)
    if name == "p":  # the instruction of a field may be parted into several runs
        return _in_field("".join(run.text or "" for run in element.iter(f"{W}instrText") if not _is_gone(run)))
    if name == "fldSimple":
        return _in_field(str(element.get(f"{W}instr") or ""))
    target = targets.get(relation_of(element))
    return [target] if target else []


def _is_gone(element: etree._Element) -> bool:
    return any(local_name(above) in _GONE for above in element.iterancestors())


def _in_field(instruction: str) -> list[str]:
    return [storable(quoted or bare) for quoted, bare in _FIELD.findall(instruction)]
