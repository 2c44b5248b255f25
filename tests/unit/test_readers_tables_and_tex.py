"""Readers of tables, subtitles, LaTeX, AsciiDoc, JSON, YAML and TOML: every line stays on the line of the file."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from properties import examples
from reading import headings, read, shape

from engine.chunking import cut
from engine.records import Document, Link
from engine.sources.encodings import storable
from engine.sources.readers.source_file import Source

READERS = {
    **dict.fromkeys(("tsv", "csv"), "csv"),
    **dict.fromkeys(("srt", "vtt"), "subtitles"),
    **dict.fromkeys(("json", "yaml", "toml"), "keyed"),
    "tex": "latex",
    "adoc": "asciidoc",
}


def line_of(document: Document, words: str) -> int:
    return document.text.count("\n", 0, document.text.index(words)) + 1


# --- tables ---------------------------------------------------------------------------------------------------------


def test_column_names_are_the_heading_of_a_table(tmp_path: Path) -> None:
    document = read(tmp_path, "bird_list.csv", 'name,seen\nrobin,3\n"wren, small",1\n')
    assert shape(document) == [("heading", "name | seen"), ("table", "robin | 3\nwren, small | 1")]
    assert (document.title, document.title_written, document.metadata) == ("bird list", False, {"rows": "2"})


def test_rows_stay_on_the_line_where_they_begin(tmp_path: Path) -> None:
    document = read(tmp_path, "a.csv", 'a,b\n"one\ntwo",x\n\nlast,y\n')
    assert document.text == "a | b\none two | x\n\n\nlast | y"
    assert line_of(document, "last") == 5


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "x;y\n1,5;2\n3,5;4\n"),
        ("a.tsv", "x\ty\n1,5\t2\n3,5\t4\n"),
        ("b.csv", "x|y\n1,5|2\n3,5|4\n"),
        ("c.csv", "x;y\r\n1,5;2\r\n3,5;4\r\n".encode("utf-16")),
    ],
)
def test_the_delimiter_is_the_one_that_fits_every_line(tmp_path: Path, name: str, content: str | bytes) -> None:
    assert read(tmp_path, name, content).text == "x | y\n1,5 | 2\n3,5 | 4"


def test_hundreds_of_columns_or_numbers_are_no_heading(tmp_path: Path) -> None:
    wide = ",".join(f"column {number}" for number in range(200))
    for content in (f"{wide}\n{wide}\n", "1,2\n3,4\n", "a,a\n1,2\n", "a,b\n"):
        assert headings(read(tmp_path, "a.csv", content)) == []


def test_an_empty_table_is_an_empty_document(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", "").text == ""


# --- subtitles ------------------------------------------------------------------------------------------------------


def test_subtitles_are_what_is_said_on_the_lines_where_it_stands(tmp_path: Path) -> None:
    content = (
        "1\n00:00:01,000 --> 00:00:02,500\n<i>Hello</i> there\n\n2\n00:00:02,600 --> 00:00:04,000\nmy friend.\n\n"
        "3\n00:00:14,600 --> 00:00:16,000\n42 is the answer.\n"
    )
    document = read(tmp_path, "talk.srt", content)
    assert [" ".join(words.split()) for _, words in shape(document)] == ["Hello there my friend.", "42 is the answer."]
    assert (line_of(document, "friend"), line_of(document, "42")) == (7, 11)
    assert document.metadata == {"length": "0:00:16"}
    assert not any(digit in document.text.replace("42", "") for digit in "0123456789")


@pytest.mark.parametrize("blank", ["", "\n"])
def test_what_is_said_below_a_blank_line_is_not_lost(tmp_path: Path, blank: str) -> None:
    content = (
        f"1\n00:00:01,000 --> 00:00:02,500\n{blank}- Hello\n\n- World\n\n"
        f"2\n{blank}00:00:02,600 --> 00:00:04,000\n{blank}my friend.\n\n"
        f"3\n{blank}00:00:14,600 --> 00:00:16,000\n{blank}Until\n42\n\n"
        f"4\n{blank}00:00:16,100 --> 00:00:17,000\nEnd\n"
    )
    document = read(tmp_path, "talk.srt", content)
    assert [words.split() for _, words in shape(document)] == [
        ["-", "Hello", "-", "World", "my", "friend."],
        ["Until", "42", "End"],
    ]
    assert line_of(document, "World") == content[: content.index("World")].count("\n") + 1


def test_webvtt_names_who_speaks_and_leaves_styles_out(tmp_path: Path) -> None:
    content = (
        "WEBVTT - a talk\nKind: captions\n\nNOTE\nfor editors\n\nSTYLE\n::cue { color: red }\n\nintro\n"
        "00:01.000 --> 00:02.000 align:start\n"
        "<v Ann Lee>Good <c.loud>morning</c> &amp; hello.\n\n"
        "d1b2c3d4-aaaa-bbbb-cccc-0123456789ab/12-0\n00:02.000 --> 00:03.000\nMore.\n"
    )
    document = read(tmp_path, "talk.vtt", content)
    assert shape(document) == [
        ("meta", "a talk"),
        ("meta", "for editors"),
        ("paragraph", "intro\n\nAnn Lee: Good morning & hello.\n\n\n\nMore."),
    ]
    assert (line_of(document, "editors"), line_of(document, "intro"), line_of(document, "Ann")) == (5, 10, 12)


# --- LaTeX ----------------------------------------------------------------------------------------------------------

PAPER = r"""\documentclass[a4paper]{article}
\usepackage{amsmath} \newcommand{\x}[1]{#1}
\title{The \emph{Great} Paper}
\author{Ann \"Ozil}
\begin{document}
\maketitle
\section{Intro to \textbf{things}}\label{sec:x}
Hello % a comment
world, see \cite{knuth} and \href{https://x.org/a_b}{the site}, 50\% of \$5.

We have $E = mc^2$ and \[ \frac{a+b}{c} \leq \alpha_{i} \]
\begin{verbatim}
x = {1} % stays
\end{verbatim}
caf\'e na\"{\i}ve --- ``quoted''~\ss
\subsection*{Deeper}
\begin{tabular}{l|l}
one & two \\
\end{tabular}
\end{document}
never read
"""


def test_a_command_for_a_letter_below_an_accent_ends_with_its_blanks(tmp_path: Path) -> None:
    text = "na\\\"\\i ve caf\\'e au lait, \\'{\\i }sland, \\v{c}esk\\'y \\= \\i n\n"
    assert read(tmp_path, "a.tex", text).text.split() == ["naïve", "café", "au", "lait,", "ísland,", "český", "īn"]


def test_latex_is_read_as_it_stands_on_paper(tmp_path: Path) -> None:
    document = read(tmp_path, "a.tex", PAPER)
    words = [(kind, " ".join(text.split())) for kind, text in shape(document)]
    assert words == [
        ("meta", "Ann Özil"),
        ("heading", "Intro to things"),
        ("paragraph", "Hello world, see and the site (https://x.org/a_b), 50% of $5."),
        ("paragraph", "We have E = mc^2 and (a+b)/c ≤ α_i"),
        ("code", "x = {1} % stays"),
        ("paragraph", "café naïve — “quoted” ß"),
        ("heading", "Deeper"),
        ("paragraph", "one | two"),
    ]
    assert headings(document) == [(2, "Intro to things"), (3, "Deeper")]
    assert (document.title, document.metadata) == ("The Great Paper", {"author": "Ann Özil"})
    assert document.links == (Link("https://x.org/a_b", "the site"),)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (r"\cventry{2010}{Sailor}{\emph{Fi}rm}{}{Hull}, then", "2010 Sailor Firm Hull, then"),
        (r"\cventry[2pt]{2010}{Sailor}", "2010 Sailor"),
        (r"\emph{un}believ\textbf{able} {ki}{osk}", "unbelievable kiosk"),
        (r"\frac{\so{a}}{b} \so{a}\frac{c}{d}", "(a)/b ac/d"),
    ],
)
def test_arguments_of_a_command_that_is_not_known_do_not_run_together(tmp_path: Path, written: str, said: str) -> None:
    assert " ".join(read(tmp_path, "a.tex", written).text.split()) == said


def test_latex_keeps_its_lines(tmp_path: Path) -> None:
    document = read(tmp_path, "a.tex", PAPER)
    written = PAPER.split("\n")
    for words in ("Intro to", "world, see", "We have", "naïve", "Deeper", "one"):
        line = written[line_of(document, words) - 1]
        assert words.replace("ï", r"\"{\i}") in line


def test_where_a_link_of_latex_leads_stands_behind_its_words_and_is_not_embedded(tmp_path: Path) -> None:
    written = (
        "\\title{\\href{https://x.org/title}{Foxes}}\\begin{document}\n\\section{The \\href{https://x.org/den}{den}}\n"
        "Read \\href{https://x.org/a\\_b?c=1\\%20\\#d}{the \\emph{manual}}.\n"
        "See \\href{https://x.org/shown}{https://x.org/shown} and \\href{figures.pdf}{this}.\n\\end{document}\n"
    )
    document = read(tmp_path, "a.tex", written)
    assert (document.title, headings(document)) == ("Foxes", [(2, "The den")])
    said = "Read the manual (https://x.org/a_b?c=1%20#d).\nSee https://x.org/shown and this."
    title, heading, text = document.text.strip().split("\n", 2)
    assert (title, heading, text) == ("Foxes (https://x.org/title)", "The den (https://x.org/den)", said)
    assert line_of(document, "a_b") == 3
    (passage,) = cut(document, lambda text: [*range(0, len(text), 4)])
    assert "den" in passage.embedded and "manual" in passage.embedded
    assert "a_b" not in passage.embedded and "x.org/den" not in passage.embedded


OWN_LINKS = r"""\newcommand{\proj}{\href{https://proj.org}{Proj}}
\newcommand{\gh}[1]{\href{https://x.org/#1}{\texttt{#1}}}
\def\two#1#2{\href{https://y.org/#1}{#2}}
\newcommand{\bad}[1]{\href{https://z.org/#7}{#1}}
\title{A \href{https://x.org/title}{title}}
\begin{document}
Use \proj and \proj, see \gh{foo/bar} and \gh{foo/bar},
then \two{a}{the Quokka} \bad{quoll} and \gh{cut
\end{document}
"""


def test_a_link_within_a_command_of_the_file_leads_somewhere_once(tmp_path: Path) -> None:
    document = read(tmp_path, "a.tex", OWN_LINKS)
    assert document.title == "A title"
    assert [line for line in document.text.split("\n") if line.strip()][:3] == [
        "A title (https://x.org/title)",
        "Use Proj (https://proj.org) and Proj, see foo/bar (https://x.org/foo/bar) and foo/bar,",
        "then a the Quokka (https://y.org/a) quoll (https://z.org/) and cut",
    ]
    targets = {link.target for link in document.links}
    assert targets >= {"https://x.org/title", "https://proj.org", "https://x.org/foo/bar", "https://y.org/a"}
    assert line_of(document, "Quokka") == 8


# --- AsciiDoc -------------------------------------------------------------------------------------------------------


def test_asciidoc_may_have_front_matter(tmp_path: Path) -> None:
    document = read(
        tmp_path, "a.adoc", "---\ntitle: Front\ntags: [a, b]\naliases: [Mylnka]\n---\n= Doc\n:tags: c d\n\nText.\n"
    )
    assert (document.title, document.tags, document.metadata) == ("Front", ("a", "b", "c d"), {"aliases": "Mylnka"})
    assert [kind for kind, _ in shape(document)] == ["meta", "heading", "meta", "paragraph"]
    assert line_of(document, "Text.") == 9


def test_asciidoc_is_cut_at_its_sections_and_delimited_blocks(tmp_path: Path) -> None:
    content = (
        "= The Guide\nAnn Author\n:keywords: foo, bar\n\nSee https://x.org[the site] or <<part,Part>>.\n\n"
        "== Part *One*\n\n"
        "* item\n* item 2\n\n[source,python]\n----\n== no heading\n----\n\n|===\n|a |b\n|===\n\n"
        "====\nExample.\n====\n// note\n"
    )
    document = read(tmp_path, "a.adoc", content)
    assert document.text == content
    assert shape(document) == [
        ("heading", "= The Guide"),
        ("meta", "Ann Author"),
        ("meta", ":keywords: foo, bar"),
        ("paragraph", "See https://x.org[the site] or <<part,Part>>."),
        ("heading", "== Part *One*"),
        ("list", "* item\n* item 2"),
        ("meta", "[source,python]"),
        ("code", "----\n== no heading\n----"),
        ("table", "|===\n|a |b\n|==="),
        ("meta", "===="),
        ("paragraph", "Example."),
        ("meta", "===="),
        ("meta", "// note"),
    ]
    assert headings(document) == [(1, "The Guide"), (2, "Part One")]
    assert (document.title, document.tags, document.metadata) == ("The Guide", ("foo", "bar"), {"author": "Ann Author"})
    assert document.links == (Link("https://x.org", "the site"), Link("part", "Part"))


def test_an_asciidoc_block_that_is_never_closed_hides_nothing(tmp_path: Path) -> None:
    document = read(tmp_path, "a.adoc", "----\nx\n\n== Head\n")
    assert headings(document) == [(2, "Head")]


# --- keys and values ------------------------------------------------------------------------------------------------


def test_yaml_keys_that_hold_others_are_headings(tmp_path: Path) -> None:
    content = (
        'version: 3\nname: "x: y"\nservices:\n  web:\n    image: nginx\n    note: |\n      fake:\n        no key\n'
        "  db:\n    image: pg\nsteps:\n- name: a\n  with:\n    x: 1\n- name: b\n"
    )
    document = read(tmp_path, "compose.yml", content)
    assert document.text == content
    assert headings(document) == [(1, "services"), (2, "web"), (2, "db"), (1, "steps")]
    assert (document.kind, document.title) == ("yaml", "compose.yml")


def test_no_heading_stands_over_a_value_that_is_not_below_its_key(tmp_path: Path) -> None:
    assert headings(read(tmp_path, "a.yaml", "a:\n  b: 1\nc: 2\n")) == []
    assert headings(read(tmp_path, "a.json", '{\n "a": {\n  "b": 1\n },\n "c": 2\n}')) == []
    assert headings(read(tmp_path, "b.json", '{\n "c": 2,\n "a": {\n  "b": 1\n }\n}')) == [(1, "a")]


def test_json_records_have_no_headings(tmp_path: Path) -> None:
    content = json.dumps([{"a": {"b": 1}}, {"a": {"b": 2}}], indent=2)
    document = read(tmp_path, "a.json", content)
    assert shape(document) == [("table", content)]


def test_json_on_one_long_line_is_set_out(tmp_path: Path) -> None:
    value = {"names": [f"name {number}" for number in range(400)], "für": "ä"}
    document = read(tmp_path, "a.json", json.dumps(value))
    assert json.loads(document.text) == value
    assert '"für": "ä"' in document.text.split("\n")[-2]


def test_json_lines_are_records_each_set_out(tmp_path: Path) -> None:
    records = [{"id": number, "text": "x" * 1500, "more": "y" * 1500} for number in range(3)]
    document = read(tmp_path, "a.jsonl", "\n".join(map(json.dumps, records)))
    assert document.text.count('"id"') == 3
    assert max(map(len, document.text.split("\n"))) < 1600


def test_what_only_calls_itself_json_is_read_as_it_is(tmp_path: Path) -> None:
    content = "[" * 5000 + "not json"
    assert read(tmp_path, "a.json", content).text == content


def test_toml_tables_are_headings(tmp_path: Path) -> None:
    document = read(tmp_path, "a.toml", 'a = 1\n[tool."ruff"]\nx = [\n  2,\n]\n[[bin]] # c\n')
    assert headings(document) == [(2, "tool.ruff"), (1, "bin")]


# --- whatever is written ----------------------------------------------------------------------------------------------

_SIGNS = (
    "a B 1 é \U0001f600 { } [ ] ( ) < > $ % & # _ ^ ~ \\ / | ; : , . - = * "
    "+ \" ' ` ! @ \n \n\n \t \r\n \x0b \x1f \u2028"
)
_WORDS = (
    '\\section{ \\begin{verbatim} \\end{verbatim} \\frac{ \\item \\verb \\" ---- |=== ==== // :a: == --> 00:00:01,000 '
    'WEBVTT NOTE key: - [t] [[t]] "k": null'
)
PIECES = st.sampled_from([*_SIGNS.split(" "), *_WORDS.split(" ")])


@pytest.mark.parametrize("suffix", ["csv", "tsv", "srt", "vtt", "tex", "adoc", "json", "yaml", "toml", "rtf"])
@settings(max_examples=examples(60))
@given(pieces=st.lists(PIECES, max_size=60), blank=st.sampled_from(["", " "]))
def test_every_visible_character_stands_in_one_block_and_no_line_is_added(
    suffix: str, pieces: list[str], blank: str
) -> None:
    written = ("{\\rtf1 x " if suffix == "rtf" else "") + blank.join(pieces)
    reader = import_module(f"engine.sources.readers.{READERS.get(suffix, suffix)}")
    document: Document = reader.read(Source(f"a.{suffix}".encode(), written.encode()))
    reached = 0
    for block in document.blocks:
        assert reached <= block.start <= block.end
        assert not document.text[reached : block.start].strip()
        reached = block.end
    assert not document.text[reached:].strip()
    if suffix != "rtf":
        assert document.text.count("\n") <= storable(written).count("\n")
