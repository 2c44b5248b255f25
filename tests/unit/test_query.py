"""The query language, as a person types it."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import QueryError
from engine.records import Filters, Term
from engine.retrieval.query import parse, plain

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
    ("typed", "position"),
    [('starter "open', 8), ("starter path:", 8), ("x after:soon", 2), ("after:2024-13-01", 0), ("x -after:2024", 2)],
)
def test_what_cannot_be_understood_is_refused_with_its_place_and_a_fix(typed, position):
    with pytest.raises(QueryError) as refusal:
        parse(typed)
    assert refusal.value.position == position
    assert refusal.value.fix


def test_a_search_of_exclusions_only_is_refused():
    with pytest.raises(QueryError, match="leave out"):
        parse("-stove")


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


def test_signs_alone_ask_for_nothing():
    assert parse("&& || ()").terms == ()


def test_plain_text_has_no_operators():
    assert plain('is "this" -that path:x').filters == Filters()
    assert all(term.kind == "word" and not term.excluded for term in plain('"a" -b').terms)


@given(st.text(max_size=60), st.booleans())
def test_any_text_is_understood_or_refused_in_words(text, typing):
    try:
        query = parse(text, typing=typing, now=NOW)
    except QueryError as refusal:
        assert 0 <= refusal.position <= len(text)
        assert refusal.message
    else:
        assert query.text == text


def test_now_is_the_clock_where_none_is_given():
    midnight = datetime.fromtimestamp(time.time()).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    assert abs((parse("x after:today").filters.after or 0) - midnight) <= 86_400
