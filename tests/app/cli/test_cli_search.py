"""`carrel search`: what is asked of the library, what a person reads, and what a script gets."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from cli_fakes import Call, FakeLibrary, a_hit, a_result

from app.cli.search_rows import row
from engine.records import Filters, LeftOut, Query, Remark, SearchResult, SearchSettings, Shares, Weights, WordReading

RESULT_KEYS = """rank score tier passage_id path title headings kind modified
    line_start line_end page snippet vector keyword shares"""


def asked(library: FakeLibrary) -> tuple[str, int, SearchSettings]:
    question: tuple[str, int, SearchSettings] = library.of("search")[0]
    return question


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("keep", "a", "starter", "alive"), "keep a starter alive"),
        (("keep a starter", "alive"), "keep a starter alive"),
        (('"sourdough starter"', "path:kitchen"), '"sourdough starter" path:kitchen'),
        (("starter", "-stove"), "starter -stove"),
        (("starter", "-stove", "--limit", "5"), "starter -stove"),
        (("--limit=5", "starter", "-stove", "--explain", "-gas"), "starter -stove -gas"),
        (("--", "starter", "--limit"), "starter --limit"),
        (("--limit", "5", "--", "-stove", "starter"), "-stove starter"),
        (("starter", "-h"), "starter -h"),
        (("git", "commit", "--no-verify"), "git commit --no-verify"),
        (("git", "commit", "--no-verify", "--limit", "3"), "git commit --no-verify"),
        (("ssh", "-T", "git@github.com"), "ssh -T git@github.com"),
    ],
)
def test_all_words_are_one_query(carrel: Call, library: FakeLibrary, arguments: tuple[str, ...], text: str) -> None:
    assert carrel("search", *arguments).code == 0
    assert asked(library)[0] == text


def test_a_dash_h_in_front_is_the_help(carrel: Call, library: FakeLibrary) -> None:
    assert "Usage: carrel search" in carrel("search", "-h").out
    assert library.asked == []


def test_options_reach_the_library(carrel: Call, library: FakeLibrary) -> None:
    carrel("search", "starter", "--limit", "3", "--fusion", "rrf", "--weights", "3,1", "--no-feedback")

    assert asked(library)[1:] == (3, SearchSettings(fusion="rrf", weights=(0.75, 0.25), feedback=False))


def test_without_options_the_settings_are_the_default_ones(carrel: Call, library: FakeLibrary) -> None:
    carrel("search", "starter")

    assert asked(library)[1:] == (10, SearchSettings())


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("x", "--limit", "0"),
        ("x", "--limit", "many"),
        ("x", "--fusion", "best"),
        ("x", "--weights", "1"),
        ("x", "--weights", "-1,2"),
        ("x", "--weights", "0,0"),
        ("x", "--weights", "nan,1"),
        ("x", "--limt", "3"),
    ],
)
def test_bad_usage_is_told_and_nothing_is_searched(
    carrel: Call, library: FakeLibrary, arguments: tuple[str, ...]
) -> None:
    ended = carrel("search", *arguments)

    assert (ended.code, ended.out, library.asked) == (2, "", [])
    assert "See `carrel search --help`." in ended.err


def test_an_option_of_another_program_in_front_is_told_how_to_be_searched(carrel: Call, library: FakeLibrary) -> None:
    ended = carrel("search", "--no-verify")

    assert (ended.code, library.asked) == (2, [])
    assert "To search for it: carrel search -- --no-verify" in ended.err


def test_how_the_query_was_read_is_told_beside_the_rows(carrel: Call, library: FakeLibrary) -> None:
    remarks = (Remark("-T", "option"), Remark("NOT", "operator"), Remark("§", "capped", "12345"))
    words = (WordReading("sourd*", 3, 2.0, asked="sourd"), WordReading("bred", 0, 5.0, nearest="bread"))
    found = a_result()
    query = replace(found.query, remarks=remarks)
    library.result = replace(found, query=query, words=words, left_out=(LeftOut("stove", 12), LeftOut("car oil", 0)))

    ended = carrel("search", "starter")

    assert ended.err.splitlines()[1:] == [
        "-T is searched as typed: only a word behind - is left out.",
        'NOT is a plain word here: -word leaves out, "word" must stand.',
        "The newest passages were looked through for §; 12,345 older ones were not.",
        "No passage holds “sourd”; words that begin so were searched.",
        "No passage holds “bred”. Did you mean “bread”?",
    ]
    assert ended.out.splitlines()[-2:] == ["-stove left out 12 passages.", '-"car oil" left out nothing.']
    shape = carrel("search", "--json", "starter").json
    assert shape["left_out"] == [{"term": "stove", "passages": 12}, {"term": "car oil", "passages": 0}]
    assert shape["remarks"][0] == {
        "piece": "-T",
        "kind": "option",
        "detail": "",
        "said": "-T is searched as typed: only a word behind - is left out.",
    }
    assert [(word["asked"], word["nearest"]) for word in shape["words"]] == [("sourd", ""), ("", "bread")]
    assert "-stove left out 12 passages." in carrel("search", "--plain", "starter").out


def test_where_nothing_is_found_it_is_told_that_meaning_had_no_part(carrel: Call, library: FakeLibrary) -> None:
    weights = Weights(0.0, 1.0, "by words alone: small-model does not read this writing")
    library.result = replace(a_result(), hits=(), verdict="none", weights=weights)

    assert "Searched by words alone: small-model does not read this writing." in carrel("search", "预算").err


def test_what_was_left_out_is_told_also_where_nothing_is_left(carrel: Call, library: FakeLibrary) -> None:
    library.result = replace(a_result(), hits=(), verdict="none", left_out=(LeftOut("stove", 12),))

    assert carrel("search", "starter", "-stove").out == "-stove left out 12 passages.\n"


def test_json_holds_every_stable_key(carrel: Call) -> None:
    found = carrel("search", "--json", "starter").json

    assert {"format", "query", "verdict", "model", "fusion", "took_ms", "weights", "results"} <= found.keys()
    assert found["format"] == 1
    assert found["took_ms"].keys() == {"load", "encode", "keyword", "vector", "fuse", "total", "embed"}
    assert (found["embedded"], found["by_words_so_far"]) == (1.0, False)
    assert found["weights"].keys() == {"vector", "keyword", "reason"}
    first = found["results"][0]
    assert set(RESULT_KEYS.split()) <= first.keys()
    assert first["vector"] == {"rank": 1, "distance": 0.231}
    assert {"rank", "bm25", "terms"} <= first["keyword"].keys()
    assert {"term", "idf", "tf", "score"} <= first["keyword"]["terms"][0].keys()
    assert first["shares"] == {"vector": 0.322, "keyword": 0.2, "feedback": 0.012}
    assert first["path"] == "/notes/kitchen/sourdough.md"
    assert "path_base64" not in first


def test_json_has_null_for_a_leg_that_did_not_find_the_row(carrel: Call, library: FakeLibrary) -> None:
    library.result = a_result(a_hit(keyword=None, shares=Shares(0.317, 0.0)))

    first = carrel("search", "--json", "starter").json["results"][0]

    assert first["keyword"] is None
    assert first["shares"] == {"vector": 0.317, "keyword": 0.0}


def test_json_carries_a_name_that_is_not_utf8(carrel: Call, library: FakeLibrary) -> None:
    library.result = a_result(a_hit(b"/notes/caf\xe9.md"))

    first = carrel("search", "--json", "starter").json["results"][0]

    assert first["path"] == "/notes/caf\ufffd.md"
    assert base64.b64decode(first["path_base64"]) == b"/notes/caf\xe9.md"


def test_a_person_reads_title_place_snippet_and_figures(carrel: Call) -> None:
    ended = carrel("search", "starter")

    text = ended.out
    assert " 1  Sourdough › Care" in text
    assert "/notes/kitchen/sourdough.md:14" in text
    assert "Feed the starter with flour and water twice a day" in text
    assert "● strong   V   1  .231   K   2   8.41   ▕██████▒▒▒▒▏  .534" in text
    assert ended.err.startswith("strong · 1 of 1 candidate · 15 ms · meaning .80 words .20")


def test_the_line_above_the_rows_is_folded_between_its_parts(
    carrel: Call, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    library.result = replace(a_result(a_hit()), verdict="none")
    first, second = carrel("search", "starter").err.splitlines()[:2]
    assert first == "nothing relevant found, the nearest all the same"
    assert second == "1 of 1 candidate · 15 ms · meaning .80 words .20"


def test_a_leg_that_did_not_find_a_row_shows_a_dash(carrel: Call, library: FakeLibrary) -> None:
    library.result = a_result(a_hit(keyword=None, shares=Shares(0.534, 0.0)))

    assert "V   1  .231   K   –      –   ▕██████████▏" in carrel("search", "starter").out


def test_the_querys_words_are_bold_on_a_terminal() -> None:
    assert any("the \x1b[1mstarter\x1b[0m with" in line for line in row(a_hit(), 0.534, 100))


def test_a_long_snippet_is_broken_into_three_lines_at_most(carrel: Call, library: FakeLibrary) -> None:
    library.result = a_result(a_hit(snippet="starter " * 100, marks=()))

    lines = [line for line in carrel("search", "starter").out.splitlines() if "starter starter" in line]

    assert len(lines) == 3
    assert all(len(line) <= 122 for line in lines)
    assert lines[-1].endswith(" …")


def test_a_note_cannot_steer_the_terminal(carrel: Call, library: FakeLibrary) -> None:
    evil = "a\x1b]0;owned\x07b\x9b2J"
    library.result = a_result(a_hit(f"/notes/{evil}.md".encode(), title=evil, headings=(evil,), snippet=evil, marks=()))

    for arguments in (("--explain",), ("--plain",), ()):
        out = carrel("search", "starter", *arguments).out
        assert not {"\x1b", "\x07", "\x9b"} & set(out)


def test_explain_shows_shares_terms_and_cuts(carrel: Call) -> None:
    text = carrel("search", "starter", "--explain").out

    assert ".534 = meaning .322 + words .200 + feedback .012" in text
    assert "rank 1 of 41,870 · distance .231 · cosine .769" in text
    assert "starter  in 12 passages  idf 7.10  tf 1.90  8.41" in text
    assert "signal .810 · likely from .300, strong from .420" in text


def test_plain_is_whole_sentences_without_signs(carrel: Call) -> None:
    text = carrel("search", "starter", "--plain", "--explain").out

    assert text.isascii()
    assert "Strong match. 1 result." in text
    assert "File /notes/kitchen/sourdough.md, line 14." in text
    assert "Of the score, meaning gave 0.322 and words gave 0.200." in text


def test_plain_tells_parts_that_sum_to_the_score_and_every_rank(carrel: Call, library: FakeLibrary) -> None:
    library.result = a_result(a_hit(score=0.6016, shares=Shares(0.3204, 0.1504, 0.0804, 0.0504)))

    text = carrel("search", "starter", "--plain", "--explain").out

    parts = re.search(r"meaning gave (\d+\.\d+) and words gave (\d+\.\d+)", text)
    changes = re.findall(r"changed it by ([+-][\d.]+)\.", text)
    assert parts is not None and len(changes) == 2
    assert sum(Decimal(part) for part in (*parts.groups(), *changes)) == Decimal("0.602")
    assert "Score 0.602." in text
    assert "in the list." in text and "Signal 0.810: likely from 0.300, strong from 0.420." in text


@pytest.mark.parametrize("style", [(), ("--json",), ("--plain",)])
def test_nothing_relevant_is_exit_code_one_and_the_nearest_are_listed(
    carrel: Call, library: FakeLibrary, style: tuple[str, ...]
) -> None:
    library.result = a_result(a_hit(tier="weak"), verdict="none")

    ended = carrel("search", "starter", *style)

    assert ended.code == 1
    assert "sourdough.md" in ended.out


def test_an_empty_library_says_what_to_do(carrel: Call, library: FakeLibrary) -> None:
    library.result = a_result(verdict="none", passages=0)

    ended = carrel("search", "starter")

    assert (ended.code, ended.out) == (1, "")
    assert "carrel add" in ended.err


def test_filters_that_leave_nothing_are_named_as_the_reason(carrel: Call, library: FakeLibrary) -> None:
    query = Query("starter kind:pdf", "starter", filters=Filters(kinds=("pdf",)))
    library.result = replace(a_result(verdict="none"), query=query)

    assert "within these filters" in carrel("search", "starter", "kind:pdf").err


def waiting() -> SearchResult:
    """Return a result whose only row has no vector yet."""
    hit = a_hit(vector=None, shares=Shares(0.0, 0.2), pending=True)
    return replace(a_result(hit), embedded=0.34, so_far=True, awaited=(hit.passage_id,))


def test_a_row_that_is_not_embedded_yet_says_so(carrel: Call, library: FakeLibrary) -> None:
    library.result = waiting()

    ended = carrel("search", "starter", "--explain")

    assert "by words so far: meaning 34 %" in ended.err
    assert "V   not yet" in ended.out
    assert "meaning  not embedded yet" in ended.out
    assert "until its vector is there" in ended.out


def test_a_voice_is_told_that_a_row_is_not_embedded_yet(carrel: Call, library: FakeLibrary) -> None:
    library.result = waiting()

    said = carrel("search", "starter", "--plain", "--explain").out

    assert "By words so far: meaning 34 %." in said
    assert "Not embedded yet: ranked by its words so far." in said


def test_json_tells_what_is_not_embedded_yet(carrel: Call, library: FakeLibrary) -> None:
    library.result = waiting()

    found = carrel("search", "starter", "--json").json

    assert (found["embedded"], found["by_words_so_far"]) == (0.34, True)
    assert found["results"][0]["pending"]


def test_the_indexer_is_asked_for_what_a_search_awaits_and_for_nothing_else(carrel: Call, library: FakeLibrary) -> None:
    carrel("search", "starter")
    assert library.of("ask_to_embed") == []
    library.result = waiting()
    carrel("search", "starter")
    assert library.of("ask_to_embed") == [library.result.awaited]


def test_what_was_not_found_so_far_may_come(carrel: Call, library: FakeLibrary) -> None:
    library.result = replace(a_result(), hits=(), verdict="weak", embedded=0.34, so_far=True)

    assert "Nothing was found so far: 34 % of the passages are embedded by now." in carrel("search", "starter").err
