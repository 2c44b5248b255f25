"""Lines that were folded for their length are shown as one paragraph; lines that a writer broke stay as they are."""

from __future__ import annotations

import pytest

from app.tui.pages.painter import Painter
from app.tui.pages.units import Units
from app.tui.screens.reader.links import links_in

FOLDED = (
    "The culture came from Priya at work in a jam jar, and has outlived two\n"
    "ovens. It is half wholemeal rye, half strong white, and it is called\n"
    "Gerald."
)


def shown(text: str, kind: str = "markdown") -> list[str]:
    """Return the units of a text as they are painted."""
    units = Units(text, kind)
    painter = Painter(units)
    return [painter.line(unit).text for unit in range(len(units))]


def test_a_folded_paragraph_is_one_unit() -> None:
    assert shown(FOLDED) == [FOLDED.replace("\n", " ")]


def test_markup_goes_on_where_a_paragraph_was_folded() -> None:
    folded = (
        "Ask with the same methods that were discussed at length in [Get The\n"
        "Size Of A Table](size.md) or in the other one, and then run **a query\n"
        "  that is strong** and is followed by more words with `some further\n"
        " code`."
    )
    units = Units(folded, "markdown")
    assert len(units) == 1
    line = Painter(units).line(0)
    assert line.text == (
        "Ask with the same methods that were discussed at length in Get The Size Of A Table→ or in the other one, "
        "and then run a query that is strong and is followed by more words with some further code."
    )
    (link,) = line.links
    assert (link.target, folded[link.start : link.end]) == ("size.md", "[Get The\nSize Of A Table](size.md)")
    (place,) = line.on_screen(folded.index("Size Of A"), folded.index("](size"))
    assert line.text[slice(*place)] == "Size Of A Table"


def test_a_folded_list_item_is_one_unit_and_the_next_item_another() -> None:
    item = "- " + FOLDED.replace("\n", "\n  ")
    first, second = shown(f"{item}\n- milk")
    assert first == "• " + FOLDED.replace("\n", " ")
    assert second == "• milk"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("See [the\nsize](size.md) of it.", ["See the size→ of it."]),
        ("- ask [the\n  size](size.md)\n- milk", ["• ask the size→", "• milk"]),
        ("    - ask [the\n      size\n      of](size.md) it", ["    • ask the size of→ it"]),
        ("> See [the\n> size](size.md) of it.\n> More.", ["▎ See the size→ of it.", "▎ More."]),
        ("A [word](\nhttps://example.org) of it.", ["A word↗ of it."]),
        ("![a map\nof it](map.png)", ["▣ a map of it"]),
    ],
)
def test_lines_that_a_link_runs_over_are_one(text: str, lines: list[str]) -> None:
    assert shown(text) == lines
    (link,) = links_in(Units(text, "markdown"), ())
    assert text[link.start : link.end].startswith(("[", "![")) and text[link.end - 1] == ")"


@pytest.mark.parametrize(
    "text",
    [
        "- see [the\n- size](size.md)",
        "see [the\n\nsize](size.md)",
        "# see [the\nsize](size.md)",
        "> see [the\nsize](size.md)",
        "| see [the |\n| --- |\n| size](size.md) |",
        "```\nsee [the\nsize](size.md)\n```",
        "see [the  \nsize](size.md)",
        "see [the\nsize] (size.md)",
    ],
)
def test_a_bracket_that_a_block_ends_is_no_link(text: str) -> None:
    assert len(shown(text)) == text.count("\n") + 1
    assert not links_in(Units(text, "markdown"), ())


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("A **loaf\nof rye** of it.\nMore.", ["A loaf of rye of it.", "More."]),
        ("- a *loaf\n  of snake_case* rye\n- milk", ["• a loaf of snake_case rye", "• milk"]),
        ("> A _loaf\n> of_ rye.\n> More.", ["▎ A loaf of rye.", "▎ More."]),
        ("A ~~loaf\nof\nrye~~ of it.", ["A loaf of rye of it."]),
        ("Run `carrel sync\n--full` of *it*.\nMore.", ["Run carrel sync --full of it.", "More."]),
    ],
)
def test_lines_that_an_emphasis_runs_over_are_one(text: str, lines: list[str]) -> None:
    assert shown(text) == lines


@pytest.mark.parametrize(
    "text",
    [
        "*note one\n*note two",
        "* one *\n* two *",
        "2*3 and 4\n5*6",
        "a *loaf*\nof *rye*",
        "see **the\n\nsize** of it",
        "# see **the\nsize**",
        "```\nsee **the\nsize**\n```",
        "see **the  \nsize**",
        "my _name\nis snake_case",
        "a\\*b\nc*",
        "use `f()`, and\n`g()` then\n`h`",
        "see `the\n\nsize` of it",
    ],
)
def test_signs_that_open_no_emphasis_join_no_lines(text: str) -> None:
    assert len(shown(text)) == text.count("\n") + 1


def test_emphasis_that_never_closes_is_looked_through_once() -> None:
    text = " *a\n" * 20_000 + " **" * 20_000 + "\n" + " _x" * 20_000 + "\n" + "~~a\n\n" * 20_000 + " *" + "b" * 200_000
    assert len(Units(text, "markdown")) > 20_000


def test_brackets_that_never_close_are_looked_through_once() -> None:
    text = "[a\n" * 20_000 + "[" * 20_000 + "\n" + "](" * 20_000 + "\n" + "[x](" * 20_000
    assert len(Units(text, "markdown")) > 20_000


@pytest.mark.parametrize(
    "text",
    [
        "Milk\nEggs\nBread",
        "Nobody heard him, the dead man,\nBut still he lay moaning:\nI was much further out than you thought\n"
        "And not waving but drowning.",
        "# A heading that is long enough to be taken for a folded line of prose\nand its text",
        "| a table that is wide enough to be taken for a folded line of prose |\n| --- |",
        "---\ntitle: front matter that is long enough to be taken for a folded line of\ntags: [a]\n---",
        "```\ncode that is long enough to be taken for a folded line of prose, well\nso\n```",
        "A line that ends in two blanks, which in Markdown is a break that was meant,  \nand so it is kept.",
        "2024-03-01 went to the market and bought a new kneading trough for the shop\n2024-03-02 rain",
        "name        price      weight      and a few more words in this wide table\nflour       1.20       1 kg",
        "    indented code that is long enough to be taken for a folded line of prose\n    more of it, a line of code",
    ],
)
def test_lines_that_a_writer_broke_stay(text: str) -> None:
    assert len(shown(text)) == text.count("\n") + 1


def test_a_page_of_a_pdf_is_not_folded_into_the_next() -> None:
    text = "1. Plots\n" + FOLDED + "\n" + FOLDED
    second_page = len("1. Plots\n" + FOLDED + "\n")
    units = Units(text, "pdf", pages=[(1, 0), (2, second_page)])
    painter = Painter(units)
    assert [painter.line(unit).text.strip("─ ") for unit in range(len(units))] == [
        "page 1", "1. Plots", FOLDED.replace("\n", " "), "page 2", FOLDED.replace("\n", " "),
    ]  # fmt: skip


def test_code_after_a_folded_paragraph_is_still_code() -> None:
    units = Units(f"{FOLDED}\n\n```python\nimport os\n```\n", "markdown")
    assert [units.state(unit) for unit in range(len(units))] == ["prose", "prose", "opening", "code", "closing"]
    assert units.fence_of(3) is not None and units.fence_of(0) is None


def test_lines_are_counted_as_in_the_file() -> None:
    units = Units(f"{FOLDED}\n\nafter", "markdown")
    assert [units.line_at(units.text.index(word)) for word in ("culture", "ovens", "Gerald", "after")] == [1, 2, 3, 5]
    assert units.raw(units.at(units.text.index("Gerald"))) == FOLDED
    assert units.line_count == 5


@pytest.mark.parametrize("width", [20, 40, 78, 200])
def test_rows_are_counted_without_painting(width: int) -> None:
    text = f"{FOLDED}\n\n- {FOLDED.replace(chr(10), chr(10) + '    ')}\n"
    units = Units(text, "markdown")
    counted, painted = Painter(units), Painter(units)

    for unit in range(len(units)):
        line = painted.line(unit)
        assert counted.rows(unit, width) == len(line.starts(width))


def test_what_stands_in_the_text_is_found_on_the_screen() -> None:
    units = Units(FOLDED, "markdown")
    line = Painter(units).line(0)
    at = FOLDED.index("It is half")
    ((start, end),) = line.on_screen(at, at + len("It is half"))
    assert line.text[start:end] == "It is half"


def test_a_book_of_long_lines_is_never_one_paragraph() -> None:
    units = Units("\n".join(["word " * 13 + "worded"] * 500), "markdown")
    assert all(units.ends[unit] - units.starts[unit] <= 1_200 for unit in range(len(units)))
