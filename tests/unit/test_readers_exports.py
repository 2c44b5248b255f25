"""What other programs export of notes, clippings and bookmarks, and files that are packed one by one."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from pathlib import Path

import pytest
from notes import library_of
from reading import headings, read, reason, shape

from engine.records import Link
from engine.sources.discovery import decide
from engine.sources.readers import attached_files, enex, packed_file
from engine.sources.readers.source_file import Source

NOTE = "---\ntags: [red]\n---\n# Foxes\n\nThe quince.\n"

ENEX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE en-export SYSTEM "http://xml.evernote.com/pub/evernote-export3.dtd" [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<en-export><note><title>Of Foxes &amp; hens</title><content><![CDATA[<?xml version="1.0"?>
<!DOCTYPE en-note SYSTEM "x"><en-note><div>They <b>run</b>.</div><div><en-todo checked="true"/>Feed them</div>
<a href="https://x.org">site</a></en-note>]]></content>
<created>20240105T101500Z</created><tag>red</tag><tag>wild life</tag>
<note-attributes><author>Ann</author><source-url>https://y.org/fox</source-url></note-attributes>
<resource><data encoding="base64">QUJDREVG</data></resource></note>
<note><title></title><content><![CDATA[<en-note>Second&nbsp;one</en-note>]]></content></note></en-export>
"""


def test_an_evernote_export_has_each_note_under_its_title(tmp_path: Path) -> None:
    document = read(tmp_path, "notes.enex", ENEX)
    assert headings(document) == [(1, "Of Foxes & hens"), (1, "(without a title)")]
    assert document.tags == ("red", "wild life")
    assert document.metadata == {"author": "Ann", "pages": "2"}
    assert [block.page for block in document.blocks if block.kind == "heading"] == [1, 2]
    assert document.links == (Link("https://x.org", "site"),)
    words = " ".join(document.text.split())
    for each in (
        "They run.",
        "Feed them",
        "https://y.org/fox",
        "20240105T101500Z",
        "Tags: red, wild life",
        "Second one",
    ):
        assert each in words
    assert "QUJD" not in words
    assert "root:" not in words


def test_one_note_alone_gives_its_title_and_a_cut_export_what_is_there(tmp_path: Path) -> None:
    first = ENEX.partition("<note><title></title>")[0]
    document = read(tmp_path, "a.enex", first)
    assert (document.title, document.title_written) == ("Of Foxes & hens", True)
    assert "damaged here" in document.text
    assert reason(tmp_path, "b.enex", "no export") == "not an export of Evernote"


HANGING = """<en-export><note><title>Move</title><content>Boxes</content>
<task><title>Book the  van</title><taskStatus>completed</taskStatus></task>
<task><title>Wrap cups</title><taskStatus>open</taskStatus></task>
<resource><data encoding="base64">IyBLaXRjaGVuCgpUaGUgcXVpbmNlIFtqYXJdKGh0
dHBzOi8vai5vcmcpLgo=</data><mime>text/markdown</mime>
<resource-attributes><file-name>list.md</file-name><source-url>https://y.org/other</source-url></resource-attributes>
</resource>
<resource><data encoding="base64">iVBORw0KGgo=</data>
<resource-attributes><file-name>hall.png</file-name></resource-attributes>
</resource>
<resource><data encoding="base64">A</data><resource-attributes><file-name>cut.md</file-name></resource-attributes>
</resource></note>
<note><title></title><content>Last</content><task><title>Rest</title></task></note></en-export>
"""


def test_tasks_and_files_that_hang_on_a_note_belong_to_it(tmp_path: Path) -> None:
    document = read(tmp_path, "notes.enex", HANGING)
    assert headings(document) == [
        (1, "Move"),
        (2, "notes.enex › list.md"),
        (3, "Kitchen"),
        (1, "(without a title)"),
    ]
    assert [text for kind, text in shape(document) if kind == "list"] == [
        "- [x] Book the van\n- [ ] Wrap cups",
        "- Attachment: list.md\n- Attachment: hall.png (no reader for .png)\n- Attachment: cut.md",
        "- [ ] Rest",
    ]
    by_note = [[document.text[each.start : each.end] for each in document.blocks if each.page == n] for n in (1, 2)]
    assert "The quince [jar](https://j.org)." in by_note[0]
    assert by_note[1] == ["(without a title)", "Last", "- [ ] Rest"]
    assert Link("https://j.org", "jar") in document.links
    assert "y.org" not in document.text


def test_a_nameless_file_on_a_note_is_read_by_its_type_and_a_picture_is_not_named(tmp_path: Path) -> None:
    files = (
        ("e1xydGYxIEEgaGVyb24uXHBhcn0=", "application/rtf"),
        ("iVBORw0KGgo=", "image/png"),
        ("QSB3cmVuLg==", "text/plain"),
    )
    held = "".join(f"<resource><data>{raw}</data><mime>{kind}</mime></resource>" for raw, kind in files)
    document = read(tmp_path, "a.enex", f"<en-export><note><title>Move</title>{held}</note></en-export>")
    assert headings(document)[1:] == [(2, "a.enex › document.rtf"), (2, "a.enex › text.txt")]
    assert "A heron." in document.text and "A wren." in document.text
    assert document.text.endswith("- Attachment: document.rtf\n- Attachment: text.txt")


def test_files_on_all_notes_of_an_export_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached_files, "MAX_ATTACHED_CHARACTERS", 20)
    document = read(tmp_path, "notes.enex", HANGING)
    assert "- Attachment: list.md (too much text)" in document.text
    assert "quince" not in document.text


def test_an_export_with_much_on_its_notes_asks_for_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enex, "ATTACHED_A_SPELL", 15)
    asked: list[bool] = []
    enex.read(Source(b"a.enex", HANGING.encode(), go_on=lambda: asked.append(True)))
    assert len(asked) == 1


KEEP = {
    "title": "Einkauf",
    "textContent": "Erste Zeile\nzweite",
    "listContent": [{"text": "Quitten", "isChecked": True}, {"text": "Hefe", "isChecked": False}],
    "labels": [{"name": "Küche"}],
    "annotations": [{"url": "https://x.org", "title": "Rezept"}],
    "userEditedTimestampUsec": 1_704_448_800_000_000,
    "isTrashed": False,
    "isPinned": False,
}


def test_a_note_of_keep_is_a_note(tmp_path: Path) -> None:
    document = read(tmp_path, "2024-01-05T10_00_00.json", json.dumps(KEEP))
    assert (document.title, document.title_written, document.tags) == ("Einkauf", True, ("Küche",))
    assert shape(document) == [
        ("heading", "Einkauf"),
        ("paragraph", "Erste Zeile\nzweite"),
        ("list", "- [x] Quitten\n- [ ] Hefe"),
        ("list", "- Rezept <https://x.org>"),
    ]
    assert document.metadata == {"date": "2024-01-05"}


def test_a_note_of_keep_that_has_its_formatting_alone_is_read(tmp_path: Path) -> None:
    note = {name: value for name, value in KEEP.items() if name not in ("textContent", "listContent")}
    note["textContentHtml"] = '<p dir="ltr"><span>Erste <b>Zeile</b></span></p><p>zweite &amp; dritte</p>'
    note["listContent"] = [{"textHtml": "<p>Quitten</p>", "isChecked": True}]
    document = read(tmp_path, "a.json", json.dumps(note))
    assert shape(document)[1:3] == [("paragraph", "Erste Zeile\n\nzweite & dritte"), ("list", "- [x] Quitten")]
    note["textContent"] = "Erste Zeile"
    assert shape(read(tmp_path, "b.json", json.dumps(note)))[1] == ("paragraph", "Erste Zeile")


@pytest.mark.parametrize("text", ['{"title": "x", "isTrashed": 1}', '{"userEditedTimestampUsec": 1}', "[1]", "{"])
def test_other_json_is_no_note_of_keep(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, "a.json", text).kind == "json"


CLIPPINGS = (
    "\ufeffMiddlemarch (George Eliot)\r\n- Your Highlight on page 12 | Location 123-125 | Added on Monday\r\n\r\n"
    "The quince in the garden.\r\n==========\r\n"
    "Walden (Thoreau)\n- Ihre Notiz bei Position 9 | Hinzugefügt am 1. Mai 2024\n\nSimplify.\nTwice.\n==========\n"
)


@pytest.mark.parametrize("name", ["My Clippings.txt", "Meine Clippings.txt"])
def test_clippings_stand_under_their_books(tmp_path: Path, name: str) -> None:
    document = read(tmp_path, name, CLIPPINGS)
    assert headings(document) == [(1, "Middlemarch (George Eliot)"), (1, "Walden (Thoreau)")]
    assert [text for kind, text in shape(document) if kind == "quote"] == [
        "The quince in the garden.",
        "Simplify.\nTwice.",
    ]
    assert len(document.text.split("\n")) == len(CLIPPINGS.split("\n"))


BOOKMARKS = """<!DOCTYPE NETSCAPE-Bookmark-file-1>
<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8"><TITLE>Bookmarks</TITLE><H1>Bookmarks</H1>
<DL><p>
    <DT><H3 ADD_DATE="1">Bread &amp; jam</H3>
    <DL><p>
        <DT><A HREF="https://x.org/quince?a=1&amp;b=2" ADD_DATE="1" TAGS="fruit,slow food" ICON="data:AAAA">Quince</A>
        <DD>How to cook them.
        <DT><A HREF="https://y.org">Hens</A>
    </DL><p>
    <DT><A HREF="https://z.org">Last</A>
</DL><p>
"""


def test_a_page_of_bookmarks_has_addresses_tags_and_folders(tmp_path: Path) -> None:
    document = read(tmp_path, "bookmarks.html", BOOKMARKS)
    assert headings(document) == [(1, "Bread & jam")]
    assert [text for kind, text in shape(document) if kind == "list"] == [
        "Quince\nhttps://x.org/quince?a=1&b=2\nTags: fruit, slow food\nHow to cook them.",
        "Hens\nhttps://y.org",
        "Last\nhttps://z.org",
    ]
    assert document.tags == ("fruit", "slow food")
    assert document.links[0] == Link("https://x.org/quince?a=1&b=2", "Quince")


def test_a_title_of_a_bookmark_may_be_set_in_letters_of_its_own(tmp_path: Path) -> None:
    entry = '<DT><A HREF="https://x.org">The <b>quince</b> tree</A><DD>So <i>it</i> is'
    page = f"<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><p>{entry}"
    assert shape(read(tmp_path, "b.html", page)) == [("list", "The quince tree\nhttps://x.org\nSo it is")]


def test_what_is_said_of_a_folder_of_bookmarks_stands_below_its_name(tmp_path: Path) -> None:
    page = BOOKMARKS.replace("jam</H3>", "jam</H3>\n    <DD>Things to &quot;bake&quot;\n    ")
    document = read(tmp_path, "bookmarks.html", page)
    assert shape(document)[:2] == [("heading", "Bread & jam"), ("paragraph", 'Things to "bake"')]
    assert "How to cook them." in shape(document)[2][1]


@pytest.mark.parametrize(
    "content",
    [
        {
            "roots": {
                "bookmark_bar": {"name": "Bar", "children": [{"name": "Hens", "url": "https://y.org", "guid": "q"}]}
            }
        },
        {
            "guid": "root________",
            "type": "text/x-moz-place-container",
            "children": [{"title": "Bar", "children": [{"title": "Hens", "uri": "https://y.org", "typeCode": 1}]}],
        },
    ],
)
def test_bookmarks_in_json_are_bookmarks(tmp_path: Path, content: dict[str, object]) -> None:
    document = read(tmp_path, "bookmarks.json", json.dumps(content))
    assert [label for _, label in headings(document)] == ["Bar"]
    assert shape(document)[-1] == ("list", "Hens\nhttps://y.org")
    assert "root" not in document.text


# --- packed files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress), ("GZ", gzip.compress)]
)
def test_a_packed_note_is_read_as_the_note_that_it_is(tmp_path: Path, suffix: str, pack) -> None:
    document = read(tmp_path, f"my-note.md.{suffix}", pack(NOTE.encode()))
    assert (document.kind, document.title, document.tags) == ("markdown", "Foxes", ("red",))
    assert document.text == NOTE
    assert read(tmp_path, f"my-note.txt.{suffix}", pack(b"x")).title == "my note"


def test_streams_after_one_another_are_one_file(tmp_path: Path) -> None:
    assert (
        read(tmp_path, "a.log.gz", gzip.compress(b"one\n") + gzip.compress(b"two\n") + b"\0" * 9).text == "one\ntwo\n"
    )


def test_a_packed_bomb_and_a_damaged_file_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reason(tmp_path, "a.md.gz", gzip.compress(NOTE.encode())[:-9]) == "truncated or damaged packed file"
    assert reason(tmp_path, "a.md.gz", b"no gzip") == "truncated or damaged packed file"
    assert reason(tmp_path, "a.md.xz", lzma.compress(NOTE.encode())[:30]) == "truncated or damaged packed file"
    monkeypatch.setattr(packed_file, "MAX_UNPACKED_BYTES", 1_000_000)
    for name, pack in (("a.md.gz", gzip.compress), ("a.md.bz2", bz2.compress), ("a.md.xz", lzma.compress)):
        assert reason(tmp_path, name, pack(b"\0" * 2**24)) == "unpacks to more than 1.0 MB"


def test_archives_of_many_files_are_left_out_as_before(tmp_path: Path) -> None:
    for name in ("a.tar.gz", "a.gz", "photo.png.xz"):
        (tmp_path / name).write_bytes(gzip.compress(b"x"))
        left_out = decide(bytes(tmp_path), name.encode())
        assert left_out is not None
        assert left_out.reason.startswith("no reader for .")


def test_a_packed_note_is_indexed_and_keeps_its_title_where_it_is_renamed(tmp_path: Path) -> None:
    library = library_of(tmp_path, {"first.md.gz": gzip.compress(b"The quince.\n")}, fitted=False)
    (tmp_path / "notes/first.md.gz").rename(tmp_path / "notes/second-one.md.gz")
    library.sync()
    (hit,) = library.search("quince").hits[:1]
    assert (hit.title, hit.path.endswith(b"second-one.md.gz")) == ("second one", True)
