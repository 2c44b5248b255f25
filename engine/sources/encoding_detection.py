"""Finds the encoding of text that is not UTF-8: what it declares, what its label means on the web, else the likeliest.

Two libraries judge bytes that say nothing of themselves, for each knows what the other does not: chardetng, the judge
of Firefox, tells a foreign name in an English sentence; chardet tells the languages of Central Europe apart, the code
pages of DOS and of old Macs. On 1,189 English notes with a few foreign words chardet alone was right 666 times, the two
1,028 times; on 352 texts of 3,000 letters in 33 languages chardetng 349 times, the two 352 times.
"""

from __future__ import annotations

import codecs
import re

import webencodings

SAMPLED_BYTES = 64 * 1024  # that are judged: an answer does not improve with more
DECLARING_BYTES = 4096  # at either end of a file, where a declaration stands
MANY_BYTES = 64  # above 127: enough for the statistics of a language
FEW_BYTES = 6  # above 127: too little for them, however short the text
SPARSE_SHARE = 0.2  # of words with bytes above 127, below which a text is one in ASCII with foreign words
SOUND_SHARE = 0.2  # of lines in UTF-8: below it, lines in an Asian encoding may look so by chance
MIXED_SHARE = 0.5  # of foreign words, above which letters of two scripts in one word tell a wrong encoding
RIGHT = 10  # letters for each byte at odds with an encoding that is taken for a text's

_CONTROLS = re.compile(rb"[\x80-\x9f]")  # signs of no ISO 8859; code pages of Windows have quotes and dashes there
_HIGH = bytes(range(128, 256))
_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")
_DECLARED = re.compile(
    rb"(?:\b(?:file)?(?:en)?coding|\bfenc|\bcharset)[ \t]{0,9}[=:][ \t]{0,9}[\"']?([A-Za-z][\w.:-]{1,40})"
    rb"|@charset[ \t]{1,9}[\"']([\w.:-]{1,40})|\\usepackage\[([\w.-]{1,40})\]\{inputenc\}",
    re.IGNORECASE,
)
_OTHER_NAMES = {
    "ansinew": "cp1252",
    "applemac": "mac_roman",
    "latin9": "iso-8859-15",
    "latin10": "iso-8859-16",
}  # LaTeX
_WIDER = {"gbk": "gb18030", "iso2022_jp": "iso2022_jp_ext"}  # the same signs and more
_NO_TEXT = frozenset(("undefined", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "unicode-escape"))
_SAYS_NOTHING = frozenset(("us-ascii", "ascii", "unknown-8bit", "binary"))  # of bytes above 127
_WIDE = ("utf-16", "utf-32")
_OWN_ESCAPES = (*_WIDE, "utf-7", "hz", "iso2022")  # where plain ASCII stands for other letters
_ASIAN = frozenset(("cp932", "shift_jis", "euc_jp", "gb18030", "big5hkscs", "cp949", "johab"))
_LETTERS = re.compile(r"[^\W\d_]+")
_OTHER = "[\u0370-\u06ff\ufb50-\ufefc]"  # Greek to Arabic
_TWO_SCRIPTS = re.compile(f"[A-Za-z]{_OTHER}|{_OTHER}[A-Za-z]")
_HANGUL_AMONG_LATIN = re.compile("[a-z][\uac00-\ud7a3]|[\uac00-\ud7a3][a-z]")  # a short Latin text taken for Johab
_MANGLED = re.compile("[^\x00-\x7f\ufffd]")
_SIGN_IN_WORD = re.compile(r"(?<=[^\W\d_])[¦©«¬®±¶»](?=[^\W\d_])")  # š, ť, ž and others of ISO 8859-2 taken for cp1250


def codec_of(label: str) -> str | None:
    """Return Python's codec for a label as the web reads it, where `iso-8859-1` is windows-1252; None for no label."""
    label = _OTHER_NAMES.get(label.lower(), label)
    found = webencodings.lookup(label)
    try:
        named = codecs.lookup(found.codec_info.name if found is not None else label).name
        if found is not None and found.name in ("replacement", "x-user-defined"):  # what browsers no longer read
            named = codecs.lookup(label).name
        if not codecs.lookup(named)._is_text_encoding:  # base64 and its kin, which a message names
            return None
    except LookupError:
        return None
    return None if named in _NO_TEXT else _WIDER.get(named, named)


def labelled(raw: bytes, label: str) -> str | None:
    """Decode bytes that somebody gave a label; None where the label is unknown or cannot be true.

    Sound UTF-8 beats the label, for it is never sound by chance, and many programs wrote the wrong one.
    """
    codec = codec_of(label)
    if codec is None or label.lower() in _SAYS_NOTHING or (codec.startswith(_WIDE) and b"\x00" not in raw):
        return None
    try:
        return raw.decode("utf-8" if not codec.startswith(_OWN_ESCAPES) and _is_utf8(raw) else codec)
    except (UnicodeError, LookupError):
        return None if codec == "utf-8" else _nearly(raw, codec)


def guessed(raw: bytes) -> str:
    """Decode bytes that are not UTF-8 as a whole: as they declare, as what they look like, line by line where mixed."""
    declared = _declared(raw)
    if declared is not None:
        return declared
    lines = raw.splitlines(keepends=True)
    broken = [line for line in lines if not _is_utf8(line)]
    sound = sum(not line.isascii() for line in lines) - len(broken)
    foreign = [line for line in broken if not _is_damaged(line)]
    if not foreign:
        return raw.decode("utf-8", "replace")
    whole = not sound and len(raw) <= SAMPLED_BYTES
    codec = _likeliest(raw if whole else b"".join(foreign)[:SAMPLED_BYTES])
    if (not sound and len(foreign) == len(broken)) or (codec in _ASIAN and sound < SOUND_SHARE * len(broken)):
        return raw.decode(codec, "replace")
    return "".join(_line(line, codec) for line in lines)


def _declared(raw: bytes) -> str | None:
    """Decode a text as it says itself, in the ways of Python (PEP 263), editors, XML, CSS, LaTeX and gettext."""
    for part in (raw[:DECLARING_BYTES], raw[-DECLARING_BYTES:]):
        for match in _DECLARED.finditer(part):
            codec = codec_of(next(filter(None, match.groups())).decode("ascii", "replace"))
            if codec and not codec.startswith("utf"):
                try:
                    return raw.decode(codec)
                except UnicodeError:
                    continue
    return None


def _line(line: bytes, codec: str) -> str:
    is_utf8 = _is_utf8(line) or _is_damaged(line)
    return line.decode("utf-8" if is_utf8 else codec, "replace")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_damaged(line: bytes) -> bool:
    """Whether a line that is not UTF-8 was: most of its letters still are."""
    repaired = line.decode("utf-8", "replace")
    return len(_MANGLED.findall(repaired)) > repaired.count("\ufffd")


def _likeliest(sample: bytes) -> str:
    """Return the codec that text most likely is in, by the judge who knows best about so much of it."""
    high = len(sample) - len(sample.translate(None, _HIGH))
    words = _WORD.findall(sample) if high < MANY_BYTES else []
    foreign = sum(not word.isascii() for word in words)
    sparse = high < MANY_BYTES and (high < FEW_BYTES or foreign < SPARSE_SHARE * len(words))
    for judge in (_by_letters, _by_languages) if sparse else (_by_languages, _by_letters):
        codec = codec_of(judge(sample))
        if codec == "iso8859-13" and _CONTROLS.search(sample):  # the judge knows Lithuanian by this name only
            codec = "cp1257"
        if codec == "cp1250" and not _CONTROLS.search(sample) and _SIGN_IN_WORD.search(sample.decode(codec, "replace")):
            codec = "iso8859-2"
        text = _nearly(sample, codec) if codec and not codec.startswith(("utf", "ascii")) else None
        mixing = _HANGUL_AMONG_LATIN if codec == "johab" else _TWO_SCRIPTS
        if codec and text is not None and not _mixes_scripts(text, mixing):
            return codec
    return "cp1252"


def _mixes_scripts(text: str, mixing: re.Pattern[str]) -> bool:
    """Whether most foreign words are put together of Latin letters and others, as those of no language are."""
    words = [word for word in _LETTERS.findall(text) if not word.isascii()]
    return sum(mixing.search(word) is not None for word in words) > MIXED_SHARE * len(words)


def _by_letters(sample: bytes) -> str:
    import chardetng_py  # few files need it

    return str(chardetng_py.detect(sample, allow_utf8=False))


def _by_languages(sample: bytes) -> str:
    import chardet  # 60 ms, and few files need it

    return str(chardet.detect(sample)["encoding"] or "")


def _nearly(raw: bytes, codec: str) -> str | None:
    """Decode bytes of which hardly any are at odds with the codec; None where more are."""
    try:
        text = raw.decode(codec, "replace")
    except (UnicodeError, LookupError):
        return None
    return text if text.count("\ufffd") * RIGHT <= len(_MANGLED.findall(text)) else None
