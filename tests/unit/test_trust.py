"""What the shipped encoder cannot read: its cosine has no say there, and the words speak instead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from notes import FILLER, write

from engine.embedding import catalogue
from engine.embedding.legibility import Legibility
from engine.library import Library
from engine.records import SearchSettings

NOTES = {
    "traffic.md": "# 其他\n\n今天我们讨论了城市交通的问题，没有结论。\n",
    "memo.md": "# メモ\n\n設定と予定を確認した。\n",
    "cluster.md": "# 集群\n\n我们安装了 Kubernetes 集群，并且检查了网络和存储的配置。\n",
    "thai.md": "# บันทึก\n\nวันนี้ อากาศ ดี มาก\n",
    "hindi.md": "# नोट\n\nआज मौसम अच्छा है\n",
    "russian.md": "# Заметка\n\nСегодня хорошая погода в городе.\n",
    "docker.md": "# Containers\n\nDocker runs containers on a server; images are built in layers.\n",
    "deploy.md": "# Deployment\n\nEach pod of the orchestrator has its own address in the network.\n",
    **FILLER,
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trust")
    write(folder / "notes", NOTES)
    with Library.open(folder / "library.carrel", create=True) as library:
        library.add(folder / "notes")
        library.sync()
        yield library


def names(result):
    return [Path(hit.path.decode()).name for hit in result.hits]


@pytest.mark.parametrize("typed", ["预算", "数据库", "データベース", "งบประมาณ", "बजट", "бюджет", "예산"])
def test_a_word_in_a_writing_that_is_not_read_and_no_note_holds_finds_nothing(library, typed):
    for fusion in ("convex", "vector", "rrf"):
        result = library.search(typed, settings=SearchSettings(fusion=fusion))
        assert result.verdict == "none"
        assert result.weights.reason == "by words alone: all-MiniLM-L6-v2 does not read this writing"


@pytest.mark.parametrize(
    ("typed", "note"),
    [
        ("城市交通", "traffic.md"),
        ("予定", "memo.md"),
        ("อากาศ", "thai.md"),
        ("मौसम", "hindi.md"),
        ("погода", "russian.md"),
    ],
)
def test_a_note_that_holds_the_word_is_the_answer(library, typed, note):
    result = library.search(typed)
    assert names(result) == [note]
    assert (result.verdict, result.hits[0].tier) == ("likely", "likely")


def test_a_note_that_is_not_read_and_holds_the_word_is_never_below_one_that_does_not(library):
    for typed in ("kubernetes", "kubernetes cluster network"):
        result = library.search(typed)
        assert names(result)[0] == "cluster.md", typed
        assert result.hits[0].vector is None
        shares = result.hits[0].shares
        by_words = sum(filter(None, (shares.keyword, shares.rare, shares.feedback, shares.around)))
        assert result.hits[0].score == pytest.approx(by_words)
    assert library.search("kubernetes").verdict in ("likely", "strong")
    assert library.search("kubernetes").hits[0].tier == "likely"


def test_notes_that_are_not_read_have_no_say_in_what_is_near(library):
    result = library.search("how do containers talk to each other", limit=40)
    assert names(result)[0] in ("docker.md", "deploy.md")
    hits = dict(zip(names(result), result.hits, strict=True))
    for name in {"traffic.md", "memo.md", "thai.md", "hindi.md", "russian.md"} & hits.keys():
        assert (hits[name].vector, hits[name].tier) == (None, "weak")


def test_why_tells_that_the_model_does_not_read_a_note(library):
    path = library.search("城市交通").hits[0].path
    report = library.why("how do containers talk", Path(path.decode()))
    assert "the model does not read this writing" in [stage.detail for stage in report.stages]


def test_more_like_a_passage_that_is_not_read_is_nothing(library):
    passage = library.search("城市交通").hits[0].passage_id
    assert library.similar(passage).hits == ()


def test_a_model_reads_a_writing_of_which_its_vocabulary_holds_much():
    english = catalogue.load("all-MiniLM-L6-v2")
    read = ["keep a starter alive", "x y z", "Đường phố Hà Nội", "żółć", "5 6 7", "", "安装 Kubernetes now", "✓ done"]
    assert [text for text in read if not english.reads(text)] == []
    not_read = ["预算", "привет мир", "γεια σου κόσμε", "สวัสดี", "안녕하세요", "🍕🎉🍕", "ｱｲｳ", "安装了集群 on k8s"]
    assert [text for text in not_read if english.reads(text)] == []


def test_a_vocabulary_of_signs_reads_them():
    chinese = Legibility(chr(0x4E00 + number) for number in range(7_000))
    assert chinese.reads("预算")
    pieces = Legibility(f"▁привет{number}" for number in range(1_000))
    assert pieces.reads("привет мир") and not pieces.reads("预算")


def test_the_figures_of_english_text_are_untouched_by_it(library):
    with library._file.reading() as connection:
        from engine.retrieval.unread_passages import unread

        ids = np.array([row[0] for row in connection.execute("SELECT id FROM passage ORDER BY id")], np.int64)
        mask = unread(connection, ids, catalogue.load("all-MiniLM-L6-v2").reads)
        found = connection.execute(
            "SELECT count(*) FROM document WHERE path_text IN"
            " ('traffic.md', 'memo.md', 'cluster.md', 'thai.md', 'hindi.md', 'russian.md')"
        ).get
    assert int(mask.sum()) == found == 6
