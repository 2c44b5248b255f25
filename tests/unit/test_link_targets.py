"""The addresses that links of pages and office files lead to are found by words, and say nothing of meaning."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from odf.opendocument import OpenDocumentText
from odf.text import A, P
from pptx import Presentation

from engine.chunking import cut
from engine.sources.readers import read_document
from engine.sources.readers.link_targets import MOST

ADDRESS = "https://example.org/quokka?page=2"
HYPERLINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"


def word_file() -> bytes:
    made = docx.Document()
    paragraph = made.add_paragraph("Read the ")
    link, run, words = (OxmlElement(name) for name in ("w:hyperlink", "w:r", "w:t"))
    link.set(qn("r:id"), made.part.relate_to(ADDRESS, HYPERLINK, is_external=True))
    words.text = "manual"
    run.append(words)
    link.append(run)
    paragraph._p.append(link)
    return saved(made.save)


def slides() -> bytes:
    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    run = slide.shapes.title.text_frame.paragraphs[0].add_run()
    run.text = "Read the manual"
    run.hyperlink.address = ADDRESS
    return saved(made.save)


def sheet(by_formula: bool) -> bytes:
    made = openpyxl.Workbook()
    cell = made.active["A1"]
    if by_formula:
        made.active["A2"] = "Read the manual"
        cell.value = f'=HYPERLINK("{ADDRESS}","manual")'
    else:
        cell.value, cell.hyperlink = "Read the manual", ADDRESS
    return saved(made.save)


def text_document() -> bytes:
    made = OpenDocumentText()
    paragraph = P(text="Read the ")
    paragraph.addElement(A(href=ADDRESS, text="manual"))
    made.text.addElement(paragraph)
    return saved(made.write)


def saved(save: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    save(stream)
    return stream.getvalue()


def page(links: int = 1) -> bytes:
    more = "".join(f'<a href="https://example.org/{number}">a</a> ' for number in range(1, links))
    return f'<p>Read the <a href="{ADDRESS}">manual</a> today. {more}</p>'.encode()


RICH = r'{\rtf1 Read the {\field{\*\fldinst{HYPERLINK "ADDRESS"}}{\fldrslt{manual}}}.\par}'.replace("ADDRESS", ADDRESS)
NOTE = (
    "<en-export><note><title>A</title><content><![CDATA[<en-note><p>Read the "
    f'<a href="{ADDRESS}">manual</a></p></en-note>]]></content></note></en-export>'
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", page()),
        ("a.docx", word_file()),
        ("a.pptx", slides()),
        ("a.xlsx", sheet(by_formula=False)),
        ("b.xlsx", sheet(by_formula=True)),
        ("a.odt", text_document()),
        ("a.rtf", RICH.encode()),
        ("b.rtf", RICH.replace('"', "").encode()),
        ("a.mhtml", b"Subject: x\nContent-Type: text/html\n\n" + page()),
        ("a.enex", NOTE.encode()),
    ],
    ids=["html", "docx", "pptx", "xlsx", "xlsx formula", "odt", "rtf", "rtf unquoted", "mhtml", "enex"],
)
def test_an_address_is_in_the_text_and_not_in_what_is_embedded(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    document = read_document(bytes(path))
    assert document.text.count(ADDRESS) == 1
    assert document.text.endswith(ADDRESS)
    passages = cut(document, lambda text: [*range(0, len(text), 4)])
    assert any("manual" in passage.embedded for passage in passages)
    assert not any("quokka" in passage.embedded for passage in passages)


@pytest.mark.parametrize(("links", "kept"), [(MOST, True), (MOST + 1, False)])
def test_a_page_of_very_many_links_gets_none_of_them(tmp_path: Path, links: int, kept: bool) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(page(links))
    assert (ADDRESS in read_document(bytes(path)).text) is kept


@pytest.mark.parametrize("target", ["javascript:alert(1)", "#below", "other.html", "data:text/plain,quokka", "cid:1"])
def test_what_is_no_address_outside_is_not_added(tmp_path: Path, target: str) -> None:
    path = tmp_path / "a.html"
    path.write_text(f'<p>Read the <a href="{target}">manual</a>.</p>')
    assert read_document(bytes(path)).text.strip() == "Read the manual."


def test_an_address_that_is_read_already_is_not_added_again(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(f'<p>See <a href="{ADDRESS}">{ADDRESS}</a>.</p>')
    assert read_document(bytes(path)).text.count(ADDRESS) == 1
