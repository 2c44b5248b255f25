"""Files that were made to hurt: each costs one line that says why, and the file after it is read as if nothing were."""

from __future__ import annotations

import io
import os
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from engine.errors import SourceError
from engine.indexing.file_identity import content_hash
from engine.records import Document
from engine.sources.discovery import FoundFile, LeftOut, discover
from engine.sources.parser import Limits, Parser
from engine.sources.readers.source_file import load

MEGABYTE = 2**20
SECRET = "the secret of another folder"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
WORKBOOK_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="a" '
    'Type="x/worksheet" Target="s.xml"/></Relationships>'
)
OFFICE = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
WORKBOOK = f'<workbook {OFFICE}><sheets><sheet name="S" r:id="a"/></sheets></workbook>'
BILLION_LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "]>"
)


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    with Parser(Limits(memory_bytes=2**30)) as parser:  # as long as a file of a person may take
        yield parser


def _short(value: object) -> str:
    """Name a test by its file; what is in it would not fit into the environment of a process."""
    return value if isinstance(value, str) and len(value) < 20 else ""


Reader = Callable[..., "Document | str"]


@pytest.fixture
def outcome(tmp_path: Path, parser: Parser) -> Reader:
    """Read one file, then a harmless one; give the document of the first, or the reason for none."""

    def read(name: str, content: bytes | str) -> Document | str:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        (tmp_path / "after.md").write_text("still here")
        try:
            result: Document | str = parser.read(os.fsencode(tmp_path / name))
        except SourceError as error:
            result = error.reason
        assert parser.read(os.fsencode(tmp_path / "after.md")).text == "still here"
        return result

    return read


def archive(members: dict[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED, level: int = 6) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression, compresslevel=level) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


@cache
def zeros(megabytes: int) -> bytes:
    """A ZIP member's bytes that unpack to so many megabytes of blanks, made without holding them."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return b"".join(packer.compress(b" " * MEGABYTE) for _ in range(megabytes)) + packer.flush()


def raw_member(name: str, packed: bytes, claimed: int) -> bytes:
    """A ZIP file with one member whose size is only claimed."""
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, 0, len(packed), claimed, len(name), 0)
    local = b"PK\x03\x04" + fields + name.encode() + packed
    central = b"PK\x01\x02" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name.encode()
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


# --- bombs in archives ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("a.docx", "word/document.xml"),
        ("a.xlsx", "xl/workbook.xml"),
    ],
)
def test_a_member_that_unpacks_a_thousandfold_is_given_up(outcome: Reader, name: str, member: str) -> None:
    assert outcome(name, raw_member(member, zeros(250), 250 * MEGABYTE)) == "unpacks to more than 200 MB"


def test_a_member_that_lies_about_its_size_ends_where_it_said(outcome: Reader) -> None:
    assert outcome("a.odt", raw_member("content.xml", zeros(250), 10)) == "truncated or damaged ODT"


def test_many_members_share_one_budget(outcome: Reader) -> None:
    slides = dict.fromkeys((f"ppt/slides/s{number}.xml" for number in range(4)), b" " * 60 * MEGABYTE)
    listed = "".join(f'<sldId r:id="r{number}"/>' for number in range(4))
    pointed = "".join(
        f'<Relationship Id="r{number}" Type="x/slide" Target="slides/s{number}.xml"/>' for number in range(4)
    )
    members: dict[str, bytes | str] = {
        "ppt/presentation.xml": f"<p {OFFICE}>{listed}</p>",
        "ppt/_rels/presentation.xml.rels": f"<Relationships>{pointed}</Relationships>",
        **slides,
    }
    assert outcome("a.pptx", archive(members, level=1)) == "unpacks to more than 200 MB"


def test_an_archive_of_endless_members_is_given_up(outcome: Reader) -> None:
    members: dict[str, bytes | str] = {f"{number}": b"" for number in range(20_001)}
    assert outcome("a.docx", archive(members, zipfile.ZIP_STORED)) == "more than 20000 files inside"


def test_archives_in_archives_are_not_opened(outcome: Reader) -> None:
    inner = archive({"word/document.xml": b"x"})
    for _ in range(20):
        inner = archive({"inner.zip": inner})
    assert outcome("a.docx", inner) == "a ZIP file, but no DOCX"


def test_members_that_climb_out_of_the_archive_write_nothing(outcome: Reader, tmp_path: Path) -> None:
    members: dict[str, bytes | str] = {"../../escaped": "x", "/tmp/escaped": "x", "content.xml": "<a/>"}
    assert outcome("a.odt", archive(members)) == "no ODT inside"
    assert sorted(path.name for path in tmp_path.parent.rglob("escaped")) == []


# --- XML ------------------------------------------------------------------------------------------------------------


def word(body: str, head: str = "") -> bytes:
    document = (
        f'{head}<w:document xmlns:w="{WORD}"><w:body><w:p><w:r><w:t>{body}</w:t></w:r></w:p></w:body></w:document>'
    )
    return archive({"word/document.xml": document})


def sheet(rows: str, head: str = "") -> bytes:
    return archive(
        {
            "xl/workbook.xml": WORKBOOK,
            "xl/_rels/workbook.xml.rels": WORKBOOK_RELATIONS,
            "xl/s.xml": f"{head}<worksheet><sheetData>{rows}</sheetData></worksheet>",
        }
    )


def cell(words: str) -> str:
    return f'<row><c t="inlineStr"><is><t>{words}</t></is></c></row>'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.docx", word("&j;", BILLION_LAUGHS)),
        ("a.xlsx", sheet(cell("before") + cell("&j;"), BILLION_LAUGHS)),
        ("a.fodt", f"{BILLION_LAUGHS}<office>&j;</office>"),
        ("a.html", f"{BILLION_LAUGHS}<html><body><p>words &j;</p></body></html>"),
    ],
    ids=_short,
)
def test_entities_are_not_multiplied(outcome: Reader, name: str, content: bytes | str) -> None:
    found = outcome(name, content)
    assert isinstance(found, str) or found.text.count("lol") < 20


@pytest.mark.parametrize("reference", ["file://{path}", "http://127.0.0.1:{port}/x"])
@pytest.mark.parametrize("form", ["docx", "xlsx", "fodt", "html", "epub"])
def test_external_entities_are_neither_read_nor_fetched(
    outcome: Reader, tmp_path: Path, form: str, reference: str
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = reference.format(path=secret, port=server.getsockname()[1])
        head = f'<!DOCTYPE d [<!ENTITY x SYSTEM "{address}"><!ENTITY % y SYSTEM "{address}"> %y;]>'
        office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
        body = f"{head}<o:document xmlns:o='{office}'><o:text><p>seen &x;</p></o:text></o:document>"
        content: dict[str, bytes | str] = {
            "docx": word("seen &x;", head),
            "xlsx": sheet(cell("seen") + cell("&x;"), head),
            "fodt": body,
            "html": f"{head}<html><body>seen &x;</body></html>",
            "epub": archive({"a.opf": f"{head}<package>&x;</package>"}),
        }
        found = outcome(f"a.{form}", content[form])
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert SECRET not in (found if isinstance(found, str) else found.text)


# --- deep nesting ---------------------------------------------------------------------------------------------------

DEEP = 100_000
MIME = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (number, number) for number in range(2000))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", "[" * DEEP),
        ("b.json", '{"a":' * DEEP + "1" + "}" * DEEP),
        ("a.yaml", "[" * DEEP),
        ("b.yaml", "\n".join(" " * depth + "a:" for depth in range(3000))),
        ("a.toml", "a = " + "[" * DEEP),
        ("a.md", "---\na: " + "[" * 30_000 + "\n---\n" + "> " * DEEP + "x"),
        ("b.md", "- " * DEEP + "x"),
        ("a.html", "<div>" * DEEP + "deep"),
        ("a.rtf", "{\\rtf1 " + "{" * DEEP + "deep"),
        ("a.tex", "\\textbf{" * DEEP + "deep"),
        ("b.tex", "\\section{" * 20_000 + "deep"),
        ("c.tex", "\\frac{" * 20_000 + "deep"),
        ("a.adoc", "====\n" * DEEP + "deep"),
        ("a.fodt", "<a>" * DEEP),
        ("a.docx", word("<w:r>" * DEEP)),
        ("a.eml", b"From: a@b.c\n" + MIME + b"\ndeep"),
        ("a.ipynb", '{"cells": ' + "[" * DEEP),
        ("a.org", "\n".join("*" * depth + " h" for depth in range(1, 2000))),
        ("a.rst", ".. a:: b\n" * 20_000),
    ],
    ids=_short,
)
def test_whatever_lies_deep_in_itself_is_read_or_refused(outcome: Reader, name: str, content: bytes | str) -> None:
    found = outcome(name, content)
    if isinstance(found, str):
        assert not found.startswith(("the reader", "took")), found


def test_yaml_that_refers_to_itself_is_never_unfolded(outcome: Reader) -> None:
    laughs = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for name, content in (("a.yaml", laughs), ("a.md", f"---\n{laughs}---\nwords")):
        found = outcome(name, content)
        assert isinstance(found, Document)
        assert len(found.text) < 2000
        assert sum(map(len, found.metadata.values())) < 10_000


# --- size -----------------------------------------------------------------------------------------------------------


def pdf_of_empty_pages(pages: int) -> bytes:
    kids = b" ".join(b"3 0 R" for _ in range(pages))
    return (
        b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count %d/Kids[%s]>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n" % (pages, kids)
    )


def test_ten_thousand_pages_cost_one_line(outcome: Reader) -> None:
    assert outcome("a.pdf", pdf_of_empty_pages(10_000)) == "scanned: no text layer"


def test_a_page_that_unpacks_to_a_gigabyte_costs_one_line(outcome: Reader) -> None:
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(b" " * MEGABYTE) for _ in range(1200)) + packer.flush()
    content = (
        b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>endobj\n"
        b"4 0 obj<</Filter/FlateDecode/Length %d>>stream\n" % len(packed)
    )
    found = outcome("a.pdf", content + packed + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n")
    assert isinstance(found, str)


def test_pages_in_a_circle_end(outcome: Reader) -> None:
    circle = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 9/Kids[2 0 R 2 0 R]>>"
        b"endobj\ntrailer<</Root 1 0 R>>\n"
    )
    assert isinstance(outcome("a.pdf", circle), str)


@pytest.mark.parametrize(
    "suffix", ["md", "txt", "csv", "json", "yaml", "toml", "tex", "adoc", "srt", "html", "org", "rst", "py"]
)
@pytest.mark.parametrize("pattern", ["[", "<", "*", " ", "\\"])
def test_a_line_that_never_ends_is_read_within_the_limit(outcome: Reader, suffix: str, pattern: str) -> None:
    found = outcome(f"a.{suffix}", pattern * (128 * 1024))
    assert isinstance(found, Document) or not found.startswith(("the reader", "took")), found


@pytest.mark.parametrize("look", [lambda path: load(path).raw, content_hash], ids=["read", "hashed"])
def test_a_file_that_grows_while_it_is_read_ends_where_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "growing.log"
    path.write_text("begun")
    before = look(os.fsencode(path))
    status_of = os.fstat

    def grow_after(descriptor: int) -> os.stat_result:
        status = status_of(descriptor)
        with path.open("a") as file:
            file.write(" and more")
        return status

    monkeypatch.setattr(os, "fstat", grow_after)
    assert look(os.fsencode(path)) == before
    assert path.read_text() != "begun"


def test_a_sparse_file_of_40_gigabytes_is_neither_found_nor_read(tmp_path: Path, parser: Parser) -> None:
    path = tmp_path / "huge.md"
    with path.open("wb") as file:
        file.truncate(40 * 2**30)
    assert [item.reason for item in discover(os.fsencode(tmp_path)) if isinstance(item, LeftOut)] == [
        "larger than 32 MB"
    ]
    with pytest.raises(SourceError, match="larger than 512 MB"):
        parser.read(os.fsencode(path))


# --- what is no file, and names -------------------------------------------------------------------------------------


def test_what_only_looks_like_a_note_is_left_out_and_blocks_nobody(tmp_path: Path, parser: Parser) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.md").write_text("a note")
    os.mkfifo(tmp_path / "notes/pipe.md")
    (tmp_path / "notes/loop").symlink_to(tmp_path / "notes")
    (tmp_path / "notes/self.md").symlink_to("self.md")
    (tmp_path / "notes/outside.md").symlink_to("/etc/hostname")
    (tmp_path / "notes/zero.md").symlink_to("/dev/zero")
    here = os.getcwd()
    os.chdir(tmp_path / "notes")  # a socket's whole path may hold no more than 107 bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.md")
        os.chdir(here)
        found = list(discover(os.fsencode(tmp_path / "notes")))
        assert [item.path for item in found if isinstance(item, FoundFile)] == [b"a.md"]
        assert {item.path.decode(): item.reason for item in found if isinstance(item, LeftOut)} == {
            "pipe.md": "not a file or folder",
            "socket.md": "not a file or folder",
            "loop": "symbolic link",
            "self.md": "symbolic link",
            "outside.md": "symbolic link",
            "zero.md": "symbolic link",
        }
        reasons = {}
        for name in ("pipe.md", "socket.md", "self.md", "outside.md", "zero.md"):
            with pytest.raises(SourceError) as caught:
                parser.read(os.fsencode(tmp_path / "notes" / name))
            reasons[name] = caught.value.reason
    assert reasons == {
        "pipe.md": "not a file",
        "socket.md": "not a file",
        "self.md": "symbolic link",
        "outside.md": "symbolic link",
        "zero.md": "symbolic link",
    }


def test_devices_are_not_read(parser: Parser) -> None:
    for device in (b"/dev/zero", b"/dev/null"):
        with pytest.raises(SourceError, match="not a file"):
            parser.read(device)


@pytest.mark.parametrize(
    "name",
    [
        b"line\nbreak.md",
        b"tab\tbell\x07.md",
        b"\x1b[31mred.md",
        b"caf\xe9.md",
        b"\xff\xfe.md",
        b"-rf.md",
        b"\xe2\x80\xae.md",
    ],
)
def test_any_name_is_found_and_read(tmp_path: Path, parser: Parser, name: bytes) -> None:
    path = os.path.join(os.fsencode(tmp_path), name)
    try:
        with open(path, "wb") as file:
            file.write(b"text")
    except OSError:
        pytest.skip("this file system takes no such name")
    assert [item.path for item in discover(os.fsencode(tmp_path)) if isinstance(item, FoundFile)] == [name]
    assert parser.read(path).text == "text"


# --- compound files -------------------------------------------------------------------------------------------------


def test_a_compound_file_whose_sectors_run_in_a_circle_ends(outcome: Reader) -> None:
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(24, b"\x00") + struct.pack("<HHHHH", 62, 3, 0xFFFE, 9, 6)
    header = header.ljust(44, b"\x00") + struct.pack("<IIIIIIII", 1, 0, 0, 0, 0, 1, 0, 1)
    header += struct.pack("<109I", *([0] * 109))
    assert outcome("a.msg", header + struct.pack("<128I", *([0] * 128))) == "truncated or damaged message"


@pytest.mark.realdata
def test_fuzzed_real_documents_are_read_or_refused(tmp_path: Path) -> None:
    from fuzz import DATA, run

    if not (DATA / "documents").is_dir():
        pytest.skip("CARREL_DATA holds no documents")
    outcome = run(files=40, seed=7, folder=tmp_path)
    assert outcome.faults == []
    assert outcome.read + outcome.refused.total() == 40
