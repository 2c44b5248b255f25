"""The words of OpenDocument XML: of a paragraph, of a list, of what hangs on it; nothing deleted, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.sources.readers.ooxml import local_name

SVG = "{urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0}"
MAX_SPACES = 1000  # that one element may stand for
MAX_DEPTH = 12  # of lists in lists that are shown as such
_ELSEWHERE = frozenset(("note", "annotation", "object", "forms", "title", "desc"))  # read beside what they hang on
_SKIPPED = _ELSEWHERE | {"tracked-changes", "ruby-text", "sequence-decls", "variable-decls", "user-field-decls"}
_COUNTING = frozenset(("page-number", "page-count", "sheet-name", "page-continuation"))
_SILENT = frozenset(("frame", "table", "table-row", "table-cell", "list", "list-item"))  # whose blanks are layout
_PIECES = frozenset(("h", "p", "list", "table", "object", "annotation"))


def attribute(element: etree._Element, name: str) -> str:
    """Return an attribute by its name, whatever its namespace."""
    return next((str(value) for key, value in element.attrib.items() if str(key).rpartition("}")[2] == name), "")


def number(element: etree._Element, name: str, most: int) -> int:
    """Return an attribute that counts something, `most` at most; 1 where it is missing or no number."""
    written = attribute(element, name)
    return min(int(written), most) if written.isascii() and written.isdigit() and len(written) < 10 else 1


def pieces(root: etree._Element) -> Iterator[etree._Element]:
    """Give headings, paragraphs, lists, tables, objects and comments in order, wherever they lie.

    A list that holds a heading numbers it, and is no list to a reader.
    """
    stack = list(reversed(root))
    while stack:
        element = stack.pop()
        name = local_name(element)
        is_numbering = name == "list" and next(element.iter("{*}h"), None) is not None
        if (name in _PIECES and not is_numbering) or is_picture_word(element):
            yield element
        elif name not in _SKIPPED:
            stack.extend(reversed(element))


def words(root: etree._Element) -> str:
    """Return the words of a paragraph with its spaces, tabs and line breaks, without its notes and comments."""
    found: list[str] = []
    stack: list[etree._Element | str] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            found.append(item)
            continue
        if item is not root and item.tail:
            stack.append(item.tail)
        name = local_name(item)
        if not name or (item is not root and (name in _COUNTING or _is_skipped(item))):
            continue
        if name == "s":
            found.append(" " * number(item, "c", MAX_SPACES))
        elif name in ("tab", "line-break"):
            found.append("\t" if name == "tab" else "\n")
        elif item is not root and name in ("p", "h"):  # of a text box that stands in the line
            found.append("\n" if found and not found[-1].endswith("\n") else "")
            stack.append("\n")
        stack.extend(reversed(item))
        if item.text and name not in _SILENT:
            found.append(item.text)
    return "".join(found)


def paragraphs(root: etree._Element) -> str:
    """Return the paragraphs below an element, a line each; those in the boxes of a paragraph belong to it."""
    return "\n".join(found for part, _ in _own(root) if (found := words(part).strip()))


def one_line(root: etree._Element) -> str:
    """Return all the words below an element on one line."""
    return " ".join(paragraphs(root).split())


def items(root: etree._Element) -> Iterator[str]:
    """Give the items of a list as lines, moved in by how deep they lie."""
    for part, depth in _own(root):
        if found := " ".join(words(part).split()):
            yield "  " * min(depth, MAX_DEPTH) + "- " + found


def asides(root: etree._Element) -> Iterator[str]:
    """Give what hangs on a paragraph, list or table: its notes, comments, and the words for its pictures."""
    for element in root.iter("{*}note-body", "{*}annotation", f"{SVG}title", f"{SVG}desc"):
        if is_picture_word(element):
            yield element.text or ""
        else:
            yield comment(element) if local_name(element) == "annotation" else paragraphs(element)


def comment(annotation: etree._Element) -> str:
    """Return what was said in the margin, behind the name of who said it."""
    said = paragraphs(annotation)
    author = " ".join(str(next((each.text or "" for each in annotation.iter("{*}creator")), "")).split())
    return f"{author}: {said}" if author and said else said


def is_picture_word(element: etree._Element) -> bool:
    """Whether an element holds what a person wrote to stand for a picture."""
    return element.tag in (f"{SVG}title", f"{SVG}desc")


def _is_skipped(element: etree._Element) -> bool:
    name = local_name(element)
    return name in _SKIPPED and (name not in ("title", "desc") or is_picture_word(element))


def _own(root: etree._Element) -> Iterator[tuple[etree._Element, int]]:
    """Give the paragraphs and headings below an element, and in how many lists inside it each lies."""
    stack = [(child, 0) for child in reversed(root)]
    while stack:
        element, depth = stack.pop()
        name = local_name(element)
        if name in ("p", "h"):
            yield element, depth
        elif not _is_skipped(element):
            deeper = depth + (name == "list")
            stack.extend((child, deeper) for child in reversed(element))
