"""The line of a passage is a line of its file, whatever was read; where the text stands on none, no line is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from reading import read
from test_reader_versions import SAMPLES

from engine.chunking import PassageRules, cut
from engine.records import Document
from engine.sources.readers import file_types

LINES: dict[str, Literal["own", "mapped", "none"]] = {
    **dict.fromkeys(
        ("markdown", "text", "rst", "org", "latex", "bibtex", "asciidoc", "code", "csv", "subtitles"), "own"
    ),
    **dict.fromkeys(("yaml", "toml", "json"), "own"),
    **dict.fromkeys(("html", "calendar", "contacts", "mbox", "enex"), "mapped"),
    **dict.fromkeys(("pdf", "docx", "pptx", "xlsx", "odt", "ods", "odp", "rtf", "epub", "msg"), "none"),
    **dict.fromkeys(("html", "calendar", "contacts", "mbox", "xml"), "mapped"),
    **dict.fromkeys(("pdf", "docx", "pptx", "xlsx", "xls", "odt", "ods", "odp", "odg", "rtf", "epub", "msg"), "none"),
    **dict.fromkeys(("email", "notebook", "mhtml", "webarchive"), "none"),
}
"""What a reader says of lines: a new kind belongs here, with a sample that shows it where it has any."""

OWN = {
    "asciidoc": SAMPLES["asciidoc"],
    "bibtex": SAMPLES["bibtex"],
    "code": SAMPLES["code"],
    "csv": SAMPLES["csv"],
    "json": ("a.json", '{\n  "a": "fox",\n  "b": ["den",\n    "mice"]\n}\n'),
    "latex": SAMPLES["latex"],
    "markdown": SAMPLES["markdown"],
    "org": SAMPLES["org"],
    "rst": SAMPLES["rst"],
    "subtitles": SAMPLES["subtitles"],
    "text": SAMPLES["text"],
    "toml": ("a.toml", 'a = "fox"\n\n[den]\nb = 1\n'),
    "yaml": SAMPLES["keyed"],
}
MAPPED = {
    "html": ("a.html", "<title>x</title>\n<style>\np {}\n</style>\n\n<p>first\n\n<ul>\n<li>The quince</ul>\n"),
    "calendar": ("a.ics", "BEGIN:VEVENT\nSUMMARY:x\nDESCRIPTION:one\\ntwo quince\nEND:VEVENT\n"),
    "contacts": ("a.vcf", "BEGIN:VCARD\nFN:x\nTEL:1\nNOTE:The quince\nEND:VCARD\n"),
    "enex": ("a.enex", "<en-export>\n<note><title>The quince</title><content>x</content></note></en-export>"),
    "xml": ("a.xml", "<a>\n<b>one</b>\n<b>quince</b>\n</a>\n"),
    "mbox": ("a.mbox", "From a\nSubject: x\n\none\n\nFrom b\nSubject: quince\n\ntwo\n"),
}


WORDS = re.compile(r"[a-zA-Z]+")


def token_starts(text: str) -> list[int]:
    return [at for at in range(len(text)) if not text[at].isspace() and (at == 0 or text[at - 1].isspace())]


def cut_small(document: Document) -> list[tuple[str, int | None]]:
    """Return the first words of small passages, and the lines where they begin."""
    rules = PassageRules.from_dict({"window": 24, "target": 2, "title": 4, "headings": 4})
    return [(each.text.split()[0], each.line_start) for each in cut(document, token_starts, rules) if each.text.strip()]


def test_every_kind_says_whether_it_has_lines() -> None:
    kinds = {*file_types._BY_SUFFIX.values(), *file_types._BY_NAME.values()}
    assert kinds == LINES.keys()
    assert {kind for kind, lines in LINES.items() if lines == "own"} == file_types.OWN_LINES == OWN.keys()
    assert {kind for kind, lines in LINES.items() if lines == "mapped"} == MAPPED.keys()


@pytest.mark.parametrize("kind", sorted(OWN))
def test_text_that_is_the_files_own_stands_on_the_same_lines(tmp_path: Path, kind: str) -> None:
    name, content = OWN[kind]
    document = read(tmp_path, name, content)
    assert (document.kind, document.line_map) == (kind, None)
    written = content.split("\n")
    for number, line in enumerate(document.text.split("\n")):
        assert all(word in "".join(WORDS.findall(written[number])) for word in WORDS.findall(line))


@pytest.mark.parametrize("kind", sorted(MAPPED))
def test_derived_text_carries_the_lines_of_its_file(tmp_path: Path, kind: str) -> None:
    name, content = MAPPED[kind]
    document = read(tmp_path, name, content)
    assert document.kind == kind
    assert document.line_map
    at = document.text.index("quince")
    line = [line for offset, line in document.line_map if offset <= at][-1]
    assert line == content[: content.index("quince")].count("\n") + 1 - (
        kind == "mbox"
    )  # that which begins the message


def test_a_passage_tells_the_line_of_the_file_or_none(tmp_path: Path) -> None:
    page = "<style>\n\n\n</style>\n<p>one two three</p>\n\n\n<p>four five six</p>\n"
    assert cut_small(read(tmp_path, "a.html", page)) == [("one", 5), ("four", 8)]
    assert cut_small(read(tmp_path, "a.rtf", r"{\rtf1 one\par two}"))[0] == ("one", None)


def test_a_map_may_leave_a_stretch_without_lines() -> None:
    document = Document("aa\nbb\ncc\n", "t", False, "html", line_map=((0, 7), (3, 0), (6, 2)))
    assert [line for _, line in cut_small(document)] in ([7, None, 2], [7])
