"""Saved pages, calendars, address books and exports in JSON: what they say is read, and not how they are written."""

from __future__ import annotations

import json
import plistlib
import random
from pathlib import Path

import pytest
from reading import headings, read, reason, shape

MHTML = (
    "From: <Saved by Blink>\nSubject: Lighthouse keepers\nSnapshot-Content-Location: https://example.org/a\n"
    'MIME-Version: 1.0\nContent-Type: multipart/related; type="text/html"; boundary="B"\n\n'
    "--B\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n"
    "<html><head><title>Keepers</title></head><body><p>The lamp=\nlighter wrote =E2=80=9Cfog=E2=80=9D.</p>\n"
    "--B\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n63AIIEHJH2dX\n"
    "--B\nContent-Type: text/css\n\n.leaked {}\n"
    "--B\nContent-Type: text/html\n\n<p>In a frame.</p>\n--B--\n"
)


@pytest.mark.parametrize("name", ["a.mhtml", "a.mht"])
def test_a_saved_page_is_the_page(tmp_path: Path, name: str) -> None:
    document = read(tmp_path, name, MHTML)
    assert shape(document) == [("paragraph", "The lamplighter wrote “fog”."), ("paragraph", "In a frame.")]
    assert (document.kind, document.title, document.line_map) == ("mhtml", "Keepers", ())
    assert document.metadata["address"] == "https://example.org/a"


def test_a_saved_page_without_a_title_has_its_subject(tmp_path: Path) -> None:
    assert read(tmp_path, "a.mht", MHTML.replace("<title>Keepers</title>", "")).title == "Lighthouse keepers"
    assert reason(tmp_path, "b.mht", "Content-Type: image/png\n\nxx\n") == "no page inside"


@pytest.mark.parametrize("form", [plistlib.FMT_BINARY, plistlib.FMT_XML])
def test_a_web_archive_is_the_page_and_its_frames(tmp_path: Path, form: plistlib.PlistFormat) -> None:
    def resource(text: str, encoding: str) -> dict[str, object]:
        return {
            "WebResourceData": text.encode(encoding),
            "WebResourceMIMEType": "text/html",
            "WebResourceTextEncodingName": encoding,
            "WebResourceURL": "https://example.org/a",
        }

    frame = {"WebMainResource": resource("<p>In a frame.</p>", "utf-8")}
    archive = {
        "WebMainResource": resource("<title>Keepers</title><p>Zoë wrote “fog”.</p>", "windows-1252"),
        "WebSubframeArchives": [frame, "odd", {"WebMainResource": 3}],
        "WebSubresources": [{"WebResourceData": b"leaked", "WebResourceMIMEType": "text/css"}],
    }
    document = read(tmp_path, "a.webarchive", plistlib.dumps(archive, fmt=form))
    assert shape(document) == [("paragraph", "Zoë wrote “fog”."), ("paragraph", "In a frame.")]
    assert (document.kind, document.title) == ("webarchive", "Keepers")


@pytest.mark.parametrize("content", [b"", b"bplist00", b"words", plistlib.dumps({}), plistlib.dumps([1])])
def test_a_web_archive_that_is_none_says_so(tmp_path: Path, content: bytes) -> None:
    assert reason(tmp_path, "a.webarchive", content) in ("empty", "not a web archive", "not a web archive, or damaged")


# --- calendars and cards ------------------------------------------------------------------------------------------

CALENDAR = (
    "BEGIN:VCALENDAR\r\nX-WR-CALNAME:Club\r\nBEGIN:VTIMEZONE\r\nTZID:x\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1\r\n"
    "SUMMARY:Boat trip\\, lake\r\nDTSTART;TZID=Europe/Berlin:20240501T100000\r\nDTEND:20240501T120000Z\r\n"
    'ORGANIZER;CN="Anna Q":mailto:a@x.org\r\nDESCRIPTION:Bring the ro\r\n pe\\nand cheese\r\n'
    "BEGIN:VALARM\r\nDESCRIPTION:beep\r\nEND:VALARM\r\nEND:VEVENT\r\n"
    "BEGIN:VTODO\r\nSUMMARY:Varnish\r\nDUE;VALUE=DATE:20240601\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)


def test_a_calendar_tells_what_when_where_and_who(tmp_path: Path) -> None:
    document = read(tmp_path, "a.ics", CALENDAR)
    assert (document.kind, document.title) == ("calendar", "Club")
    assert headings(document) == [(1, "Boat trip, lake"), (1, "Varnish")]
    assert [words for _, words in shape(document)][1:3] == [
        "Begins: 2024-05-01 10:00 Europe/Berlin\nEnds: 2024-05-01 12:00 UTC\nOrganizer: Anna Q <a@x.org>",
        "Bring the rope\nand cheese",
    ]
    assert "beep" not in document.text
    assert "Due: 2024-06-01" in document.text


def test_a_calendar_tells_what_it_is_for_and_where_to_call(tmp_path: Path) -> None:
    written = CALENDAR.replace("BEGIN:VTIMEZONE", "X-WR-CALDESC:Trips\\, all by boat\r\nBEGIN:VTIMEZONE")
    written = written.replace("ORGANIZER", "X-GOOGLE-CONFERENCE:https://meet.x.org/abc\r\nORGANIZER")
    document = read(tmp_path, "a.ics", written)
    assert shape(document)[0] == ("paragraph", "Trips, all by boat")
    assert "\nAddress: https://meet.x.org/abc\n" in document.text


CARD = (
    "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Zo=C3=AB;;;\nFN:Zoë Müller\n"
    "item1.TEL;TYPE=cell:+49 1\nNOTE;ENCODING=QUOTED-PRINTABLE:Likes kay=\naks=0D=0Aand tea\n"
    "PHOTO;ENCODING=b:AAAA\n BBBB\nORG:Orchard\\, Ltd;Cider\nEMAIL:zoe@x.org\nX-Hobby:rowing\nREV:20240101\nEND:VCARD\n"
)


def test_a_card_tells_who_and_how_to_reach_them(tmp_path: Path) -> None:
    document = read(tmp_path, "a.vcf", CARD)
    assert (document.kind, document.title) == ("contacts", "Zoë Müller")
    assert shape(document)[1:] == [
        (
            "list",
            "Name: Müller, Zoë\nTelephone: +49 1\nOrganization: Orchard, Ltd, Cider\nE-mail: zoe@x.org\nHobby: rowing",
        ),
        ("paragraph", "Likes kayaks\nand tea"),
    ]


def test_calendars_and_cards_that_were_cut_short_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    assert "Varnish" in read(tmp_path, "a.ics", CALENDAR[: CALENDAR.index("DUE")]).text
    assert "+49 1" in read(tmp_path, "a.vcf", CARD[: CARD.index("NOTE")]).text
    assert reason(tmp_path, "b.ics", "just words") == "not a calendar"
    assert reason(tmp_path, "b.vcf", "just words") == "no card inside"


def test_events_are_those_of_icalendar(tmp_path: Path) -> None:
    icalendar = pytest.importorskip("icalendar")
    chance = random.Random(5)
    words = ["Grüße", "rope; and", "back\\slash", "comma, here", "line\nend", "quinces " * 20]
    calendar = icalendar.Calendar()
    for number in range(30):
        event = icalendar.Event()
        event.add("summary", f"Event {number} {chance.choice(words)}")
        event.add("description", " ".join(chance.choices(words, k=5)))
        event.add("location", chance.choice(words))
        calendar.add_component(event)
    text = " ".join(read(tmp_path, "a.ics", calendar.to_ical()).text.split())
    for event in icalendar.Calendar.from_ical(calendar.to_ical()).walk("VEVENT"):
        for name in ("summary", "description", "location"):
            assert " ".join(str(event[name]).split()) in text


def test_cards_are_those_of_vobject(tmp_path: Path) -> None:
    vobject = pytest.importorskip("vobject")
    chance = random.Random(6)
    words = ["Grüße", "semi; colon", "comma, here", "line\nend", "quinces " * 20]
    written = ""
    for _ in range(30):
        card = vobject.vCard()
        card.add("fn").value = chance.choice(words)
        card.add("n").value = vobject.vcard.Name(family=chance.choice(words), given="Ann")
        card.add("note").value = " ".join(chance.choices(words, k=4))
        written += card.serialize()
    text = " ".join(read(tmp_path, "a.vcf", written).text.split())
    for card in vobject.readComponents(written):
        for value in (card.fn.value, card.note.value):
            assert " ".join(value.split()) in text


# --- JSON ---------------------------------------------------------------------------------------------------------

KEEP = (
    '{"isPinned": 0, "textContent": "Buy milk\\nCall the plumber\\nBorrow Ben\'s \\"jigsaw\\"", "title": "f\\u00fcr"}'
)


def test_strings_of_json_are_read_as_they_are_meant(tmp_path: Path) -> None:
    document = read(tmp_path, "a.json", KEEP)
    assert document.text == (
        '{"isPinned": 0, "textContent": "Buy milk\nCall the plumber\nBorrow Ben\'s "jigsaw"", "title": "für"}'
    )
    assert document.line_map is not None
    assert {line for _, line in document.line_map} == {1}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (r'{"a": "\u0412\u0441\u0442"}', '{"a": "Вст"}'),
        (r'{"a": "\ud83c\udf55 \ud800"}', '{"a": "🍕 \ufffd"}'),
        (r'{"caf\u00e9": "C:\\temp\\notes"}', r'{"café": "C:\temp\notes"}'),
        (r'{"a": "x\ty\/z"}', '{"a": "x\ty/z"}'),
        (r'{"a": "{\"text\": \"one\\ntwo\"}"}', '{"a": "{"text": "one\ntwo"}"}'),  # JSON in JSON
        (
            '{"a": 1.10, "b": 12345678901234567890123, "c": 1e999}',
            '{"a": 1.10, "b": 12345678901234567890123, "c": 1e999}',
        ),
        ('{"a": "never closed\\nhere', '{"a": "never closed\nhere'),
    ],
)
def test_escapes_are_resolved_and_all_else_stays_as_written(tmp_path: Path, written: str, said: str) -> None:
    for name in ("a.json", "a.jsonl", "a.canvas"):
        assert read(tmp_path, name, written).text == said


@pytest.mark.parametrize(
    ("name", "written", "said"),
    [
        ("a.yaml", 'a: "one\\ntwo \\u0412"\nb: C:\\new\n', 'a: "one\ntwo В"\nb: C:\\new\n'),
        ("a.yaml", '- "\\x41\\U0001F355"\n- say "C:\\new" here\n', '- "A🍕"\n- say "C:\\new" here\n'),
        ("a.toml", 'a = "one\\ntwo"\nb = [\'C:\\new\', "\\u0412"]\n', 'a = "one\ntwo"\nb = [\'C:\\new\', "В"]\n'),
        ("a.yaml", "a: \"plain\"\nb: 'it\\n'\n", "a: \"plain\"\nb: 'it\\n'\n"),
    ],
)
def test_strings_of_yaml_and_toml_are_read_as_they_are_meant(
    tmp_path: Path, name: str, written: str, said: str
) -> None:
    document = read(tmp_path, name, written)
    assert document.text == said
    assert (document.line_map is None) == (said.count("\n") == written.count("\n"))


def test_a_line_end_in_a_string_begins_a_line_that_stands_on_its_strings_line(tmp_path: Path) -> None:
    written = '{\n  "a": "one\\ntwo",\n  "b": "\\"k\\": {\\nthree",\n  "c": {\n    "d": 4\n  }\n}\n'
    document = read(tmp_path, "a.json", written)
    lines = document.text.split("\n")
    assert document.line_map is not None
    assert [(lines[place], line) for place, (_, line) in enumerate(document.line_map)][1:6] == [
        ('  "a": "one', 2),
        ('two",', 2),
        ('  "b": ""k": {', 3),
        ('three",', 3),
        ('  "c": {', 4),
    ]
    assert headings(document) == [(1, "c")]


def test_json_in_one_line_is_set_out_with_its_numbers_as_they_are(tmp_path: Path) -> None:
    values = [{"id": n, "x": 1.10, "e": {}, "l": [], "t": "a, b: {c}", "d": [[1, 2]]} for n in range(60)]
    written = json.dumps(values).replace("1.1", "1.10")
    document = read(tmp_path, "a.json", written)
    assert '\n  "x": 1.10,\n  "e": {},\n  "l": [],\n  "t": "a, b: {c}",\n' in document.text
    assert json.loads(document.text) == values
    assert document.line_map is not None
    assert {line for _, line in document.line_map} == {1}


def test_records_of_long_lines_stand_on_the_lines_of_their_file(tmp_path: Path) -> None:
    written = "".join(json.dumps({"n": n, "text": (f"word{n} " * 600).strip()}) + "\n" for n in range(5))
    document = read(tmp_path, "a.jsonl", written)
    assert document.line_map is not None
    found = {document.text[at:].split("\n")[0].split()[-1].strip('",'): line for at, line in document.line_map}
    assert all(found[f"word{n}"] == n + 1 for n in range(5))


def test_json_set_out_is_the_same_value_whatever_it_holds(tmp_path: Path) -> None:
    chance = random.Random(3)

    def value(depth: int) -> object:
        kind = chance.randrange(7 if depth < 4 else 4)
        if kind == 4:
            return [value(depth + 1) for _ in range(chance.randrange(4))]
        if kind > 4:
            return {f"k{chance.randrange(9)}": value(depth + 1) for _ in range(chance.randrange(5))}
        return (None, 1.5, "{[,:]} x", -3)[kind]

    for _ in range(40):
        whole = [value(0) for _ in range(300)]
        assert json.loads(read(tmp_path, "a.json", json.dumps(whole)).text) == whole


def test_pictures_in_json_are_no_words(tmp_path: Path) -> None:
    data = "iVBORw0KGgo" * 500
    text = read(tmp_path, "a.json", json.dumps({"a": f"data:image/png;base64,{data}", "b": data, "c": "x " * 900})).text
    assert "iVBORw0KGgo" not in text
    assert "data:image/png;base64,… (5,500 signs of data)" in text
    assert "x x x" in text


def test_letters_that_were_written_byte_by_byte_are_read_as_letters(tmp_path: Path) -> None:
    written = r'{"by": "J\u00c3\u00bcrgen", "said": "it\u00e2\u0080\u0099s fun \u00f0\u009f\u0098\u0080"}'
    assert read(tmp_path, "a.json", written).text == '{"by": "Jürgen", "said": "it’s fun 😀"}'


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (r"caf\u00e9", "café"),
        (r"\u00e9\u00e8", "éè"),
        (r"CAF\u00c9\u00a0! No\u00ebl \u2019", "CAFÉ\u00a0! Noël ’"),  # É and a blank look like bytes of UTF-8
        (r"J\\u00c3\\u00bcrgen", r"J\u00c3\u00bcrgen"),
    ],
)
def test_letters_that_were_written_as_such_stay(tmp_path: Path, written: str, said: str) -> None:
    assert read(tmp_path, "a.json", f'{{"a": "{written}"}}').text == f'{{"a": "{said}"}}'


def test_what_only_looks_like_json_is_left_as_it_is(tmp_path: Path) -> None:
    for written in ("callback(" + "1," * 3000 + ")", "[" * 300 + "1," * 2000 + "]" * 300):
        assert read(tmp_path, "a.json", written).text == written


# --- notebooks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({"output_type": "stream", "text": ["\x1b[31mred\x1b[0m\n", "line\n"]}, ("code", "red\nline")),
        ({"data": {"text/plain": ["plain"], "text/html": "<b>rich</b>"}}, ("code", "plain")),
        ({"data": {"text/html": ["<p>", "rich</p>"]}}, ("paragraph", "rich")),
        (
            {"data": {"text/plain": "<IPython.core.display.HTML object>", "text/html": "<p>Shown words</p>"}},
            ("paragraph", "Shown words"),
        ),
        (
            {"data": {"text/plain": ["<IPython.core.display.Markdown object>"], "text/markdown": "*shown*"}},
            ("code", "*shown*"),
        ),
        (
            {"data": {"text/plain": "<pandas.io.formats.style.Styler at 0x7f1a>", "text/html": "<p>styled</p>"}},
            ("paragraph", "styled"),
        ),
        (
            {"data": {"text/plain": "<IPython.core.display.HTML object>", "text/html": "<script>f()</script>"}},
            ("code", "<IPython.core.display.HTML object>"),
        ),
        ({"data": {"text/markdown": "*rich*"}}, ("code", "*rich*")),
        (
            {"output_type": "error", "ename": "KeyError", "evalue": "'quince'", "traceback": ["\x1b[0;31mat\x1b[0m x"]},
            ("code", "KeyError: 'quince'\nat x"),
        ),
    ],
)
def test_what_a_cell_gave_is_read(tmp_path: Path, output: object, expected: tuple[str, str]) -> None:
    cells = [{"cell_type": "code", "source": "f()", "outputs": [output]}]
    document = read(tmp_path, "a.ipynb", json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}))
    assert shape(document) == [("code", "f()"), expected]
