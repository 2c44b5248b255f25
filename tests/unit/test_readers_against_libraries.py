"""Our readers of office files held against well-known libraries: no word that one of those finds is lost.

The files are made here, and where there are real ones, those are compared too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from pathlib import Path

import docx
import odf.opendocument
import odf.teletype
import odf.text
import openpyxl
import pptx
import pytest
from docx.text.paragraph import Paragraph
from python_calamine import CalamineWorkbook
from striprtf.striprtf import rtf_to_text

from engine.errors import SourceError
from engine.sources.readers import read_document

DATA = Path(os.environ.get("CARREL_DATA", os.devnull)) / "documents"
WORD = re.compile(r"\w+")


def by_python_docx(path: Path) -> Iterator[str]:
    document = docx.Document(str(path))
    for paragraph in document.element.body.iter(docx.oxml.ns.qn("w:p")):
        yield Paragraph(paragraph, document).text
    for section in document.sections:
        for part in (section.header, section.footer):
            yield from (paragraph.text for paragraph in part.paragraphs)
    yield from (comment.text for comment in document.comments)


def by_openpyxl(path: Path) -> Iterator[str]:
    for sheet in openpyxl.load_workbook(path, data_only=True).worksheets:
        for row in sheet.iter_rows():
            yield from (cell.value for cell in row if isinstance(cell.value, str) and cell.data_type != "e")
            yield from (cell.comment.text for cell in row if cell.comment)


def by_calamine(path: Path) -> Iterator[str]:
    workbook = CalamineWorkbook.from_path(path)
    for name in workbook.sheet_names:
        for row in workbook.get_sheet_by_name(name).to_python():
            for value in row:
                if isinstance(value, (str, date, datetime, time)) and value != "":
                    yield (
                        str(value).removesuffix(" 00:00:00").partition(".")[0] if not isinstance(value, str) else value
                    )


def by_python_pptx(path: Path) -> Iterator[str]:
    for slide in pptx.Presentation(str(path)).slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                yield shape.text_frame.text
            elif shape.has_table:
                yield from (cell.text for cell in shape.table.iter_cells())
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame:
            yield slide.notes_slide.notes_text_frame.text


def by_odfpy(path: Path) -> Iterator[str]:
    document = odf.opendocument.load(str(path))
    for kind in (odf.text.P, odf.text.H):
        yield from (odf.teletype.extractText(each) for each in document.body.getElementsByType(kind))


def by_striprtf(path: Path) -> Iterator[str]:
    yield rtf_to_text(path.read_bytes().decode("latin-1"), errors="replace")


LIBRARIES: dict[str, tuple[Callable[[Path], Iterator[str]], ...]] = {
    ".docx": (by_python_docx,),
    ".xlsx": (by_openpyxl, by_calamine),
    ".xls": (by_calamine,),
    ".pptx": (by_python_pptx,),
    ".odt": (by_odfpy,),
    ".rtf": (by_striprtf,),
}


def lost_words(path: Path, library: Callable[[Path], Iterator[str]]) -> set[str]:
    """Return the words that a library finds in a file and our reader does not."""
    theirs = {word for text in library(path) for word in WORD.findall(text.casefold())}
    ours = set(WORD.findall(read_document(os.fsencode(path)).text.casefold()))
    return theirs - ours


def a_docx(path: Path) -> None:
    document = docx.Document()
    document.add_heading("Über Dächer", 1)
    paragraph = document.add_paragraph("Plain ")
    paragraph.add_run("bold").bold = True
    document.add_comment(paragraph.runs, "remark", author="Anna")
    table = document.add_table(rows=2, cols=2)
    for number, cell in enumerate(table._cells):
        cell.text = f"cell{number}"
    table.cell(0, 0).merge(table.cell(0, 1))
    document.sections[0].header.paragraphs[0].text = "letterhead"
    document.save(str(path))


def an_xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (
        ["Plant", "Sown", "At", "Note"],
        ["Beans", date(2024, 2, 1), time(9, 5, 7), "a\nb"],
        ["Peas", datetime(2024, 2, 1, 10, 30), time(9, 5), True],
    ):
        book.active.append(row)
    hidden = book.create_sheet("Hidden")
    hidden.sheet_state = "hidden"
    hidden["C7"] = "far away"
    book.save(path)


def a_pptx(path: Path) -> None:
    talk = pptx.Presentation()
    slide = talk.slides.add_slide(talk.slide_layouts[1])
    slide.shapes.title.text = "Opening"
    slide.placeholders[1].text = "One\nTwo"
    slide.notes_slide.notes_text_frame.text = "Slowly"
    talk.save(str(path))


def an_odt(path: Path) -> None:
    document = odf.opendocument.OpenDocumentText()
    document.text.addElement(odf.text.H(outlinelevel=1, text="Über Dächer"))
    listed, item = odf.text.List(), odf.text.ListItem()
    item.addElement(odf.text.P(text="an item"))
    listed.addElement(item)
    document.text.addElement(listed)
    document.save(str(path))


def an_rtf(path: Path) -> None:
    path.write_bytes(
        rb"{\rtf1\ansi\ansicpg1250\deff0{\fonttbl{\f0\fcharset238 Arial;}}{\colortbl;\red0\green0\blue0;}"
        rb"\pard\f0 \'8elut\'e9 fazole\par \u381?lut\'fd\tab k\'f9\'f2\line a {\b bold} word\par"
        rb"\trowd\intbl Leeds\cell York\cell\row\pard{\field{\*\fldinst HYPERLINK x}{\fldrslt linked}}\par}"
    )


MADE = {".docx": a_docx, ".xlsx": an_xlsx, ".pptx": a_pptx, ".odt": an_odt, ".rtf": an_rtf}


@pytest.mark.parametrize("suffix", MADE)
def test_no_word_that_a_library_finds_is_lost(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    MADE[suffix](path)
    for library in LIBRARIES[suffix]:
        assert any(library(path)), library
        assert lost_words(path, library) == set(), library


@pytest.mark.realdata
@pytest.mark.skipif(not DATA.is_dir(), reason="CARREL_DATA holds no documents")
@pytest.mark.parametrize("suffix", LIBRARIES)
def test_no_word_of_real_files_that_a_library_finds_is_lost(suffix: str) -> None:
    lost: dict[str, set[str]] = {}
    compared = 0
    for path in sorted(DATA.rglob(f"*{suffix}")):
        for library in LIBRARIES[suffix]:
            try:
                words = lost_words(path, library)
            except SourceError:
                continue  # refused by ours, with a reason
            except Exception:
                continue  # refused by the library, each with errors of its own
            compared += 1
            if words:
                lost[f"{path.name} by {library.__name__}"] = words
    assert lost == {}
    assert compared
