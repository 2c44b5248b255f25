"""Readers of formats that programs write: visible text in blocks, titles, pages, and a plain reason for a bad file."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import docx
import pytest
from reading import archive, headings, read, reason, shape

from engine.errors import SourceError
from engine.records import Link

CONTAINER = (
    '<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="O/p.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
PACKAGE = (
    '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<dc:title>The Book</dc:title><dc:creator>Ann Author</dc:creator><dc:subject>foxes</dc:subject></metadata>"
    "<manifest>"
    '<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
    '<item id="b" href="b.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="a" href="a%20a.xhtml" media-type="application/xhtml+xml"/></manifest>'
    '<spine><itemref idref="n"/><itemref idref="a"/><itemref idref="b"/></spine></package>'
)
NAV = (
    '<html xmlns="http://www.w3.org/1999/xhtml"><body><nav><ol><li><a href="a%20a.xhtml#x">Chapter One</a></li>'
    '<li><a href="b.xhtml">Chapter Two</a></li></ol></nav></body></html>'
)
XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head><body>{}</body></html>'


def epub(**changes: str | bytes) -> bytes:
    members: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "O/p.opf": PACKAGE,
        "O/nav.xhtml": NAV,
        "O/a a.xhtml": XHTML.format("<p>It began.</p>"),
        "O/b.xhtml": XHTML.format("<h2>Its own</h2><p>It ended.</p>"),
    }
    return archive({**members, **changes})


def pdf(*pages: str, title: str = "", extra: str = "") -> bytes:
    """Write a small PDF by hand, one line of text for each line of a page."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>", ""]
    kids = []
    for page in pages:
        lines = "".join(f"({line}) Tj 0 -14 Td " for line in page.split("\n") if line)
        stream = f"BT /F1 12 Tf 50 700 Td {lines} ET" if page else ""
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {len(objects)} 0 R"
            "/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(kids)}]>>"
    objects.append(f"<</Title({title})/Author(Ann)/CreationDate(D:20240201)>>")
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"trailer<</Size {size}/Root 1 0 R/Info {len(objects)} 0 R{extra}>>\nstartxref\n{len(body)}\n%%EOF"
    return f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode("latin-1")


def word(make: Callable[[docx.document.Document], object]) -> bytes:
    document = docx.Document()
    make(document)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


# --- HTML ---------------------------------------------------------------------------------------------------------


def test_html_gives_what_a_reader_of_the_page_sees(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        "a.html",
        "<html><head><title> The\n Page </title><meta name=keywords content='fox, red dog'><style>p{}</style></head>"
        "<body><nav>menu</nav><h1>Top <em>word</em></h1><script>var x</script>Loose <b>text</b>\nhere.<p>One<br>two "
        "&amp; <a href='x.html'>link</a></p><div hidden>no</div><ul><li>a<ul><li>b</li></ul></li></ul>"
        "<pre>  code\n   more</pre>"
        "<table><tr><th>h</th><th>i</th></tr><tr><td>1</td><td>2</td></tr></table><blockquote>said</blockquote></body>",
    )
    assert shape(document) == [
        ("meta", "menu"),
        ("heading", "Top word"),
        ("paragraph", "Loose text here."),
        ("paragraph", "One\ntwo & link"),
        ("list", "- a\n  - b"),
        ("code", "  code\n   more"),
        ("table", "h | i\n1 | 2"),
        ("quote", "said"),
    ]
    assert (document.title, document.title_written, document.tags) == ("The Page", True, ("fox", "red dog"))
    assert headings(document) == [(1, "Top word")]
    assert document.links == (Link("x.html", "link"),)


def test_a_table_that_lays_out_a_page_is_read_as_a_page(tmp_path: Path) -> None:
    page = "<table><tr><td><h2>Left</h2><p>x</p></td><td><table><tr><td>1</td><td>2</td></tr></table></td></tr></table>"
    assert shape(read(tmp_path, "a.html", page)) == [("heading", "Left"), ("paragraph", "x"), ("table", "1 | 2")]


def test_html_in_a_declared_encoding_is_read(tmp_path: Path) -> None:
    page = "<html><head><meta charset='windows-1251'></head><body><p>Привет</p></body></html>"
    assert read(tmp_path, "a.html", page.encode("cp1251")).text == "Привет"


def test_html_with_an_xml_declaration_or_thousands_of_levels_is_read(tmp_path: Path) -> None:
    assert (
        read(tmp_path, "a.xhtml", '<?xml version="1.0" encoding="utf-8"?><html><body><p>ä</p></body></html>').text
        == "ä"
    )
    read(tmp_path, "deep.html", "<div>" * 5000 + "deep" + "</div>" * 5000)


def test_text_without_any_tag_is_no_html(tmp_path: Path) -> None:
    assert reason(tmp_path, "a.html", "just words") == "not HTML"


# --- PDF ----------------------------------------------------------------------------------------------------------


def test_pdf_blocks_know_their_page(tmp_path: Path) -> None:
    document = read(tmp_path, "a.pdf", pdf("First page here.", "Second page here.", title="A Paper"))
    assert [(document.text[b.start : b.end], b.page) for b in document.blocks] == [
        ("First page here.", 1),
        ("Second page here.", 2),
    ]
    assert (document.title, document.title_written) == ("A Paper", True)
    assert document.metadata == {"author": "Ann", "created": "2024-02-01", "pages": "2"}


@pytest.mark.parametrize("title", ["", "untitled", "Microsoft Word - draft.doc", "paper.dvi", "x"])
def test_a_title_that_a_program_made_up_is_not_taken(tmp_path: Path, title: str) -> None:
    document = read(tmp_path, "my_paper.pdf", pdf("Words.", title=title))
    assert (document.title, document.title_written) == ("my paper", False)


def test_a_word_broken_at_a_line_end_is_joined(tmp_path: Path) -> None:
    page = "This is about retrie-\nval of passages in state-of-the-\nart systems."
    assert read(tmp_path, "a.pdf", pdf(page)).text.replace("\n", " ") == (
        "This is about retrieval of passages in state-of-the-art systems."
    )


def test_paragraphs_of_a_page_are_parted_where_a_line_ends_early(tmp_path: Path) -> None:
    long = "A line that runs all the way to the margin of this page and\n"
    page = long + long + "ends here.\n" + long + "then stops."
    blocks = shape(read(tmp_path, "a.pdf", pdf(page)))
    assert len(blocks) == 2
    assert blocks[0][1].endswith("ends here.")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"<html>no pdf</html>", "not a PDF"),
        (b"%PDF-1.7\ngarbage", "truncated or damaged PDF"),
        (pdf("", ""), "scanned: no text layer"),
        (
            pdf(
                "x",
                extra="/Encrypt<</Filter/Standard/V 1/R 2/P -1/O(" + "o" * 32 + ")/U(" + "u" * 32 + ")>>/ID[(a)(a)]",
            ),
            "encrypted",
        ),
    ],
)
def test_a_pdf_that_gives_no_text_says_why(tmp_path: Path, content: bytes, expected: str) -> None:
    assert reason(tmp_path, "a.pdf", content) == expected


# --- DOCX ---------------------------------------------------------------------------------------------------------


def test_docx_headings_lists_and_tables_in_their_order(tmp_path: Path) -> None:
    def make(document: docx.document.Document) -> None:
        document.core_properties.title = "Core Title"
        document.core_properties.keywords = "one, two"
        document.add_heading("Part", 1)
        document.add_paragraph("Some words.")
        document.add_paragraph("first", style="List Bullet")
        document.add_paragraph("second", style="List Bullet")
        document.add_heading("Deeper", 3)
        table = document.add_table(rows=2, cols=2)
        for row in range(2):
            for column in range(2):
                table.cell(row, column).text = f"{row}{column}"
        document.add_paragraph("a tab\tand\nbreak")

    document = read(tmp_path, "a.docx", word(make))
    assert shape(document) == [
        ("heading", "Part"),
        ("paragraph", "Some words."),
        ("list", "- first\n- second"),
        ("heading", "Deeper"),
        ("table", "00 | 01\n10 | 11"),
        ("paragraph", "a tab\tand\nbreak"),
    ]
    assert headings(document) == [(1, "Part"), (3, "Deeper")]
    assert (document.title, document.title_written, document.tags) == ("Core Title", True, ("one", "two"))


def test_the_title_paragraph_of_a_docx_is_its_title(tmp_path: Path) -> None:
    content = word(lambda document: (document.add_paragraph("x"), document.add_heading("Named So", 0)))
    assert read(tmp_path, "a.docx", content).title == "Named So"


def test_docx_footnotes_follow_the_body_and_deleted_text_is_gone(tmp_path: Path) -> None:
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = (
        f"<w:document {w}><w:body><w:p><w:r><w:t>Kept</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t> new</w:t></w:r></w:ins></w:p><w:sdt><w:sdtContent><w:p><w:r><w:t>Inside</w:t></w:r></w:p>"
        "</w:sdtContent></w:sdt></w:body></w:document>"
    )
    notes = (
        f'<w:footnotes {w}><w:footnote w:type="separator"><w:p/></w:footnote><w:footnote><w:p><w:r>'
        "<w:t>A note.</w:t></w:r></w:p></w:footnote></w:footnotes>"
    )
    document = read(tmp_path, "a.docx", archive({"word/document.xml": body, "word/footnotes.xml": notes}))
    assert [text for _, text in shape(document)] == ["Kept new", "Inside", "A note."]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"plain", "not a ZIP file, so no DOCX"),
        (b"PK\x03\x04 cut", "truncated or damaged DOCX"),
        (archive({"x": "y"}), "a ZIP file, but no DOCX"),
        (archive({"word/document.xml": "<w:document"}), "damaged XML in document.xml"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "an old Office file, not DOCX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
    ],
    ids=["text", "cut", "ZIP", "damaged XML", "old", "encrypted"],
)
def test_a_docx_that_is_none_says_why(tmp_path: Path, content: bytes, expected: str) -> None:
    assert reason(tmp_path, "a.docx", content) == expected


def test_a_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sources.readers.zip_container.MAX_UNPACKED_BYTES", 1_000_000)
    bomb = archive({"word/document.xml": b"<a>" + b" " * 2**21})
    assert reason(tmp_path, "a.docx", bomb) == "unpacks to more than 1.0 MB"


def test_entities_are_not_expanded_and_no_file_is_read_through_them(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("SECRET")
    body = (
        f'<!DOCTYPE d [<!ENTITY s SYSTEM "file://{tmp_path}/secret"><!ENTITY a "{"x" * 99}"><!ENTITY b "&a;&a;">]>'
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r>'
        "<w:t>left &s;&b; right</w:t></w:r></w:p></w:body></w:document>"
    )
    text = read(tmp_path, "a.docx", archive({"word/document.xml": body})).text
    assert "SECRET" not in text
    assert "xxx" not in text


# --- EPUB ---------------------------------------------------------------------------------------------------------


def test_epub_chapters_come_in_reading_order_under_their_names(tmp_path: Path) -> None:
    document = read(tmp_path, "a.epub", epub())
    assert shape(document) == [
        ("heading", "Chapter One"),
        ("paragraph", "It began."),
        ("heading", "Its own"),
        ("paragraph", "It ended."),
    ]
    assert (document.title, document.title_written) == ("The Book", True)
    assert (document.tags, document.metadata) == (("foxes",), {"author": "Ann Author"})


def test_a_protected_epub_says_so_and_disguised_fonts_do_not_matter(tmp_path: Path) -> None:
    def encryption(method: str) -> str:
        return (
            '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"'
            ' xmlns:e="http://www.w3.org/2001/04/xmlenc#">'
            f'<e:EncryptedData><e:EncryptionMethod Algorithm="{method}"/></e:EncryptedData></encryption>'
        )

    protected = epub(**{"META-INF/encryption.xml": encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc")})
    assert reason(tmp_path, "a.epub", protected) == "protected (DRM)"
    fonts = epub(**{"META-INF/encryption.xml": encryption("http://www.idpf.org/2008/embedding")})
    assert read(tmp_path, "b.epub", fonts).title == "The Book"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"a%20a.xhtml": "A%20A.XHTML"}, ["It began.", "It ended."]),  # the archive has it in small letters
        ({"application/xhtml+xml": "text/x-oeb1-document"}, ["It began.", "It ended."]),
        ({"application/xhtml+xml": "Application/XHTML+XML; charset=utf-8"}, ["It began.", "It ended."]),
        ({'media-type="application/xhtml+xml"': ""}, ["It began.", "It ended."]),
        ({'<itemref idref="a"/>': ""}, ["It ended.", "It began."]),  # named, but in no order
        (
            {'"a%20a.xhtml" media-type="application/xhtml+xml"': '"x.jpg" media-type="image/jpeg" fallback="b"'},
            ["It ended."],
        ),
        ({"<spine>": "<spine><itemref idref='gone'/>"}, ["It began.", "It ended."]),
    ],
)
def test_the_pages_of_a_book_are_found_however_its_package_names_them(
    tmp_path: Path, changes: dict[str, str], expected: list[str]
) -> None:
    package = PACKAGE
    for old, new in changes.items():
        assert old in package
        package = package.replace(old, new)
    document = read(tmp_path, "a.epub", epub(**{"O/p.opf": package}))
    assert [words for kind, words in shape(document) if kind == "paragraph"] == expected


def test_a_book_without_a_container_or_with_a_careless_table_of_contents_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "a.epub", epub(**{"META-INF/container.xml": "<broken"})).title == "The Book"
    careless = epub(**{"O/nav.xhtml": "<nav><ol><li><a href='a%20a.xhtml'>Chapter One<li></nav>&nbsp;"})
    assert headings(read(tmp_path, "b.epub", careless))[0] == (1, "Chapter One")


# --- e-mail -------------------------------------------------------------------------------------------------------


def message(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in headers.items():
        mail[name] = value
    return mail


def test_email_gives_subject_people_plain_body_and_names_of_attachments(tmp_path: Path) -> None:
    mail = message(Subject="Grüße", From="Ann <a@x.org>", To="b@x.org", Date="Thu, 01 Feb 2024 10:00:00 +0000")
    mail.set_content("Hello there.\n\n> said before\n\nSee https://x.org/y.\n")
    mail.add_alternative("<p>Rich</p>", subtype="html")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="plan.pdf")
    document = read(tmp_path, "a.eml", mail.as_bytes())
    kinds_and_texts = shape(document)
    assert kinds_and_texts[0][1].split("\n")[0] == "From: Ann <a@x.org>"
    assert kinds_and_texts[1:] == [
        ("paragraph", "Hello there."),
        ("quote", "> said before"),
        ("paragraph", "See https://x.org/y."),
        ("meta", "Rich"),
        ("list", "- Attachment: plan.pdf (not a PDF)"),
    ]
    assert (document.title, document.title_written) == ("Grüße", True)
    assert document.metadata["from"] == "Ann <a@x.org>"
    assert document.links == (Link("https://x.org/y", "https://x.org/y"),)


def test_an_email_in_html_only_is_read_as_html(tmp_path: Path) -> None:
    mail = message(Subject="s", From="a@x.org")
    mail.set_content("<h1>Head</h1><p>Body</p>", subtype="html")
    assert shape(read(tmp_path, "a.eml", mail.as_bytes()))[1:] == [("heading", "Head"), ("paragraph", "Body")]


def test_an_email_with_broken_headers_is_read_all_the_same(tmp_path: Path) -> None:
    raw = b"Subject: =?utf-99?b?!!?=\nFrom: \xff\xfe <<<\nTo: a@b@c, ;;\nDate: never\n"
    raw += b"Content-Type: text/plain; charset=nope\n\nHi\n"
    assert read(tmp_path, "a.eml", raw).text.endswith("Hi")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"just words\n", "not an e-mail message"),
        (b"Subject: x\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nAAAA\n", "encrypted"),
    ],
)
def test_an_email_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, expected: str) -> None:
    assert reason(tmp_path, "a.eml", content) == expected


# --- notebooks ----------------------------------------------------------------------------------------------------


def test_notebook_cells_come_in_order_with_what_they_printed(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Study\n", "\n", "Of [foxes](f.md). #red\n"]},
        {"cell_type": "code", "source": "1 + 1", "outputs": [{"data": {"text/plain": ["2"], "image/png": "AAAA"}}]},
        {"cell_type": "code", "source": "dump()", "outputs": [{"output_type": "stream", "text": "x" * 20_005}]},
        {"cell_type": "code", "source": "", "outputs": []},
    ]
    content = json.dumps({"nbformat": 4, "metadata": {"language_info": {"name": "Python"}}, "cells": cells})
    document = read(tmp_path, "a.ipynb", content)
    assert shape(document) == [
        ("heading", "# Study"),
        ("paragraph", "Of [foxes](f.md). #red"),
        ("code", "1 + 1"),
        ("code", "2"),
        ("code", "dump()"),
        ("code", "x" * 20_000),
        ("code", "… 5 more signs of this output are not read"),
    ]
    assert (document.title, document.tags, document.metadata) == ("Study", ("red",), {"language": "python"})
    assert document.links == (Link("f.md", "foxes"),)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "empty"),
        ("{", "not JSON, so no notebook"),
        ("[1]", "JSON, but no notebook"),
        ("{}", "JSON, but no notebook"),
    ],
)
def test_a_notebook_that_is_none_says_why(tmp_path: Path, content: str, expected: str) -> None:
    assert reason(tmp_path, "a.ipynb", content) == expected


# --- all of them --------------------------------------------------------------------------------------------------

SAMPLES = {
    "a.pdf": pdf("Some words on a page.", title="T"),
    "a.docx": word(lambda document: document.add_paragraph("Some words.")),
    "a.epub": epub(),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_damaged_file_gives_a_document_or_a_reason_and_nothing_else(tmp_path: Path, name: str) -> None:
    chance = random.Random(7)
    sample = SAMPLES[name]
    for _ in range(60):
        content = bytearray(sample[: chance.randrange(1, len(sample) + 1)])
        for _ in range(chance.randrange(8)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            document = read(tmp_path, name, bytes(content))
        except SourceError as error:
            assert 0 < len(error.reason) < 80
        else:
            assert document.text
