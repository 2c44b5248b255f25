"""The control words of RTF by what they mean to a reader of its text, its characters, and its code pages."""

from __future__ import annotations

import re

_SKIPPED_WRITTEN = (
    "colortbl pict themedata datastore colorschememapping latentstyles listtable listoverridetable rsidtbl "
    "generator xmlnstbl mmathPr template revtbl filetbl bkmkstart bkmkend nonshppict pntext listtext stextflow "
    "pgptbl wgrffmtfilter userprops private shprslt sp atnid atnauthor atrfstart atrfend atndate atnref "
    "atntime atnparent atnicn fchars lchars nonesttables passwordhash fontemb objdata objclass objname ftnsep ftnsepc "
    "ftncn aftnsep aftnsepc aftncn"
)
SKIPPED = frozenset(_SKIPPED_WRITTEN.split())
ASIDES = frozenset(
    ("footnote", "annotation", "shptxt", "dptxbxtext", "ffdeftext", "ffl", "ffhelptext", "ffstattext")
)  # follow the paragraph in which they stand
FURNITURE = frozenset(
    f"{place}{pages}" for place in ("header", "footer") for pages in ("", "l", "r", "f")
)  # of all pages
SHELLS = frozenset(("shpinst", "do", "object", "fldinst", "formfield"))  # hold text only in the groups that say so
READ_THOUGH_STARRED = frozenset(("shppict", "cs", "s")) | ASIDES | SHELLS
SILENT = frozenset(("nowhere", "shell", "fonttbl", "info"))
INFO = {name: name for name in ("title", "author", "subject", "keywords", "category")} | {"doccomm": "description"}
CHARACTERS = {
    "tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“",
    "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ", "qmspace": " ",
}  # fmt: skip
SYMBOLS = {b"~": " ", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}"}
CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gbk", 136: "cp950", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
PAGES = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
HEADING_NAME = re.compile(r"(?:heading|überschrift|titre|título|titolo|rubrik|kop)\s*([1-9])\b", re.IGNORECASE)
