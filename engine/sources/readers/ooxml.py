"""What Word, Excel and PowerPoint files share: parts that point at one another, and the properties of the whole."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote

from lxml import etree

from engine.errors import SourceError
from engine.sources.encodings import storable
from engine.sources.readers.zip_container import Archive

REL_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
STRICT_REL_ID = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_MADE_BY_PROGRAM = re.compile(r"generated (?:by|using) \S+$", re.IGNORECASE)
_PLACEHOLDER_TITLES = frozenset(
    ("", "untitled", "title", "word document", "powerpoint presentation", "document", "slide 1")
)
_PROPERTIES = {
    "creator": "author",
    "created": "created",
    "title": "title",
    "keywords": "keywords",
    "subject": "subject",
    "description": "description",  # what the programs call comments
    "category": "category",
}


def main_part(archive: Archive, what: str, usual: str) -> str:
    """Return the path of the part that the package names as its main one, the `usual` one where it names none.

    Raises SourceError where there is no such part; `what` is the format that the file's name promises.
    """
    named = [path for kind, path in related_parts(archive, "").values() if kind == "officeDocument"]
    found = next((path for path in (*named, usual) if archive.has(path)), None)
    if found is None:
        raise SourceError(f"a ZIP file, but no {what}")
    return found


def _relations(archive: Archive, part: str) -> list[etree._Element]:
    folder, name = posixpath.split(part)
    root = archive.xml_if_there(f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels")
    return list(root) if root is not None else []


def external_targets(archive: Archive, part: str) -> dict[str, str]:
    """Map the identifiers that a part uses for addresses outside the file to those addresses."""
    return {
        str(relation.get("Id")): storable(str(relation.get("Target")))
        for relation in _relations(archive, part)
        if relation.get("TargetMode") == "External"
    }


def related_parts(archive: Archive, part: str) -> dict[str, tuple[str, str]]:
    """Map the identifiers that a part uses for other parts to what each is, as `notesSlide`, and its path inside."""
    found = {}
    for relation in _relations(archive, part):
        if relation.get("TargetMode") != "External":
            target = unquote(str(relation.get("Target") or "")).replace("\\", "/")
            path = posixpath.normpath(posixpath.join("/", posixpath.dirname(part), target)).lstrip("/")
            if archive.has(path):
                found[str(relation.get("Id"))] = (str(relation.get("Type")).rpartition("/")[2], path)
    return found


def core_properties(archive: Archive) -> dict[str, str]:
    """Return what a file says about itself: author, created, title, keywords, subject, description, category."""
    named = [path for kind, path in related_parts(archive, "").values() if kind == "core-properties"]
    root = archive.xml_if_there((*named, "docProps/core.xml")[0])
    found: dict[str, str] = {}
    for element in root if root is not None else ():
        name = _PROPERTIES.get(local_name(element))
        words = " ".join(storable(unescaped(element.text or "")).split())
        if name and words and not _MADE_BY_PROGRAM.match(words):
            found[name] = words
    return found


def unescaped(text: str) -> str:
    """Return a text with the characters that Office writes as `_x000D_`; those that no text holds are blanks."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return "\n" if character in "\r\n\v" else character if character.isprintable() or character == "\t" else " "


def named_title(properties: dict[str, str]) -> str:
    """Take the title out of the properties; "" where a program put a placeholder there."""
    named = properties.pop("title", "")
    return "" if named.casefold() in _PLACEHOLDER_TITLES else named


def local_name(element: etree._Element) -> str:
    """Return an element's name without its namespace, "" for what is no element."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def relation_of(element: etree._Element) -> str:
    """Return the identifier by which an element points at another part."""
    return str(element.get(REL_ID) or element.get(STRICT_REL_ID) or "")
