"""Arabic and Hebrew of a PDF in the order in which they are read, where one glyph stands for several letters.

PDFium takes the glyphs of a line as they stand on the page and turns what runs from right to left around, letter by
letter. So letters that a font writes with one glyph, as lam and alef or a whole word, come out backwards. They are
known by their place: they share one box. A ligature that has a code point of its own is set out the right way round.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

from pypdfium2 import raw as pdfium_c

if TYPE_CHECKING:
    import pypdfium2 as pdfium

LETTERS = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff"  # of Hebrew, Arabic, Syriac and their kin, with their marks
_RIGHT_TO_LEFT = re.compile(f"[{LETTERS}]")
_RUN = re.compile(f"[{LETTERS}]{{2,}}")
_FORMS = (*range(0xFB1D, 0xFE00), *range(0xFE70, 0xFF00))  # of presentation: ligatures that have a code point


def in_reading_order(text: str, page: pdfium.PdfTextPage) -> str:
    """Return the text of a page with the letters of its glyphs in the order in which they are read."""
    if not _RIGHT_TO_LEFT.search(text):
        return text
    pieces: list[str] = []
    reached = 0
    for run in _turned(page):
        at = text.find(run, reached)
        if at >= 0:
            pieces += [text[reached:at], run[::-1]]
            reached = at + len(run)
    return "".join([*pieces, text[reached:]])


def _turned(page: pdfium.PdfTextPage) -> Iterator[str]:
    """Give the letters of each glyph that stand in the wrong order, in the order of the page."""
    count = page.count_chars()
    for _, indices in groupby(range(count), key=lambda index: page.get_charbox(index)):
        letters = "".join(chr(pdfium_c.FPDFText_GetUnicode(page, index)) for index in indices)
        for run in _RUN.findall(letters):
            if run not in _ligatures() and run != run[::-1]:
                yield run


@cache
def _ligatures() -> frozenset[str]:
    """Return what the ligatures stand for that have a code point of their own."""
    set_out = (unicodedata.normalize("NFKC", chr(form)).strip() for form in _FORMS)
    return frozenset(each for each in set_out if len(each) > 1)
