"""Excel: each sheet is a heading, each row a line of its cells as they were last computed, column names over them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from lxml import etree

from engine.errors import SourceError
from engine.records import Document
from engine.sources.readers.csv import line_of, names_row, without_empty_columns
from engine.sources.readers.frontmatter import as_tags
from engine.sources.readers.ooxml import core_properties, local_name, named_title, related_parts, relation_of
from engine.sources.readers.source_file import Source
from engine.sources.readers.text_builder import TextBuilder
from engine.sources.readers.zip_container import Archive

MAX_ROWS = 20_000  # of one sheet: what follows is data to compute with, and would take an hour to embed
MAX_COLUMNS = 500  # a cell further right is read, but not kept in its column
MAX_SHARED = 2_000_000  # texts that cells share
_WORKBOOK = "xl/workbook.xml"
_BUILT_IN_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))  # ECMA-376 18.8.30
_DATE_CODE = re.compile(r"[ymdhs]", re.IGNORECASE)
_LITERAL = re.compile(r"\"[^\"]*+\"|\[[^\[\]]*+\]|\\.|_.|\*.")
_COLUMN = re.compile(r"[A-Z]{1,3}")
_LAST_DAY = 2_958_465  # 9999-12-31


def read(source: Source) -> Document:
    """Read an .xlsx file; sheets that are hidden are read too, for they are found only by searching."""
    archive = Archive(source.raw, "XLSX")
    if _WORKBOOK not in archive.names:
        raise SourceError("a ZIP file, but no XLSX")
    workbook = archive.xml(_WORKBOOK)
    parts = related_parts(archive, _WORKBOOK)
    cells = _Cells(archive, parts, workbook)
    builder, cut = TextBuilder(), False
    for sheet in workbook.iter("{*}sheet"):
        what, path = parts.get(relation_of(sheet), ("", ""))
        if what == "worksheet":
            rows = list(_rows(archive.read(path), cells))
            cut = cut or len(rows) > MAX_ROWS
            add_sheet(builder, str(sheet.get("name") or ""), rows[:MAX_ROWS])
    text, blocks = builder.finish()
    if not any(block.kind != "heading" or block.level > 1 for block in blocks):
        raise SourceError("no text inside")
    properties = core_properties(archive)
    title = named_title(properties)
    if cut:
        properties["left out"] = f"rows after the first {MAX_ROWS} of a sheet"
    return source.document(
        "xlsx", text, blocks, title, tags=as_tags(properties.pop("keywords", "")), metadata=properties
    )


def add_sheet(builder: TextBuilder, name: str, rows: Sequence[list[str]]) -> None:
    """Add one sheet under its name; a row that names the columns is the heading of those below."""
    rows = without_empty_columns([row for row in rows if any(cell.strip() for cell in row)])
    if not rows:
        return
    builder.heading(name, 1)
    names = names_row(rows)
    if names is not None:
        builder.add("table", "\n".join(map(line_of, rows[:names])))
        builder.heading(line_of(rows[names]), 2)
        rows = rows[names + 1 :]
    builder.add("table", "\n".join(map(line_of, rows)))


def _rows(content: bytes, cells: _Cells) -> Iterator[list[str]]:
    """Give the rows of a sheet, one more than is kept at most; the tree of a large sheet is never built whole."""
    given = 0
    for row in _each(content, "row"):
        kept: list[str] = []
        for cell in row.iter("{*}c"):
            words = cells.words(cell)
            column = _column(str(cell.get("r") or ""))
            if 0 <= column < MAX_COLUMNS and column > len(kept) and words:
                kept += [""] * (column - len(kept))
            kept.append(words)
        if any(kept):
            yield kept
            given += 1
        if given > MAX_ROWS:
            return


def _each(content: bytes, name: str) -> Iterator[etree._Element]:
    """Give the elements of a name one by one, and forget each when the next is asked for."""
    found = etree.iterparse(
        io.BytesIO(content),
        tag=f"{{*}}{name}",
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


def _column(reference: str) -> int:
    """Return the column of a cell such as `AB12`, counted from 0; -1 where it names none."""
    letters = _COLUMN.match(reference)
    number = 0
    for letter in letters[0] if letters else "":
        number = number * 26 + ord(letter) - 64
    return number - 1


class _Cells:
    """What the cells of one workbook say: shared texts, and numbers that are dates."""

    def __init__(self, archive: Archive, parts: dict[str, tuple[str, str]], workbook: etree._Element) -> None:
        paths = dict(parts.values())
        self._shared: list[str] = []
        if "sharedStrings" in paths:
            for item in _each(archive.read(paths["sharedStrings"]), "si"):
                self._shared.append(_text(item))
                if len(self._shared) >= MAX_SHARED:
                    break
        styles = archive.xml_if_there(paths["styles"]) if "styles" in paths else None
        self._dated = _dated_styles(styles) if styles is not None else frozenset[int]()
        settings = next(workbook.iter("{*}workbookPr"), None)
        counts_from_1904 = settings is not None and settings.get("date1904") in ("1", "true")
        self._day_zero = datetime(1904, 1, 1) if counts_from_1904 else datetime(1899, 12, 30)

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
            return "" if kind == "e" else value
        return self._number(value, _whole(cell.get("s")) in self._dated)

    def _number(self, value: str, is_date: bool) -> str:
        try:
            number = float(value)
        except ValueError:
            return value
        if is_date and 0 <= number <= _LAST_DAY:
            moment = self._day_zero + timedelta(seconds=round(number * 86_400))
            if number < 1:
                return f"{moment:%H:%M}"
            return f"{moment:%Y-%m-%d}" if number == int(number) else f"{moment:%Y-%m-%d %H:%M}"
        return f"{number:.15g}"  # Excel's own precision: 0.1 + 0.2 is stored as 0.30000000000000004


def _text(item: etree._Element) -> str:
    """Return the text of an item without its phonetic reading."""
    return "".join(
        text.text or ""
        for text in item.iter("{*}t")
        if not any(local_name(above) == "rPh" for above in text.iterancestors())
    )


def _dated_styles(styles: etree._Element) -> frozenset[int]:
    """Return the numbers of the cell styles that show a number as a date or a time."""
    dated = set(_BUILT_IN_DATES)
    for written in styles.iter("{*}numFmt"):
        if _DATE_CODE.search(_LITERAL.sub("", str(written.get("formatCode") or ""))):
            dated.add(_whole(written.get("numFmtId")))
    formats = next(styles.iter("{*}cellXfs"), None)
    return frozenset(
        index
        for index, style in enumerate(formats if formats is not None else ())
        if _whole(style.get("numFmtId")) in dated
    )


def _whole(written: object) -> int:
    """Read a number of a style or a text; -1 where it is none."""
    digits = str(written)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else -1
