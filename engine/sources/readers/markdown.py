"""Markdown: the file's own text, with front matter, headings, fences, lists, tables, quotes and links found in it.

The structure comes from one pass over the lines, because offsets into the file are what a person's editor needs and
a rendering parser gives none for inline text. CommonMark decides what a line is; what only rendering needs is left out.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from engine.records import Block, BlockKind, Document, Link
from engine.sources.readers.frontmatter import read_front_matter, read_properties
from engine.sources.readers.source_file import MAX_LABEL, MAX_LINKS, Source
from engine.sources.readers.text import LineScanner

CODE_COLUMN = 4  # what is written from here on is code, or belongs to a list
MAX_OUTSIDE = 50  # lines at the margin that still may belong to a fence which a list item opened
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]++(.*+))?$")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r"[ \t]*(`{3,}(?=[^`]*$)|~{3,})")
_ITEM = re.compile(r"( *)(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_DELIMITER_ROW = re.compile(r"[ \t]*+(?:\|[ \t]*+)?:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+(?:\|[ \t]*+)?$")
_RAW_HTML = re.compile(r" {0,3}<(pre|script|style|textarea)(?=[\s>]|$)|() {0,3}(?=<!--)", re.IGNORECASE)
_RAW_END = re.compile(r"</(pre|script|style|textarea)>|-->", re.IGNORECASE)
_HTML_BLOCK = re.compile(
    r" {0,3}</?(?:address|article|aside|blockquote|body|center|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption"
    r"|figure|footer|form|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|nav|ol|p|section|summary|table|tbody"
    r"|td|tfoot|th|thead|title|tr|ul)(?=[\s>/]|$)",
    re.IGNORECASE,
)
_HIDDEN = ("%%", "$$")  # what opens and closes Obsidian's comments, and formulas
_CODE = re.compile(r"(?<!`)(`++)(.{1,5000}?)(?<!`)\1(?!`)", re.DOTALL)
_WIKI = re.compile(r"\[\[([^\[\]\n|]+)(?:\|([^\[\]\n]+))?\]\]")
_INLINE = re.compile(
    r"(?<![!\\])\[([^\[\]]{0,500}(?:!?\[[^\[\]]{0,200}\][^\[\]]{0,200}){0,3})\]\(\s{0,9}(?:<([^<>\n]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*){0,9}))"
)
_REFERENCE = re.compile(r"(?<![!\\\]])\[([^\[\]]+)\]\[([^\[\]]*)\]")
_DEFINITION = re.compile(r"^ {0,3}\[([^\[\]\n]+)\]:[ \t]*<?([^\s<>]+)>?", re.MULTILINE)
_AUTOLINK = re.compile(r"<((?:https?|ftp|mailto|file):[^\s<>]+)>")
_IMAGE = re.compile(r"!\[([^\[\]]*)\](?:\([^()\s]*(?:\s[^()]*)?\)|\[[^\[\]]*\])")
_TAG = re.compile(r"(?<![\w/#&?\[(.\"'=:\\-])#([^\W\d_][\w/-]*+|\d[\d/-]*+[^\W\d][\w/-]*+)")
_HEX_COLOUR = re.compile(r"(?=.*\d)[0-9a-fA-F]{3,8}")
_HTML_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_EMPHASIS = re.compile(r"(\*{1,3}|~~|==)(?=\S)(.+?)(?<=\S)\1|(?<!\w)(_{1,3})(?=\S)(.+?)(?<=\S)\3(?!\w)")
_LABELLED = re.compile(r"\[([^\[\]]*+)\](?:\([^()]*+(?:\([^()]*+\)[^()]*+)*+\)|\[[^\[\]]*+\])")
_ATTRIBUTES = re.compile(r"(?<!\s)\s*+\{[#.:][^{}]*+\}\s*+$")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def read(source: Source) -> Document:
    """Read a Markdown file."""
    text = source.text()
    front = read_front_matter(text) or read_properties(text)
    blocks = tuple(([Block("meta", 0, front.end)] if front.end else []) + scan(text, front.end + 1 if front.end else 0))
    title = front.title or written_title(blocks)
    prose = [text[block.start : block.end] for block in blocks if block.kind not in ("code", "meta")]
    return source.document(
        "markdown",
        text,
        blocks,
        title,
        tags=(*front.tags, *tags_of(prose)),
        links=links_of(prose),
        metadata=front.metadata,
    )


def written_title(blocks: Iterable[Block]) -> str:
    """Return the heading that titles the document: the very first block, or the only one of level 1; else ""."""
    body = [block for block in blocks if block.kind != "meta"]
    if body and body[0].kind == "heading" and body[0].label:
        return body[0].label
    tops = [block.label for block in body if block.kind == "heading" and block.level == 1]
    return tops[0] if len(tops) == 1 else ""


def scan(text: str, start: int = 0) -> list[Block]:
    """Find the blocks of Markdown `text` from offset `start`, which begins a line or lies behind the end."""
    return _Scanner(text, start).run()


def _without_closing_marks(words: str) -> str:
    """Return a heading's words without the marks that may close it: `## Bread ##`."""
    words = words.rstrip(" \t")
    bare = words.rstrip("#")
    return bare.rstrip(" \t") if bare.endswith((" ", "\t")) else words


def _indentation(line: str) -> int:
    """Return the column of the first visible character of a line that has one."""
    blank = line[: len(line) - len(line.lstrip(" \t"))]
    return len(blank.expandtabs(4)) if "\t" in blank else len(blank)


class _Scanner(LineScanner):
    """Begins behind the front matter."""

    def __init__(self, text: str, start: int) -> None:
        super().__init__(text)
        self.at = text.count("\n", 0, start) + (start > len(text))
        self._raw_ends: dict[str, list[int]] = {}  # lines with what ends raw HTML, by the name of its tag
        self._hidden: dict[str, list[int]] = {sign: [] for sign in _HIDDEN}
        for number, line in enumerate(self.texts):
            if "</" in line or "-->" in line:
                for end in _RAW_END.finditer(line):
                    self._raw_ends.setdefault((end[1] or "").lower(), []).append(number)
            for sign in _HIDDEN:
                if sign in line:
                    self._hidden[sign].append(number)

    def _block(self, line: str) -> None:
        mark = line.lstrip(" ")[0]
        if mark == "#" and (atx := _ATX.match(line)):
            self._emit("heading", self.at + 1, len(atx[1]), plain(_without_closing_marks(atx[2] or "")))
        elif mark in "`~" and (fence := _FENCE.match(line)):
            indented = _indentation(line) >= CODE_COLUMN
            end = self._after_inner_fence(fence[1], self.at, CODE_COLUMN) if indented else self._after_fence(fence[1])
            self._emit("code", end)
        elif line.startswith(("    ", "\t")):
            self._emit("code", self._after_all(lambda text: text.startswith(("    ", "\t"))))
        elif mark == ">":
            self._emit(
                "quote", self._after_run(lambda text: not text.lstrip().startswith(">") and self._interrupts(text))
            )
        elif mark in "-*_" and _RULE.match(line):
            self._emit("paragraph", self.at + 1)
        elif (mark in "-+*" or mark.isdigit()) and _ITEM.match(line):
            self._emit("list", self._after_list())
        elif mark == "<" and (raw := self._raw_end(line)):
            self._emit(*raw)
        elif mark == "<" and _HTML_BLOCK.match(line):
            self._emit("paragraph", self._after_run())
        elif mark in "%$" and (after := self._after_hidden(line)):
            self._emit("paragraph", after)
        elif self._is_table():
            self._emit("table", self._after_table())
        else:
            self._paragraph()

    def _paragraph(self) -> None:
        number = self.at + 1
        while not self.lines.is_blank(number):
            line = self.texts[number]
            setext = _SETEXT.match(line)
            if setext:
                words = " ".join(text.strip() for text in self.texts[self.at : number])
                self._emit("heading", number + 1, 1 if setext[1][0] == "=" else 2, plain(words))
                return
            if self._interrupts(line) or self._is_table(number):
                break
            number += 1
        self._emit("paragraph", number)

    def _interrupts(self, line: str) -> bool:
        """Whether a line ends a paragraph without a blank line before it."""
        mark = line.lstrip()[0]
        if mark == "#":
            return _ATX.match(line) is not None
        if mark in "`~":
            return _FENCE.match(line) is not None
        if mark == ">":
            return not line.startswith("    ")
        if mark in "-*_+1":
            item = _ITEM.match(line)
            starts_list = item is not None and len(item[1]) < 4 and len(line) > item.end() and mark != "_"
            return starts_list or _RULE.match(line) is not None
        return False

    def _after_fence(self, opening: str) -> int:
        """Return the line after the fence that closes the one at `at`; an open fence runs to the end."""
        closed = self._closing_fence(opening, self.at, 0)
        return len(self.texts) if closed is None else closed + 1

    def _closing_fence(self, opening: str, number: int, inside: int) -> int | None:
        """Return the line that closes the fence opened on a line, None where none does.

        One inside a list item, whose text begins in column `inside`, is closed within the item, or by a fence as deep
        as itself a little further down: who writes code at the margin means it to belong to the item.
        """
        left = 0  # lines outside the item so far
        depth = _indentation(self.texts[number])
        for after in range(number + 1, len(self.texts)):
            line = self.texts[after]
            closing = line.strip(" \t")
            if left > MAX_OUTSIDE:
                break
            if closing.startswith(opening) and not closing.strip(opening[0]):
                return after if not left or _indentation(line) == depth else None
            if left and closing.startswith(opening[0] * 3):
                break
            if inside and closing and _indentation(line) < inside:
                left += 1
                if self.lines.is_blank(after - 1) and _ATX.match(line):
                    break
        return None

    def _after_inner_fence(self, opening: str, number: int, inside: int) -> int:
        """Return the line after a fence inside a list item or code; one that nothing closes ends with what holds it."""
        closed = self._closing_fence(opening, number, inside)
        if closed is not None:
            return closed + 1
        number += 1
        while number < len(self.texts) and (self.lines.is_blank(number) or _indentation(self.texts[number]) >= inside):
            number += 1
        return number

    def _after_list(self) -> int:
        number, after, was_blank, content = self.at, self.at + 1, False, 0
        while number < len(self.texts):
            line = self.texts[number]
            if not line or line.isspace():
                was_blank = True
                number += 1
                continue
            indented = line[0] in " \t"
            item = None if _RULE.match(line) else _ITEM.match(line)
            fence = _FENCE.match(line)
            if not indented and not item and (was_blank or fence or self._interrupts(line)):
                break
            if item and not fence:
                content, fence = self._item_content(line, item.end())
            inside = min(content, _indentation(line)) if fence and not item else content
            number = self._after_inner_fence(fence[1], number, inside) if fence else number + 1
            after, was_blank = number, self.lines.is_blank(number - 1)
        return min(after, len(self.texts))

    def _item_content(self, line: str, end: int) -> tuple[int, re.Match[str] | None]:
        """Return the column in which an item's text begins, and the fence with which it does, if any."""
        while inner := _ITEM.match(line, end):  # `- - text`
            end = inner.end()
        return len(line[:end].expandtabs(4)), _FENCE.match(line, end)

    def _raw_end(self, line: str) -> tuple[BlockKind, int] | None:
        """Return what begins with a line of HTML that is kept as written, and the line after its end, if it has one."""
        opening = _RAW_HTML.match(line)
        if opening is None:
            return None
        name = (opening[1] or "").lower()
        ends = self._raw_ends.get(name, [])
        place = bisect_left(ends, self.at)
        kind: BlockKind = "code" if name == "pre" else "meta" if name in ("script", "style") else "paragraph"
        return (kind, ends[place] + 1) if place < len(ends) else None

    def _after_hidden(self, line: str) -> int | None:
        """Return the line after a comment or a formula that a line opens and does not close."""
        sign = line.lstrip(" ")[:2]
        if sign not in _HIDDEN or line.count(sign) % 2 == 0:
            return None
        place = bisect_right(self._hidden[sign], self.at)
        return self._hidden[sign][place] + 1 if place < len(self._hidden[sign]) else None

    def _is_table(self, number: int | None = None) -> bool:
        number = self.at if number is None else number
        if "|" not in self.texts[number] or number + 1 >= len(self.texts):
            return False
        below = self.texts[number + 1]
        return "-" in below and "|" in below and _DELIMITER_ROW.match(below) is not None

    def _after_table(self) -> int:
        number = self.at + 2
        while not self.lines.is_blank(number) and "|" in self.texts[number]:
            number += 1
        return number


def plain(words: str) -> str:
    """Return one line of Markdown as a person reads it."""
    words = words[:MAX_LABEL].strip()
    if words.isalnum():
        return words
    words = _ATTRIBUTES.sub("", words)
    words = _IMAGE.sub(r"\1", words)
    words = _WIKI.sub(lambda match: match[2] or match[1], words)
    words = _LABELLED.sub(r"\1", words)
    kept = [match[2].strip() for match in _CODE.finditer(words)]
    words = _CODE.sub("\x00", words)  # code is set aside, so that nothing in it is taken for markup
    words = _HTML_TAG.sub("", words)
    words = _ESCAPE.sub(r"\1", _EMPHASIS.sub(lambda match: match[2] or match[4], words))
    for code in kept:
        words = words.replace("\x00", code, 1)
    return " ".join(words.split())


def links_of(prose: Iterable[str]) -> tuple[Link, ...]:
    """Find the links of a document's prose, in order within each piece, without its code."""
    pieces = [_without_code(piece) for piece in prose]
    definitions = {
        name.casefold(): target for piece in pieces if "]:" in piece for name, target in _DEFINITION.findall(piece)
    }
    links: list[Link] = []
    for piece in pieces:
        if "[" not in piece and "<" not in piece:
            continue
        found = [(m.start(), Link(m[1].strip(), (m[2] or m[1]).strip(), True)) for m in _WIKI.finditer(piece)]
        found += [(m.start(), Link(m[2] or m[3] or "", plain(m[1]))) for m in _INLINE.finditer(piece)]
        found += [(m.start(), Link(m[1], m[1])) for m in _AUTOLINK.finditer(piece)]
        for match in _REFERENCE.finditer(piece):
            target = definitions.get((match[2] or match[1]).casefold())
            if target:
                found.append((match.start(), Link(target, plain(match[1]))))
        links += [link for _, link in sorted(found, key=lambda item: item[0]) if link.target]
        if len(links) > MAX_LINKS:
            break
    return tuple(links[:MAX_LINKS])


def tags_of(prose: Iterable[str]) -> tuple[str, ...]:
    """Find the `#tags` of a document's prose, without its code, addresses and colours."""
    found: dict[str, None] = {}
    for piece in prose:
        if "#" in piece:
            for tag in _TAG.findall(_DEFINITION.sub("", _without_code(piece))):
                if not _HEX_COLOUR.fullmatch(tag):
                    found[tag.rstrip("/-")] = None
    return tuple(found)


def _without_code(piece: str) -> str:
    return _CODE.sub(" ", piece) if "`" in piece else piece
