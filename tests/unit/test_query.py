"""The query language, as a person types it."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.records import Filters, Query, Remark, Term
from engine.retrieval.query import MOST_PIECES, parse, plain

NOW = datetime(2026, 11, 20, 15, 0).timestamp()


def test_words_are_terms_and_the_meaning():
    query = parse("keep a starter alive")
    assert query.terms == tuple(Term(word) for word in ("keep", "a", "starter", "alive"))
    assert query.meaning == "keep a starter alive"
    assert not query.filters


def test_a_phrase_stays_together():
    assert parse('feed "rye starter" now').terms[1] == Term("rye starter", "phrase")


def test_a_minus_excludes_a_word_or_a_phrase_and_leaves_the_meaning_alone():
    query = parse('starter -stove -"car battery"')
    assert [term.text for term in query.terms if term.excluded] == ["stove", "car battery"]
    assert query.meaning == "starter"


def test_a_hyphen_inside_a_word_excludes_nothing():
    assert not any(term.excluded for term in parse("well-kept e-mail").terms)


def test_a_star_asks_for_a_prefix():
    assert parse("ferment*").terms == (Term("ferment", "prefix"),)


def test_filters_are_read_and_can_be_negated():
    query = parse('path:kitchen -path:old type:pdf -type:code tag:bread -tag:draft title:"to do" -title:index dough')
    assert query.filters == Filters(
        paths=("kitchen",),
        not_paths=("old",),
        kinds=("pdf",),
        not_kinds=("code",),
        tags=("bread",),
        not_tags=("draft",),
        titles=("to do",),
        not_titles=("index",),
    )
    assert query.meaning == "dough"


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2024", datetime(2024, 1, 1)),
        ("2024-03", datetime(2024, 3, 1)),
        ("2024-03-15", datetime(2024, 3, 15)),
        ("today", datetime(2026, 11, 20)),
        ("yesterday", datetime(2026, 11, 19)),
        ("7d", datetime(2026, 11, 13)),
    ],
)
def test_dates_are_read_as_people_write_them(typed, day):
    assert parse(f"x after:{typed}", now=NOW).filters.after == day.timestamp()
    assert parse(f"x before:{typed}", now=NOW).filters.before == day.timestamp()


@pytest.mark.parametrize(
    ("typed", "words", "piece", "kind"),
    [
        ("git commit --no-verify", ("git", "commit", "--no-verify"), "--no-verify", "option"),
        ("ssh -T git@host", ("ssh", "-T", "git@host"), "-T", "option"),
        ("-5 degrees", ("-5", "degrees"), "-5", "option"),
        ("gcc -std=c11", ("gcc", "-std=c11"), "-std=c11", "option"),
        ("title: Church", ("title:", "Church"), "title:", "no value"),
        ("bad path: not found", ("bad", "path:", "not", "found"), "path:", "no value"),
        ("x after:soon", ("x", "after:soon"), "after:soon", "no date"),
        ("after:2024-13-01", ("after:2024-13-01",), "after:2024-13-01", "no date"),
        ('starter "open', ("starter", "open"), '"open', "open quote"),
        ("-stove", ("stove",), "-stove", "alone"),
        ("date:2024", ("date:2024",), "date:2024", "neither"),
        ("from: Lene", ("from:", "Lene"), "from:", "no value"),
        ('-"car battery"', ("car battery",), '-"car battery"', "alone"),
        ("rye AND wheat", ("rye", "AND", "wheat"), "AND", "operator"),
        ("rye NOT wheat", ("rye", "NOT", "wheat"), "NOT", "operator"),
    ],
)
def test_what_cannot_be_an_operator_is_searched_as_typed_and_told(typed, words, piece, kind):
    query = parse(typed)
    assert tuple(term.text for term in query.terms) == words
    assert not any(term.excluded for term in query.terms)
    assert query.meaning == " ".join(words)
    assert not query.filters
    assert query.remarks == (Remark(piece, kind),)


@pytest.mark.parametrize(("word", "terms"), [("word", 300), ('"a b"', 300), ("§", 1), ("-x", 300)])
def test_of_a_text_that_was_pasted_the_first_words_are_searched_and_the_rest_is_told(word, terms):
    query = parse(" ".join(["first", *[word] * MOST_PIECES]))
    assert query.remarks[-1] == Remark(word.strip('"'), "long", "1")
    assert len(query.terms) == terms
    assert not any(remark.kind == "long" for remark in parse(" ".join([word] * MOST_PIECES)).remarks)
    assert not parse(" ".join(["first", *[word] * MOST_PIECES, "title:x"]), typing=True).filters


def test_a_letter_is_left_out_only_in_a_writing_whose_words_it_may_be():
    assert [term.excluded for term in parse("router -t").terms] == [False, False]
    assert [term.excluded for term in parse("茶 -水").terms] == [False, True]


def test_an_inch_sign_is_a_sign_and_a_phrase_may_stand_beside_it():
    assert parse('5" disk') == Query('5" disk', "5 disk", (Term("5"), Term("disk")))
    assert parse('a 5" disk "does not fit"').terms[-1] == Term("does not fit", "phrase")


@pytest.mark.parametrize(
    "typed",
    [
        "“rye starter”", "„rye starter“", "„rye starter”", "”rye starter”", "«rye starter»", "« rye starter »",
        "»rye starter«", "‚rye starter‘", "‘rye starter’", "‹rye starter›", "「rye starter」", "『rye starter』",
        '“rye starter"',
    ],
)  # fmt: skip
def test_the_quotation_marks_of_all_countries_make_a_phrase(typed):
    assert parse(f"{typed} now").terms == (Term("rye starter", "phrase"), Term("now"))
    assert parse(f"now -{typed}").terms[-1] == Term("rye starter", "phrase", excluded=True)
    assert parse(f"title:{typed}").filters.titles == ("rye starter",)


def test_apostrophes_open_no_phrase():
    assert parse("rock ‘n’ roll").terms == (Term("rock"), Term("n"), Term("roll"))
    assert parse("‘don’t do it’").terms == (Term("don’t do it", "phrase"),)


def test_what_a_document_says_of_itself_can_be_filtered_by():
    query = parse('author:lene -from:bank to:nora subject:"the rent" x')
    assert query.filters == Filters(
        authors=("lene",), not_senders=("bank",), recipients=("nora",), subjects=("the rent",)
    )
    assert query.meaning == "x"


def test_dates_are_the_files_or_the_documents_own():
    day = datetime(2024, 1, 1).timestamp()
    assert parse("x after:2024 date:own").filters == Filters(after=day, own_dates=True)
    assert parse("x date:own after:2024 date:file").filters == Filters(after=day)
    assert not parse("date:own").filters


def test_a_date_filter_can_be_turned_round():
    day = datetime(2024, 1, 1).timestamp()
    assert parse("x -after:2024").filters == Filters(before=day)
    assert parse("x -before:2024").filters == Filters(after=day)


def test_a_filter_whose_quote_is_open_takes_the_rest_of_the_line():
    assert parse('path:"my notes').filters.paths == ("my notes",)


@pytest.mark.parametrize("typed", ['starter "open', "starter path:", "starter after:20", "starter -", "-st"])
def test_while_typing_an_unfinished_piece_is_no_error(typed):
    parse(typed, typing=True)


def test_while_typing_the_last_word_may_grow_until_a_space_ends_it():
    assert parse("keep star", typing=True).terms[-1] == Term("star", "prefix")
    assert parse("keep star ", typing=True).terms[-1] == Term("star", "word")
    assert parse("s", typing=True).terms[-1] == Term("s", "word")


def test_a_letter_or_two_beside_other_words_is_not_asked_for_yet():
    assert [term.text for term in parse("keep st", typing=True).terms] == ["keep"]
    assert [term.text for term in parse("keep st ", typing=True).terms] == ["keep", "st"]
    assert [term.text for term in parse("keep 東京", typing=True).terms] == ["keep", "東京"]


def test_an_unfinished_phrase_searches_its_words():
    assert [term.text for term in parse('"rye sta', typing=True).terms] == ["rye", "sta"]


def test_an_unknown_field_is_plain_text():
    assert parse("std::vector note:this").meaning == "std::vector note:this"


def test_signs_alone_are_asked_for_as_they_stand():
    assert parse("🍕").terms == (Term("🍕", "signs"),)
    assert [term.text for term in parse("→ ???").terms] == ["→", "???"]
    assert parse("→ ???").meaning == ""


def test_signs_beside_words_are_passed_over_and_told_where_they_are_no_punctuation():
    query = parse("party 🍕 & cake ?")
    assert [term.text for term in query.terms] == ["party", "cake"]
    assert query.remarks == (Remark("🍕", "signs"),)


def test_plain_text_has_no_operators():
    assert plain('is "this" -that path:x').filters == Filters()
    assert all(term.kind == "word" and not term.excluded for term in plain('"a" -b').terms)


@given(st.text(max_size=60), st.booleans())
def test_any_text_is_understood_and_nothing_of_it_is_lost_in_silence(text, typing):
    query = parse(text, typing=typing, now=NOW)
    assert query.text == text
    assert typing or bool(query.terms or query.filters != Filters() or query.remarks) == bool(text.strip())


def test_now_is_the_clock_where_none_is_given():
    midnight = datetime.fromtimestamp(time.time()).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    assert abs((parse("x after:today").filters.after or 0) - midnight) <= 86_400
