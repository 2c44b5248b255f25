"""Word, Excel and PowerPoint files: every part that holds words is read, found by relationship, and read once."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches
from reading import archive, headings, read, shape

from engine.sources.readers.number_formats import built_in, parsed, shown
from engine.sources.readers.page_furniture import is_page_number

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()


def word(make: Callable[[docx.document.Document], object]) -> bytes:
    document = docx.Document()
    make(document)
    return saved(document)


def renamed(content: bytes, change: Callable[[str], str], text: Callable[[bytes], bytes] = bytes) -> bytes:
    """Return a package whose parts have other names."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return archive({change(name): text(package.read(name)) for name in package.namelist()})


def relations(*targets: tuple[str, str, str]) -> str:
    written = "".join(
        f'<Relationship Id="{name}" Type="{OFFICE}/{what}" Target="{target}"/>' for name, what, target in targets
    )
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{written}</Relationships>'
    )


def body(content: str, *targets: tuple[str, str, str], **parts: str | bytes) -> bytes:
    """Return a Word file of a body and the parts that it refers to."""
    return archive(
        {
            "_rels/.rels": relations(("m", "officeDocument", "word/document.xml")),
            "word/document.xml": f"<w:document {W} {R}><w:body>{content}</w:body></w:document>",
            "word/_rels/document.xml.rels": relations(*targets),
            **{f"word/{name}": content for name, content in parts.items()},
        }
    )


def paragraph(words: str) -> str:
    return f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>"


def texts(folder: Path, name: str, content: bytes) -> list[str]:
    return [text for _, text in shape(read(folder, name, content))]


# --- packages -------------------------------------------------------------------------------------------------------


def test_the_main_part_is_the_one_that_the_package_names(tmp_path: Path) -> None:
    content = word(lambda document: document.add_paragraph("belvedere"))
    other = renamed(
        content,
        lambda name: name.replace("document.xml", "document2.xml"),
        lambda part: part.replace(b"word/document.xml", b"word/document2.xml"),
    )
    assert read(tmp_path, "a.docx", other).text == "belvedere"


def workbook(shared: str) -> bytes:
    """Return an Excel file with one cell, whose text lies in the part of shared texts."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    cell = '<row><c t="s"><v>0</v></c></row>'
    return archive(
        {
            "_rels/.rels": relations(("m", "officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": f'<workbook {main} {R}><sheets><sheet name="S" r:id="s"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relations(
                ("s", "worksheet", "s.xml"), ("t", "sharedStrings", "sharedStrings.xml")
            ),
            "xl/s.xml": f"<worksheet {main}><sheetData>{cell}</sheetData></worksheet>",
            "xl/sharedStrings.xml": f"<sst {main}><si><t>{shared}</t></si></sst>",
        }
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda name: name.replace("/", "\\"),
        lambda name: name.replace("sharedStrings", "SharedStrings"),
        lambda name: name.upper(),
    ],
    ids=["back slashes", "another case", "capitals"],
)
def test_names_of_parts_are_compared_as_office_compares_them(tmp_path: Path, change: Callable[[str], str]) -> None:
    assert read(tmp_path, "a.xlsx", renamed(workbook("Abbot"), change)).text == "S\n\nAbbot"


def test_relationships_in_a_circle_end(tmp_path: Path) -> None:
    circle = relations(("a", "officeDocument", "_rels/.rels"), ("b", "officeDocument", "word/document.xml"))
    content = archive({"_rels/.rels": circle, "word/document.xml": f"<w:document {W}/>"})
    with pytest.raises(Exception, match="no DOCX"):
        read(tmp_path, "a.docx", content)


# --- Word -----------------------------------------------------------------------------------------------------------


def test_comments_headers_and_footers_of_a_docx_are_read_once(tmp_path: Path) -> None:
    def make(document: docx.document.Document) -> None:
        clause = document.add_paragraph("The contract clause.")
        document.add_comment(clause.runs, "Ask the notary about escrow", author="Anna")
        for section in (document.sections[0], document.add_section()):
            section.header.is_linked_to_previous = False
            section.header.paragraphs[0].text = "Letterhead of Quillwright"
            section.footer.is_linked_to_previous = False
            section.footer.paragraphs[0].text = "Page 3 of 7"

    assert texts(tmp_path, "a.docx", word(make)) == [
        "The contract clause.",
        "Anna: Ask the notary about escrow",
        "Letterhead of Quillwright",
    ]


def test_the_words_of_a_table_in_a_table_are_read_once(tmp_path: Path) -> None:
    def make(document: docx.document.Document) -> None:
        table = document.add_table(rows=1, cols=2)
        table.cell(0, 0).text = "outer"
        inner = table.cell(0, 1).add_table(rows=2, cols=2)
        for number, cell in enumerate(inner._cells):
            cell.text = f"griffin{number}"

    assert texts(tmp_path, "a.docx", word(make)) == ["outer | griffin0 griffin1 griffin2 griffin3"]


def test_a_table_of_one_column_is_read_like_the_page_that_it_lays_out(tmp_path: Path) -> None:
    def make(document: docx.document.Document) -> None:
        cell = document.add_table(rows=1, cols=1).cell(0, 0)
        cell.paragraphs[0].text = "Chapter"
        cell.paragraphs[0].style = document.styles["Heading 1"]
        cell.add_paragraph("Words.")

    assert headings(read(tmp_path, "a.docx", word(make))) == [(1, "Chapter")]


def test_documents_that_word_takes_in_are_read(tmp_path: Path) -> None:
    content = body(
        f'{paragraph("Before")}<w:altChunk r:id="a"/><w:altChunk r:id="b"/><w:altChunk r:id="a"/>{paragraph("After")}',
        ("a", "aFChunk", "chunk.html"),
        ("b", "aFChunk", "chunk.docx"),
        **{"chunk.html": "<p>Taken <b>in</b></p>", "chunk.docx": word(lambda each: each.add_paragraph("Inner"))},
    )
    assert texts(tmp_path, "a.docx", content) == ["Before", "Taken in", "Inner", "After"]


def test_a_document_that_takes_in_itself_without_end_ends(tmp_path: Path) -> None:
    content = body(paragraph("Seed"))
    for _ in range(6):
        content = body(f'{paragraph("Shell")}<w:altChunk r:id="a"/>', ("a", "aFChunk", "a.docx"), **{"a.docx": content})
    document = read(tmp_path, "a.docx", content)
    assert [text for _, text in shape(document)] == ["Shell"] * 5


CHART = (
    '<c:chartSpace xmlns:c="urn:c" xmlns:a="urn:a"><c:title><a:p><a:r><a:t>Harvest</a:t></a:r></a:p></c:title><c:ser>'
    "<c:tx><c:strRef><c:strCache><c:pt><c:v>Beans</c:v></c:pt></c:strCache></c:strRef></c:tx>"
    "<c:val><c:numRef><c:numCache><c:pt><c:v>17</c:v></c:pt></c:numCache></c:numRef></c:val></c:ser></c:chartSpace>"
)
DIAGRAM = (
    '<d:dataModel xmlns:d="urn:d" xmlns:a="urn:a"><d:pt><a:p><a:r><a:t>Plan</a:t></a:r></a:p></d:pt></d:dataModel>'
)


def test_charts_diagrams_and_the_words_for_a_picture_are_read_where_they_stand(tmp_path: Path) -> None:
    drawing = (
        '<w:p><w:r><w:drawing><w:docPr descr="A heron at the weir"/><c:chart xmlns:c="urn:c" r:id="c"/>'
        '<d:relIds xmlns:d="urn:d" r:dm="d"/></w:drawing></w:r></w:p>'
    )
    content = body(
        drawing + paragraph("After"),
        ("c", "chart", "charts/c.xml"),
        ("d", "diagramData", "diagrams/d.xml"),
        **{"charts/c.xml": CHART, "diagrams/d.xml": DIAGRAM},
    )
    assert texts(tmp_path, "a.docx", content) == ["A heron at the weir", "- Harvest\n- Beans", "- Plan", "After"]


def test_text_boxes_content_controls_and_old_forms_are_read_once(tmp_path: Path) -> None:
    box = f"<w:txbxContent>{paragraph('About the buttress')}</w:txbxContent>"
    choices = f"<m:Choice>{box}</m:Choice><m:Fallback>{box}</m:Fallback>"
    alternate = f'<m:AlternateContent xmlns:m="urn:m">{choices}</m:AlternateContent>'
    field = (
        '<w:p><w:r><w:fldChar><w:ffData><w:ddList><w:result w:val="1"/><w:listEntry w:val="Leeds"/>'
        '<w:listEntry w:val="York"/></w:ddList></w:ffData></w:fldChar></w:r></w:p>'
    )
    named = "<w:sdtPr><w:alias w:val='Home town'/></w:sdtPr>"
    control = f"<w:sdt>{named}<w:sdtContent>{paragraph('Chosen')}</w:sdtContent></w:sdt>"
    content = body(f"<w:p><w:r><w:t>Beside</w:t></w:r><w:r>{alternate}</w:r></w:p>{control}{field}")
    assert texts(tmp_path, "a.docx", content) == ["Beside", "About the buttress", "Chosen", "York", "- Home town"]


def test_a_watermark_is_read(tmp_path: Path) -> None:
    mark = '<w:p><w:r><w:pict><v:textpath xmlns:v="urn:v" string="In confidence"/></w:pict></w:r></w:p>'
    header = f"<w:hdr {W}>{mark}</w:hdr>"
    assert texts(tmp_path, "a.docx", body(paragraph("x"), ("h", "header", "h.xml"), **{"h.xml": header})) == [
        "x",
        "In confidence",
    ]


def test_what_was_deleted_or_moved_away_is_not_read_and_what_was_inserted_is(tmp_path: Path) -> None:
    run = "<w:r><w:t>{}</w:t></w:r>"
    content = body(
        f"<w:p><w:del>{run.format('gone')}</w:del><w:ins>{run.format('new')}</w:ins></w:p>"
        f"<w:moveFrom>{paragraph('left')}</w:moveFrom><w:moveTo>{paragraph('arrived')}</w:moveTo>"
    )
    assert texts(tmp_path, "a.docx", content) == ["new", "arrived"]


@pytest.mark.parametrize(
    ("words", "counts"),
    [
        ("Page 3 of 7", True),
        ("- 3 -", True),
        ("Seite 3", True),
        ("Kestrel 2024", False),
        ("Draft, page 3", False),
        ("4711-23", False),
        ("01/02/2024", False),
        ("3 / 7", True),
    ],
)
def test_a_footer_that_only_counts_the_pages_says_nothing(words: str, counts: bool) -> None:
    assert is_page_number(words) is counts


# --- Excel ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        ("[h]:mm", "1.5", "36:00"),
        ("[h]:mm:ss", "1.5", "36:00:00"),
        ("[hh]:mm", "40.25", "966:00"),
        ("[mm]:ss", "0.0625", "90:00"),
        ("[ss]", "0.5", "43200"),
        ("[h]:mm", "-0.5", "-12:00"),
        ("h:mm:ss", "0.3785532407407408", "09:05:07"),
        ("h:mm", "0.3785532407407408", "09:05:07"),
        ("h:mm AM/PM", "1.25", "06:00"),
        ("yyyy-mm-dd h:mm:ss", "45719.58715277778", "2025-03-03 14:05:30"),
        ("[$-409]d mmm yyyy;@", "45719", "2025-03-03"),
        ("mmm", "59", "1900-02-28"),
        ("yyyy", "61", "1900-03-01"),
        ("00000", "1234", "01234"),
        ("000\\-00\\-0000", "12345678", "012-34-5678"),
        ("0%", "0.25", "25%"),
        ("0.0%", "0.1234", "12.3%"),
        ('0.00" m"', "2.5", "2.5"),
        ('"days"', "3", "3"),
        ("General", "0.30000000000000004", "0.3"),
        ("General", "12345678901234567", "12345678901234567"),
        ("[h]:mm", "1e300", "1e+300"),
        ("yyyy-mm-dd", "nan", "nan"),
        ("00000", "inf", "inf"),
    ],
)
def test_a_number_is_shown_in_its_format(code: str, value: str, expected: str) -> None:
    assert shown(value, parsed(code)) == expected


def test_formats_that_have_only_a_number_are_known() -> None:
    assert shown("2", built_in(46)) == "48:00:00"
    assert shown("45292", built_in(14)) == "2024-01-01"
    assert shown("0.5", built_in(9)) == "50%"
    assert shown("2", built_in(1)) == "2"


def test_comments_charts_headers_and_prompts_of_a_sheet_are_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Plant", "Weight"])
    sheet.append(["Beans", 3])
    sheet["A2"].comment = Comment("Ask about escrow", "Anna")
    sheet.oddHeader.center.text = "Quillwright && Sons &D"
    sheet.oddFooter.center.text = "Page &P of &N"
    rule = openpyxl.worksheet.datavalidation.DataValidation(type="whole", promptTitle="Weight", prompt="In stones")
    rule.add("B2")
    sheet.add_data_validation(rule)
    chart = BarChart()
    chart.title = "Harvest of the year"
    chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=2), titles_from_data=True)
    sheet.add_chart(chart, "D1")
    words = texts(tmp_path, "a.xlsx", saved(book))
    assert words[0] == "Sheet"
    assert {"Ask about escrow", "Quillwright & Sons", "Weight\nIn stones", "Harvest of the year"} <= set(words)
    assert not any("Page" in each for each in words)


def test_old_comments_that_stand_for_a_thread_are_not_read_beside_it(tmp_path: Path) -> None:
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    sheet = f'<worksheet {main}><sheetData><row><c t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>'
    old = (
        f'<comments {main}><authors><author>tc={{1}}</author></authors><commentList><comment authorId="0"><text>'
        "<t>Your version of Excel cannot show this</t></text></comment></commentList></comments>"
    )
    thread = "<ThreadedComments><threadedComment><text>Ask about escrow</text></threadedComment></ThreadedComments>"
    shapes = (
        '<xml xmlns:v="urn:v"><v:shape><v:textbox><div><font>Press<br>here</font></div></v:textbox></v:shape></xml>'
    )
    content = archive(
        {
            "xl/workbook.xml": f'<workbook {main} {R}><sheets><sheet name="S" r:id="s"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relations(("s", "worksheet", "s.xml")),
            "xl/s.xml": sheet,
            "xl/_rels/s.xml.rels": relations(
                ("c", "comments", "c.xml"), ("t", "threadedComment", "t.xml"), ("v", "vmlDrawing", "v.vml")
            ),
            "xl/c.xml": old,
            "xl/t.xml": thread,
            "xl/v.vml": shapes,
        }
    )
    assert texts(tmp_path, "a.xlsx", content) == ["S", "Ask about escrow", "Presshere", "x"]


def test_escaped_characters_are_what_they_stand_for(tmp_path: Path) -> None:
    content = workbook("first_x000D_\nsecond _x005F_x000D_ third")
    assert read(tmp_path, "a.xlsx", content).text == "S\n\nfirst second _x000D_ third"


# --- PowerPoint -----------------------------------------------------------------------------------------------------


def test_charts_second_titles_and_what_every_slide_shows_are_read(tmp_path: Path) -> None:
    talk = pptx.Presentation()
    for number in range(2):
        slide = talk.slides.add_slide(talk.slide_layouts[5])
        slide.shapes.title.text = f"Slide about {number}"
    data = CategoryChartData()
    data.categories = ["Leeds", "York"]
    data.add_series("Beans", (3, 1))
    place = (Inches(1), Inches(1), Inches(4), Inches(3))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *place, data)
    slide.notes_slide.notes_text_frame.text = "Say it slowly."
    spaces = " ".join(f'xmlns:{name}="{pptx.oxml.ns.nsuri(name)}"' for name in ("p", "a"))
    inside = "<p:nvSpPr><p:cNvPr id='99' name='x'/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/>"
    words = "<a:p><a:r><a:t>Quillwright in confidence</a:t></a:r></a:p></p:txBody>"
    talk.slide_layouts[5].shapes._spTree.append(pptx.oxml.parse_xml(f"<p:sp {spaces}>{inside}{words}</p:sp>"))
    assert texts(tmp_path, "a.pptx", saved(talk)) == [
        "Slide about 0",
        "Slide about 1",
        "- Beans\n- Leeds\n- York",
        "Notes",
        "Say it slowly.",
        "Quillwright in confidence",
    ]


def test_comments_of_both_kinds_follow_their_slide(tmp_path: Path) -> None:
    talk = pptx.Presentation()
    talk.slides.add_slide(talk.slide_layouts[5]).shapes.title.text = "Opening"
    with zipfile.ZipFile(io.BytesIO(saved(talk))) as package:
        members: dict[str, str | bytes] = {name: package.read(name) for name in package.namelist()}
    links = members["ppt/slides/_rels/slide1.xml.rels"]
    assert isinstance(links, bytes)
    added = "".join(f'<Relationship Id="k{n}" Type="{OFFICE}/comments" Target="../c{n}.xml"/>' for n in (1, 2))
    members["ppt/slides/_rels/slide1.xml.rels"] = links.decode().replace("</Rel", added + "</Rel")
    members["ppt/c1.xml"] = '<p:cmLst xmlns:p="urn:p"><p:cm><p:text>Ask about escrow</p:text></p:cm></p:cmLst>'
    members["ppt/c2.xml"] = (
        '<p:cmLst xmlns:p="urn:p" xmlns:a="urn:a"><p:cm><p:replyLst><p:reply><p:txBody><a:p><a:r><a:t>Done</a:t></a:r>'
        "</a:p></p:txBody></p:reply></p:replyLst><p:txBody><a:p><a:r><a:t>Kestrel?</a:t></a:r></a:p></p:txBody></p:cm>"
        "</p:cmLst>"
    )
    assert texts(tmp_path, "a.pptx", archive(members)) == ["Opening", "Ask about escrow", "Kestrel?", "Done"]
