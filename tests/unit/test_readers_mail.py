"""Mail: a message is never lost for what stands beside it, and what hangs on it is read by the readers there are."""

from __future__ import annotations

import os
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from zlib import crc32

import pytest
from reading import headings, read, reason, shape

from engine.chunking import cut
from engine.records import Document
from engine.sources.readers import read_document
from engine.sources.readers.file_types import kind_of, reader_by_content
from engine.sources.readers.mail_headers import decoded_words

HEAD = "From: Anna <anna@example.org>\nSubject: Harvest\nMIME-Version: 1.0\n"


def multipart(kind: str, *parts: str, head: str = HEAD) -> str:
    """Write a message, or a part of one, of several parts; each begins with its own headers."""
    border = f"B{crc32(''.join(parts).encode())}"
    body = "".join(f"--{border}\n{part}\n" for part in parts)
    return f'{head}Content-Type: multipart/{kind}; boundary="{border}"\n\n{body}--{border}--\n'


def part(kind: str, text: str, headers: str = "") -> str:
    return f"Content-Type: {kind}; charset=utf-8\n{headers}\n{text}\n"


PLAIN = part("text/plain", "The quinces stand beside the orangery, all of them.")
RICH = part("text/html", "<p>The quinces stand beside the orangery, all of them.</p>")
INNER = "From: Ben <ben@example.org>\nSubject: keys\nContent-Type: text/plain\n\nThey hang behind the ottoman.\n"
FORWARDED = f"Content-Type: message/rfc822\nContent-Disposition: attachment; filename=keys.eml\n\n{INNER}"


@pytest.mark.parametrize(
    "written",
    [
        multipart("mixed", RICH, part("text/plain", "_____\nOrchard list")),
        multipart("mixed", PLAIN, part("text/plain", "_____\nOrchard list")),
        multipart("mixed", RICH, FORWARDED),
        multipart("mixed", PLAIN, FORWARDED),
        multipart("mixed", multipart("alternative", PLAIN, RICH, head=""), part("text/html", "<p>gazebo</p>")),
        multipart("alternative", part("text/plain", "Your program shows no HTML."), RICH),
        multipart("alternative", part("text/plain", " "), RICH),
        multipart("alternative", PLAIN, multipart("related", RICH, part("image/png", "AA"), head="")),
        multipart("alternative", part("text/plain", "x"), multipart("mixed", RICH, part("text/plain", "y"), head="")),
        multipart("related", RICH),
        multipart("signed", PLAIN, part("application/pgp-signature", "xx")),
        multipart(
            "mixed", part("text/plain", "The quinces, orangery", "Content-Disposition: inline; filename=a.txt\n")
        ),
        multipart("mixed", part("text/plain; name=body.txt", "The quinces, orangery")),
        multipart(
            "mixed", part("text/html", "<p>quinces orangery", "Content-Disposition: attachment; filename=a.html\n")
        ),
        multipart("mixed", part("text/plain", "quinces orangery", "Content-Disposition: attachment\n")),
        multipart("unheard-of", PLAIN),
        multipart("digest", f"\n{HEAD}\nThe quinces stand beside the orangery."),
        multipart("mixed", part("text/enriched", "<bold>quinces</bold> orangery")),
        HEAD + "Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<p>quin=\nces =3D orangery\n",
        HEAD + "Content-Type: nonsense\n\nquinces orangery\n",
        "\ufeff\n\n" + HEAD + "\nquinces orangery\n",
        "From - Mon Mar  3 2025\n" + HEAD + "\nquinces orangery\n",
        multipart("alternative", part("text/x-amp-html", "<html amp4email><b>quinces orangery</b>"), PLAIN, RICH),
        multipart("alternative", part("text/x-amp-html", "<html amp4email><style>x{}</style>"), RICH),
        multipart("mixed", PLAIN).rpartition("--\n")[0],  # cut short
    ],
)
def test_the_message_itself_is_never_lost(tmp_path: Path, written: str) -> None:
    text = read(tmp_path, "a.eml", written).text
    assert "quinces" in text
    assert "orangery" in text
    assert text.count("quinces") == 1
    for added in ("Orchard list", "ottoman", "gazebo"):
        assert (added in text) == (added in written)


def test_a_forwarded_message_stands_under_its_subject_with_who_wrote_it(tmp_path: Path) -> None:
    document = read(tmp_path, "a.eml", multipart("mixed", PLAIN, FORWARDED))
    assert headings(document) == [(1, "keys")]
    assert [words for _, words in shape(document)][-2:] == [
        "From: Ben <ben@example.org>\nSubject: keys",
        "They hang behind the ottoman.",
    ]


def test_forwards_within_forwards_end_somewhere(tmp_path: Path) -> None:
    message = INNER
    for _ in range(60):
        message = f"Subject: Fwd\nContent-Type: message/rfc822\n\n{message}"
    text = read(tmp_path, "a.eml", message).text
    assert text.count("Subject: Fwd") > 5
    assert "than are read" in text


def attached(*files: tuple[str, bytes, str]) -> bytes:
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "Papers", "a@x.org"
    mail.set_content("See below.\n")
    for name, content, kind in files:
        main, _, sub = kind.partition("/")
        mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes()


def test_what_hangs_on_a_message_is_read_under_its_name(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        "mail.eml",
        attached(
            ("report.md", b"# Findings\n\nThe lighthouse leans.\n", "text/markdown"),
            ("table.csv", b"bird,seen\nrobin,3\nwren,4\n", "text/csv"),
            ("picture.png", b"\x89PNG\r\n\x1a\n", "image/png"),
            ("broken.pdf", b"no pdf", "application/pdf"),
            ("inner.eml", b"From: b@x.org\nSubject: Tea\n\nAt the kiosk.\n", "application/octet-stream"),
        ),
    )
    assert headings(document)[:2] == [(1, "mail.eml › report.md"), (2, "Findings")]
    assert "The lighthouse leans." in document.text
    assert "wren | 4" in document.text
    assert "At the kiosk." in document.text
    listed = document.text.rpartition("\n\n")[2].split("\n")
    assert listed[0] == "- Attachment: report.md"
    assert "- Attachment: picture.png (no reader for .png)" in listed
    assert "- Attachment: broken.pdf (not a PDF)" in listed


def test_of_a_page_that_hangs_on_a_message_the_title_is_kept(tmp_path: Path) -> None:
    page = b"<title>Quarterly numbers</title><p>They rose.</p>"
    named = b"<title>Kiosk</title><h1>Kiosk</h1>"
    document = read(tmp_path, "a.eml", attached(("report.html", page, "text/html"), ("b.html", named, "text/html")))
    assert shape(document)[2:5] == [
        ("heading", "a.eml › report.html"),
        ("meta", "Quarterly numbers"),
        ("paragraph", "They rose."),
    ]
    assert [kind for kind, words in shape(document) if words == "Kiosk"] == ["heading"]


def test_words_that_only_the_page_of_a_message_has_are_kept(tmp_path: Path) -> None:
    page = "<p>The quinces stand beside the orangery, all of them. Gazebo.</p>"
    written = multipart("alternative", PLAIN, part("text/html", page))
    assert "Gazebo" in read(tmp_path, "a.eml", written).text
    other = page.replace("quinces", "pears")
    assert "quinces" in read(tmp_path, "b.eml", multipart("alternative", PLAIN, part("text/html", other))).text


def test_no_word_is_lost_for_the_form_of_a_message_in_which_it_stands(tmp_path: Path) -> None:
    many = " ".join(f"word{number}" for number in range(40))
    plain = part("text/plain", f"Read online.\n\n{many}\nhttps://x.org/zebra")
    rich = part("text/html", f"<p>{many}</p><ul><li>Marmalade</li><li>word1 word2</li></ul><p>Bye, marmalade")
    document = read(tmp_path, "a.eml", multipart("alternative", plain, rich))
    assert shape(document)[1:] == [
        ("paragraph", "Read online."),
        ("paragraph", f"{many}\nhttps://x.org/zebra"),
        ("meta", "- Marmalade\nBye, marmalade"),
    ]
    same = multipart("alternative", part("text/plain", f"* {many} https://x.org"), part("text/html", f"<p>{many}"))
    assert [kind for kind, _ in shape(read(tmp_path, "b.eml", same))] == ["paragraph", "paragraph"]


def test_a_file_on_a_message_is_read_by_its_type_where_its_name_says_nothing(tmp_path: Path) -> None:
    rich = rb"{\rtf1 The heron waits.\par}"
    nameless = part("application/rtf", rich.decode(), "Content-Disposition: attachment\n")
    inline = part("text/csv", "bird,seen\nwren,3\nrobin,4")
    text = read(tmp_path, "a.eml", multipart("mixed", PLAIN, nameless, inline)).text
    assert "a.eml › document.rtf\n\nThe heron waits." in text
    assert "robin | 4" in text
    document = read(
        tmp_path, "b.eml", attached(("report v1.2", rich, "application/rtf"), ("b.txt", b"As it is.", "text/rtf"))
    )
    assert [label for _, label in headings(document)] == ["b.eml › report v1.2.rtf", "b.eml › b.txt"]
    assert "The heron waits." in document.text and "As it is." in document.text


def test_the_name_of_a_text_that_is_shown_in_a_message_is_kept(tmp_path: Path) -> None:
    inline = "Content-Disposition: inline; filename=packing-list.txt\n"
    document = read(tmp_path, "a.eml", multipart("mixed", PLAIN, part("text/plain", "Two ropes.", inline)))
    assert shape(document)[-2:] == [("paragraph", "Two ropes."), ("list", "- Attachment: packing-list.txt")]


def test_mail_that_hangs_on_mail_ends_somewhere(tmp_path: Path) -> None:
    content = b"From: a@x.org\nSubject: kernel\n\nThe kernel.\n"
    for depth in range(8):
        content = attached((f"m{depth}.eml", content, "application/octet-stream"))
    text = read(tmp_path, "a.eml", content).text
    assert "too deep inside other files" in text


def test_an_invitation_is_read_beside_the_words_that_carry_it(tmp_path: Path) -> None:
    event = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Regatta\nLOCATION:Boathouse\nEND:VEVENT\nEND:VCALENDAR"
    written = multipart("alternative", PLAIN, RICH, part("text/calendar; method=REQUEST", event))
    text = read(tmp_path, "a.eml", written).text
    assert "quinces" in text
    assert "Regatta" in text
    assert "Where: Boathouse" in text


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("=?utf-8?B?R3LDvMOfZQ==?=", "Grüße"),
        ("=?iso-8859-1?Q?Gr=FC=DFe?= an =?utf-8?q?alle?=", "Grüße an alle"),
        ("=?utf-8?B?w6TD?= =?utf-8?B?tsO8?=", "äöü"),  # a character cut in two
        ("=?utf-8?Q?a?=\n =?utf-8?Q?b?=", "ab"),
        ("=?utf-8*de?Q?gr=C3=BCn?=", "grün"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?unheard-99?Q?plain?=", "plain"),
        ("=?utf-8?B?!!!?=", ""),
        ("plain  words\n\tfolded", "plain words folded"),
        ("caf\udcc3\udca9", "café"),  # bytes that should not be there
        ("=?koi8-r?B?8NLJ18XU?=", "Привет"),
    ],
)
def test_headers_are_decoded_whatever_their_program_made_of_them(written: str, expected: str) -> None:
    assert decoded_words(written) == expected


@pytest.mark.parametrize(
    ("label", "encoding", "text"),
    [
        ("iso-8859-1", "cp1252", "“quoted” – dash"),
        ("us-ascii", "utf-8", "naïve café"),
        ("iso-8859-1", "utf-8", "naïve café"),
        ("unknown-charset", "utf-8", "naïve café"),
        ("iso-2022-jp", "iso-2022-jp", "灯台守の日記"),
        ("gb2312", "gb18030", "灯塔看守人"),
        ("koi8-r", "koi8-r", "Смотритель маяка"),
        ('"windows-1251"', "cp1251", "Смотритель маяка"),
    ],
)
def test_a_body_is_decoded_as_it_declares_or_as_it_is(tmp_path: Path, label: str, encoding: str, text: str) -> None:
    raw = f"{HEAD}Content-Type: text/plain; charset={label}\nContent-Transfer-Encoding: 8bit\n\n".encode()
    assert read(tmp_path, "a.eml", raw + text.encode(encoding)).text.endswith(text)


def test_lines_that_flow_are_joined_and_quotations_stay_apart(tmp_path: Path) -> None:
    body = "A line \nthat flows.\n\n> said \n> before\nanswered \nhere\n -- indented\n-- \nAnna\n"
    written = f"{HEAD}Content-Type: text/plain; format=flowed\n\n{body}"
    text = read(tmp_path, "a.eml", written).text
    assert "A line that flows." in text
    assert "> said before\nanswered here\n-- indented\n-- \nAnna" in text
    joined = f"{HEAD}Content-Type: text/plain; format=flowed; delsp=yes\n\nlight \nhouse\n"
    assert read(tmp_path, "b.eml", joined).text.endswith("lighthouse")


def test_labels_are_tags_and_headers_are_metadata(tmp_path: Path) -> None:
    document = read(tmp_path, "a.eml", "X-Gmail-Labels: Inbox,garden\nTo: b@x.org\n" + HEAD + "\nHi\n")
    assert document.tags == ("Inbox", "garden")
    assert document.metadata == {"to": "b@x.org", "from": "Anna <anna@example.org>", "subject": "Harvest"}
    flagged = read(
        tmp_path, "b.eml", "X-Gmail-Labels: To do\nKeywords: old mill; weir\nX-Keywords: a b\n" + HEAD + "\nHi\n"
    )
    assert flagged.tags == ("To do", "old mill", "weir", "a", "b")


# --- the same as the standard library -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_bodies_and_headers_are_those_of_the_standard_library(tmp_path: Path, seed: int) -> None:
    words = ["Grüße", "naïve", "lighthouse", "灯台", "маяк", "plain", "=3D", "tail "]
    chosen = [words[(seed * (place + 3)) % len(words)] for place in range(5)]
    mail = EmailMessage()
    mail["Subject"] = " ".join(chosen)
    mail["From"] = f'"{chosen[0]}" <a@x.org>'
    charset = "utf-8" if seed % 3 else "utf-16"
    mail.set_content(" ".join(chosen * 20) + "\n", charset=charset, cte="base64" if charset == "utf-16" else None)
    if seed % 2:
        mail.add_alternative(f"<p>{' '.join(chosen)}</p>", subtype="html")
    raw = mail.as_bytes()
    theirs = BytesParser(policy=policy.default).parsebytes(raw)
    document = read(tmp_path, "a.eml", raw)
    body = theirs.get_body(("plain",))
    assert body is not None
    assert document.title == " ".join(str(theirs["Subject"]).split())
    assert " ".join(body.get_content().split()) in " ".join(document.text.split())


# --- several messages in a file, and files without a suffix -------------------------------------------------------

MBOX = (
    "From a@x.org Mon Mar  3 10:00:00 2025\nFrom: a@x.org\nSubject: First\n\nThe quince.\n>From the garden.\n\n"
    "From b@x.org Mon Mar  3 11:00:00 2025\nFrom: b@x.org\nX-Mozilla-Status: 0009\nSubject: Gone\n\nExpunged.\n\n"
    "From c@x.org Mon Mar  3 12:00:00 2025\nFrom: c@x.org\nDate: Mon, 3 Mar 2025 12:00:00 +0000\n\n"
    "From where I sit:\nthe medlar.\n"
)


def test_each_message_of_a_mailbox_is_a_section_that_knows_its_line(tmp_path: Path) -> None:
    document = read(tmp_path, "Garden.mbox", MBOX)
    assert (document.kind, document.title, document.metadata) == ("mbox", "Garden", {"pages": "3"})
    assert headings(document) == [(1, "First"), (1, "(no subject)")]
    assert "From the garden." in document.text
    assert "From where I sit:\nthe medlar." in document.text
    assert "Expunged" not in document.text
    assert document.line_map is not None
    assert [line for _, line in document.line_map] == [1, 15]
    assert {block.page for block in document.blocks} == {1, 3}


def test_no_passage_holds_parts_of_two_messages(tmp_path: Path) -> None:
    small = "".join(f"From a@x.org Mon\nSubject: S{n}\n\nWord{n}.\n\n" for n in range(20))
    document = read(tmp_path, "a.mbox", small)

    def starts(text: str) -> list[int]:
        return [at for at in range(len(text)) if not text[at].isspace() and (at == 0 or text[at - 1].isspace())]

    passages = cut(document, starts)
    assert [passage.page for passage in passages] == list(range(1, 21))
    assert [passage.line_start for passage in passages] == list(range(1, 100, 5))


@pytest.mark.parametrize("name", ["INBOX", "cur/1204680122.M27P1.host:2,S", "new/1204680122.27c448_1.mail.org", "42"])
def test_mail_without_a_suffix_is_mail(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    one = "Return-Path: <a@x.org>\nFrom: a@x.org\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n\nThe quince.\n"
    path.write_text(MBOX if name == "INBOX" else one)
    document = read_document(os.fsencode(path))
    assert document.kind == ("mbox" if name == "INBOX" else "email")
    assert "The quince." in document.text


def test_what_only_looks_like_mail_stays_text() -> None:
    for raw in (b"Name: value\nOther: thing\n", b"From here on\nall is text\n", b"Subject: x\n\nbody", b""):
        assert reader_by_content(raw) == "text"
    for name in (b"2024123456.notes.md", b"1204680122.md", b"1204680122", b"123456789.txt"):
        assert kind_of(name) != "email"


def test_a_message_as_apple_mail_keeps_it_is_read(tmp_path: Path) -> None:
    message = b"From: a@x.org\nSubject: Tea\n\nAt the kiosk.\n"
    raw = b"%-10d\n" % len(message) + message + b'<?xml version="1.0"?><plist><dict><key>flags</key></dict></plist>'
    document = read(tmp_path, "12.emlx", raw)
    assert document.title == "Tea"
    assert document.text.endswith("At the kiosk.")


def test_a_mailbox_that_is_none_says_so(tmp_path: Path) -> None:
    assert reason(tmp_path, "a.mbox", "just words\n") == "not a mailbox"
    empty: Document = read(tmp_path, "b.mbox", "")
    assert empty.text == ""


def test_how_a_part_is_transferred_is_no_encoding_of_its_letters(tmp_path: Path) -> None:
    raw = f"{HEAD}Content-Type: text/plain\n\nContent-Transfer-Encoding: base64\n".encode() + "Übrige".encode("cp1252")
    assert "brige" in read(tmp_path, "a.eml", raw).text
    assert "brige" in read(tmp_path, "a.txt", raw).text
