"""Readers of slides, sheets, OpenDocument, RTF and Outlook files: their text in blocks, at honest places."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from reading import archive, read, reason

from engine.records import Document, Link
from engine.sources.readers.msg import unpacked

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "table", "style", "draw", "presentation", "meta")
)


def shape(document: Document) -> list[tuple[str, int, int | None, str]]:
    return [(b.kind, b.level, b.page, document.text[b.start : b.end]) for b in document.blocks]


def relations(*targets: tuple[str, str, str]) -> str:
    written = "".join(
        f'<Relationship Id="{name}" Type="{OFFICE}/{what}" Target="{target}"'
        + (' TargetMode="External"/>' if target.startswith("http") else "/>")
        for name, what, target in targets
    )
    return f'<Relationships xmlns="{PACKAGE}">{written}</Relationships>'


# --- slides ---------------------------------------------------------------------------------------------------------


def shape_xml(*paragraphs: str, place: str = "") -> str:
    placeholder = f'<p:nvSpPr><p:nvPr><p:ph type="{place}"/></p:nvPr></p:nvSpPr>' if place else ""
    written = "".join(f"<a:p><a:r><a:t>{words}</a:t></a:r></a:p>" for words in paragraphs)
    return f"<p:sp>{placeholder}<p:txBody>{written}</p:txBody></p:sp>"


def slide(*shapes: str) -> str:
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"
    namespace = "http://schemas.openxmlformats.org/presentationml/2006/main"
    return f'<p:sld xmlns:p="{namespace}" xmlns:a="{drawing}" xmlns:r="{OFFICE}">{"".join(shapes)}</p:sld>'


def slides() -> bytes:
    order = '<p:sldId id="1" r:id="r2"/><p:sldId id="2" r:id="r1"/>'
    table = (
        "<a:tbl><a:tr><a:tc><a:p><a:r><a:t>{}</a:t></a:r></a:p></a:tc><a:tc><a:p><a:r><a:t>{}</a:t></a:r></a:p></a:tc>"
    )
    linked = '<p:sp><a:p><a:r><a:rPr><a:hlinkClick r:id="r9"/></a:rPr><a:t>the site</a:t></a:r></a:p></p:sp>'
    return archive(
        {
            "ppt/presentation.xml": slide(order),
            "ppt/_rels/presentation.xml.rels": relations(
                ("r1", "slide", "slides/slide1.xml"), ("r2", "slide", "/ppt/slides/slide2.xml")
            ),
            "ppt/slides/slide1.xml": slide(linked, (table + "</a:tr></a:tbl>").format("Red", "Blue")),
            "ppt/slides/_rels/slide1.xml.rels": relations(("r9", "hyperlink", "https://example.org")),
            "ppt/slides/slide2.xml": slide(
                shape_xml("One point", "Another point"),
                shape_xml("Opening", place="ctrTitle"),
                shape_xml("7", place="sldNum"),
            ),
            "ppt/slides/_rels/slide2.xml.rels": relations(("n", "notesSlide", "../notesSlides/notes1.xml")),
            "ppt/notesSlides/notes1.xml": slide(
                shape_xml("Say it slowly.", place="body"), shape_xml("1", place="sldNum")
            ),
        }
    )


def test_slides_are_pages_in_the_order_in_which_they_are_shown_each_under_its_title(tmp_path: Path) -> None:
    document = read(tmp_path, "talk.pptx", slides())
    assert shape(document) == [
        ("heading", 1, 1, "Opening"),
        ("list", 0, 1, "- One point\n- Another point"),
        ("heading", 2, 1, "Notes"),
        ("paragraph", 0, 1, "Say it slowly."),
        ("heading", 1, 2, "Slide 2"),
        ("paragraph", 0, 2, "the site"),
        ("table", 0, 2, "Red | Blue"),
        ("meta", 0, 2, "https://example.org"),
    ]
    assert (document.title, document.title_written, document.metadata) == ("Opening", True, {"pages": "2"})
    assert document.links == (Link("https://example.org", "the site"),)


def test_slides_of_pictures_alone_say_so(tmp_path: Path) -> None:
    members = {
        "ppt/presentation.xml": slide('<p:sldId r:id="r1"/>'),
        "ppt/_rels/presentation.xml.rels": relations(("r1", "slide", "slides/a.xml")),
        "ppt/slides/a.xml": slide("<p:pic/>"),
    }
    assert reason(tmp_path, "a.pptx", archive(members)) == "no text inside"


# --- sheets ---------------------------------------------------------------------------------------------------------

SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


def workbook(*sheets: tuple[str, str], shared: str = "", styles: str = "", settings: str = "") -> bytes:
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    listed = "".join(f'<sheet name="{name}" r:id="s{number}"/>' for number, (name, _) in enumerate(sheets))
    parts = [(f"s{number}", "worksheet", f"worksheets/s{number}.xml") for number in range(len(sheets))]
    return archive(
        {
            "xl/workbook.xml": f'<workbook {main} xmlns:r="{OFFICE}">{settings}<sheets>{listed}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relations(
                *parts, ("t", "sharedStrings", "shared.xml"), ("f", "styles", "styles.xml")
            ),
            "xl/shared.xml": f"<sst {main}>{shared}</sst>",
            "xl/styles.xml": f"<styleSheet {main}>{styles}</styleSheet>",
            **{f"xl/worksheets/s{number}.xml": SHEET.format(rows) for number, (_, rows) in enumerate(sheets)},
        }
    )


def row(*cells: str) -> str:
    return "<row>" + "".join(f'<c t="inlineStr"><is><t>{words}</t></is></c>' for words in cells) + "</row>"


def test_sheets_are_headings_and_column_names_stand_over_their_rows(tmp_path: Path) -> None:
    content = workbook(
        ("Harvest", row("Our harvest") + row("Plant", "Weight") + row("Beans", "3 kg") + row("Peas", "1 kg")),
        ("Empty", ""),
        ("Numbers", row("1", "2") + row("3", "4")),
    )
    assert shape(read(tmp_path, "a.xlsx", content)) == [
        ("heading", 1, None, "Harvest"),
        ("table", 0, None, "Our harvest"),
        ("heading", 2, None, "Plant | Weight"),
        ("table", 0, None, "Beans | 3 kg\nPeas | 1 kg"),
        ("heading", 1, None, "Numbers"),
        ("table", 0, None, "1 | 2\n3 | 4"),
    ]


def test_cells_show_what_excel_shows(tmp_path: Path) -> None:
    cells = (
        '<row><c r="B1" t="s"><v>0</v></c><c r="C1" s="1"><v>45292</v></c><c r="E1" s="2"><v>45292.5</v></c>'
        '<c r="F1"><v>0.30000000000000004</v></c><c r="G1" t="b"><v>1</v></c><c r="H1" t="e"><v>#REF!</v></c>'
        '<c r="I1" t="str"><f>A1</f><v>sum</v></c><c r="J1" t="s"><v>99</v></c></row>'
    )
    shared = "<si><r><t>rich </t></r><r><t>text</t></r><rPh><t>reading</t></rPh></si>"
    styles = (
        '<numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd hh:mm"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs>'
    )
    document = read(tmp_path, "a.xlsx", workbook(("S", cells), shared=shared, styles=styles))
    assert document.text == "S\n\nrich text | 2024-01-01 | 2024-01-01 12:00 | 0.3 | TRUE | sum"


def test_days_are_counted_from_1904_where_the_workbook_says_so(tmp_path: Path) -> None:
    content = workbook(
        ("S", '<row><c s="1"><v>1</v></c></row>'),
        styles='<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>',
        settings='<workbookPr date1904="1"/>',
    )
    assert read(tmp_path, "a.xlsx", content).text == "S\n\n1904-01-02"


def test_a_sheet_that_is_too_long_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sources.readers.xlsx.MAX_ROWS", 2)
    document = read(tmp_path, "a.xlsx", workbook(("S", row("1") + row("2") + row("3"))))
    assert document.text == "S\n\n1\n2"
    assert document.metadata["left out"] == "rows after the first 2 of a sheet"


# --- OpenDocument ---------------------------------------------------------------------------------------------------


def flat(kind: str, body: str, extra: str = "") -> str:
    inside = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    return f"<office:document {ODF}>{extra}{inside}</office:document>"


def test_an_odt_keeps_headings_lists_tables_notes_and_spaces(tmp_path: Path) -> None:
    body = (
        '<text:tracked-changes><text:p>gone</text:p></text:tracked-changes><text:h text:outline-level="2">Head</text:h>'
        '<text:p>One<text:s text:c="3"/>two<text:note><text:note-body><text:p>A note.</text:p></text:note-body>'
        "</text:note>.</text:p><text:list><text:list-item><text:p>a</text:p><text:list><text:list-item><text:p>b</text:p>"
        "</text:list-item></text:list></text:list-item></text:list><table:table><table:table-row><table:table-cell>"
        "<text:p>x</text:p></table:table-cell><table:table-cell><text:p>y</text:p></table:table-cell></table:table-row>"
        '</table:table><text:p text:style-name="P1">Named so</text:p>'
    )
    style = '<style:style style:name="P1" style:parent-style-name="Title"/>'
    styles = f"<office:automatic-styles>{style}</office:automatic-styles>"
    document = read(tmp_path, "a.fodt", flat("text", body, styles))
    assert shape(document) == [
        ("heading", 2, None, "Head"),
        ("paragraph", 0, None, "One   two."),
        ("list", 0, None, "- a\n  - b"),
        ("table", 0, None, "x | y"),
        ("heading", 1, None, "Named so"),
        ("paragraph", 0, None, "A note."),
    ]
    assert (document.title, document.kind) == ("Named so", "odt")


def test_a_sheet_that_repeats_rows_and_cells_a_million_times_has_them_once(tmp_path: Path) -> None:
    rows = (
        '<table:table-row table:number-rows-repeated="1048576"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>'
        '<table:table-row table:number-rows-repeated="1000000"><table:table-cell><text:p>k</text:p>'
        '</table:table-cell><table:table-cell table:number-columns-repeated="2"><text:p>v</text:p></table:table-cell>'
        "</table:table-row>"
    )
    document = read(tmp_path, "a.fods", flat("spreadsheet", f'<table:table table:name="T">{rows}</table:table>'))
    assert document.text == "T\n\nk | v | v"


def test_an_odp_has_its_slides_as_pages(tmp_path: Path) -> None:
    page = (
        '<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>Hello</text:p></draw:text-box>'
        "</draw:frame><draw:frame><draw:text-box><text:p>World</text:p></draw:text-box></draw:frame>"
        "<presentation:notes><draw:frame><draw:text-box><text:p>Wave.</text:p></draw:text-box></draw:frame>"
        "</presentation:notes></draw:page>"
    )
    content = archive({"content.xml": flat("presentation", page)})
    assert shape(read(tmp_path, "a.odp", content)) == [
        ("heading", 1, 1, "Hello"),
        ("paragraph", 0, 1, "World"),
        ("heading", 2, 1, "Notes"),
        ("paragraph", 0, 1, "Wave."),
    ]


def test_an_encrypted_odt_says_so(tmp_path: Path) -> None:
    manifest = '<m:manifest xmlns:m="urn:x"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>'
    assert reason(tmp_path, "a.odt", archive({"content.xml": "\x01", "META-INF/manifest.xml": manifest})) == "encrypted"


# --- RTF ------------------------------------------------------------------------------------------------------------


def test_rtf_is_read_in_its_encodings_with_headings_and_tables(tmp_path: Path) -> None:
    content = (
        r"{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0 Times;}{\f1\fcharset204 Cyr;}}{\stylesheet{\s1 heading 1;}}"
        r"{\info{\title My Doc}{\author Bob}}{\pard\s1 Chapter One\par}\pard Caf\'e9 and \u8364 ?5, {\f1 \'cf\'f0}"
        r"{\v hidden}{\*\generator x;}{\pict 0011ff}\u-10179 ?\u-8704 ?\par \trowd\intbl a\cell b\cell\row"
        r"\intbl c\cell d\cell\row\pard End.{\field{\*\fldinst HYPERLINK x}{\fldrslt link}}\par}"
    )
    document = read(tmp_path, "a.rtf", content)
    assert shape(document) == [
        ("heading", 1, None, "Chapter One"),
        ("paragraph", 0, None, "Café and €5, Пр\U0001f600"),
        ("table", 0, None, "a | b\nc | d"),
        ("paragraph", 0, None, "End.link"),
    ]
    assert (document.title, document.metadata) == ("My Doc", {"author": "Bob"})


BOX = r"{\shptxt \pard Box about the buttress\par}"
OLD_BOX = r"{\*\do\dobxcolumn{\dptxbx{\dptxbxtext\pard Old box\par}}}"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            r"Before\par {\shp{\*\shpinst\shpleft0{\sp{\sn shapeType}{\sv 202}}" + BOX + r"}{\shprslt" + OLD_BOX + r"}}"
            r"After\par",
            ["Before", "After", "Box about the buttress"],
        ),
        (r"Before " + OLD_BOX + r"after\par", ["Before after", "Old box"]),
        (
            r"Noted{\super\chftn}{\footnote\pard foot frigate\par second} here\par",
            ["Noted here", "foot frigate\nsecond"],
        ),
        (
            r"Clause{\*\atnid A}{\*\atnauthor Anna}\chatn{\*\annotation{\*\atnref 1}Ask about escrow}.\par",
            ["Clause.", "Ask about escrow"],
        ),
        (
            r"{\header Letter of Quillwright\par}{\headerf Letter of Quillwright}{\footer Page \chpgn  of 7}x\par",
            ["x", "Letter of Quillwright"],
        ),
        (
            r"{\object\objemb{\*\objclass Word.8}{\*\objdata 0105ff}{\result Shown instead}}\par",
            ["Shown instead"],
        ),
        (
            r"\trowd\intbl a{\footnote in \trowd\intbl p\cell q\cell\row}\cell b\cell\row\pard End\par",
            ["a | b", "End", "in p | q"],
        ),
        (
            r"{\field{\*\fldinst FORMDROPDOWN{\*\formfield{\fftype2{\*\ffl Leeds}{\*\ffl York}}}}}Town\par",
            ["Town", "Leeds", "York"],
        ),
        (r"a{\footnote never closed", ["a", "never closed"]),
        (r"{\deleted gone}{\revised new}\par", ["new"]),
    ],
    ids=["box", "old box", "footnote", "comment", "headers", "object", "table in a note", "form", "cut", "revisions"],
)
def test_what_hangs_on_an_rtf_paragraph_follows_it_once(tmp_path: Path, written: str, expected: list[str]) -> None:
    document = read(tmp_path, "a.rtf", r"{\rtf1\ansi " + written + "}")
    assert [text for *_, text in shape(document)] == expected


def test_what_is_no_rtf_says_so(tmp_path: Path) -> None:
    assert reason(tmp_path, "a.rtf", "plain text") == "not RTF"
    assert reason(tmp_path, "b.rtf", "{\\rtf1 }") == "no text inside"


# --- Outlook --------------------------------------------------------------------------------------------------------


def compound(streams: dict[str, bytes]) -> bytes:
    """Make a compound file whose streams lie in sectors of their own, and in its top folder or in one of that."""
    sectors: list[bytes] = []
    chain: list[int] = []

    def add(content: bytes) -> int:
        first = len(sectors)
        pieces = [content[at : at + 512].ljust(512, b"\x00") for at in range(0, len(content), 512)] or [bytes(512)]
        sectors.extend(pieces)
        chain.extend([*range(first + 1, first + len(pieces)), 0xFFFFFFFE])
        return first

    folders = list(dict.fromkeys(name.rpartition("/")[0] for name in streams if "/" in name))
    order = [*folders, *(name for name in streams if "/" not in name), *(name for name in streams if "/" in name)]
    entries = [entry("Root Entry", 5, child=1 if order else 0xFFFFFFFF)]
    for number, name in enumerate(order, 1):
        folder, _, own = name.rpartition("/")
        goes_on = number < len(order) and order[number].rpartition("/")[0] == folder
        right = number + 1 if goes_on else 0xFFFFFFFF
        if name in folders:
            first = next(place for place, each in enumerate(order, 1) if each.startswith(f"{name}/"))
            entries.append(entry(own, 1, right=right, child=first))
        else:
            entries.append(entry(own, 2, right=right, start=add(streams[name]), size=len(streams[name])))
    directory = add(b"".join(entries))
    table = len(sectors)
    chain.append(0xFFFFFFFD)
    sectors.append(struct.pack("<128I", *chain, *([0xFFFFFFFF] * (128 - len(chain)))))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 62, 3, 0xFFFE, 9, 6)
    header = header.ljust(44, b"\x00") + struct.pack("<IIIIIIII", 1, directory, 0, 0, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", table, *([0xFFFFFFFF] * 108))
    return header + b"".join(sectors)


def entry(
    name: str, kind: int, *, right: int = 0xFFFFFFFF, child: int = 0xFFFFFFFF, start: int = 0, size: int = 0
) -> bytes:
    written = name.encode("utf-16-le") + b"\x00\x00"
    fields = struct.pack("<HBBIII", len(written), kind, 1, 0xFFFFFFFF, right, child)
    return written.ljust(64, b"\x00") + fields + bytes(36) + struct.pack("<IQ", start, size)


def outlook(more: dict[str, bytes] | None = None, **texts: str) -> bytes:
    identifiers = {"subject": "0037", "body": "1000", "sender": "0C1A", "to": "0E04"}
    sent = struct.pack("<HHIQ", 0x40, 0x39, 6, 133_497_000_000_000_000)
    streams = {"__properties_version1.0": bytes(32) + sent}
    for name, words in texts.items():
        streams[f"__substg1.0_{identifiers[name]}001F"] = words.encode("utf-16-le")
    return compound(streams | (more or {}))


def recipient(number: int, kind: int, name: str, address: str, identifier: str = "39FE") -> dict[str, bytes]:
    folder = f"__recip_version1.0_#{number:08X}"
    return {
        f"{folder}/__properties_version1.0": bytes(8) + struct.pack("<HHIQ", 3, 0x0C15, 6, kind),
        f"{folder}/__substg1.0_3001001F": name.encode("utf-16-le"),
        f"{folder}/__substg1.0_{identifier}001F": address.encode("utf-16-le"),
    }


def test_whom_an_outlook_message_goes_to_is_told_with_addresses(tmp_path: Path) -> None:
    people = (
        recipient(0, 1, "Bob", "bob.stone@x.org")
        | recipient(1, 1, "'eve@x.org'", "eve@x.org", "3003")
        | recipient(2, 2, "Cy", "/O=FIRM/CN=CY", "3003")
        | recipient(3, 3, "Di", "di@x.org")
    )
    document = read(tmp_path, "a.msg", outlook(people, subject="Tea?", body="Now.", sender="Ann", to="Bob; Bo"))
    assert shape(document)[0][-1].split("\n")[:4] == [
        "From: Ann",
        "To: Bob <bob.stone@x.org>, 'eve@x.org', Bo",
        "Cc: Cy",
        "Bcc: Di <di@x.org>",
    ]
    assert document.metadata["bcc"] == "Di <di@x.org>"


def test_a_nameless_file_on_an_outlook_message_is_read_by_its_type(tmp_path: Path) -> None:
    folder = "__attach_version1.0_#00000000"
    held = {f"{folder}/__substg1.0_37010102": rb"{\rtf1 A heron.\par}"}
    held[f"{folder}/__substg1.0_370E001F"] = "application/rtf".encode("utf-16-le")
    document = read(tmp_path, "a.msg", outlook(held, subject="Tea?", body="At four.", sender="Ann", to="Bob"))
    assert "a.msg › document.rtf\n\nA heron." in document.text


def test_an_outlook_message_says_who_when_and_what(tmp_path: Path) -> None:
    document = read(tmp_path, "a.msg", outlook(subject="Tea?", body="At four.\r\n\r\n> Where?", sender="Ann", to="Bob"))
    assert shape(document) == [
        ("paragraph", 0, None, "From: Ann\nTo: Bob\nDate: 2024-01-14 10:00 UTC\nSubject: Tea?"),
        ("paragraph", 0, None, "At four."),
        ("quote", 0, None, "> Where?"),
    ]
    assert (document.title, document.title_written) == ("Tea?", True)
    assert document.metadata == {"from": "Ann", "to": "Bob", "date": "2024-01-14 10:00 UTC", "subject": "Tea?"}


def test_an_address_in_the_text_of_an_outlook_message_is_a_link(tmp_path: Path) -> None:
    document = read(tmp_path, "a.msg", outlook(subject="Tea?", body="See https://example.org/tea.", sender="A", to="B"))
    assert document.links == (Link("https://example.org/tea", "https://example.org/tea"),)


def test_a_compound_file_that_is_no_message_says_so(tmp_path: Path) -> None:
    assert reason(tmp_path, "a.msg", compound({"WordDocument": b"x"})) == "not an Outlook message"
    assert reason(tmp_path, "b.msg", b"no compound file") == "not an Outlook message"


def test_compressed_rtf_is_unpacked() -> None:
    packed = bytes.fromhex(  # the example of [MS-OXRTFCP] 3.1.1
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af86201f90a00776f726c647d0a800fa0"
    )
    assert unpacked(packed).startswith(b"{\\rtf1\\ansi\\ansicpg1252")
