"""OpenDocument files: whatever a person wrote in them is read once, whether a library made them or a hand."""

from __future__ import annotations

import io
from pathlib import Path

from odf import office, opendocument, style
from odf import table as odf_table
from odf import text as odf_text
from odf.dc import Creator
from reading import archive, headings, read, shape

SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"'
    for name, space in (
        *((each, each) for each in ("office", "text", "table", "style", "draw", "presentation", "form", "chart")),
        ("svg", "svg-compatible"),
        ("number", "datastyle"),
    )
)
SPACES += ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"'


def content(kind: str, body: str, styles: str = "") -> str:
    inside = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    return f"<office:document-content {SPACES}>{styles}{inside}</office:document-content>"


def saved(document: opendocument.OpenDocument) -> bytes:
    buffer = io.BytesIO()
    document.write(buffer)
    return buffer.getvalue()


def texts(folder: Path, name: str, written: bytes | str) -> list[str]:
    return [text for _, text in shape(read(folder, name, written))]


def test_a_text_made_by_odfpy_has_its_comments_notes_headers_and_numbered_headings(tmp_path: Path) -> None:
    document = opendocument.OpenDocumentText()
    paragraph = odf_text.P(text="The contract clause")
    remark = office.Annotation()
    remark.addElement(Creator(text="Anna"))
    remark.addElement(odf_text.P(text="margin remark about the sloop"))
    paragraph.addElement(remark)
    note = odf_text.Note(noteclass="footnote", id="n1")
    note.addElement(odf_text.NoteCitation(text="1"))
    inside = odf_text.NoteBody()
    inside.addElement(odf_text.P(text="foot frigate"))
    note.addElement(inside)
    paragraph.addElement(note)
    document.text.addElement(paragraph)
    numbered, item = odf_text.List(), odf_text.ListItem()
    item.addElement(odf_text.H(outlinelevel=2, text="Numbered heading in a list"))
    numbered.addElement(item)
    document.text.addElement(numbered)
    page = style.MasterPage(name="Standard", pagelayoutname="x")
    header = style.Header()
    header.addElement(odf_text.P(text="Letterhead of Quillwright"))
    page.addElement(header)
    document.masterstyles.addElement(page)
    found = read(tmp_path, "a.odt", saved(document))
    assert [text for _, text in shape(found)] == [
        "The contract clause",
        "Numbered heading in a list",
        "Anna: margin remark about the sloop",
        "foot frigate",
        "Letterhead of Quillwright",
    ]
    assert headings(found) == [(2, "Numbered heading in a list")]


def test_a_sheet_made_by_odfpy_has_its_comments_beside_its_cells(tmp_path: Path) -> None:
    document = opendocument.OpenDocumentSpreadsheet()
    table, row = odf_table.Table(name="Harvest"), odf_table.TableRow()
    cell = odf_table.TableCell(valuetype="string")
    cell.addElement(odf_text.P(text="Beans"))
    remark = office.Annotation()
    remark.addElement(odf_text.P(text="Ask about escrow"))
    cell.addElement(remark)
    row.addElement(cell)
    row.addElement(odf_table.TableCell(valuetype="float", value="17"))
    table.addElement(row)
    document.spreadsheet.addElement(table)
    assert texts(tmp_path, "a.ods", saved(document)) == ["Harvest", "Ask about escrow", "Beans | 17"]


def test_a_date_format_is_not_taken_for_the_text(tmp_path: Path) -> None:
    styles = (
        "<office:automatic-styles><number:date-style><number:text>.</number:text></number:date-style>"
        "</office:automatic-styles>"
    )
    assert read(tmp_path, "a.odt", archive({"content.xml": content("text", "<text:p>x</text:p>", styles)})).text == "x"


def test_boxes_pictures_and_charts_in_a_paragraph_are_read_once_and_apart_from_it(tmp_path: Path) -> None:
    body = (
        "<text:p>Before<draw:frame><draw:text-box><text:p>About the buttress</text:p></draw:text-box>"
        "<svg:title>Weir</svg:title><svg:desc>A heron</svg:desc></draw:frame> after"
        '<draw:frame><draw:object xlink:href="./Object 1"/></draw:frame></text:p>'
        '<draw:frame><draw:object xlink:href="./Object 1"/></draw:frame>'
    )
    chart = (
        "<chart:chart><chart:title><text:p>Harvest</text:p></chart:title><table:table><table:table-row><table:table-cell>"
        "<text:p>Beans</text:p></table:table-cell><table:table-cell><text:p>17</text:p></table:table-cell>"
        "</table:table-row></table:table></chart:chart>"
    )
    package = archive({"content.xml": content("text", body), "Object 1/content.xml": content("chart", chart)})
    assert texts(tmp_path, "a.odt", package) == [
        "Before\nAbout the buttress\n after",
        "- Harvest\n- Beans",
        "Weir",
        "A heron",
    ]


def test_labels_and_values_of_forms_are_read_also_where_there_is_nothing_else(tmp_path: Path) -> None:
    body = (
        '<office:forms><form:form><form:text form:name="x1" form:current-value="Wilhelmina"><form:properties>'
        '<form:property office:string-value="com.example.Field"/></form:properties></form:text>'
        '<form:fixed-text form:label="Family name"/><form:checkbox form:label="Married"/><form:listbox>'
        '<form:option form:label="York" form:value="3"/></form:listbox></form:form></office:forms><text:p/>'
    )
    package = archive({"content.xml": content("text", body)})
    assert texts(tmp_path, "a.odt", package) == ["- Wilhelmina\n- Family name\n- Married\n- York"]


def test_headers_that_only_count_are_not_read_and_others_are_once(tmp_path: Path) -> None:
    header = "<style:header><text:p>{}</text:p></style:header>"
    pages = "".join(
        f"<style:master-page>{header.format(words)}</style:master-page>"
        for words in (
            "<text:sheet-name>???</text:sheet-name>",
            "Page <text:page-number>1</text:page-number>",
            "Kestrel",
        )
    )
    models = f"<office:master-styles>{pages * 2}</office:master-styles>"
    styles = f"<office:document-styles {SPACES}>{models}</office:document-styles>"
    package = archive({"content.xml": content("text", "<text:p>x</text:p>"), "styles.xml": styles})
    assert texts(tmp_path, "a.odt", package) == ["x", "Kestrel"]


def test_comments_charts_and_footers_of_slides_are_read(tmp_path: Path) -> None:
    page = (
        '<presentation:footer-decl presentation:name="f">Quillwright</presentation:footer-decl>'
        '<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>Hello</text:p></draw:text-box>'
        "</draw:frame><office:annotation><dc:creator>Anna</dc:creator><text:p>Kestrel?</text:p></office:annotation>"
        '<draw:custom-shape><text:p>Shape</text:p></draw:custom-shape><draw:frame><draw:object xlink:href="Object 1/"/>'
        "</draw:frame></draw:page>"
    )
    inner = content("chart", "<chart:chart><chart:title><text:p>Harvest</text:p></chart:title></chart:chart>")
    package = archive({"content.xml": content("presentation", page), "Object 1/content.xml": inner})
    assert texts(tmp_path, "a.odp", package) == ["Hello", "Anna: Kestrel?", "Shape", "- Harvest", "Quillwright"]


def test_what_all_slides_show_beside_their_placeholders_is_read_once(tmp_path: Path) -> None:
    shape = "<draw:frame{}><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame>"
    model = shape.format("", "Quillwright Ltd.") + shape.format(' presentation:class="title"', "Click to add a title")
    styles = f"<office:master-styles><style:master-page>{model}</style:master-page></office:master-styles>"
    spaces = SPACES.replace("xmlns:draw:1.0", "xmlns:drawing:1.0")
    page = f"<office:presentation><draw:page>{shape.format('', 'Hello')}</draw:page></office:presentation>"
    written = f"<office:document {spaces}>{styles}<office:body>{page}</office:body></office:document>"
    assert texts(tmp_path, "a.fodp", written) == ["Slide 1", "Hello", "Quillwright Ltd."]


def test_a_drawing_is_read_page_by_page(tmp_path: Path) -> None:
    page = "<draw:page><draw:custom-shape><text:p>Shape</text:p></draw:custom-shape></draw:page>"
    document = read(tmp_path, "a.odg", archive({"content.xml": content("drawing", page * 2)}))
    assert [(text, block.page) for (_, text), block in zip(shape(document), document.blocks, strict=True)] == [
        ("Page 1", 1),
        ("Shape", 1),
        ("Page 2", 2),
        ("Shape", 2),
    ]


def test_an_object_that_holds_itself_ends(tmp_path: Path) -> None:
    body = (
        '<text:p>x<draw:frame><draw:object xlink:href="."/><draw:object xlink:href="./Object 1"/></draw:frame></text:p>'
    )
    members = {"content.xml": content("text", body), "Object 1/content.xml": content("text", body)}
    assert texts(tmp_path, "a.odt", archive(members))[0] == "x"
