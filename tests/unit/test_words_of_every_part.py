"""What stands in an odd place or an old encoding of a file is found by its words: asked through the library."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import docx
import pytest
from notes import FILLER, library_of
from reading import archive
from test_encodings import CZECH, RUSSIAN, TURKISH
from test_readers_binary_workbook import xls
from test_readers_office_parts import word, workbook
from test_readers_opendocument import content as opendocument
from test_readers_pdf import annotated, lines, pdf

from engine.library import Library
from engine.records import SearchSettings

WORDS_ONLY = SearchSettings(fusion="keyword")
MIXED = "# Contractor\n\nCall the contractor on Monday about the roof and bring the ladder. Name: Пётр Орлов\n"
COMMENT = "<text:p>x<office:annotation><text:p>about the sloop</text:p></office:annotation></text:p>"


def commented(document: docx.document.Document) -> None:
    document.add_comment(document.add_paragraph("The clause.").runs, "Ask about escrow", author="Anna")


BOOK = {
    "b.opf": (
        '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><manifest><item id="a" href="a.xhtml" '
        'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine></package>'
    ),
    "a.xhtml": (
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body><p>It '
        'guzzled<a epub:type="noteref" href="#n">1</a>, then <b>wh</b>istled<sup>2</sup> and '
        'yodelled<a href="#m">[3]</a>.</p></body></html>'
    ),
}


def raised(document: docx.document.Document) -> None:
    paragraph = document.add_paragraph("It squatted")
    paragraph.add_run("12").font.superscript = True
    paragraph.add_run(" by the acre, 5 m")
    paragraph.add_run("2").font.superscript = True


FILES: dict[str, str | bytes] = {
    "cz.txt": CZECH.encode("cp1250"),
    "tr.txt": TURKISH.encode("cp1254"),
    "ru.txt": RUSSIAN.encode("koi8-r"),
    "short.txt": "Short note: крыша\n".encode("cp1251"),
    "mix.md": MIXED.encode("cp1251"),
    "lines.txt": "Das Café öffnet früh.\n".encode() * 3 + "Später schließt es.\n".encode("latin-1"),
    "jis.txt": "図書館の鍵は机の引き出しにあります。\n".encode("iso2022_jp"),
    "turned.pdf": pdf(lines("haberdashery", at=(700, 500)), page="/MediaBox[0 0 842 595]/Rotate 90"),
    "noted.pdf": annotated("<</Type/Annot/Subtype/Text/Rect[9 9 20 20]/Contents(about the quillwright)>>"),
    "known.pdf": pdf(lines("of a well-", "known author", "and retrie-", "val")),
    "commented.docx": word(commented),
    "shared.xlsx": workbook("Abbot_x000D_"),
    "old.xls": xls(),
    "marks.epub": archive(BOOK),
    "marks.docx": word(raised),
    "marks.rtf": r"{\rtf1 It trundled{\super 3} off, 7 km{\super 2}.\par}",
    "flat.fodt": opendocument("text", COMMENT),
    "box.rtf": r"{\rtf1 x{\shp{\*\shpinst{\shptxt About the buttress\par}}}\par}",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with library_of(tmp_path_factory.mktemp("parts"), {**FILLER, **FILES}, fitted=False) as opened:
        yield opened


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("žebřík", "cz.txt"),
        ("schůze", "cz.txt"),
        ("toplantı", "tr.txt"),
        ("встреча", "ru.txt"),
        ("крыша", "short.txt"),
        ("Орлов", "mix.md"),
        ("Später", "lines.txt"),
        ("図書館", "jis.txt"),
        ("haberdashery", "turned.pdf"),
        ("quillwright", "noted.pdf"),
        ("well-known author", "known.pdf"),
        ("wellknown", "known.pdf"),
        ("retrieval", "known.pdf"),
        ("escrow", "commented.docx"),
        ("Abbot", "shared.xlsx"),
        ("fazole", "old.xls"),
        ("guzzled", "marks.epub"),
        ("whistled", "marks.epub"),
        ("yodelled", "marks.epub"),
        ("squatted", "marks.docx"),
        ("m2", "marks.docx"),
        ("trundled", "marks.rtf"),
        ('"7 km2"', "marks.rtf"),
        ("sloop", "flat.fodt"),
        ("buttress", "box.rtf"),
    ],
)
def test_a_word_is_found_wherever_it_stands(library: Library, query: str, name: str) -> None:
    found = library.search(query, settings=WORDS_ONLY).hits
    assert [Path(os.fsdecode(hit.path)).name for hit in found][:1] == [name]
