"""Readers of formats that people write by hand: the text stays the file's own, and the structure is found in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from properties import examples
from reading import headings, read, reason, shape

from engine.errors import SourceError
from engine.records import Link
from engine.sources.readers import kind_of
from engine.sources.readers.markdown import scan

# --- Markdown -----------------------------------------------------------------------------------------------------


def test_markdown_keeps_its_own_text_and_finds_its_blocks(tmp_path: Path) -> None:
    text = (
        "# Top *bold* `c*d*e` #\n\nPara one\nline two\n\n- item\n\n  more\n- [ ] next\n\n> quote\nlazy\n\n"
        "```python\n# no heading\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        "Title\n=====\nSub\n---\n\n    indented code\n"
    )
    document = read(tmp_path, "a.md", text)
    assert document.text == text
    assert shape(document) == [
        ("heading", "# Top *bold* `c*d*e` #"),
        ("paragraph", "Para one\nline two"),
        ("list", "- item\n\n  more\n- [ ] next"),
        ("quote", "> quote\nlazy"),
        ("code", "```python\n# no heading\n```"),
        ("table", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("heading", "Title\n====="),
        ("heading", "Sub\n---"),
        ("code", "    indented code"),
    ]
    assert headings(document) == [(1, "Top bold c*d*e"), (1, "Title"), (2, "Sub")]
    assert (document.title, document.title_written) == ("Top bold c*d*e", True)


def test_front_matter_gives_title_tags_and_metadata_and_is_a_meta_block(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        "a.md",
        "---\ntitle: Of Foxes\ntags: [red, quick brown]\ndate: 2024-02-01\naliases:\n  - vulpes\n  - fox\n"
        "nested: {a: 1}\nflag: yes\n---\n# Other\n",
    )
    assert (document.title, document.title_written) == ("Of Foxes", True)
    assert document.tags == ("red", "quick brown")
    assert document.metadata == {"date": "2024-02-01", "aliases": "vulpes\nfox", "flag": "yes"}
    assert [block.kind for block in document.blocks] == ["meta", "heading"]


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("---\ntitle: A: B\nby: me\n---\n", "A: B"),  # not YAML, and common all the same
        ('+++\ntitle = "Toml"\n+++\n', "Toml"),
        ("---\n---\n", "a"),
        ("---\ntitle: never closed\n", "a"),
        ("---\njust words between two rules\n---\n", "a"),
        ("---\ntitle: !!python/object/apply:os.system [x]\n---\n", "a"),
    ],
)
def test_front_matter_that_is_odd_is_still_read_or_left_alone(tmp_path: Path, head: str, title: str) -> None:
    document = read(tmp_path, "a.md", head + "\nBody.\n")
    assert document.title == title
    assert document.text.endswith("Body.\n")


def test_a_file_that_is_only_front_matter_has_no_other_block(tmp_path: Path) -> None:
    assert [block.kind for block in read(tmp_path, "a.md", "---\ntitle: x\n---").blocks] == ["meta"]


@pytest.mark.parametrize(
    ("text", "title", "written"),
    [
        ("intro\n\n# Only\n\n## Sub\n", "Only", True),
        ("## First\n\ntext\n", "First", True),
        ("intro\n\n# One\n\n# Two\n", "my note 2024-05-01", False),
        ("intro only", "my note 2024-05-01", False),
    ],
)
def test_the_title_is_a_heading_that_titles_the_whole_or_the_files_name(
    tmp_path: Path, text: str, title: str, written: bool
) -> None:
    document = read(tmp_path, "my-note_2024-05-01.md", text)
    assert (document.title, document.title_written) == (title, written)


def test_links_of_every_kind_are_found_outside_code(tmp_path: Path) -> None:
    text = (
        '[[Note]] and [[Other#part|shown]], [site](https://x.org/a_(b) "t"), <https://y.org>, [ref][r], [Short][].\n'
        "![image](no.png) `[[not]]`\n\n```\n[[nor]]\n```\n\n[r]: ./r.md\n[short]: <s.md>\n"
    )
    assert read(tmp_path, "a.md", text).links == (
        Link("Note", "Note", True),
        Link("Other#part", "shown", True),
        Link("https://x.org/a_(b)", "site"),
        Link("https://y.org", "https://y.org"),
        Link("./r.md", "ref"),
        Link("s.md", "Short"),
    )


def test_tags_are_words_after_a_hash_and_nothing_else(tmp_path: Path) -> None:
    text = "#one two #nested/tag-x, #2024plan (#paren) C# #12 a#b `#code` http://x.y/#frag #ff0033\n\n## no #yes\n"
    assert read(tmp_path, "a.md", text).tags == ("one", "nested/tag-x", "2024plan", "yes")


def test_a_heading_label_loses_its_markup(tmp_path: Path) -> None:
    text = "# See [the **docs**](x.md) and [[Page|words]] ![pic](p.png) <b>x</b> snake_case_name {#id}\n"
    assert headings(read(tmp_path, "a.md", text)) == [(1, "See the docs and words pic x snake_case_name")]


def test_a_hash_in_a_fence_inside_a_list_is_no_heading(tmp_path: Path) -> None:
    assert headings(read(tmp_path, "a.md", "- do\n\n  ```sh\n# root\n  ```\n\n# Real\n")) == [(1, "Real")]


def test_a_rule_is_not_a_heading_after_a_blank_line(tmp_path: Path) -> None:
    assert headings(read(tmp_path, "a.md", "text\n\n---\n\nmore\n")) == []


LINES = st.lists(
    st.sampled_from(
        (
            *("", "  ", "# h", "text", "- i", "1. x", "    c", "\tt", "```", "~~~", "> q", "---", "===", "| a | b |"),
            *("|--|--|", "<!-- c", "-->", "  - n", "[a]: b", "+++", "\u2028", "#t", "\x0c"),
        )
    ),
    max_size=14,
)


@settings(max_examples=examples(300))
@given(lines=LINES)
def test_blocks_of_any_markdown_are_in_order_and_cover_every_visible_character(lines: list[str]) -> None:
    text = "\n".join(lines)
    reached = 0
    for block in scan(text):
        assert reached <= block.start < block.end <= len(text)
        assert not text[reached : block.start].strip()
        reached = block.end
    assert not text[reached:].strip()


# --- other text formats -------------------------------------------------------------------------------------------


def test_restructured_text_levels_follow_the_order_of_adornments(tmp_path: Path) -> None:
    text = (
        "=====\nTitle\n=====\n\n:Author: Ann\n:Tags: a, b\n\nIntro ``x``::\n\n    literal\n\n"
        "Part\n----\n\n.. note::\n\n   Hear.\n\n.. code-block:: c\n\n   int x;\n\nDeep\n~~~~\n\n* one\n* two\n\n"
        "Next `one <http://o.org>`_\n\nPart two\n--------\n"
    )
    document = read(tmp_path, "a.rst", text)
    assert document.text == text
    assert headings(document) == [(1, "Title"), (2, "Part"), (3, "Deep"), (2, "Part two")]
    assert (document.title, document.tags) == ("Title", ("a", "b"))
    assert document.metadata == {"author": "Ann"}
    assert [block.kind for block in document.blocks] == (
        [
            "heading",
            "meta",
            "paragraph",
            "code",
            "heading",
            "paragraph",
            "code",
            "heading",
            "list",
            "paragraph",
            "heading",
        ]
    )
    assert document.links == (Link("http://o.org", "one"),)


def test_the_headers_of_a_pep_are_metadata(tmp_path: Path) -> None:
    document = read(
        tmp_path, "pep-9999.rst", "PEP: 9999\nTitle: On ``x``\nAuthor: A,\n        B\n\nAbstract\n========\n\nx\n"
    )
    assert document.title == "PEP 9999: On x"
    assert document.metadata == {"pep": "9999", "author": "A, B"}
    assert [block.kind for block in document.blocks] == ["meta", "heading", "paragraph"]


def test_org_headings_keywords_drawers_and_blocks(tmp_path: Path) -> None:
    text = (
        "#+TITLE: The Title\n#+FILETAGS: :all:\n\n* TODO [#A] First =x=   :work:home:\n:PROPERTIES:\n:ID: 1\n:END:\n"
        "Text\n** Second [[https://x.org][link]]\n#+begin_src sh\n* no heading\n#+end_src\n- a\n- b\n\n| 1 | 2 |\n"
    )
    document = read(tmp_path, "a.org", text)
    assert document.text == text
    assert (document.title, document.title_written, document.tags) == ("The Title", True, ("all", "work", "home"))
    assert headings(document) == [(1, "First x"), (2, "Second link")]
    kinds = [block.kind for block in document.blocks]
    assert kinds == ["meta", "heading", "meta", "paragraph", "heading", "code", "list", "table"]
    assert document.links == (Link("https://x.org", "link"),)


def test_plain_text_is_cut_at_blank_lines_and_titled_by_its_name(tmp_path: Path) -> None:
    document = read(tmp_path, "shopping_list.txt", "# no heading\nstill\n \n\nsecond\n")
    assert shape(document) == [("paragraph", "# no heading\nstill"), ("paragraph", "second")]
    assert (document.title, document.title_written, document.kind) == ("shopping list", False, "text")


def test_code_is_cut_at_top_level_pieces_and_named_by_its_file(tmp_path: Path) -> None:
    text = "import os\n\n\n# about f\ndef f():\n    a = 1\n\n    return a\n\n\nclass C:\n    pass\n"
    document = read(tmp_path, "x_y.py", text)
    assert [body for _, body in shape(document)] == [
        "import os",
        "# about f\ndef f():\n    a = 1\n\n    return a",
        "class C:\n    pass",
    ]
    assert (document.kind, document.title, document.title_written) == ("code", "x_y.py", False)
    assert document.metadata == {"language": "python"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (b"A.MD", "markdown"),
        (b"README", "text"),
        (b"Dockerfile", "code"),
        (b"CMakeLists.txt", "code"),
        (b"a.tar.gz", None),
        (b"a.json", "json"),
        (b"a.geojson", None),
        (b"a.TSV", "csv"),
        (b"a.fodt", "odt"),
        (b"pyproject.toml", "toml"),
        (b"unknown.xyz", None),
        (b"caf\xe9.rs", "code"),
        (b"a.docx", "docx"),
    ],
)
def test_the_name_tells_the_kind(name: bytes, kind: str | None) -> None:
    assert kind_of(name) == kind


# --- encodings ----------------------------------------------------------------------------------------------------

GERMAN = "Der Fluß führt Äpfel über größere Brücken.\n" * 5
RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю.\n" * 8
JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n" * 8


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "utf-8"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "cp1252"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
        (GERMAN, "utf-32"),
        (GERMAN, "utf-32-be"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "utf-16-le"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        ("können", "latin-1"),
    ],
)
def test_text_in_many_encodings_is_read(tmp_path: Path, text: str, encoding: str) -> None:
    assert read(tmp_path, "a.txt", text.encode(encoding)).text == text


def test_one_bad_byte_does_not_spoil_utf_8(tmp_path: Path) -> None:
    assert read(tmp_path, "a.txt", "größer ".encode() * 20 + b"\xff end").text == "größer " * 20 + "\ufffd end"


def test_line_ends_nul_and_marks_are_normalised(tmp_path: Path) -> None:
    assert (
        read(tmp_path, "a.md", b"\xef\xbb\xbfa\r\nb\rc\n" + b"x" * 600 + b"\x00d").text
        == "a\nb\nc\n" + "x" * 600 + "\ufffdd"
    )


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.org", "a.rst", "a.py", "a.html"])
@pytest.mark.parametrize("content", [b"", b" \n\t\n"])
def test_an_empty_text_file_is_an_empty_document(tmp_path: Path, name: str, content: bytes) -> None:
    document = read(tmp_path, name, content)
    assert not document.text.strip()
    assert document.blocks == ()
    assert not document.title_written


@pytest.mark.parametrize("content", [b"%PDF-1.4\n", b"\x89PNG\r\n\x1a\n", bytes(range(256)) * 4, b"PK\x03\x04abc"])
def test_a_text_suffix_on_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, "a.md", content)
    assert caught.value.reason == "not text"


def test_too_much_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sources.readers.source_file.MAX_CHARACTERS", 1_000_000)
    with pytest.raises(SourceError, match="too much text"):
        read(tmp_path, "a.txt", "x" * 1_000_001)


ANY_NAMES = (
    *("a.md", "a.rst", "a.org", "a.txt", "a.html", "a.eml", "a.ipynb", "a.json", "a.mbox", "a.mht", "a.ics", "a.vcf"),
    *("a.emlx", "a.webarchive", "INBOX"),
)


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    content=st.binary(max_size=300),
    name=st.sampled_from(ANY_NAMES),
)
def test_any_bytes_give_a_sound_document_or_a_reason(tmp_path: Path, content: bytes, name: str) -> None:
    try:
        document = read(tmp_path, name, content)
    except SourceError:
        return
    document.text.encode("utf-8")
    assert "\x00" not in document.text
    assert "\r" not in document.text
    spans = [(block.start, block.end) for block in document.blocks]
    assert spans == sorted(spans)


def test_front_matter_that_no_parser_can_hold_leaves_the_note_readable(tmp_path: Path) -> None:
    for value in ("9" * 5_000, "[" * 5_000 + "]" * 5_000):
        assert "Wombats dig" in read(tmp_path, "a.md", f"+++\nnumber = {value}\n+++\nWombats dig.\n").text


def test_a_notebook_that_is_nested_too_deep_has_its_reason(tmp_path: Path) -> None:
    assert reason(tmp_path, "a.ipynb", "[" * 50_000) == "not JSON, so no notebook"


def test_front_matter_of_restructured_text_gives_title_and_tags(tmp_path: Path) -> None:
    front = "---\ntitle: Quinces\ntags: [fruit, autumn]\n---\n"
    document = read(tmp_path, "a.rst", f"{front}\nPicking\n=======\n\nLate in October.\n")
    assert (document.title, document.tags) == ("Quinces", ("fruit", "autumn"))
    assert shape(document) == [
        ("meta", front.strip()),
        ("heading", "Picking\n======="),
        ("paragraph", "Late in October."),
    ]
    section = read(tmp_path, "b.rst", "---\na: b\n---\n\nText.\n")
    assert [kind for kind, _ in shape(section)] == ["heading", "paragraph"]
