"""Every benchmark runs to its end on little, names the machine, and holds its figures against something."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import candidates
import cold_start
import edited_note
import embed_rate
import fitted_fusion
import keys
import keys_beside
import late
import letters
import long_documents
import marks_gain
import memory
import nearest_words
import partial_vectors
import postgres_server
import pytest
import quality
import rare_words
import rough_tiers
import saved_note
import scale_figure
import search_scale
import snippet_cost
import startup
import sync_rate
import team_change
import team_quality
import team_search
import tiers
import word_audit
import words_first
from judged import NAMES
from spread import against, limit_lines, spread

from engine.library import Library
from engine.records import DEFAULT_CONSTANTS
from engine.retrieval import tier_calibration
from training import fusion_fit

TEXTS = {
    "git": "# Undo a commit\n\nA commit that was pushed is undone by reverting it, which keeps the history.\n",
    "sqlite": "# Backup of a database\n\nA database in use is copied by its backup command, page by page.\n",
    "ssh": "# Agent forwarding\n\nA key agent is forwarded through a bastion host when the configuration says so.\n",
}
Report = dict[str, Any]


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "notes"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / f"{name}.md").write_text(text)
    return folder


@pytest.fixture(scope="module")
def library(notes: Path) -> Path:
    path = notes.parent / "library.carrel"
    with pytest.MonkeyPatch.context() as patch, Library.open(path, create=True) as opened:
        patch.setattr(tier_calibration, "calibrate", rough_tiers.calibrate)
        opened.add(notes)
        opened.sync()
    return path


@pytest.fixture
def rough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fit tiers roughly, for a benchmark that asks no tier."""
    monkeypatch.setattr(tier_calibration, "calibrate", rough_tiers.calibrate)


@pytest.fixture
def run(
    notes: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Any, str], Report]:
    """Run a benchmark with what stands behind its name; return its JSON."""

    def report_of(bench: Any, arguments: str) -> Report:
        monkeypatch.setenv("CARREL_DATA", str(notes.parent))
        monkeypatch.setenv("CARREL_HOME", str(notes.parent / "home"))  # some set it anew; this restores it at the end
        monkeypatch.setattr(sys, "argv", [bench.__name__, *arguments.split(), "--json"])
        bench.main()
        report: Report = json.loads(capsys.readouterr().out)
        assert {"processor", "cores", "load"} <= set(report["machine"])
        return report

    return report_of


def test_a_cold_search_is_held_against_its_limit_and_an_empty_process(
    run: Callable[[Any, str], Report], library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cold_start, "ROUNDS", 1)
    few = {name: cold_start.COMMANDS[name] for name in ("python -c pass", "carrel search")}
    monkeypatch.setattr(cold_start, "COMMANDS", few)
    report = run(cold_start, f"--library {library}")
    assert report["ms"]["carrel search"]["ratio"] > 1
    assert set(report["limits"]) == {"carrel search"}
    assert "of at most 600 ms" in cold_start.table(report)


def test_a_snippet_is_held_against_its_limit(run: Callable[[Any, str], Report]) -> None:
    report = run(snippet_cost, "--rounds 1")
    assert set(report["ms"]) == set(snippet_cost.PASSAGES)
    assert "of at most 5 ms" in snippet_cost.table(report)


def test_memory_is_held_against_what_vectors_and_model_take(
    run: Callable[[Any, str], Report], library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {name: memory.COMMANDS[name] for name in ("python -c pass", "carrel status")}
    monkeypatch.setattr(memory, "COMMANDS", few)
    report = run(memory, f"--library {library}")
    assert report["passages"] == len(TEXTS)
    assert report["resident_mb"]["python -c pass"] < report["resident_mb"]["carrel status"]
    assert set(report["limits"]) == {"carrel status"}
    assert "of at most 1024 MB" in memory.table(report)


def test_embedding_is_held_against_fastembed(run: Callable[[Any, str], Report]) -> None:
    pytest.importorskip("fastembed")
    report = run(embed_rate, "--passages 3")
    assert report["ratio"] > 0
    assert report["cosine_to_fastembed"] > 0.9
    assert f"ratio      {report['ratio']:7.2f}" in embed_rate.table(report)


def test_rare_words_are_held_against_a_search_without_them(run: Callable[[Any, str], Report], library: Path) -> None:
    report = run(rare_words, f"--library {library} --words 5")
    assert report["words"] == 5
    alone, *_ = report["rows"]
    assert (alone["weight"], alone["first"]) == (DEFAULT_CONSTANTS.rare, 5)
    assert {row["weight"] for row in report["rows"]} == {DEFAULT_CONSTANTS.rare, 0.0}
    assert "first    5" in rare_words.table(report)


def test_a_search_of_each_size_is_held_against_reading_its_vectors_once(
    run: Callable[[Any, str], Report], library: Path, tmp_path: Path
) -> None:
    report = run(search_scale, f"--library {library} --sizes 20 --keep {tmp_path}")
    (size,) = report["sizes"]
    assert size["passages"] >= 20
    assert size["recall_at_10"] > 0.9
    assert size["reading_once_ms"] > 0
    assert "vstash left out: name an interpreter that has vstash with --vstash" in search_scale.table(report)


@pytest.mark.slow
def test_a_sync_is_held_against_the_bare_encoder(
    run: Callable[[Any, str], Report], notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_rate, "SHARE", 1)
    report = run(sync_rate, "--files 2")
    assert report["files"] == report["passages"] == 2
    assert f"share         {report['share']:7.2f}" in sync_rate.table(report)


@pytest.mark.slow
def test_words_are_held_against_a_bare_loop(run: Callable[[Any, str], Report], notes: Path) -> None:
    report = run(words_first, "--files 2 --meaning")
    assert report["files"] == report["passages"] == report["bare_passages"] == 2
    assert f"share                 {report['share']:7.2f}" in words_first.table(report)


@pytest.mark.slow
def test_an_edited_paragraph_is_held_against_a_second(run: Callable[[Any, str], Report], library: Path) -> None:
    report = run(edited_note, f"--library {library} --edits 1")
    assert report["embedded_an_edit"] == 1
    assert set(report["limits"]) == {"by words, worst", "by meaning, worst"}


@pytest.mark.slow
def test_a_saved_note_is_held_against_its_limit(run: Callable[[Any, str], Report], notes: Path) -> None:
    report = run(saved_note, f"{notes} --notes 1")
    assert set(report["limits"]) == {"searchable, worst"}


def test_the_screens_of_long_documents_are_held_against_a_frame(
    run: Callable[[Any, str], Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, text = long_documents.DOCUMENTS["Markdown"]
    monkeypatch.setattr(long_documents, "DOCUMENTS", {"Markdown": (kind, text[:200_000])})
    report = run(long_documents, "")
    assert report["ms"]["Markdown"]["mb"] == 0.2
    assert set(report["limits_of_the_worst_screen"]) == {"Markdown"}


@pytest.fixture(scope="module")
def collections(notes: Path) -> Path:
    """Judged collections by the names of the real ones: each text is asked for by its heading."""
    for name in NAMES:
        folder = notes.parent / "collections" / name
        (folder / "qrels").mkdir(parents=True)
        records = [{"_id": key, "title": "", "text": text} for key, text in TEXTS.items()]
        asked = [{"_id": key, "text": text.splitlines()[0].strip("# ")} for key, text in TEXTS.items()]
        (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, records)))
        (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)))
        judgements = "\n".join(["query-id\tcorpus-id\tscore", *(f"{key}\t{key}\t1" for key in TEXTS)]) + "\n"
        for split in ("train", "dev", "test"):
            (folder / "qrels" / f"{split}.tsv").write_text(judgements)
    return notes.parent / "libraries"


@pytest.mark.slow
def test_quality_is_held_against_what_is_wanted(run: Callable[[Any, str], Report], collections: Path) -> None:
    report = run(quality, f"--libraries {collections}")
    default = report["tables"]["development"][0]
    assert default["macro"] == pytest.approx(1.0)
    assert report["share_of_wanted"]["development"] == pytest.approx(1.0 / quality.MACRO_WANTED)
    assert quality.DEFAULT in quality.markdown(report["tables"]["development"])


def test_a_fitted_fusion_is_held_against_the_defaults(
    run: Callable[[Any, str], Report], collections: Path, rough: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fusion_fit, "GRID", {"meaning": (0.5, 0.8), "around": (0.0, 0.5)})
    report = run(fitted_fusion, "--collections scifact --most 0 2 --test")
    whole, few = report["rows"]
    assert whole["queries"] > few["queries"] == 2
    assert few["smallest_gain"] > whole["smallest_gain"]
    assert whole["left_out"]["low"] <= whole["left_out"]["difference"] <= whole["left_out"]["high"]
    assert whole["test"]["queries"] > 0
    assert "| scifact |" in fitted_fusion.markdown(report["rows"])


def test_a_team_library_ranks_as_the_file_does(
    run: Callable[[Any, str], Report], collections: Path, rough: None
) -> None:
    if reason := postgres_server.unavailable():
        pytest.skip(reason)
    report = run(team_quality, f"{collections.parent / 'collections' / 'scifact'}")
    assert report["ndcg"]["team"] == pytest.approx(report["ndcg"]["file"], abs=team_quality.WANTED_NDCG)
    assert report["equal_tens"] == 1.0 and report["documents"] == len(TEXTS)


def test_candidates_are_held_against_the_embedded_model(run: Callable[[Any, str], Report], collections: Path) -> None:
    report = run(candidates, "--queries 2 --documents 3")
    assert [row["candidate"] for row in report["rows"]] == list(candidates.INJECTED)
    assert report["rows"][0]["pearson"] > report["rows"][3]["pearson"]


@pytest.mark.slow
def test_words_with_a_few_vectors_are_held_against_what_is_wanted(
    run: Callable[[Any, str], Report], collections: Path
) -> None:
    report = run(partial_vectors, f"--libraries {collections}")
    assert report["share_of_wanted"] == pytest.approx(1.0 / partial_vectors.WANTED)
    assert {(row["share"], row["on_demand"]) for row in report["rows"]} >= {(0.0, 0), (0.0, 50), (0.9, 200)}
    assert report["whole"]["ndcg_at_10"] == pytest.approx(1.0)
    assert set(report["seconds"]) == {"0", "20", "50", "200"}


@pytest.mark.slow
def test_nearest_words_are_held_against_a_limit_and_against_wrong_passages(
    run: Callable[[Any, str], Report], collections: Path
) -> None:
    report = run(nearest_words, f"--libraries {collections} --collections scifact")
    assert report["limits"]["scifact"]["p95"]["at_most"] == nearest_words.LIMIT_MS
    found = report["collections"]["scifact"]
    assert set(found["cuts"]) == {f"{cut:g}" for cut in nearest_words.CUTS}
    assert 0.0 <= found["passages"]["holding a word"] <= 1.0


def test_late_interaction_is_held_against_the_fused_order(
    run: Callable[[Any, str], Report], collections: Path, rough: None
) -> None:
    report = run(late, f"--libraries {collections} --collections scifact")
    found = report["collections"]["scifact"]
    assert {"none", "Ward 4", "k-means 4", "neighbours 4"} <= set(found["poolings"])
    for row in found["poolings"].values():
        assert row["difference"][1] <= row["difference"][0] <= row["difference"][2]
        assert row["bytes"] > 0


def test_tiers_are_held_against_their_targets_and_single_cuts(
    run: Callable[[Any, str], Report], collections: Path
) -> None:
    report = run(tiers, f"--libraries {collections}")
    assert set(report["libraries"]) == set(NAMES)
    complaints = report["libraries"]["scifact"]["missed"]  # the other collection holds the same texts
    assert "cranfield called strong 100.0%, at most 2%" in complaints
    assert any(each.startswith("AUC against cranfield") for each in complaints)
    assert {"best single cut", "vstash high", "vstash low"} == set(report["cuts"])


@pytest.mark.slow
def test_keys_and_steps_of_what_if_are_held_against_their_limits(
    run: Callable[[Any, str], Report], library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "QUERIES", ("undo",))
    monkeypatch.setattr(keys, "TRIED", ("undo a commit",))
    report = run(keys, f"--library {library} --starts 1")
    assert report["ms"]["hybrid"]["n"] > 0
    assert report["ms"]["what_if"]["n"] > 0
    assert set(report["limits_p95"]) >= {"first_paint", "leaving", "hybrid", "what_if"}
    assert "what if" in keys.table(report)


@pytest.mark.slow
def test_a_key_beside_a_comparison_is_held_against_one_without(
    run: Callable[[Any, str], Report], library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_beside, "QUERIES", ("undo a commit", "ssh key"))
    report = run(keys_beside, f"--library {library} --pairs 2")
    assert report["ms"]["hybrid on"]["n"] > 0 and report["ms"]["hybrid off"]["n"] > 0
    assert report["comparisons"]["began"] > 0
    assert set(report["added_p95"]) == {"added to words", "added to hybrid"}
    assert all(low <= high for each in report["added"].values() for low, _, high in each.values())
    assert "added to" in keys_beside.table(report)


@pytest.mark.slow
def test_the_keys_of_whole_questions_are_held_against_those_without_comparisons(
    run: Callable[[Any, str], Report], library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_beside, "QUERIES", ("undo it",))
    report = run(keys_beside, f"--library {library} --typing --questions 2")
    made, ms = report["comparisons"], report["ms"]
    assert report["keys"] == len("undoit" + "undoittool") == ms["words on"]["n"] == ms["hybrid off"]["n"]
    assert made["ended"] > 0 and made["began"] == made["ended"] + made["gave way"]
    assert 0 < ms["hybrid on, paused"]["n"] < report["keys"]
    assert set(report["added_p95"]) == {"added to words", "added to hybrid"}
    assert "had a key" in keys_beside.table(report)


@pytest.mark.slow
def test_the_cost_of_a_letter_is_held_against_a_bare_program(
    run: Callable[[Any, str], Report], library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "QUERIES", ("un",))
    report = run(letters, f"--library {library}")
    assert report["programs"]["here"]["bytes"]["n"] == 2
    assert report["programs"]["here"]["rows"]["max"] > 0
    assert report["cpu_of_bare"]["here"] > 0
    assert set(report["limits"]) == {"bytes_a_letter"}
    assert "bytes" in letters.table(report)


def test_an_interpreter_that_has_no_vstash_is_left_out_with_the_reason() -> None:
    assert search_scale.missing(Path("/nowhere/python")) == "/nowhere/python: No such file or directory"
    assert "No module named" in (search_scale.missing(Path(sys.executable)) or "")


def test_the_figure_draws_vstash_beside_carrel_as_far_as_it_was_measured() -> None:
    theirs = {"first": {"p50": 2.0, "p95": 4.0}}
    sizes = [
        {"passages": 1_000, "first": {"total": {"p50": 3.0, "p95": 5.0}}, "vstash": theirs},
        {"passages": 10_000, "first": {"total": {"p50": 5.0, "p95": 9.0}}},
    ]
    lines = scale_figure.lines_of({"sizes": sizes})
    assert lines["vstash, p50"] == [(1_000, 2.0)]
    assert lines["Carrel, p95"] == [(1_000, 5.0), (10_000, 9.0)]
    assert scale_figure.picture(lines).count("<polyline") == 4


def test_figures_are_held_against_the_limits_that_they_have() -> None:
    held = against({"words": 150.0, "echo": 9.0}, {"words": 100, "hybrid": 160})
    assert held == {"words": {"found": 150.0, "at_most": 100, "ratio": 1.5}}
    assert limit_lines(held, "ms") == ["words: 150 of at most 100 ms, 1.50 of the limit"]


def test_a_spread_needs_no_more_than_one_value() -> None:
    assert spread([]) == {"n": 0}
    assert spread([4.0]) == {"n": 1, "p50": 4.0, "p95": 4.0, "max": 4.0}
    assert spread([float(each) for each in range(101)]) == {"n": 101, "p50": 50.0, "p95": 95.0, "max": 100.0}


def test_what_marks_give_is_told_by_groups_of_queries(
    run: Callable[[Any, str], Report], rough: None, tmp_path: Path
) -> None:
    folder = tmp_path / "kitchen"
    (folder / "qrels").mkdir(parents=True)
    corpus = ({"_id": name, "title": "", "text": text} for name, text in TEXTS.items())
    asked = {
        "t1": "undo a pushed commit",
        "t2": "copy the database",
        "q1": "reverting keeps history",
        "q2": "bastion host",
    }
    queries = ({"_id": key, "text": text} for key, text in asked.items())
    (folder / "corpus.jsonl").write_text("".join(json.dumps(each) + "\n" for each in corpus))
    (folder / "queries.jsonl").write_text("".join(json.dumps(each) + "\n" for each in queries))
    header = "query-id\tcorpus-id\tscore\n"
    (folder / "qrels" / "train.tsv").write_text(header + "t1\tgit\t1\nt2\tsqlite\t1\n")
    (folder / "qrels" / "test.tsv").write_text(header + "q1\tgit\t1\nq2\tssh\t1\n")

    report = run(marks_gain, str(folder))

    (kitchen,) = report["collections"]
    assert (report["marks_from"], kitchen["marks"]) == ("train", 2)
    groups = {name: group["queries"] for name, group in kitchen["groups"].items()}
    assert groups == {"all": 2, "twins": 0, "shared documents": 1, "neither": 1}
    assert kitchen["groups"]["twins"]["difference"] is None


def test_marks_are_not_judged_by_their_own_queries(run: Callable[[Any, str], Report], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run(marks_gain, f"{tmp_path} --marks test")


def test_the_word_audit_misses_what_is_in_no_passage(
    rough: None, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    (tmp_path / "page.html").write_text(
        "<p>The sourdough <b>rises</b><br>overnight.</p><script>var unseen = 1</script>"
    )
    (tmp_path / "note.md").write_text("# Bread\n\nFlour, `water` and [salt](https://example.org).\n")
    monkeypatch.setattr(sys, "argv", ["word_audit", str(tmp_path), "--words", "0", "--json"])
    assert word_audit.main() == 0
    told = json.loads(capsys.readouterr().out)
    assert told["by_ending"] == {".md": {"asked": 5, "found": 5}, ".html": {"asked": 4, "found": 4}}

    monkeypatch.setattr(word_audit, "words", lambda path: ["bread", "unicorn", "unseen"])
    assert word_audit.main() == 1
    told = json.loads(capsys.readouterr().out)
    reasons = {(each["file"], each["word"]): each["reason"] for each in told["missing"]}
    assert reasons.pop(("page.html", "unseen")) == "“unseen” stands in line 1, in a script of the page"
    assert {word for name, word in reasons if name == "note.md"} == {"unicorn", "unseen"}
    assert all(reason.startswith("keyword: ") for reason in reasons.values())


def test_a_start_is_held_against_an_empty_process_and_a_bare_browser(
    run: Callable[[Any, str], Report], library: Path
) -> None:
    report = run(startup, f"--library {library} --rounds 1")
    assert {"now: status", "now: search", "now: first paint", startup.EMPTY, startup.BARE} <= set(report["ms"])
    assert report["ratio"][startup.EMPTY] == report["ratio"][startup.BARE] == 1.0
    assert set(report["limits"]) == {"status", "search", "first paint", "first paint to rows by words"}
    assert "× floor" in startup.table(report)


def test_a_note_that_another_member_saves_is_held_against_two_seconds(run: Callable[[Any, str], Report]) -> None:
    if reason := postgres_server.unavailable():
        pytest.skip(reason)
    report = run(team_change, "--notes 1 --files 1")
    assert report["seconds"]["n"] == 1 and set(report["limits"]) == {"found, worst"}
    assert "of at most 2 s" in team_change.table(report)


def test_a_team_library_is_held_against_the_single_file(
    run: Callable[[Any, str], Report], library: Path, tmp_path: Path
) -> None:
    if reason := postgres_server.unavailable():
        pytest.skip(reason)
    report = run(team_search, f"--library {library} --sizes 20 --keep {tmp_path} --queries 20")
    (size,) = report["sizes"]
    assert size["file"]["total"]["n"] == size["team"]["total"]["n"] > 3
    assert size["same_ten"] >= 0.95
    assert size["recall_at_10"] > 0.9
    assert size["written_ms"]["n"] > 0
    assert "team against file" in team_search.table(report)
