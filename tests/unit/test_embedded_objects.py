"""Files that lie in Office documents as objects are read under their names, and named where nothing reads them."""

from __future__ import annotations

import base64
import struct
from pathlib import Path

import pytest
from reading import archive, headings, read
from test_readers_office import OFFICE, compound, relations, shape_xml, slide
from test_readers_office_parts import workbook
from test_readers_opendocument import SPACES, content

from engine.records import Document

NOTE = b"# Nightjar\n\nIt calls at dusk.\n"
WORDS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def packed(name: str, raw: bytes, in_unicode: str = "") -> bytes:
    """Wrap a file as the packager of Windows does; its names may stand behind it once more."""
    written = name.encode("cp1252", "replace") + b"\0"
    path = b"C:\\x\\" + written
    wrapped = b"\2\0" + written + path + b"\0\0\3\0" + struct.pack("<I", len(path)) + path
    wrapped += struct.pack("<I", len(raw)) + raw
    names = (rf"C:\x\{in_unicode}", in_unicode) if in_unicode else ()
    return wrapped + b"".join(struct.pack("<I", len(each)) + each.encode("utf-16-le") for each in names)


def object_of(wrapped: bytes) -> bytes:
    return compound({"\x01Ole10Native": struct.pack("<I", len(wrapped)) + wrapped})


OBJECT = object_of(packed("?.md", NOTE, "Отчёт.md"))
BOOK = workbook("Zebrafinch")
LETTER = archive(
    {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": content("text", "<text:p>Zebrafinch</text:p>"),
    }
)


def word_file(held: bytes = OBJECT, what: str = "oleObject", path: str = "embeddings/oleObject1.bin") -> bytes:
    body = "<w:body><w:p><w:r><w:t>Before.</w:t></w:r></w:p></w:body>"
    written = f'<w:document xmlns:w="{WORDS}">{body}</w:document>'
    parts = relations(("r1", what, path))
    return archive({"word/document.xml": written, "word/_rels/document.xml.rels": parts, f"word/{path}": held})


def talk() -> bytes:
    return archive(
        {
            "ppt/presentation.xml": slide('<p:sldId id="1" r:id="r1"/>'),
            "ppt/_rels/presentation.xml.rels": relations(("r1", "slide", "1.xml")),
            "ppt/1.xml": slide(shape_xml("Before.")),
            "ppt/_rels/1.xml.rels": relations(("r1", "oleObject", "o.bin"), ("r2", "chart", "c.xml")),
            "ppt/o.bin": OBJECT,
            "ppt/c.xml": slide(),
            "ppt/_rels/c.xml.rels": relations(("r1", "package", "numbers.xlsx")),
            "ppt/numbers.xlsx": BOOK,
        }
    )


def sheet() -> bytes:
    cell = '<row><c t="inlineStr"><is><t>Before.</t></is></c></row>'
    return archive(
        {
            "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}"><sheet name="S" r:id="s"/></workbook>',
            "xl/_rels/workbook.xml.rels": relations(("s", "worksheet", "s.xml")),
            "xl/s.xml": f'<worksheet xmlns="{SHEET}"><sheetData>{cell}</sheetData></worksheet>',
            "xl/_rels/s.xml.rels": relations(("r1", "oleObject", "o.bin")),
            "xl/o.bin": OBJECT,
        }
    )


def text_document() -> bytes:
    body = '<text:p>Before.<draw:frame><draw:object-ole xlink:href="./Object 1"/></draw:frame></text:p>'
    return archive({"content.xml": content("text", body), "Object 1": OBJECT})


def flat() -> bytes:
    held = f"<office:binary-data>{base64.b64encode(OBJECT).decode()}</office:binary-data>"
    body = f"<text:p>Before.<draw:object-ole>{held}</draw:object-ole></text:p>"
    inside = f"<office:body><office:text>{body}</office:text></office:body>"
    return f"<office:document {SPACES}>{inside}</office:document>".encode()


def rich() -> bytes:
    wrapped = packed("?.md", NOTE, "Отчёт.md")
    written = b"".join(
        (struct.pack("<III", 0x501, 2, 8), b"Package\0", struct.pack("<III", 0, 0, len(wrapped)), wrapped)
    ).hex()
    digits = "\r\n".join(written[at : at + 77] for at in range(0, len(written), 77))
    return rf"{{\rtf1 Before.{{\object\objemb{{\*\objclass Package}}{{\*\objdata {digits}}}}}\par}}".encode()


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("a.docx", word_file()),
        ("a.pptx", talk()),
        ("a.xlsx", sheet()),
        ("a.odt", text_document()),
        ("a.fodt", flat()),
        ("a.rtf", rich()),
    ],
)
def test_a_packed_file_is_read_under_its_own_name(tmp_path: Path, name: str, held: bytes) -> None:
    document = read(tmp_path, name, held)
    assert headings(document)[-2:] == [(1, f"{name} › Отчёт.md"), (1, "Nightjar")]
    assert document.text.count("It calls at dusk.") == document.text.count("Before.") == 1
    assert "Zebrafinch" not in document.text  # the numbers behind a chart are no file


def said(folder: Path, *part: bytes | str) -> Document:
    return read(folder, "a.docx", word_file(*part))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("held", "what", "path", "name"),
    [
        (BOOK, "package", "embeddings/Budget.xlsx", "Budget.xlsx"),
        (BOOK, "oleObject", "embeddings/o.bin", "o.xlsx"),
        (compound({"Package": BOOK}), "oleObject", "embeddings/o.bin", "o.xlsx"),
        (b"{\\rtf1 Zebrafinch\\par}", "oleObject", "embeddings/o.bin", "o.rtf"),
        (LETTER, "package", "embeddings/o.bin", "o.odt"),
    ],
    ids=["package", "bare", "wrapped", "rtf", "odt"],
)
def test_an_object_is_read_as_what_it_is(tmp_path: Path, held: bytes, what: str, path: str, name: str) -> None:
    document = said(tmp_path, held, what, path)
    assert (1, f"a.docx › {name}") in headings(document)
    assert "Zebrafinch" in document.text


def test_what_no_reader_takes_is_named_and_what_is_no_file_is_not(tmp_path: Path) -> None:
    assert said(tmp_path, object_of(packed("song.mp3", b"\0\1"))).text.endswith("song.mp3 (no reader for .mp3)")
    old = said(tmp_path, compound({"WordDocument": b"x"}))
    assert old.text.endswith("oleObject1.doc (old binary format: save as .docx)")
    for held in (compound({"Equation Native": b"x"}), OBJECT[:700], b"", object_of(b"\2\0"), object_of(b"")):
        assert said(tmp_path, held).text == "Before."
