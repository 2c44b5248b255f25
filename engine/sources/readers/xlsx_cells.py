"""What the cells of an Excel workbook show: shared texts, numbers in their formats, what rows they make."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from lxml import etree

from engine.errors import SourceError
from engine.sources.readers.number_formats import PLAIN, NumberFormat, built_in, parsed, shown
from engine.sources.readers.ooxml import local_name, unescaped
from engine.sources.readers.zip_container import Archive

MAX_COLUMNS = 500  # a cell further right is read, but not kept in its column
MAX_SHARED = 2_000_000  # texts that cells share
_COLUMN = re.compile(r"[A-Z]{1,3}")


class Cells:
    """What the cells of one workbook say."""

    def __init__(self, archive: Archive, parts: dict[str, tuple[str, str]], workbook: etree._Element) -> None:
        """Read the texts and formats that the cells refer to; `parts` are those that the workbook names."""
        paths = dict(parts.values())
        self._shared: list[str] = []
        if "sharedStrings" in paths:
            for item in each_element(archive.read(paths["sharedStrings"]), "si"):
                self._shared.append(_text(item))
                if len(self._shared) >= MAX_SHARED:
                    break
        styles = archive.xml_if_there(paths["styles"]) if "styles" in paths else None
        self._formats = _formats(styles) if styles is not None else []
        settings = next(workbook.iter("{*}workbookPr"), None)
        self._from_1904 = settings is not None and settings.get("date1904") in ("1", "true")

    def rows(self, content: bytes, most: int) -> Iterator[list[str]]:
        """Give the rows of a sheet that hold anything, at most so many; the tree of a sheet is never built whole."""
        given = 0
        for row in each_element(content, "row"):
            kept: list[str] = []
            for cell in row.iter("{*}c"):
                words = self.words(cell)
                column = _column_of(str(cell.get("r") or ""))
                if 0 <= column < MAX_COLUMNS and column > len(kept) and words:
                    kept += [""] * (column - len(kept))
                kept.append(words)
            if any(kept):
                yield kept
                given += 1
            if given >= most:
                return

    def words(self, cell: etree._Element) -> str:
        """Return what a cell shows; "" for an empty one and for an error."""
        kind = cell.get("t")
        if kind == "inlineStr":
            return _text(cell)
        value = next((child.text or "" for child in cell if local_name(child) == "v"), "")
        if kind == "s":
            index = _whole(value)
            return self._shared[index] if 0 <= index < len(self._shared) else ""
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        if kind == "d":
            return value.removesuffix("T00:00:00")
        if kind == "e" or not value or kind == "str":
            return "" if kind == "e" else unescaped(value)
        style = _whole(cell.get("s"))
        form = self._formats[style] if 0 <= style < len(self._formats) else PLAIN
        return shown(value, form, self._from_1904)


def each_element(content: bytes, *names: str) -> Iterator[etree._Element]:
    """Give the elements of these names one by one, and forget each when the next is asked for."""
    found = etree.iterparse(
        io.BytesIO(content),
        tag=[f"{{*}}{name}" for name in names],
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        for _, element in found:
            yield element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError:
        raise SourceError("damaged XML in a sheet") from None


def _column_of(reference: str) -> int:
    """Return the column of a cell such as `AB12`, counted from 0; -1 where it names none."""
    letters = _COLUMN.match(reference)
    number = 0
    for letter in letters[0] if letters else "":
        number = number * 26 + ord(letter) - 64
    return number - 1


def _text(item: etree._Element) -> str:
    """Return the text of an item without its phonetic reading."""
    return unescaped(
        "".join(
            text.text or ""
            for text in item.iter("{*}t")
            if not any(local_name(above) == "rPh" for above in text.iterancestors())
        )
    )


def _formats(styles: etree._Element) -> list[NumberFormat]:
    """Return the formats of the cell styles, by their number."""
    written = {
        _whole(each.get("numFmtId")): parsed(str(each.get("formatCode") or "")) for each in styles.iter("{*}numFmt")
    }
    listed = next(styles.iter("{*}cellXfs"), None)
    numbers = [_whole(style.get("numFmtId")) for style in (listed if listed is not None else ())]
    return [written.get(number) or built_in(number) for number in numbers]


def _whole(written: object) -> int:
    """Read a number of a style or a text; -1 where it is none."""
    digits = str(written)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else -1
