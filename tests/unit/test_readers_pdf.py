"""PDFs whose words do not simply stand on upright pages: turned pages, forms, notes, outlines, hyphens, attachments."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import pytest
from reading import headings, read, shape

from engine.records import Link

BOX = "/MediaBox[0 0 612 792]"
FONT = "/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"


def pdf(*pages: str, root: str = "", objects: tuple[str, ...] = (), page: str = BOX, each: Sequence[str] = ()) -> bytes:
    """Write a PDF by hand: `pages` are content streams, `objects` stand behind them, numbered from 3 + 2 * pages.

    `page` is what the entries of all pages say, `each` what that of each of them says beside.
    """
    written = [f"<</Type/Catalog/Pages 2 0 R{root}>>", ""]
    kids = []
    for stream, own in zip_longest(pages, each, fillvalue=""):
        written.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
        written.append(f"<</Type/Page/Parent 2 0 R/Contents {len(written)} 0 R{FONT}{page}{own}>>")
        kids.append(f"{len(written)} 0 R")
    written[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(kids)}]>>"
    written += objects
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(written, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(written) + 1
    trailer = f"trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF"
    return f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode("latin-1")


def lines(*texts: str, at: tuple[int, int] = (50, 700), turned: bool = False) -> str:
    """Return the stream of some lines, one under another, or one beside another where they run upwards."""
    x, y = at
    matrix = f"0 1 -1 0 {x} {y}" if turned else f"1 0 0 1 {x} {y}"
    return f"BT /F1 12 Tf {matrix} Tm " + "".join(f"({text}) Tj 0 -14 Td " for text in texts) + "ET"


# --- pages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_turned_page_gives_all_its_words(tmp_path: Path, turn: int) -> None:
    corners = lines("haberdashery", at=(700, 30)) + lines("millinery", at=(20, 560)) + lines("upholstery", at=(20, 20))
    text = read(tmp_path, "a.pdf", pdf(corners, page=f"/MediaBox[0 0 842 595]/Rotate {turn}")).text
    assert sorted(text.split()) == ["haberdashery", "millinery", "upholstery"]


@pytest.mark.parametrize("turn", [0, 90])
def test_lines_that_run_upwards_stay_apart(tmp_path: Path, turn: int) -> None:
    page = lines("First line ends with one", "Second line ends with two", "Third", at=(100, 50), turned=True)
    text = read(tmp_path, "a.pdf", pdf(page, page=f"/MediaBox[0 0 595 842]/Rotate {turn}")).text
    assert text.split("\n") == ["First line ends with one", "Second line ends with two", "Third"]


def test_a_page_whose_box_does_not_begin_at_nought_gives_all_its_words(tmp_path: Path) -> None:
    page = lines("above", at=(-280, 380)) + lines("below", at=(200, -390))
    assert sorted(read(tmp_path, "a.pdf", pdf(page, page="/MediaBox[-300 -400 300 400]/Rotate 270")).text.split()) == [
        "above",
        "below",
    ]


def test_words_outside_the_box_that_is_shown_are_found_and_are_no_part_of_the_text(tmp_path: Path) -> None:
    page = lines("inside", at=(150, 300)) + lines("margin", at=(20, 700)) + lines("nowhere", at=(900, 300))
    document = read(tmp_path, "a.pdf", pdf(page, page="/MediaBox[0 0 600 800]/CropBox[100 100 400 400]"))
    assert shape(document) == [("paragraph", "inside"), ("meta", "margin")]
    alone = read(
        tmp_path, "b.pdf", pdf(lines("margin", at=(20, 700)), page="/MediaBox[0 0 600 800]/CropBox[9 9 40 40]")
    )
    assert shape(alone) == [("meta", "margin")]


# --- what lies on a page --------------------------------------------------------------------------------------------


def annotated(*annotations: str, root: str = "", stream: str = "") -> bytes:
    """Return a page with annotations, the objects from number 5 on."""
    listed = " ".join(f"{number} 0 R" for number in range(5, 5 + len(annotations)))
    return pdf(
        stream or lines("Application form"),
        objects=annotations,
        page=f"/MediaBox[0 0 612 792]/Annots[{listed}]",
        root=root.replace("FIELDS", listed),
    )


def test_what_was_typed_into_a_form_is_read_behind_its_label(tmp_path: Path) -> None:
    widget = "/Type/Annot/Subtype/Widget/Rect[50 600 300 620]"
    content = annotated(
        f"<<{widget}/FT/Tx/T(name)/V(Wilhelmina Thackeray)>>",
        f"<<{widget}/FT/Ch/Ff 131072/T(town)/TU(Home town)/Opt[(Leeds)(York)]/V(York)>>",
        f"<<{widget}/FT/Btn/T(box)/AS/Yes/V/Yes/AP<</N<</Yes 4 0 R/Off 4 0 R>>>>>>",
        f"<<{widget}/FT/Tx/T(empty)>>",
        root="/AcroForm<</Fields[FIELDS]>>",
    )
    assert [text for _, text in shape(read(tmp_path, "a.pdf", content))] == [
        "Application form",
        "Wilhelmina Thackeray\nHome town: York",
    ]


def test_a_form_without_other_words_is_read(tmp_path: Path) -> None:
    field = "<</Type/Annot/Subtype/Widget/Rect[50 600 300 620]/FT/Tx/T(name)/V(\xfe\xff\x01\x60\x00\x61)>>"
    content = annotated(field, root="/AcroForm<</Fields[FIELDS]>>", stream="q Q")
    assert read(tmp_path, "a.pdf", content).text == "Š" + "a"


def test_notes_and_text_boxes_are_read_with_their_author_and_pop_ups_are_not(tmp_path: Path) -> None:
    place = "/Rect[50 600 300 620]"
    content = annotated(
        f"<</Type/Annot/Subtype/Text{place}/Contents(Ask about escrow)/T(Anna)>>",
        f"<</Type/Annot/Subtype/FreeText{place}/Contents(A box about the buttress)/DA(/F1 12 Tf)>>",
        f"<</Type/Annot/Subtype/Highlight{place}/Contents(Kestrel)/QuadPoints[50 620 300 620 50 600 300 600]>>",
        f"<</Type/Annot/Subtype/Popup{place}/Parent 5 0 R/Contents(Ask about escrow)>>",
        f"<</Type/Annot/Subtype/Highlight{place}>>",
    )
    assert [text for _, text in shape(read(tmp_path, "a.pdf", content))] == [
        "Application form",
        "Anna: Ask about escrow",
        "A box about the buttress",
        "Kestrel",
    ]


def test_links_carry_the_words_below_them(tmp_path: Path) -> None:
    content = annotated(
        "<</Type/Annot/Subtype/Link/Rect[45 695 200 715]/A<</S/URI/URI(https://example.org/form)>>>>",
        "<</Type/Annot/Subtype/Link/Rect[45 695 200 715]/A<</S/JavaScript/JS(app.alert\\(1\\))>>>>",
    )
    assert read(tmp_path, "a.pdf", content).links == (Link("https://example.org/form", "Application form"),)


def test_files_inside_a_pdf_are_read_or_named_with_the_reason(tmp_path: Path) -> None:
    file = "<</Type/Filespec/F({0})/UF({0})/EF<</F {1} 0 R>>>>"
    content = pdf(
        lines("Words."),
        root="/Names<</EmbeddedFiles<</Names[(a)5 0 R(b)7 0 R]>>>>",
        objects=(
            file.format("ledger.md", 6),
            "<</Length 16>>stream\n# Harvest\n\nBeans\nendstream",
            file.format("weir.png", 8),
            "<</Length 2>>stream\n\x00\x01\nendstream",
        ),
    )
    assert shape(read(tmp_path, "a.pdf", content)) == [
        ("paragraph", "Words."),
        ("heading", "a.pdf › ledger.md"),
        ("heading", "# Harvest"),
        ("paragraph", "Beans"),
        ("list", "- Attachment: weir.png (no reader for .png)"),
    ]


def test_a_file_that_is_pinned_to_a_page_is_read_like_one_of_the_whole_and_once(tmp_path: Path) -> None:
    pinned = "<</Type/Annot/Subtype/FileAttachment/Rect[0 0 9 9]/FS {} 0 R>>"
    objects = (
        pinned.format(7),
        pinned.format(9),
        "<</Type/Filespec/F(budget.txt)/UF(budget.txt)/EF<</F 8 0 R>>>>",
        "<</Length 12>>stream\nBeans, boots\nendstream",
        "<</Type/Filespec/F(gone.md)/UF(gone.md)>>",
    )
    expected = [
        ("paragraph", "Words."),
        ("heading", "a.pdf › budget.txt"),
        ("paragraph", "Beans, boots"),
        ("heading", "a.pdf › gone.md"),
    ]
    for root in ("", "/Names<</EmbeddedFiles<</Names[(a)7 0 R]>>>>"):
        content = annotated(*objects, root=root, stream=lines("Words."))
        assert shape(read(tmp_path, "a.pdf", content)) == expected


# --- outlines -------------------------------------------------------------------------------------------------------


def outlined(*entries: tuple[str, int], pages: tuple[str, ...]) -> bytes:
    """Return a PDF whose outline names pages, counted from 0."""
    first = 3 + 2 * len(pages)
    listed = [f"<</Type/Outlines/First {first + 1} 0 R/Last {first + len(entries)} 0 R/Count {len(entries)}>>"]
    for number, (title, page) in enumerate(entries, first + 1):
        chain = f"/Next {number + 1} 0 R" if number < first + len(entries) else f"/Prev {number - 1} 0 R"
        listed.append(f"<</Title({title})/Parent {first} 0 R/Dest[{4 + 2 * page} 0 R/Fit]{chain}>>")
    return pdf(*pages, root=f"/Outlines {first} 0 R", objects=tuple(listed))


def test_the_outline_gives_headings_where_their_words_stand(tmp_path: Path) -> None:
    long = "A line of words that runs all the way to the margin of this page"
    document = read(
        tmp_path,
        "a.pdf",
        outlined(
            ("Masonry", 0),
            ("On the glazing of large windows", 0),
            ("Nowhere to be found", 1),
            ("Page 2", 1),
            pages=(
                lines("Preface", "1 Masonry", long, "2. On the glazing of", "large windows", long),
                lines("The end of it."),
            ),
        ),
    )
    assert shape(document) == [
        ("paragraph", "Preface"),
        ("heading", "1 Masonry"),
        ("paragraph", long),
        ("heading", "2. On the glazing of large windows"),
        ("paragraph", long),
        ("heading", "Nowhere to be found"),
        ("paragraph", "The end of it."),
    ]
    assert [block.page for block in document.blocks] == [1, 1, 1, 1, 1, 2, 2]
    assert {level for level, _ in headings(document)} == {1}


def test_an_outline_that_goes_in_a_circle_ends(tmp_path: Path) -> None:
    entry = "<</Title(Again)/Parent 5 0 R/Dest[4 0 R/Fit]/Next 6 0 R>>"
    content = pdf(lines("Words."), root="/Outlines 5 0 R", objects=("<</First 6 0 R/Last 6 0 R>>", entry))
    assert "Words." in read(tmp_path, "a.pdf", content).text


# --- hyphens --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (("of retrie-", "val and more"), "of retrieval\nand more"),
        (("in state-of-the-", "art systems"), "in state-of-the-art\nsystems"),
        (("the well-", "known author"), "the well-\nknown author"),
        (("the frame-", "works differ"), "the frameworks\ndiffer"),
        (("an anti-lock brake, the anti-", "lock brake"), "an anti-lock brake, the anti-lock\nbrake"),
        (("wellknown names, the well-", "known author"), "wellknown names, the wellknown\nauthor"),
        (("with Schwarz-", "Weiss pictures"), "with Schwarz-\nWeiss pictures"),
    ],
)
def test_a_hyphen_at_a_lines_end_stays_where_it_belongs_to_the_word(
    tmp_path: Path, written: tuple[str, ...], expected: str
) -> None:
    assert read(tmp_path, "a.pdf", pdf(lines(*written))).text == expected


# --- from right to left ---------------------------------------------------------------------------------------------


def right_to_left(glyphs: dict[str, str], drawn: str) -> bytes:
    """Write a page that draws glyphs from left to right, each standing for the letters that its table names."""
    named = "".join(
        f"<{ord(glyph):02X}> <{letters.encode('utf-16-be').hex().upper()}>\n" for glyph, letters in glyphs.items()
    )
    table = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def\n"
        f"1 begincodespacerange <00> <FF> endcodespacerange {len(glyphs)} beginbfchar\n{named}endbfchar endcmap end end"
    )
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>"
    objects = (font, f"<</Length {len(table)}>>stream\n{table}\nendstream")
    return pdf(lines(drawn), objects=objects).replace(FONT.encode(), b"/Resources<</Font<</F1 5 0 R>>>>")


@pytest.mark.parametrize(
    ("glyphs", "drawn", "read_as"),
    [
        ({"A": "ش", "B": "م", "C": "س"}, "CBA", "شمس"),
        ({"A": "س", "B": "لا", "C": "م"}, "CBA", "سلام"),
        ({"A": "س", "B": "ﻻ", "C": "م"}, "CBA", "سلام"),
        ({"A": "حَبيبي"}, "A", "حَبيبي"),
        ({"A": "שלום"}, "A", "שלום"),
        ({"A": "ש", "B": "לו", "C": "ם", "a": "a", "b": "b"}, "ab CBA", "ab שלום"),
        ({"A": "الكتاب", "B": "جديد"}, "B A", "الكتاب جديد"),
    ],
)
def test_letters_of_one_glyph_stand_in_the_order_in_which_they_are_read(
    tmp_path: Path, glyphs: dict[str, str], drawn: str, read_as: str
) -> None:
    assert read(tmp_path, "a.pdf", right_to_left(glyphs, drawn)).text == read_as
