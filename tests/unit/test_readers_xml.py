"""XML: what elements and attributes say is read, whatever they are called; markup and drawing data are not."""

from __future__ import annotations

import plistlib
from pathlib import Path

import pytest
from reading import headings, read, reason

BOOK = """<?xml version="1.0" encoding="iso-8859-2"?>
<!-- a remark -->
<book xmlns="http://docbook.org/ns/docbook">
  <title>Švec a král</title>
  <section>
    <title>The <emphasis>first</emphasis> day</title>
    <para>He un<emphasis>believ</emphasis>ably sewed
    a <link href="https://shoe.example/last">shoe</link>.</para>
    <section><title>Evening</title><para>Stars &amp; lamps.</para></section>
  </section>
</book>
"""
FEED = """<rss version="2.0"><channel><title>Weather</title>
<item><title>Storm</title><link>https://w.example/1</link>
<description>&lt;p&gt;Wind in the &lt;b&gt;har&lt;/b&gt;bour.&lt;/p&gt;&lt;p&gt;Hail.&lt;/p&gt;</description></item>
<item><title>Calm</title><description><![CDATA[Nothing <br> at all]]></description></item>
</channel></rss>
"""
OUTLINE = """<opml version="2.0"><head><title>My list</title></head><body>
<outline text="Groceries" _note="by Friday">
<outline text="Leek" xmlUrl="https://leek.example/feed"/>
</outline></body></opml>
"""
DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>Harbour map</title>
<style>.quay { fill: red }</style><path d="M0 0 L9 9 L3 4" class="quay wall" style="fill: none; stroke: red"/>
<text x="1">Old quay</text><g aria-label="Lighthouse"><circle r="2"/></g></svg>
"""
SETTINGS = """<configuration><property><name>max.retries</name><value>7</value></property>
<item key="greeting" xml:lang="en" id="x77">Good morning</item></configuration>
"""


def test_paragraphs_stand_under_their_titles_in_the_encoding_that_the_file_declares(tmp_path: Path) -> None:
    document = read(tmp_path, "a.xml", BOOK.encode("iso-8859-2"))
    assert document.title == "Švec a král"
    assert headings(document) == [(1, "Švec a král"), (2, "The first day"), (3, "Evening")]
    assert "He unbelievably sewed a shoe." in document.text
    assert "Stars & lamps." in document.text
    assert [link.target for link in document.links] == ["https://shoe.example/last"]
    assert "remark" not in document.text


def test_a_feed_reads_as_the_pages_in_it(tmp_path: Path) -> None:
    document = read(tmp_path, "a.rss", FEED)
    assert headings(document) == [(1, "Weather"), (2, "Storm"), (2, "Calm")]
    assert "Wind in the harbour.\n\nHail." in document.text
    assert "https://w.example/1" in document.text
    assert "Nothing" in document.text
    assert "<" not in document.text


def test_an_outline_holds_its_words_in_attributes(tmp_path: Path) -> None:
    document = read(tmp_path, "a.opml", OUTLINE)
    assert document.title == "My list"
    assert [*filter(None, document.text.split("\n"))] == [
        *("My list", "Groceries", "by Friday", "Leek", "https://leek.example/feed")
    ]


def test_a_drawing_says_what_is_written_in_it(tmp_path: Path) -> None:
    document = read(tmp_path, "a.svg", DRAWING)
    assert document.title == "Harbour map"
    assert [*filter(None, document.text.split("\n"))] == ["Harbour map", "Old quay", "Lighthouse"]
    assert reason(tmp_path, "b.svg", '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>') == (
        "a drawing without words"
    )


def test_settings_keep_values_and_names_that_are_words(tmp_path: Path) -> None:
    assert read(tmp_path, "a.xml", SETTINGS).text.split() == ["max.retries", "7", "greeting", "Good", "morning"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("<tt><body><div><p>Hello there<br/>World again</p></div></body></tt>", "Hello there World again"),
        ("<book><title><p>Chapter One</p><p>Arrival</p></title></book>", "Chapter One Arrival"),
        (
            "<a><para>The whale<footnote><para>Cetacea.</para></footnote>, and (<note>so</note>) on</para></a>",
            "The whale Cetacea., and (so) on",
        ),
        ("<TEI><ab>First line of<lb/>second li<lb break='no'/>ne</ab></TEI>", "First line of second line"),
        ("<a>Seen: <name>Heron</name><place>Weir</place><b>R</b><sc>eed</sc></a>", "Seen: Heron Weir Reed"),
        ("<a><b>ship<anchor/>shape un<i>believ</i>able</b></a>", "ship shape unbelievable"),
    ],
)
def test_words_are_parted_where_lines_and_blocks_inside_a_paragraph_part_them(
    tmp_path: Path, written: str, said: str
) -> None:
    assert read(tmp_path, "a.xml", written).text == said


def test_pictures_of_an_e_book_are_no_words(tmp_path: Path) -> None:
    book = (
        "<FictionBook><body><p>Quince</p></body><binary id='c' content-type='image/png'>QUJDREVG</binary></FictionBook>"
    )
    assert read(tmp_path, "a.fb2", book).text == "Quince"
    assert read(tmp_path, "b.xml", "<a><binary>quince pie</binary></a>").text == "quince pie"


def test_what_a_message_says_and_whose_it_is_are_words_even_where_each_is_one(tmp_path: Path) -> None:
    messages = '<smses><sms address="+49" body="Danke" contact_name="Annika" type="inbox"/></smses>'
    assert read(tmp_path, "a.xml", messages).text == "Danke\nAnnika"
    assert read(tmp_path, "b.xml", '<p><one firstname="Ann" lastname="Lee" surname="Fox"/></p>').text == "Ann\nLee\nFox"


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_a_property_list_is_read_in_both_forms(tmp_path: Path, form: plistlib.PlistFormat) -> None:
    raw = plistlib.dumps({"Title": "Tide table", "Places": ["Brest", "Dover"], "Blob": b"\0\1"}, fmt=form)
    text = read(tmp_path, "a.plist", raw).text
    assert all(word in text for word in ("Title", "Tide table", "Brest", "Dover"))


def test_declared_names_are_read_and_a_bomb_of_them_is_never_expanded(tmp_path: Path) -> None:
    head = '<!DOCTYPE a SYSTEM "a.dtd" [<!ENTITY firm "Aasen and Sons">]>'
    assert read(tmp_path, "a.xml", f"{head}<a>By &firm;, caf&eacute; &unknown;</a>").text == (
        "By Aasen and Sons, café &unknown;"
    )
    names = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))
    bomb = read(tmp_path, "b.xml", f'<!DOCTYPE a [<!ENTITY e0 "lol">{names}]><a>&e12; quince</a>')
    assert "quince" in bomb.text
    assert len(bomb.text) < 3_000
    outside = read(tmp_path, "c.xml", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x; medlar</a>')
    assert "root:" not in outside.text
    assert "medlar" in outside.text


@pytest.mark.parametrize("damaged", ["<a><b>quince & medlar</b></a>", "<a>quince", "quince", "\n\n<a>quince</a><b/>"])
def test_of_a_damaged_file_no_word_is_lost(tmp_path: Path, damaged: str) -> None:
    document = read(tmp_path, "a.xml", damaged)
    assert "quince" in document.text
    assert document.kind == "text"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_marks_of_an_encoding_and_blank_lines_before_it_do_no_harm(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, "a.xml", "<a>Käse</a>\n".encode(encoding)).text == "Käse"
    document = read(tmp_path, "b.xml", "\n\n<?xml version='1.0'?>\n<a>Käse</a>")
    assert (document.text, document.line_map) == ("Käse", ((0, 4),))
