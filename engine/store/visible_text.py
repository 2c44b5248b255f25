"""What a reader sees of a text with markup: signs that only shape it are filled in, at the same length.

So a phrase is found across a link, and `un**believ**able` is one word, while every offset stays that of the text. What
is told but not seen, the target of a link, is given as spans of its own, to be found behind the text. Code stays as it
is written. A hyphen at a line's end stays too, with the line break filled in: which of `well-known` and `committee` it
was, nobody can tell, so the word is found in both forms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from engine.store.folding import APOSTROPHES, FILL

Span = tuple[int, int]

_APOSTROPHE = re.compile(f"[{APOSTROPHES}]")
_LINE_END = re.compile(r"(?<=[^\W\d_])([-\u2010\u00ad])(\n[ \t>]{0,40})(?=[a-zß-öø-ÿα-ωа-џ])")
_NO_PROSE = frozenset(["code", "json", "yaml", "toml", "csv", "xlsx", "xls", "ods", "bibtex"])  # where a hyphen is one

# The last group of a match says what becomes of it: code is left as it is, some is shown without its signs, and the
# rest is told behind the text. Each alternative begins with a sign of its own, by which the next match is found fast.
_ENTITY = r"&(?P<entity>(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)"
_TAG = (
    r"</?(?:a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|strong"
    r"|sub|sup|time|tt|u|var|wbr)"
    r"(?P<tag>\s[^<>]{0,500})?/?>"
)
_LOWERED = r"~(?<=\w~)(?P<lowered>\w{1,20})~", r"\^(?<=\w\^)(?P<raised>\w{1,20})\^"  # H~2~O
_EMPHASIS = r"\*(?P<more>\*{0,2})(?=[^\s*])(?P<stressed>[^*\n]{0,500}?[^*\s])\*(?P=more)(?!\*)"
_STRIKE = r"~~(?=[^\s~])(?P<struck>[^~\n]{0,500}?[^~\s])~~", r"==(?=[^\s=])(?P<marked>[^=\n]{0,500}?[^=\s])=="
_CODE = r"`(?P<keep>`*[^`\n]*`+)"
_MARKDOWN = (
    _CODE,
    r"\\(?P<escaped>[!-/:-@\[-`{-~])",
    r"\]\((?P<target>(?:<[^<>\n]{0,500}>|[^()\s]*(?:\([^()\s]*\)[^()\s]*){0,3})"
    r"(?:\s{1,20}(?:\"[^\"]{0,300}\"|'[^']{0,300}'))?)[ \t]{0,20}\)",
    r"\]\[(?P<reference>[^\[\]\n]{0,200})\]",
    r"\]\]",
    r"\[\^(?P<note>[^\]\s]{1,100})\](?!:)",
    r"\^\[(?P<said>[^\[\]\n]{1,1000})\]",
    r"<!--(?P<comment>[^<]{1,1000}?)-->",
    r"%%(?P<remark>[^%\n]{1,1000})%%",
    r"\[(?P<cited>-?@[^\[\]\n]{1,300})\]",
    r"\[\[(?P<page>[^\[\]|\n]{1,200})\|",
    r"\[\[",
    r"\[(?=[^\[\]\n]{0,300}\][(\[])",
    _TAG,
    _ENTITY,
    *_LOWERED,
)
_ORG = (
    r"~(?P<verbatim>[^~\n]{1,300})~",
    r"=(?P<keep>[^=\n]{1,300}=)",
    r"\[\[(?P<target>[^\[\]\n]{1,500})\]\[",
    r"\[\[",
    r"\]\]",
    r"\[fn:(?P<note>[^\]\s:]{1,100})\]",
    r"\[fn:[\w-]{0,100}:(?P<said>[^\[\]]{1,1000})\]",
    r"\[cite(?:/[\w/-]{1,30})?:(?P<cited>[^\[\]\n]{1,300})\]",
    r"_\{(?<=\w_\{)(?P<lowered>[^{}\n]{1,50})\}",
    r"\^\{(?<=\w\^\{)(?P<raised>[^{}\n]{1,50})\}",
)
_RST = (
    r"``(?P<keep>[^`\n]{1,300}``)",
    r"\s<(?P<target>[^<>\s]{1,500})>`_{1,2}",
    r"[ \t]?\[(?P<note>[\#*]?[\w-]{0,50})\]_(?!\w)",
    r"(?:\\[ ])?:(?P<role>[a-z]{1,20}):`",
    r"`_{0,2}\\[ ]",
    r"\\[ ]\*{0,2}|\*{1,2}\\[ ]",
    r"`_{1,2}(?!\w)|(?<!\w)`(?=\w)",
)
_ASCIIDOC = (
    r"`(?P<keep>[^`\n]{1,300}`)",
    r"(?:link:|xref:|mailto:)(?P<target>[^\s\[\]<>]{1,500})\[",
    r"(?P<address>\bhttps?://[^\s\[\]<>]{1,500})\[",
    r"<<(?P<reference>[^\[\]<>,\n]{1,500}),",
    r"<<|>>",
    r"footnote(?:ref)?:[\w-]{0,100}\[(?P<note>[^\[\]]{0,1000})\]",
    r"\](?<=\w\])(?=\w)",
    _ENTITY,
    *_LOWERED,
)
_DOUBLED = r"(?P<star>\*\*|__|\#\#)(?=[^\s*_\#])(?P<stressed>[^*_\#\n]{0,500}?[^*_\#\s])(?P=star)"


_OF_MARKDOWN = (
    re.compile("|".join(_MARKDOWN)),
    re.compile("|".join((_CODE, _EMPHASIS))),
    re.compile("|".join((_CODE, *_STRIKE))),
)
_OF_ORG, _OF_RST = re.compile("|".join(_ORG)), re.compile("|".join(_RST))
_OF_ASCIIDOC = re.compile("|".join(_ASCIIDOC)), re.compile(_DOUBLED)
_OF_KIND = {
    "markdown": _OF_MARKDOWN,
    "notebook": _OF_MARKDOWN,
    "org": (_OF_ORG,),
    "rst": (_OF_RST,),
    "asciidoc": _OF_ASCIIDOC,
}
_LEFT = ("keep", "verbatim")
_SHOWN = ("escaped", "lowered", "raised", "stressed", "struck", "marked", "entity")
_SIGNS = re.compile(r"[\[\]<&\\*~^`]|==|__|##|%%")
_FENCE = re.compile(r"^[ \t>]*(?:[-*+][ \t]+|\d{1,9}[.)][ \t]+)?(`{3,}|~{3,})", re.MULTILINE)


def visible(text: str, kind: str) -> tuple[str, list[Span]]:
    """Return the text as it is seen, of the same length, and the spans of what is told but not seen."""
    hidden: list[Span] = []
    seen = text if text.isascii() else _APOSTROPHE.sub("'", text)
    if kind in _OF_KIND and _SIGNS.search(text):
        prose = [*_prose(text)] if "```" in text or "~~~" in text else [(0, len(text))]
        for pattern in _OF_KIND[kind]:
            seen = _without(seen, pattern, prose, hidden)
    return (parted_filled(seen) if kind and kind not in _NO_PROSE else seen), hidden


def parted_filled(text: str) -> str:
    """Return the text with what parts words at the ends of lines filled in behind their hyphens, at the same length."""
    if not any(hyphen in text for hyphen in ("-\n", "\u2010\n", "\u00ad\n")):
        return text
    return _LINE_END.sub(lambda match: match[1] + FILL * len(match[2]), text)


def _without(text: str, pattern: re.Pattern[str], prose: Iterable[Span], hidden: list[Span]) -> str:
    """Fill in what a pattern finds in the prose of a text, and note what is hidden."""
    parts: list[str] = []
    at = 0
    for start, end in prose:
        for match in pattern.finditer(text, start, end):
            name = match.lastgroup
            if name in _LEFT:
                continue
            parts += [text[at : match.start()], _filled(text, match, name)]
            at = match.end()
            if name is not None and name not in _SHOWN and match[name]:
                hidden.append(match.span(name))
    return "".join([*parts, text[at:]]) if parts else text


def _filled(text: str, match: re.Match[str], name: str | None) -> str:
    """Return what is seen of a match, filled up to its length: with blanks where it stands at the border of a word."""
    before = FILL if _in_word(text[match.start() - 1 : match.start()]) else " "
    after = FILL if _in_word(text[match.end() : match.end() + 1]) else " "
    if name == "entity":
        from html import unescape  # 2 ms for its table

        return unescape(match[0])[: len(match[0])].ljust(len(match[0]), after)
    if name in _SHOWN:
        return before * (match.start(name) - match.start()) + match[name] + after * (match.end() - match.end(name))
    return (before if before == after else " ") * len(match[0])


def _in_word(letter: str) -> bool:
    return letter.isalnum() or letter == FILL


def _prose(text: str) -> Iterator[Span]:
    """Give the spans of a text outside of fenced code; a fence that is not closed reaches to the end."""
    at, fence = 0, ""
    for match in _FENCE.finditer(text):
        if not fence:
            yield at, match.start()
            fence = match[1]
        elif match[1].startswith(fence):
            at, fence = match.end(), ""
    if not fence:
        yield at, len(text)
