"""Excel's binary workbooks (XLS, XLSB), read by calamine and set out as sheets are, and what else is called `.xls`.

Programs that export tables call pages, plain tables and XML so, because Excel opens them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice

from lxml import etree

from engine.errors import SourceError
from engine.records import Document
from engine.sources.encodings import SNIFFED_BYTES, is_text
from engine.sources.readers import csv, html, xlsx
from engine.sources.readers.number_formats import NumberFormat, shown
from engine.sources.readers.ooxml import local_name
from engine.sources.readers.source_file import Source
from engine.sources.readers.text_builder import TextBuilder
from engine.sources.readers.xlsx import MAX_ROWS, add_sheet
from engine.sources.readers.zip_container import parse_xml

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_BEFORE_OLE = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00")  # Excel 2 to 4
_DURATION = NumberFormat("elapsed", unit="h")


def read(source: Source) -> Document:
    """Read an .xls or .xlsb file, whatever it is in truth."""
    raw = source.raw
    if raw.startswith(_ZIP):
        return _by_calamine(source) if b"workbook.bin" in raw else xlsx.read(source)
    if raw.startswith(_OLE):
        return _by_calamine(source)
    if raw.startswith(_BEFORE_OLE):
        raise SourceError("older than Excel 5: save as .xlsx")
    if not is_text(raw[:SNIFFED_BYTES]):
        raise SourceError("truncated or damaged XLS")
    start = raw[:SNIFFED_BYTES].lower()
    if b"urn:schemas-microsoft-com:office:spreadsheet" in start and b"<workbook" in start:
        return _from_xml(source)
    return html.read(source) if raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" else csv.read(source)


def _by_calamine(source: Source) -> Document:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    builder, cut = TextBuilder(), False
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(source.raw))
        for name in workbook.sheet_names:
            rows = [
                list(map(_words, row)) for row in islice(workbook.get_sheet_by_name(name).iter_rows(), MAX_ROWS + 1)
            ]
            cut = cut or len(rows) > MAX_ROWS
            add_sheet(builder, name, rows[:MAX_ROWS])
    except PasswordError:
        raise SourceError("encrypted") from None
    except CalamineError:
        raise SourceError("truncated or damaged XLS") from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # a fault of the library, of no type that could be named here
            raise SourceError("truncated or damaged XLS") from None
        raise
    return _document(source, builder, cut)


def _words(value: object) -> str:
    """Return what a cell shows."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, timedelta):
        return shown(str(value.total_seconds() / 86_400), _DURATION)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}".removesuffix(" 00:00:00").removesuffix(":00")
    if isinstance(value, time):
        return f"{value:%H:%M:%S}".removesuffix(":00")
    return f"{value:%Y-%m-%d}" if isinstance(value, date) else str(value)


def _from_xml(source: Source) -> Document:
    """Read the XML that Excel 2003 wrote."""
    root = parse_xml(source.raw, "damaged XML, or no workbook")
    builder, cut = TextBuilder(), False
    for sheet in root.iter("{*}Worksheet"):
        rows = [list(_xml_cells(row)) for row in islice(sheet.iter("{*}Row"), MAX_ROWS + 1)]
        cut = cut or len(rows) > MAX_ROWS
        name = next((str(value) for key, value in sheet.attrib.items() if str(key).endswith("}Name")), "")
        add_sheet(builder, name, rows[:MAX_ROWS])
    return _document(source, builder, cut)


def _xml_cells(row: etree._Element) -> Iterator[str]:
    for cell in row.iter("{*}Cell"):
        yield " ".join("".join(map(str, part.itertext())) for part in cell if local_name(part) in ("Data", "Comment"))


def _document(source: Source, builder: TextBuilder, cut: bool) -> Document:
    text, blocks = builder.finish()
    if not any(block.kind != "heading" or block.level > 1 for block in blocks):
        raise SourceError("no text inside")
    metadata = {"left out": f"rows after the first {MAX_ROWS} of a sheet"} if cut else {}
    return source.document("xls", text, blocks, "", metadata=metadata)
