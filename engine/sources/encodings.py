"""Turns bytes into text, tells text from anything else, and leaves out what cannot be kept."""

from __future__ import annotations

import codecs
import re

from engine.errors import SourceError

SNIFFED_BYTES = 8192  # what is looked at to tell text from anything else
MAX_SCRIPTS = 12  # blocks of 256 code points that a text in one alphabet draws on
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b\x00")) + b"\x7f"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SIGNATURES = (
    b"%PDF-",
    b"PK\x03\x04",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x7fELF",
    b"\xd0\xcf\x11\xe0",
    b"\x1f\x8b",
)
_BLANK = re.compile("[ \n\u3000-\u3002\uff0c]")
_ASIAN = "[\t-\r -~\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff00-\uffef\u2010-\u2026]"  # 5 ms to compile: when met
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def is_text(head: bytes) -> bool:
    """Tell from the first bytes of a file whether it is text in any encoding."""
    if not head or _bom_encoding(head):
        return True
    if head.startswith(_SIGNATURES):
        return False
    if b"\x00" in head:
        return _wide_encoding(head) is not None
    return _control_share(head) < 0.02


def decode(raw: bytes, label: str = "") -> str:
    """Decode a text file whole, with normalised line ends; raises SourceError where it is not text.

    `label` is the encoding that a page, a message or a server names; it is read as browsers do, and left where it
    cannot be true.
    """
    from engine.sources.encoding_detection import labelled  # a walk, which only tells text from other files, needs none

    if label and _bom_encoding(raw) is None and (text := labelled(raw, label)) is not None:
        return storable(text)
    return storable(_decode(raw))


def storable(text: str) -> str:
    """Return `text` with `\\n` line ends, no byte order mark, and U+FFFD for what SQLite could not keep."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.startswith("\ufeff"):
        text = text[1:]
    if _UNSTORABLE.search(text):
        text = _UNSTORABLE.sub("\ufffd", text)
    return text


def _decode(raw: bytes) -> str:
    from engine.sources.encoding_detection import guessed
    from engine.sources.seven_bit_text import escaped

    encoding = _bom_encoding(raw)
    if encoding is not None:
        return raw.decode(encoding, "replace")
    head = raw[:SNIFFED_BYTES]
    if raw.startswith(_SIGNATURES):
        raise SourceError("not text")
    if b"\x00" in head:
        wide = _wide_encoding(head)
        if wide is not None:
            return raw.decode(wide, "replace")
        if head.count(0) > max(2, len(head) // 200):
            raise SourceError("not text")
    if (text := escaped(raw)) is not None:
        return text
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if _control_share(head) >= 0.02:
        raise SourceError("not text")
    return guessed(raw)


def _bom_encoding(raw: bytes) -> str | None:
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return encoding
    return None


def _control_share(head: bytes) -> float:
    return 1 - len(head.translate(None, _CONTROLS)) / len(head) if head else 0.0


def _wide_encoding(head: bytes) -> str | None:
    """Recognise UTF-16 and UTF-32 without a mark by what they decode to: words, blanks, and few scripts."""
    usable = len(head) - len(head) % 4
    for encoding, high in (("utf-32-le", slice(2, usable, 4)), ("utf-32-be", slice(1, usable, 4))):
        if usable >= 8 and not any(head[high]) and _reads_well(head[:usable], encoding):
            return encoding
    for encoding, high in (("utf-16-le", slice(1, usable, 2)), ("utf-16-be", slice(0, usable, 2))):
        few = len(set(head[high])) <= MAX_SCRIPTS
        if usable >= 8 and _reads_well(head[:usable], encoding) and (few or _is_asian(head[:usable], encoding)):
            return encoding
    return None


def _reads_well(head: bytes, encoding: str) -> bool:
    text = head.decode(encoding, "ignore")
    visible = sum(character.isprintable() or character in "\t\n\r\f\ufeff" for character in text)
    blanks = len(_BLANK.findall(text))
    return visible > 0.97 * len(text) and blanks >= 0.02 * len(text)


def _is_asian(head: bytes, encoding: str) -> bool:
    """Whether nearly all is Chinese, Japanese, Korean or ASCII: half of all code points, so that noise is not."""
    text = head.decode(encoding, "ignore")
    return len(re.findall(_ASIAN, text)) > 0.97 * len(text)
