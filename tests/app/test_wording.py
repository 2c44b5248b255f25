"""The room of wording: each figure is said in one way, and nowhere else."""

from __future__ import annotations

import ast
import os
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from app import wording
from app.cli.path_arguments import absolute
from app.wording import cells, model_facts, paths, remarks, safe_text, times
from engine import figures
from engine.errors import PathError
from engine.records import ModelCoverage, Remark

NOW = time.mktime((2026, 1, 20, 12, 0, 0, 0, 0, -1))
DAY = 86_400
APP = Path(wording.__file__).parents[1]
PLAIN = {"line", "table", "count"}  # words of the room that mean something else elsewhere, too
CLOCKS = {  # moments for programs, not for persons
    "json_shapes.py": "JSON",
    "cli/log_lines.py": "the log of `carrel watch`",
    "cli/entry.py": "carrel.log",
    "tui/screens/search/filter_completion.py": "the query language",
}
SIGNED_ZERO = re.compile(r"[-+−]0?\.?0*$")


# --- numbers ----------------------------------------------------------------------------------------------------------


@given(st.floats(-2, 2), st.integers(1, 4))
def test_no_figure_is_a_signed_zero(value: float, decimals: int) -> None:
    for say in (figures.figure, figures.decimal, figures.signed):
        assert not SIGNED_ZERO.match(say(value, decimals))


@given(st.floats(-2, 2), st.integers(1, 4))
def test_a_figure_and_its_spoken_form_are_the_same_number(value: float, decimals: int) -> None:
    shown = figures.figure(value, decimals)
    assert figures.value_of(shown) == figures.value_of(figures.decimal(value, decimals))
    assert "-" not in shown and figures.value_of(shown) == pytest.approx(value, abs=0.51 * 10**-decimals)


@given(st.floats(-2, 2), st.integers(1, 4))
def test_a_difference_bears_its_own_sign(value: float, decimals: int) -> None:
    said = figures.signed(value, decimals)
    assert said[0] == ("±" if not said.strip("±.0") else "+" if value > 0 else "−")
    assert float(said[1:]) == pytest.approx(abs(value), abs=0.51 * 10**-decimals)


def test_a_difference_too_small_for_its_decimals_gets_one_more() -> None:
    assert [figures.signed(each) for each in (0.017, -0.006, 0.0004, -0.0004, 0.00004, 0.0)] == [
        "+.017", "−.006", "+.0004", "−.0004", "±.000", "±.000",
    ]  # fmt: skip


@given(st.integers(0, 10**18))
def test_a_size_has_at_most_three_digits_below_a_thousand_terabytes(octets: int) -> None:
    number, unit = figures.size(octets).split()
    assert len(re.sub(r"\D", "", number)) <= 3 or unit == "TB"
    scale = {"byte": 1, "bytes": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}[unit]
    assert float(number.replace(",", "")) * scale == pytest.approx(octets, rel=0.051)


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_the_larger_file_never_reads_smaller(one: int, other: int) -> None:
    smaller, larger = sorted((one, other))
    assert _octets(figures.size(smaller)) <= _octets(figures.size(larger))


def _octets(said: str) -> float:
    number, unit = said.split()
    return float(number.replace(",", "")) * 1000 ** ["byte", "KB", "MB", "GB", "TB"].index(
        unit.replace("bytes", "byte")
    )


def test_sizes_in_words() -> None:
    said = [figures.size(each) for each in (0, 1, 999, 1000, 9_949, 9_950, 999_499, 999_500, 61_203_000, 2_254_857_830)]
    assert said == [
        "0 bytes", "1 byte", "999 bytes", "1.0 KB", "9.9 KB", "9.9 KB", "999 KB", "1.0 MB", "61 MB", "2.3 GB",
    ]  # fmt: skip


@given(st.floats(0, 1))
def test_a_part_never_reads_as_all_or_nothing(share: float) -> None:
    said = figures.percent(share)
    assert (said == "0 %") == (share == 0) and (said == "100 %") == (share == 1)


def test_places_in_words() -> None:
    said = [figures.ordinal(number) for number in (1, 3, 10, 11, 12, 13, 21, 22, 23, 111, 112, 101)]
    assert said == [
        "first",
        "third",
        "tenth",
        "11th",
        "12th",
        "13th",
        "21st",
        "22nd",
        "23rd",
        "111th",
        "112th",
        "101st",
    ]


# --- moments and spans ------------------------------------------------------------------------------------------------


@given(st.integers(0, 20 * 365))
def test_a_day_names_no_other_day_of_the_last_ten_months(ago: int) -> None:
    said = times.day(NOW - ago * DAY, NOW)
    if ago == 0:
        assert said == "12:00"
    elif ago < 300:
        assert re.fullmatch(r"\d{1,2} [A-Z][a-z]{2}", said)
    else:
        assert re.fullmatch(r"[A-Z][a-z]{2} \d{4}", said)


def test_a_day_of_last_year_that_is_near_keeps_its_day() -> None:
    assert times.day(NOW - 7 * DAY, NOW) == "13 Jan"
    assert times.day(NOW - 30 * DAY, NOW) == "21 Dec"


@given(st.floats(0, 10**6), st.floats(0, 10**6))
def test_the_longer_time_never_reads_shorter(one: float, other: float) -> None:
    shorter, longer = sorted((one, other))
    for say in (times.duration, times.estimate):
        assert _seconds(say(shorter)) <= _seconds(say(longer))


@given(st.floats(0, 10**6))
def test_a_time_as_told_is_off_by_half_of_its_last_unit_at_most(seconds: float) -> None:
    for said in (times.duration(seconds), times.estimate(max(seconds, 1.0))):
        half = 0.05 if "." in said else {"s": 0.5, "min": 30.5, "h": 1830.5}[said.split()[-1]]  # rounded step by step
        assert _seconds(said) == pytest.approx(max(seconds, 1.0) if "." not in said else seconds, abs=half + 1e-6)


def _seconds(said: str) -> float:
    parts = said.split()
    return sum(float(n) * {"s": 1, "min": 60, "h": 3600}[unit] for n, unit in zip(parts[::2], parts[1::2], strict=True))


# --- text and cells ---------------------------------------------------------------------------------------------------


def test_every_sign_that_is_counted_as_one_cell_takes_one() -> None:
    wrong = [hex(code) for code in range(0x3000) if cells.width(chr(code)) != cell_len(chr(code))]
    assert wrong == []


@given(st.text(), st.integers(0, 30))
def test_a_cut_fits_and_says_that_something_is_gone(text: str, room: int) -> None:
    front, back = cells.cut(text, room), cells.cut_front(text, room)
    assert cell_len(front) <= room and cell_len(back) <= room
    if cell_len(text) > room > 0:
        assert front.endswith("…") and text.startswith(front[:-1])
        assert back.startswith("…") and text.endswith(back[1:])
    elif cell_len(text) <= room:
        assert front == back == text


@given(st.text())
def test_text_made_safe_keeps_its_length_and_nothing_that_steers_a_terminal(text: str) -> None:
    for say in (safe_text.one_line, safe_text.cleaned):
        assert len(say(text)) == len(text)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", say(text))
    assert len(safe_text.one_line(text).splitlines()) <= 1


def test_a_path_reads_alike_in_the_shell_and_on_the_screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir("/")
    note = os.fsencode(tmp_path / "a\x1b[31m\n.md")
    assert paths.short_path(note) == paths.shown_path(note) == "~/a␛[31m␊.md"
    monkeypatch.chdir(tmp_path)
    assert paths.short_path(note) == "a␛[31m␊.md"


# --- the contract -----------------------------------------------------------------------------------------------------


def modules(package: Path = APP) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if not name.startswith(("wording/", "demo/vault/")):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def words_of_the_room() -> set[str]:
    room = [*(APP / "wording").glob("*.py"), Path(figures.__file__)]
    words = ast.parse("".join(path.read_text(encoding="utf-8") for path in room).replace(
        "from __future__ import annotations", ""))  # fmt: skip
    return {node.name for node in words.body if isinstance(node, ast.FunctionDef)} - PLAIN


def test_no_other_module_defines_a_word_of_the_room() -> None:
    taken = words_of_the_room()
    twice = [
        f"{name}: {node.name}"
        for name, tree in modules()
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.lstrip("_") in {word.lstrip("_") for word in taken}
    ]
    assert twice == []


ROUNDED = re.compile(r"%$|^\+|\.[2-4]f$")
UNIT = re.compile(r"(?: ?(?:bytes|[KMGT]i?B|%)| (?:s|min|h))(?![\w/])")
SIZE = re.compile(r" ?[KMGT]i?B(?!\w)")


def test_no_other_module_writes_a_size_a_span_a_share_or_a_score() -> None:
    written = [f"{name}:{node.lineno}" for name, tree in modules() for node in ast.walk(tree) if _names_a_unit(node)]
    assert written == []


WRITES_FIGURES = {
    "engine/embedding/model_download.py",  # 43 of 220 MB
    "engine/retrieval/why_not.py",  # an argument of the command line
}


@pytest.mark.parametrize("package", ["engine", "training"])
def test_sentences_below_the_screen_take_their_sizes_shares_and_scores_from_where_it_does(package: str) -> None:
    written = {
        f"{package}/{name}"
        for name, tree in modules(APP.with_name(package))
        for node in ast.walk(tree)
        if _rounds(node) or (isinstance(node, ast.JoinedStr) and _behind_a_figure(node, SIZE))
    }
    assert written == {name for name in WRITES_FIGURES if name.startswith(package)}


def _names_a_unit(node: ast.AST) -> bool:
    """Whether a formatted string sets a unit behind a figure, or rounds a share, a difference or a score itself."""
    return _rounds(node) or (isinstance(node, ast.JoinedStr) and _behind_a_figure(node, UNIT))


def _rounds(node: ast.AST) -> bool:
    if not (isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr)):
        return False
    spec = node.format_spec.values
    return bool(spec) and isinstance(spec[-1], ast.Constant) and bool(ROUNDED.search(str(spec[-1].value)))


def _behind_a_figure(node: ast.JoinedStr, unit: re.Pattern[str]) -> bool:
    behind = (after for before, after in pairwise(node.values) if isinstance(before, ast.FormattedValue))
    return any(isinstance(each, ast.Constant) and unit.match(str(each.value)) for each in behind)


def test_no_other_module_writes_a_moment_for_a_person() -> None:
    clocks = [
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("strftime", "isoformat") and name not in CLOCKS
    ]
    assert clocks == []


def test_a_share_that_is_rounded_down_loses_no_percent_to_the_binary_fraction() -> None:
    assert [figures.percent_there(number / 100) for number in range(101)] == [f"{number} %" for number in range(101)]
    assert figures.percent_there(1 - 1e-7) == "99 %" and figures.percent_there(0.9999, 1) == "99.9 %"


def test_a_path_is_said_also_where_the_current_folder_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert paths.short_path(b"/notes/a.md") == "/notes/a.md"
    assert paths.argument_path(b"/notes/a.md") == b"/notes/a.md"
    with pytest.raises(PathError, match="is gone"):
        absolute("a.md")


def test_one_is_said_as_one() -> None:
    assert remarks.remark_said(Remark("x", "long", "1")) == "The line is searched up to x; 1 word behind it is not."
    assert remarks.remark_said(Remark("x", "long", "1200")).endswith("; 1,200 words behind it are not.")
    assert remarks.remark_said(Remark("§", "capped", "1")).endswith("; 1 older one was not.")
    assert remarks.remark_said(Remark("§", "capped", "12345")).endswith("; 12,345 older ones were not.")


def test_how_far_the_vectors_are_is_the_same_figure_in_the_list_of_models_and_in_the_status() -> None:
    half = ModelCoverage("other", "shadow", 576, 1000, 424)
    assert model_facts.follower_coverage(half) == f"beside, {figures.percent(half.share)}" == "beside, 58 %"
    assert model_facts.follower_coverage(replace(half, covered=999)) == "beside, 99 %"
