"""Notes as people and programs write them: not by the book, and read all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import headings, read, shape

from engine.records import Document


def words(document: Document) -> str:
    """Return a document's text on one line."""
    return " ".join(document.text.split())


# --- front matter ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "title", "tags"),
    [
        ("---\ntitle: Recipe: plum jam\ntags: [jam, plum]\n---\n", "Recipe: plum jam", ("jam", "plum")),
        ("---\ntitle: Recipe: jelly\ntags:\n  - jelly\n  - quince\n---\n", "Recipe: jelly", ("jelly", "quince")),
        ("---\ntitle: Recipe: jelly\ntags:\n- jelly\n- quince\n---\n", "Recipe: jelly", ("jelly", "quince")),
        ("---\ntags:\n\t- jelly\n\t- quince\ntitle: T\n---\n", "T", ("jelly", "quince")),
        ("---\ntitle: @home\ntags: a, b c\n---\n", "@home", ("a", "b c")),
        ("---\ntags: #todo #jam\ntitle: T\n---\n", "T", ("todo", "jam")),
        ("---\ntags: [jam, plum\ntitle: T\n---\n", "T", ("jam", "plum")),
        ('+++\ntitle = "T"\ntags = ["a", "b"]\n+++\n', "T", ("a", "b")),
        ('+++\ntitle = "T\ntags = ["a", "b"]\n+++\n', "T", ("a", "b")),
        ('+++\ntitle = "T"\n[taxonomies]\ntags = ["a", "b"]\n+++\n', "T", ("a", "b")),
        ('{\n  "title": "T",\n  "tags": ["a", "b"]\n}\n', "T", ("a", "b")),
        ('---json\n{"title": "T", "tags": ["a", "b"]}\n---\n', "T", ("a", "b")),
        (';;;\n"title": "T",\n"tags": ["a", "b"]\n;;;\n', "T", ("a", "b")),
    ],
)
def test_one_bad_line_of_front_matter_costs_no_title_and_no_tags(
    tmp_path: Path, head: str, title: str, tags: tuple[str, ...]
) -> None:
    document = read(tmp_path, "a.md", head + "\nCook the fruit.\n")
    assert (document.title, document.title_written, document.tags) == (title, True, tags)
    assert [block.kind for block in document.blocks] == ["meta", "paragraph"]


@pytest.mark.parametrize("text", ['{"only": "data"}\n', "{: .class}\nWords.\n", "{broken\nWords.\n"])
def test_what_opens_with_a_brace_and_is_no_front_matter_is_text(tmp_path: Path, text: str) -> None:
    assert "meta" not in [block.kind for block in read(tmp_path, "a.md", text).blocks]


@pytest.mark.parametrize(
    "head",
    [
        '---\naliases:\n  - Zephyrine\n  - "Old mill"\n---\n',
        "---\nalias: Zephyrine, Old mill\n---\n",
        "---\naliases: [Zephyrine, Old mill]\n---\n",
        "---\ntitle: A: B\naliases:\n- Zephyrine\n- Old mill\n---\n",
        "alias:: Zephyrine, [[Old mill]]\n",
        "- alias:: Zephyrine, Old mill\n",
    ],
)
def test_other_names_of_a_note_are_kept_one_a_line(tmp_path: Path, head: str) -> None:
    assert read(tmp_path, "a.md", head + "\n# Station\n\nWeir.\n").metadata["aliases"] == "Zephyrine\nOld mill"


def test_an_org_node_has_its_other_names(tmp_path: Path) -> None:
    text = ':PROPERTIES:\n:ID: 1\n:ROAM_ALIASES: "Old mill" Zephyrine\n:END:\n#+title: Station\n\nWeir.\n'
    document = read(tmp_path, "a.org", text)
    assert (document.title, document.metadata["aliases"]) == ("Station", "Old mill\nZephyrine")


# --- Logseq ---------------------------------------------------------------------------------------------------------


def test_the_properties_of_a_logseq_page_are_its_title_its_tags_and_its_metadata(tmp_path: Path) -> None:
    text = "tags:: hobby, [[chess]], #open games\ntitle:: The Sicilian\nauthor:: Ann\n\n- a block about openings\n"
    document = read(tmp_path, "chess.md", text)
    assert (document.title, document.title_written) == ("The Sicilian", True)
    assert document.tags == ("hobby", "chess", "open games")
    assert document.metadata == {"author": "Ann"}
    assert [block.kind for block in document.blocks] == ["meta", "list"]


def test_the_properties_of_a_logseq_page_in_org_are_its_title_and_its_tags(tmp_path: Path) -> None:
    text = ":PROPERTIES:\n:title: The Sicilian\n:tags: hobby, chess\n:alias: Najdorf\n:END:\n\n- openings\n"
    document = read(tmp_path, "a.org", text)
    assert (document.title, document.tags) == ("The Sicilian", ("hobby", "chess"))
    assert document.metadata["aliases"] == "Najdorf"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("garden%2Fweeding plan.md", "garden/weeding plan"),
        ("money___budget.md", "money/budget"),
        ("caf%C3%A9.md", "café"),
        ("100%25 wool.md", "100% wool"),
        ("50%FF.md", "50%FF"),
        ("a%00b.md", "a%00b"),
    ],
)
def test_a_name_that_is_written_in_code_is_read_as_it_is_meant(tmp_path: Path, name: str, title: str) -> None:
    assert read(tmp_path, name, "- a page\n").title == title


# --- Markdown -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "1. Pass it:\n\n    ```json\n    { 1 }\n\n## Second\n\nWords.\n\n## Third\n",
        "- ```\n    foo\n  ```\n\n## Second\n\n```text\n# foo\n```\n\n## Third\n",
        "- ```\n  foo\n\n## Second\n\n```\nx\n```\n\n## Third\n",
        "10. ~~~\n    # no\n    ~~~\n\n## Second\n\n- - ```\n    # no\n    ```\n\n## Third\n",
        "* a\n    * b\n        ```\n        # no\n\n## Second\n\n    ```\n    a\n\n## Third\n\n    ```\n    b\n",
        "## Second\n\n<pre>\n# no\n\n# nor this\n</pre>\n\n## Third\n",
        "## Second\n\n<!-- a\n\n# no\n\n-->\n\n## Third\n",
        "## Second\n\n<div>\n# no\n</div>\n\n## Third\n",
        "## Second\n\n%% hidden\n\n# no\n\n%%\n\n## Third\n",
        "## Second\n\n$$\na\n# no\n$$\n\n## Third\n",
        "## Second\n\n<!-- never closed\n\n## Third\n",
        "## Second\n\n%% never closed\n\n## Third\n",
    ],
)
def test_only_headings_are_headings_and_each_is_one(tmp_path: Path, text: str) -> None:
    assert headings(read(tmp_path, "a.md", text)) == [(2, "Second"), (2, "Third")]


# --- reStructuredText -----------------------------------------------------------------------------------------------


def test_sections_after_lists_are_sections_whatever_adorns_them(tmp_path: Path) -> None:
    text = (
        "Design\n======\n\n- sets the default\n- second point\n\n\n2. Orchestration\n----------------\n\nTrellis.\n\n"
        "f-strings\n.........\n\n1. one\n2. two\n\nA. Last\n:::::::\n\nEnd.\n"
    )
    document = read(tmp_path, "a.rst", text)
    assert headings(document) == [(1, "Design"), (2, "2. Orchestration"), (3, "f-strings"), (4, "A. Last")]
    assert [kind for kind, _ in shape(document) if kind == "list"] == ["list", "list"]


# --- LaTeX and BibTeX -----------------------------------------------------------------------------------------------


def test_latex_letters_are_joined_to_the_words_that_they_stand_in(tmp_path: Path) -> None:
    text = (
        r"Br\o d og \O l, stra\ss e, \AA ngstr\"om, c\oe ur, \ae ble, Erd\H os, \L{}\'od\'z, \c cedille, \u{g}, "
        r"Kr\"uger, \textbf{Gr\"o\ss e}, 10\,km, foo%" + "\n" + r"bar, M\"{u}ller--Lyer, \TeX\ book, shelf\/ful, \dh a"
    )
    assert words(read(tmp_path, "a.tex", text)) == (
        "Brød og Øl, straße, Ångström, cœur, æble, Erdős, Łódź, çedille, ğ, Krüger, Größe, 10 km, foobar, "
        "Müller–Lyer, TeX book, shelfful, ða"
    )


def test_the_author_of_a_paper_is_found_by_words_and_kept_apart(tmp_path: Path) -> None:
    text = "\\documentclass{article}\n\\author[1]{Anna Ek \\and Bo \\thanks{ETH}}\n\\author{Cy}\n\\begin{document}\nx\n"
    document = read(tmp_path, "a.tex", text)
    assert [(kind, " ".join(text.split())) for kind, text in shape(document)] == [
        ("meta", "Anna Ek , Bo (ETH)"),
        ("meta", "Cy"),
        ("paragraph", "x"),
    ]
    assert document.metadata == {"author": "Anna Ek, Bo (ETH), Cy"}
    assert document.text.split("\n")[1].startswith("Anna")


@pytest.mark.parametrize(
    "end", ["% \\end{document}", "  a \\% % \\end{document}", "\\begin{verbatim}\n\\end{document}\n\\end{verbatim}"]
)
def test_only_the_true_end_of_a_document_ends_it(tmp_path: Path, end: str) -> None:
    text = f"\\begin{{document}}\nBefore.\n{end}\nAn isthmus.\n\\end{{document}}\nnever read\n"
    document = read(tmp_path, "a.tex", text)
    assert "An isthmus." in document.text
    assert "never" not in document.text


def test_what_a_command_means_is_said_where_it_stands_and_not_where_it_is_defined(tmp_path: Path) -> None:
    text = (
        "\\newcommand{\\norm}[2][2]{secret #2}\n\\newcommand\\carrel{Carr\\'el}\n\\def\\foo#1{secret #1}\n"
        "\\newcommand*{\\R}{\\mathbb{R}}\nThe \\carrel{} in $\\R$ of \\emph{it}.\n"
    )
    assert words(read(tmp_path, "a.tex", text)) == "The Carrél in R of it."


def test_environments_keep_their_names_and_drop_their_settings(tmp_path: Path) -> None:
    text = (
        "\\newtheorem{satz}{Satz}\n\\begin{theorem}[Pythagoras]\nAdd.\n\\end{theorem}\n\\begin{satz}[Thales]\\end{satz}\n"
        "\\begin{minipage}[t]{0.5\\textwidth}\nInside.\n\\end{minipage}\n"
        "\\begin{tabular*}{\\textwidth}{@{}lr@{}}\na & b\n\\end{tabular*}\n"
        "\\begin{wrapfigure}[3]{r}[1pt]{5cm}\\caption{A heron}\\end{wrapfigure}\n"
        "\\begin{frame}{Slide title}\nText\\footnote{Ferns.} more.\n\\end{frame}\n"
    )
    document = read(tmp_path, "a.tex", text)
    assert words(document) == ("(Pythagoras) Add. (Thales) Inside. a | b A heron Slide title Text (Ferns.) more.")
    assert headings(document) == [(2, "Slide title")]


def test_bibtex_is_read_as_its_names_are_spelt_each_entry_below_its_title(tmp_path: Path) -> None:
    text = (
        '@article{s26,\n  author = {Schr{\\"o}dinger, Erwin and Erd{\\H{o}}s, '
        "P{\\'a}l and \\O{}re, {\\O}. and {\\'E}va},\n"
        "  title = {An {U}ndulatory {T}heory},\n  year = 1926,\n}\n\n"
        '@book{x, title = "{T}wo words", author = "M{\\"u}ller" }\n@comment{no}\n'
    )
    document = read(tmp_path, "refs.bib", text)
    assert "Schrödinger, Erwin and Erdős, Pál and Øre, Ø. and Éva" in document.text
    assert headings(document) == [(1, "An Undulatory Theory"), (1, "Two words")]
    assert document.text.split("\n")[2] == "  title = {An Undulatory Theory},"


# --- logs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        ("\x1b[31mERROR\x1b[0m the \x1b[1mfurnace\x1b[0m tripped\n", "ERROR the furnace tripped\n"),
        ("\x1b[38;5;196mred\x1b[m \x1b]0;title\x07word \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", "red word link\n"),
        ("N\bNA\bAM\bME\bE _\bx tpyo\b\b\bypo\n", "NAME x typo\n"),
        ("load 10%\rload 20%\rload 100%\nnext\n", "load 100%\nnext\n"),
        ("fetching a\rfetching b\rdone   \nnext\n", "fetching a fetching b done   \nnext\n"),
        ("a\x1b[1G\x1b[Kb\n", "a b\n"),
        ("^[[31mred^[[0m [32mgreen[0m \\u001b[1mbold\\u001b[0m\n", "red green bold\n"),
        ("a rope [10m] long\n", "a rope [10m] long\n"),
        ("old\rMac\rlines", "old\nMac\nlines"),
        ("two\r\nlines\r\n", "two\nlines\n"),
    ],
)
def test_a_log_is_read_as_a_terminal_shows_it_on_its_own_lines(tmp_path: Path, log: str, shown: str) -> None:
    assert read(tmp_path, "a.log", log).text == shown


@pytest.mark.parametrize("name", ["a.md", "a.rst", "a.org", "a.adoc", "a.py", "a.csv", "a.tex"])
def test_colours_are_taken_out_of_every_text(tmp_path: Path, name: str) -> None:
    assert "\x1b" not in read(tmp_path, name, "a\n\n\x1b[1mfurnace\x1b[0m\n").text


# --- tables ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "written", "rows"),
    [
        ("a.csv", "Apfel;1,50;2,00\nBirne;2,25;3,10\n", ["Apfel | 1,50 | 2,00", "Birne | 2,25 | 3,10"]),
        ("a.csv", "1,5;2,5\n3,5;4,5\n", ["1,5 | 2,5", "3,5 | 4,5"]),
        ("a.csv", "1,2,3\n4,5,6\n", ["1 | 2 | 3", "4 | 5 | 6"]),
        ("a.csv", 'sep=;\na;"b, c"\nd;e\n', ["", "a | b, c", "d | e"]),
        ("a.csv", '"a;b","c"\n"d;e","f"\n', ["a;b | c", "d;e | f"]),
        ("a.csv", '1,"say ""hi"", Ann"\n2,"two\nlines"\n3,x\n', ['1 | say "hi", Ann', "2 | two lines", "", "3 | x"]),
        ("a.csv", 'a,5" disk,b\nc,"3" nail,d\n', ['a | 5" disk | b', 'c | "3" nail | d']),
        ("a.tsv", 'size\tname\n"5 inch\tbolt\n6 inch\tnut\n7"\twasher\n', None),
    ],
)
def test_cells_are_parted_where_they_are_and_a_stray_quote_takes_nothing_in(
    tmp_path: Path, name: str, written: str, rows: list[str] | None
) -> None:
    expected = rows or ["size | name", '"5 inch | bolt', "6 inch | nut", '7" | washer']
    assert read(tmp_path, name, written).text.split("\n") == expected
