"""The headers of a message as a person reads them: encoded words, old charsets and broken bytes are decoded.

The standard library's own decoding raises on malformed headers, and gives up where a character was cut in two.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re
from email.message import Message
from email.utils import collapse_rfc2231_value

from engine.errors import SourceError
from engine.sources.encodings import decode, storable

_ENCODED = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\n]{0,100000})\?=")
_BETWEEN = re.compile(r"[ \t\r\n]*")
_SEVEN_BIT = ("iso-2022", "iso2022", "hz", "utf-7", "unicode-1-1-utf-7", "csiso2022")
_PRACTICE = {  # what is written under these names holds more than they allow
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
    "unicode-1-1-utf-7": "utf-7",
    "iso-8859-8-i": "iso-8859-8",
}


def header(message: Message, name: str) -> str:
    """Return all headers of a name on one line, "" where there is none."""
    values = [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]
    return ", ".join(filter(None, map(decoded_words, values)))


def file_name(part: Message) -> str:
    """Return the name that a part has, without folders, "" where it has none."""
    for key, parameter in (("content-disposition", "filename"), ("content-type", "name")):
        try:
            value = part.get_param(parameter, None, key)
            written = collapse_rfc2231_value(value) if value else ""
        except Exception:  # the standard library raises many kinds on malformed parameters
            written = ""
        if words := decoded_words(written):
            return words.replace("\\", "/").rpartition("/")[2] or words
    return ""


def decoded_words(value: str) -> str:
    """Return the value of a header on one line; encoded words beside each other are one, as their bytes may be."""
    pieces: list[str] = []
    pending, label, at = b"", "", 0
    for word in _ENCODED.finditer(value):
        between = value[at : word.start()]
        charset = word[1].partition("*")[0].lower()
        if not (pending and _BETWEEN.fullmatch(between) and charset == label):
            pieces.append(decoded_bytes(pending, label) if pending else "")
            pending = b""
            pieces.append("" if at and _BETWEEN.fullmatch(between) else _plain(between))
        pending, label, at = pending + _word_bytes(word[2], word[3]), charset, word.end()
    pieces.append(decoded_bytes(pending, label) if pending else "")
    pieces.append(_plain(value[at:]))
    return " ".join(storable("".join(pieces)).split())


def _word_bytes(form: str, written: str) -> bytes:
    raw = written.encode("utf-8", "surrogateescape")
    if form in "qQ":
        return quopri.decodestring(raw.replace(b"_", b" "), header=False)
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4))
    except (binascii.Error, ValueError):
        return raw


def _plain(text: str) -> str:
    """Return what stands in a header as it is; bytes that should not be there are decoded."""
    if text.isascii():
        return text
    return decoded_bytes(text.encode("utf-8", "surrogateescape"), "")


def decoded_bytes(raw: bytes, label: str) -> str:
    """Decode text that declares a charset, "" for none; one that is wrong or unknown leaves it to be guessed."""
    name = label.strip().strip("\"'").lower()
    codec = _codec(_PRACTICE.get(name, name))
    if codec and name.startswith(_SEVEN_BIT):
        return storable(raw.decode(codec, "replace"))
    try:
        return storable(raw.decode("utf-8"))  # which nothing else looks like, whatever was declared
    except UnicodeDecodeError:
        pass
    if codec and codec not in ("ascii", "utf-8"):
        try:
            return storable(raw.decode(codec))
        except UnicodeDecodeError:
            pass
    try:
        return decode(raw)
    except SourceError:
        return ""


def _codec(name: str) -> str:
    """Return the codec of text for a name, "" where there is none."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    return found.name if getattr(found, "_is_text_encoding", True) else ""
