"""What stands inside lines of Markdown: links, wiki links, tags, and the words that remain without the markup."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.records import Link

MAX_LABEL = 1000  # code points of a heading that are read; repeats are bounded too, as expressions may backtrack
MAX_LINKS = 10_000  # a document with more is a list of addresses
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
_LINK = re.compile(r"\[([^\[\]]*+)\](?:\([^()]*+(?:\([^()]*+\)[^()]*+)*+\)|\[[^\[\]]*+\])")
_ATTRIBUTES = re.compile(r"(?<!\s)\s*+\{[#.:][^{}]*+\}\s*+$")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def plain(words: str) -> str:
    """Return one line of Markdown as a person reads it."""
    words = words[:MAX_LABEL].strip()
    if words.isalnum():
        return words
    words = _ATTRIBUTES.sub("", words)
    words = _IMAGE.sub(r"\1", words)
    words = _WIKI.sub(lambda match: match[2] or match[1], words)
    words = _LINK.sub(r"\1", words)
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
