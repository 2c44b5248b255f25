"""Leaving common words unread changes none of the ranks that are said to be certain."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from properties import examples
from store_samples import Sample

from engine.records import Filters, Query, Term
from engine.retrieval import keyword_leg as pruning
from engine.retrieval.fts_query import fts_query_of
from engine.retrieval.postings_cache import PostingsCache
from engine.store.allowed import EVERYTHING, Allowed

COMMON = ("stone", "river", "meadow", "winter")
RARE = ("astrolabe", "quince", "zeppelin", "ocarina", "gneiss")
SURE = 5


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    sample = Sample(tmp_path_factory.mktemp("pruning") / "library.carrel")
    draw = random.Random(3)
    for number in range(400):
        words = [word for word in COMMON if draw.random() < 0.4] * draw.randint(1, 3)
        words += [word for word in RARE if draw.random() < 0.04]
        words += [f"filler{draw.randint(0, 60)}" for _ in range(draw.randint(3, 30))]
        draw.shuffle(words)
        sample.put(f"{number}.md", " ".join(words))
    return sample


@pytest.fixture
def eager(monkeypatch):
    monkeypatch.setattr(pruning, "WORTHWHILE_POSTINGS", 1)
    monkeypatch.setattr(pruning, "FIRST_POSTINGS", 1)
    monkeypatch.setattr(pruning, "SURE_RANKS", SURE)


def leg(sample, words, postings=None, allowed=EVERYTHING):
    query = Query(" ".join(words), " ".join(words), tuple(Term(word) for word in words))
    reader = (postings or PostingsCache()).of(sample.conn)
    ids, scores = pruning.keyword_leg(reader, fts_query_of(query, reader), allowed, 1000)
    return ids.tolist(), scores.tolist()


@settings(max_examples=examples(60))
@given(words=st.lists(st.sampled_from(COMMON + RARE), min_size=2, max_size=7, unique=True), first=st.integers(1, 400))
def test_the_certain_ranks_are_those_of_all_words(sample, words, first):
    whole_ids, whole_scores = leg(sample, words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pruning, "WORTHWHILE_POSTINGS", 1)
        patch.setattr(pruning, "FIRST_POSTINGS", first)
        patch.setattr(pruning, "SURE_RANKS", SURE)
        ids, scores = leg(sample, words)
    assert ids[:SURE] == whole_ids[:SURE]
    assert scores[:SURE] == pytest.approx(whole_scores[:SURE])
    of_all = dict(zip(whole_ids, whole_scores, strict=True))
    assert scores == pytest.approx([of_all[each] for each in ids])  # each score is the whole one, wherever it stands


def test_passages_with_common_words_alone_are_left_unread(sample, eager):
    rarest_first = ["astrolabe", "quince", "zeppelin", "stone"]
    ids, _ = leg(sample, rarest_first)
    everything, _ = leg(sample, ["stone"])
    assert len(ids) < len(everything)


def test_a_filter_holds_for_pruned_searches_too(sample, eager):
    words = ["astrolabe", "quince", "stone", "river"]
    paths = "SELECT passage.id FROM passage JOIN document ON document.id = document_id WHERE path_text LIKE '%1%'"
    inside = {row[0] for row in sample.conn.execute(paths)}
    ids, _ = leg(sample, words, allowed=Allowed(Filters(paths=("*1*.md",))))
    assert ids and set(ids) <= inside


def test_words_whose_postings_are_kept_are_not_left_unread(sample, eager):
    postings = PostingsCache(keeps_scores=True)
    words = ["astrolabe", "quince", "stone", "river"]
    for word in words:
        leg(sample, [word], postings)
    pruned, _ = leg(sample, words)
    kept, _ = leg(sample, words, postings)
    assert kept[:SURE] == pruned[:SURE]
    assert len(kept) > len(pruned)
