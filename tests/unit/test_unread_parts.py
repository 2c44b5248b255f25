"""`why` tells of a word that stands in a file's bytes and in no passage: in which part, and why it is not read."""

from __future__ import annotations

import base64
import io
import os
import zipfile
import zlib
from pathlib import Path

import pytest
from notes import library_of

from engine.indexing.unread_parts import UnreadWord, unread_words


def packed(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), text)
    return buffer.getvalue()


PAGE = (
    "<html><head><style>.furnace { }</style></head><body><p>Words.</p>\n<!-- the kettle -->\n"
    '<script>let sprocket = 1</script><p class="lantern">More.</p></body></html>'
)
PDF = b"%PDF-1.7\nobj stream\n" + zlib.compress(b"the hidden dynamo") + b"\nendstream"
MAIL = (
    b"Subject: x\nX-Mailer: Turbine\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHi\n"
    b"--b\nContent-Type: application/x; name=a.bin\nContent-Transfer-Encoding: base64\n\n"
    + base64.b64encode(b"the gearbox")
    + b"\n--b--\n"
)


@pytest.mark.parametrize(
    ("name", "raw", "word", "part"),
    [
        (b"a.html", PAGE.encode(), "sprocket", "line 3, in a script of the page"),
        (b"a.html", PAGE.encode(), "furnace", "line 1, in a style sheet of the page"),
        (b"a.html", PAGE.encode(), "Kettle", "line 2, in a comment of the page"),
        (b"a.html", PAGE.encode(), "lantern", "line 3, inside a tag of the page"),
        (b"a.tex", b"\\begin{document}\nx % a furnace\n\\end{document}\n", "furnace", "line 2, in a comment"),
        (b"a.tex", b"\\begin{document}\n\\end{document}\na kiln\n", "kiln", "line 3, behind the end of the document"),
        (b"a.tex", b"\\furnace\n\\begin{document}\n", "furnace", "line 1, in the preamble"),
        (
            b"a.docx",
            packed(word__document_xml="<w/>", word__settings_xml="<w><v>furnace</v></w>"),
            "furnace",
            "word/settings.xml, which holds settings and no text of the document",
        ),
        (b"a.docx", packed(word__media__a_png="furnace"), "furnace", "word/media/a.png, a picture"),
        (
            b"a.docx",
            packed(word__document_xml='<w val="furnace"/>'),
            "furnace",
            "the markup of word/document.xml, which no reader of the document sees",
        ),
        (b"a.pdf", PDF, "dynamo", "a stream of the PDF that is no text of its pages"),
        (b"a.eml", MAIL, "turbine", "the headers of the message"),
        (b"a.eml", MAIL, "gearbox", "the attachment a.bin, which is not read"),
        (b"a.md.gz", b"no gzip furnace", "furnace", None),
        (b"a.doc", "x furnace".encode("utf-16-le"), "furnace", "line 1, which the reader leaves out"),
    ],
)
def test_the_part_in_which_a_word_stands_is_named(name: bytes, raw: bytes, word: str, part: str | None) -> None:
    assert unread_words(name, raw, [word], "Words.") == ((UnreadWord(word, part),) if part else ())


def test_words_that_are_indexed_or_nowhere_are_no_matter() -> None:
    assert unread_words(b"a.html", PAGE.encode(), ["words", "more", "absent", "a"], "Words. More.") == ()


def test_a_bomb_in_an_archive_is_looked_at_as_far_as_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.indexing import unread_parts

    monkeypatch.setattr(unread_parts, "MAX_UNPACKED_BYTES", 2**20)
    bomb = packed(word__a_xml="a" * 2**24, word__b_xml="furnace")
    assert unread_words(b"a.docx", bomb, ["furnace"], "") == ()


def test_why_tells_it(tmp_path: Path) -> None:
    library = library_of(tmp_path, {"page.html": PAGE}, fitted=False)
    report = library.why("sprocket", tmp_path / "notes/page.html")
    assert "“sprocket” stands in line 3, in a script of the page" in report.stages[0].detail
    assert "Search for a word that the document shows." in report.advice
    assert "stands in" not in library.why("words", tmp_path / "notes/page.html").stages[0].detail


def test_a_file_that_takes_too_long_ends_with_that_remark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.indexing import unread_parts_process

    library = library_of(tmp_path, {"page.html": PAGE}, fitted=False)
    monkeypatch.setattr(unread_parts_process, "SECONDS", 0.001)
    report = library.why("sprocket", tmp_path / "notes/page.html")
    assert "could not be looked through" in report.stages[0].detail


def test_no_link_is_followed_to_look_for_words(tmp_path: Path) -> None:
    from engine.indexing import unread_parts_process

    (tmp_path / "secret.html").write_text(PAGE)
    (tmp_path / "a.html").symlink_to(tmp_path / "secret.html")
    path = os.fsencode(tmp_path / "secret.html")
    assert unread_parts_process.find(path, os.fsencode(tmp_path), ["sprocket"], "") != ()
    assert unread_parts_process.find(path.replace(b"secret", b"a"), os.fsencode(tmp_path), ["sprocket"], "") == ()
