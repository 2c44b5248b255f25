"""AsciiDoc: the file's own text, with its sections, attributes, delimited blocks, lists and links found in it."""

from __future__ import annotations

import re
from bisect import bisect_right

from engine.records import Block, BlockKind, Document, Link
from engine.sources.readers.frontmatter import aliases_of, as_keywords, read_front_matter
from engine.sources.readers.source_file import MAX_LABEL, MAX_LINKS, Source
from engine.sources.readers.text import LineScanner

_HEADING = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)$")
_ATTRIBUTE = re.compile(r":!?([\w-]++)!?:(?:[ \t]++(.*+))?$")
_DELIMITER = re.compile(r"(?:(-{4,}|\.{4,}|\+{4,}|/{4,}|_{4,}|\*{4,}|={4,})|([|,:!]===+)|(```)[\w-]*|(--))[ \t]*$")
_ATTRIBUTE_LINE = re.compile(r"\[[^\[\]\n]*\][ \t]*$|\[\[[^\[\]\n]*\]\][ \t]*$")
_ITEM = re.compile(r"[ \t]*(?:[*.]{1,6}|-|\d{1,4}\.|[a-zA-Z]\.|<\d{1,3}>)[ \t]+\S|\S[^\n]{0,200}?::(?:[ \t]|$)")
_MACRO = re.compile(r"(?:link:|xref:|<<)([^\s\[\]<>,]{1,500}+)(?:\[([^\[\]\n]{0,500}+)\]|,([^<>\n]{0,500}+)>>|>>)")
_URL = re.compile(r"(https?://[^\s\[\]<>]{1,1000})(?:\[([^\[\]\n]{0,500})\])?")
_MARKUP = re.compile(r"(?<!\w)([*_`#+])(?=\S)(.{1,500}?)(?<=\S)\1(?!\w)")
_KINDS: dict[str, BlockKind] = {
    "-": "code", ".": "code", "+": "code", "`": "code", "/": "meta", "_": "quote",
    "|": "table", ",": "table", ":": "table", "!": "table",
}  # fmt: skip
_FENCE_STARTS = "-.+/_*=|,:!`"
_TAG_ATTRIBUTES = ("keywords", "tags", "page-tags")
_SHOWN = ("author", "revdate", "email", "description")


def read(source: Source) -> Document:
    """Read an AsciiDoc file; its title is that of its front matter, the level-0 heading, or its `:title:`."""
    text = source.text()
    front = read_front_matter(text)
    scanner = _Scanner(text, text.count("\n", 0, front.end) + 1 if front else 0)
    blocks = (*([Block("meta", 0, front.end)] if front else []), *scanner.run())
    first = next((block for block in blocks if block.kind == "heading" and block.level == 1), None)
    title = front.title or (first.label if first else "") or scanner.fields.get("title", "")
    return source.document(
        "asciidoc",
        text,
        blocks,
        title,
        tags=(*front.tags, *(tag for name in _TAG_ATTRIBUTES for tag in as_keywords(scanner.fields.get(name, "")))),
        links=_links(text, blocks),
        metadata={**front.metadata}
        | {name: value for name in _SHOWN if (value := scanner.fields.get(name, ""))}
        | aliases_of(scanner.fields),
    )


def _links(text: str, blocks: tuple[Block, ...]) -> tuple[Link, ...]:
    found: list[tuple[int, Link]] = []
    for block in blocks:
        if block.kind in ("code", "meta"):
            continue
        for match in _MACRO.finditer(text, block.start, block.end):
            target = match[1]
            found.append((match.start(), Link(target, (match[2] or match[3] or target).strip())))
        for match in _URL.finditer(text, block.start, block.end):
            address = match[1] if match[2] is not None else match[1].rstrip(".,;:)")
            found.append((match.start(), Link(address, (match[2] or address).strip())))
    return tuple(link for _, link in sorted(found, key=lambda item: item[0])[:MAX_LINKS])


def _plain(words: str) -> str:
    words = _URL.sub(lambda match: match[2] or match[1], words[:MAX_LABEL])
    words = _MACRO.sub(lambda match: match[2] or match[3] or match[1], words)
    return " ".join(_MARKUP.sub(r"\2", words).split())


class _Scanner(LineScanner):
    """Knows the delimiters of a file beforehand, so that the partner of each is found at once."""

    def __init__(self, text: str, first: int) -> None:
        super().__init__(text)
        self.at = first
        self.fields: dict[str, str] = {}
        self._in_body = False  # whether anything but comments and attributes has come
        self._fences: dict[str, list[int]] = {}
        for number, line in enumerate(self.texts):
            if line[:1] in _FENCE_STARTS and line[:1] and _DELIMITER.match(line):
                self._fences.setdefault(line.rstrip(), []).append(number)

    def _block(self, line: str) -> None:
        if heading := _HEADING.match(line):
            opens = len(heading[1]) == 1 and not self._in_body
            self._emit("heading", self.at + 1, len(heading[1]), _plain(heading[2].rstrip(" =#")))
            if opens:
                self._byline()
        elif _ATTRIBUTE.match(line):
            self._attributes()
        elif fence := _DELIMITER.match(line):
            self._fence(line.rstrip(), fence[0][0])
        elif line.startswith("//") or _ATTRIBUTE_LINE.match(line):
            self._emit("meta", self.at + 1)
        elif _ITEM.match(line):
            self._emit("list", self._after_list())
        else:
            self._emit("code" if line[0] in " \t" else "paragraph", self._after_run(self._starts_block))

    def _fence(self, fence: str, sign: str) -> None:
        """Take a delimited block whole; an example or a sidebar is only what its lines make it."""
        if fence == "--" or sign in "*=":
            self._emit("meta", self.at + 1)
            return
        places = self._fences["```" if sign == "`" else fence] if "```" in self._fences or sign != "`" else []
        partner = bisect_right(places, self.at)
        if partner < len(places):
            self._emit(_KINDS[sign], places[partner] + 1)
        else:
            self._emit("paragraph", self._after_run(self._starts_block))

    def _emit(self, kind: BlockKind, after: int, level: int = 0, label: str = "") -> None:
        super()._emit(kind, after, level, label)
        self._in_body = self._in_body or kind != "meta"

    def _byline(self) -> None:
        """Take the lines just below the title: who wrote it, which version it is, and its attributes."""
        first = self.at
        while not self.lines.is_blank(self.at) and not _ATTRIBUTE.match(self.texts[self.at]) and self.at < first + 2:
            self.at += 1
        if self.at > first:
            if first < len(self.texts) and not self.texts[first].startswith("//"):
                self.fields["author"] = " ".join(self.texts[first].split())[:MAX_LABEL]
            after, self.at = self.at, first
            self._emit("meta", after)

    def _attributes(self) -> None:
        number = self.at
        while number < len(self.texts) and (attribute := _ATTRIBUTE.match(self.texts[number])):
            if attribute[2]:
                self.fields.setdefault(attribute[1].lower(), attribute[2].strip()[:MAX_LABEL])
            number += 1
        self._emit("meta", number)

    def _starts_block(self, line: str) -> bool:
        return bool(_HEADING.match(line) or _DELIMITER.match(line) or _ATTRIBUTE_LINE.match(line))

    def _after_list(self) -> int:
        number, after = self.at + 1, self.at + 1
        while number < len(self.texts):
            line = self.texts[number]
            if not line or line.isspace():
                if self.lines.is_blank(number + 1) or not _ITEM.match(self.texts[number + 1]):
                    break
            elif self._starts_block(line):
                break
            else:
                after = number + 1
            number += 1
        return after
