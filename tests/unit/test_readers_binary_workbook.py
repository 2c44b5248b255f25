"""Workbooks in Excel's binary formats, and the other things that are called `.xls`."""

from __future__ import annotations

import io
import struct
from datetime import date, datetime
from pathlib import Path

import pytest
import xlwt
from reading import archive, headings, read, reason

RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"


def xls() -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Harvest")
    for column, name in enumerate(("Plant", "Weight", "Day", "Moment", "Spent")):
        sheet.write(0, column, name)
    sheet.write(1, 0, "Žluté fazole")
    sheet.write(1, 1, 3.5)
    for column, value, code in (
        (2, date(2024, 2, 1), "yyyy-mm-dd"),
        (3, datetime(2024, 2, 1, 10, 30), "yyyy-mm-dd hh:mm"),
        (4, 1.5, "[h]:mm"),
    ):
        sheet.write(1, column, value, xlwt.easyxf(num_format_str=code))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def record(number: int, content: bytes = b"") -> bytes:
    """Return one record of an XLSB part: its number and length in seven bits each, then its content."""
    head = bytes([number]) if number < 128 else bytes([number & 127 | 128, number >> 7])
    return head + bytes([len(content)]) + content


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb() -> bytes:
    named = struct.pack("<II", 0, 1) + wide("rId1") + wide("Harvest")
    book = b"".join((record(0x83), record(0x8F), record(0x9C, named), record(0x90), record(0x84)))
    sheet = record(0x81) + record(0x94, struct.pack("<IIII", 0, 1, 0, 1)) + record(0x91)
    for row, (plant, weight) in enumerate((("Plant", "Weight"), ("Beans", "3 kg"))):
        sheet += record(0, struct.pack("<II", row, 0) + bytes(17))
        sheet += record(6, struct.pack("<II", 0, 0) + wide(plant)) + record(6, struct.pack("<II", 1, 0) + wide(weight))
    sheet += record(0x92) + record(0x82)
    relation = f'<Relationship Id="rId1" Type="{RELATION}" Target="worksheets/sheet1.bin"/>'
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    relations = f'<Relationships xmlns="{space}">{relation}</Relationships>'
    members = {"xl/workbook.bin": book, "xl/worksheets/sheet1.bin": sheet, "xl/_rels/workbook.bin.rels": relations}
    return archive(members)


def test_an_xls_is_set_out_as_any_sheet_is(tmp_path: Path) -> None:
    document = read(tmp_path, "a.xls", xls())
    assert headings(document) == [(1, "Harvest"), (2, "Plant | Weight | Day | Moment | Spent")]
    assert document.text.endswith("\n\nŽluté fazole | 3.5 | 2024-02-01 | 2024-02-01 10:30 | 36:00")
    assert document.kind == "xls"


@pytest.mark.parametrize("name", ["a.xlsb", "a.xls"])
def test_an_xlsb_is_set_out_as_any_sheet_is(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, name, xlsb()).text == "Harvest\n\nPlant | Weight\n\nBeans | 3 kg"


def test_pages_tables_and_xml_that_are_called_xls_are_read(tmp_path: Path) -> None:
    rows = "<tr><td>Plant</td><td>Weight</td></tr><tr><td>Beans</td><td>3</td></tr>"
    page = f"<html><body><table>{rows}</table></body></html>"
    assert "Beans | 3" in read(tmp_path, "a.xls", page).text
    assert "Beans | 3" in read(tmp_path, "b.xls", "Plant\tWeight\nBeans\t3\n").text
    cells = "".join(f"<Cell><Data>{words}</Data></Cell>" for words in ("Beans", "3"))
    xml = (
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="Harvest"><Table>'
        f"<Row>{cells}</Row></Table></Worksheet></Workbook>"
    )
    assert read(tmp_path, "c.xls", xml).text == "Harvest\n\nBeans | 3"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "truncated or damaged XLS"),
        (b"\x09\x02\x06\x00" + bytes(20), "older than Excel 5: save as .xlsx"),
        (bytes(range(1, 32)) * 20, "truncated or damaged XLS"),
        (xls()[:900], "truncated or damaged XLS"),
    ],
)
def test_an_xls_that_is_none_says_why(tmp_path: Path, content: bytes, expected: str) -> None:
    assert reason(tmp_path, "a.xls", content) == expected
