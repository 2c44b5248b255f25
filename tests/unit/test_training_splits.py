"""Splits by connected group: what shares an answer or says the same is never parted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tiny_training import unit_rows

from training.known_queries import KnownQuery
from training.splits import split


def query(text: str, *documents: int) -> KnownQuery:
    return KnownQuery(text, "judged", dict.fromkeys(documents, 1))


def many(count: int) -> list[KnownQuery]:
    return [query(f"question {number}", number) for number in range(count)]


def vectors(count: int) -> np.ndarray:
    """Return vectors that all lie apart."""
    return np.eye(count, dtype=np.float32)


def test_queries_that_share_a_document_stand_together() -> None:
    queries = [*many(40), query("another", 3), query("third", 3, 41)]
    group = split(queries, vectors(42), 42).group
    assert group[3] == group[40] == group[41]
    assert len({group[0], group[1], group[2], group[3]}) == 4


def test_queries_that_say_the_same_stand_together() -> None:
    rows = vectors(40)
    rows[7] = rows[8]
    group = split(many(40), rows, 42).group
    assert group[7] == group[8] != group[9]


@given(st.lists(st.sets(st.integers(0, 30), min_size=1, max_size=3), min_size=1, max_size=60))
def test_no_group_is_ever_parted_and_no_query_lost(answers: list[set[int]]) -> None:
    queries = [query(f"question {number}", *documents) for number, documents in enumerate(answers)]
    found = split(queries, vectors(len(queries)), 42)
    assert sorted((*found.train, *found.development, *found.test)) == list(range(len(queries)))
    parts = [{found.group[each] for each in part} for part in (found.train, found.development, found.test)]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])


def test_without_hubs_nothing_is_shared_between_test_and_train() -> None:
    chance = np.random.default_rng(1)
    queries = [query(f"question {number}", int(chance.integers(200))) for number in range(300)]
    found = split(queries, vectors(300), 42)
    assert found.hub is None
    assert found.shared == ()
    taught = {document for each in found.train for document in queries[each].relevant}
    assert not any(taught & set(queries[each].relevant) for each in found.test)


def test_a_document_that_answers_everything_ties_nothing_and_what_is_shared_is_told() -> None:
    queries = [query(f"question {number}", 999, number) for number in range(300)]
    found = split(queries, vectors(300), 42)
    assert found.hub is not None
    assert len(found.test) > 60
    assert set(found.shared) == set(found.test)


def test_the_test_holds_two_hundred_where_that_leaves_enough_to_learn_from() -> None:
    assert len(split(many(600), vectors(600), 42).test) in (200, 201)
    assert len(split(many(2000), unit_rows(2000, 256), 42).test) in (500, 501)
    assert len(split(many(100), vectors(100), 42).test) in (40, 41)


def test_the_same_seed_gives_the_same_splits_and_a_new_query_moves_few() -> None:
    before = split(many(400), vectors(400), 42)
    assert before == split(many(400), vectors(400), 42)
    assert before.test != split(many(400), vectors(400), 43).test
    after = split([*many(400), query("brand new", 1000)], vectors(401), 42)
    assert len(set(before.test) - set(after.test)) <= 3


def test_queries_without_an_answer_are_never_held_out() -> None:
    queries = [*many(100), *(KnownQuery(f"logged {number}", "log") for number in range(100))]
    found = split(queries, vectors(200), 42)
    assert set(range(100, 200)) <= set(found.train)
    assert len(found.test) in (40, 41)
