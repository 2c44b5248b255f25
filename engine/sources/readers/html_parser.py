"""Parses HTML as browsers do: from bytes to text, and from text to a tree, mended where the parser differs."""

from __future__ import annotations

import re
from html import escape

from lxml import etree

from engine.errors import SourceError
from engine.sources.encodings import decode

_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*+=\s*+[\"']?\s*+([\w.:-]++)|<\?xml[^>]{0,100}?encoding=[\"']([\w.:-]+)", re.I
)
_WRAPPERS = re.compile(
    r"</?(?:div|span|font|center|b|i|u|em|strong|small|big|section|blockquote)\b[^<>]{0,2000}>", re.IGNORECASE
)
_LATE_BREAK = re.compile(r"</br[ \t]{0,9}/?>", re.IGNORECASE)  # for browsers a break; the parser passes it over
_END_OF_PAGE = re.compile(
    r"</(?:body|html)[ \t]{0,9}>", re.IGNORECASE
)  # browsers show what follows, the parser drops it
_CDATA = "<![CDATA["
_XHTML = re.compile(r"<\?xml\s|http://www\.w3\.org/1999/xhtml", re.IGNORECASE)
HEAD_CHARACTERS = 2000  # of a page, in which it says that it is XHTML


def html_text(raw: bytes) -> str:
    """Decode HTML: a byte order mark, UTF-8 that is sound, then what the page declares, then the likeliest."""
    declared = _CHARSET.search(raw[:4096])
    return decode(raw, (declared[1] or declared[2]).decode("ascii", "replace") if declared else "")


def parse_html(text: str) -> etree._Element | None:
    """Parse HTML as browsers do, forgiving and without the network; None where there is nothing in it."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    content = _END_OF_PAGE.sub(" ", _LATE_BREAK.sub("<br>", _with_character_data(text))).encode("utf-8", "replace")
    if not content.strip():
        return None
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        root = None
    except (ValueError, AssertionError):
        raise SourceError("not HTML") from None
    last = parser.error_log.last_error
    if last is None or last.type_name != "ERR_RESOURCE_LIMIT":
        return root
    flat = _WRAPPERS.sub(" ", text)  # the parser gave up where the page is nested too deep, as by tags never closed
    if len(flat) == len(text):
        raise SourceError("nested too deeply")
    return parse_html(flat)


def _with_character_data(text: str) -> str:
    """Write the character data of XHTML as HTML has it; the parser takes `<![CDATA[…]]>` for a comment."""
    if _CDATA not in text or not _XHTML.search(text, 0, HEAD_CHARACTERS):
        return text
    pieces, at = list[str](), 0
    while (begin := text.find(_CDATA, at)) >= 0 and (end := text.find("]]>", begin)) >= 0:
        pieces += [text[at:begin], escape(text[begin + len(_CDATA) : end], quote=False)]
        at = end + 3
    return "".join((*pieces, text[at:]))
