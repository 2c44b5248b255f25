"""Late interaction: token vectors are pooled and kept as bytes, made in the background, and rank the best again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest
from fake_encoder import FakeEncoder
from token_fakes import OneVector, TokenFake

from engine.embedding.token_pooling import METHODS, Method, best_cosines, encoded, kmeans, pool, ward
from engine.errors import ModelError
from engine.library import Library
from engine.maintenance import Maintenance
from engine.records import SearchResult, SearchSettings
from engine.store.untrusted_file import LATE_VECTORS

NOTES = {
    "bread": "# Bread\n\nThe barley loaf keeps for a week in the cold larder.\n",
    "beer": "# Beer\n\nBarley is malted, and the hops are added to the boiling wort.\n",
    "boat": "# Boat\n\nThe loaf of the sail is reefed where the cold wind keeps up.\n",
    "bees": "# Bees\n\nA swarm that hangs from a branch is gentle; keep a cold box ready.\n",
}


@pytest.fixture
def library(tmp_path: Path, roughly_fitted: None, roughly_linked: None) -> Iterator[Library]:
    notes = tmp_path / "notes"
    notes.mkdir()
    for name, text in NOTES.items():
        (notes / f"{name}.md").write_text(text)
    with Library.open(tmp_path / "library.carrel", create=True, encoder=TokenFake()) as library:  # type: ignore[arg-type]
        library.add(notes)
        library.sync()
        yield library


def tables(library: Library) -> list[str]:
    conn = apsw.Connection(str(library.path), flags=apsw.SQLITE_OPEN_READONLY)
    return [row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE name LIKE 'late%' ORDER BY name")]


def rows(library: Library) -> dict[int, bytes]:
    conn = apsw.Connection(str(library.path), flags=apsw.SQLITE_OPEN_READONLY)
    (table,) = [name for name in tables(library) if name != "late_model"]
    return dict(conn.execute(f"SELECT passage_id, codes FROM {table}"))


def found(library: Library, late: float, text: str = "cold barley loaf") -> SearchResult:
    return library.search(text, settings=SearchSettings(late=late, collapse=0.0))


def unit_vectors(count: int, seed: int = 0, dimension: int = 16) -> np.ndarray:  # type: ignore[type-arg]
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


# --- pooling -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factor", range(1, 7))
@pytest.mark.parametrize("count", [1, 2, 7, 61])
def test_a_passage_is_pooled_to_its_share_of_vectors_of_length_one(method: Method, factor: int, count: int) -> None:
    pooled = pool(unit_vectors(count), factor, method)
    assert 1 <= len(pooled) <= -(-count // factor)
    assert np.linalg.norm(pooled, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(pooled, pool(unit_vectors(count), factor, method))


@pytest.mark.parametrize("cluster", [ward, kmeans])
def test_vectors_that_are_alike_come_together(cluster) -> None:
    centres = unit_vectors(3, seed=5)
    vectors = np.concatenate([centres[place] + 0.02 * unit_vectors(4, seed=place) for place in (0, 1, 2)])
    clusters = cluster(vectors.astype(np.float32), 3)
    assert [len(set(clusters[start : start + 4])) for start in (0, 4, 8)] == [1, 1, 1]
    assert len(set(clusters)) == 3


def test_ward_joins_the_pair_that_adds_the_least_variance() -> None:
    """Held against the definition, written out."""
    vectors = unit_vectors(9, seed=3, dimension=4)
    groups = [[place] for place in range(9)]

    def variance(group: list[int]) -> float:
        return float(((vectors[group] - vectors[group].mean(axis=0)) ** 2).sum())

    while len(groups) > 4:
        pairs = [(one, other) for one in range(len(groups)) for other in range(one)]
        one, other = min(
            pairs,
            key=lambda pair: (
                variance(groups[pair[0]] + groups[pair[1]]) - variance(groups[pair[0]]) - variance(groups[pair[1]])
            ),
        )
        groups[other] += groups[one]
        del groups[one]
    clusters = ward(vectors, 4)
    assert {frozenset(group) for group in groups} == {
        frozenset(np.flatnonzero(clusters == each).tolist()) for each in range(4)
    }


def test_bytes_around_the_mean_hardly_move_a_late_score() -> None:
    asked, held = unit_vectors(5, 1), [unit_vectors(count, count) for count in (1, 8, 30)]
    exact = [(asked @ vectors.T).max(axis=1).mean() for vectors in held]
    assert best_cosines(asked, [encoded(vectors) for vectors in held]) == pytest.approx(exact, abs=0.01)
    assert len(best_cosines(asked, [])) == 0


# --- in a library --------------------------------------------------------------------------------------------------


def test_a_library_that_never_had_it_has_no_table_and_no_share(library: Library) -> None:
    assert tables(library) == []
    assert library.late_status() is None
    result = found(library, 1.0)
    assert result.late == ""
    assert all(hit.shares.late is None for hit in result.hits)


def test_switched_on_every_passage_gets_its_vectors_and_the_shares_add_up_to_the_score(library: Library) -> None:
    before = {hit.path: hit.score for hit in found(library, 0.3).hits}
    passages, octets = library.late_estimate("fake", 2)
    library.switch_late("on 2 ward fake")
    status = library.late_status()
    assert status is not None
    assert (status.name, status.state, status.factor, status.method) == ("fake", "on", 2, "ward")
    assert status.have == status.passages == passages == len(NOTES)
    assert status.bytes == pytest.approx(octets, rel=0.5)
    result = found(library, 0.3)
    assert result.late == "fake"
    assert any(hit.shares.late for hit in result.hits)
    for hit in result.hits:
        shares = hit.shares
        parts = (shares.vector, shares.keyword, shares.rare, shares.around, shares.feedback, shares.memory, shares.late)
        assert sum(part or 0.0 for part in parts) == pytest.approx(hit.score)
    assert {hit.path: hit.score for hit in found(library, 0.0).hits} == pytest.approx(before)


def test_with_the_whole_weight_the_order_is_that_of_the_late_scores(library: Library) -> None:
    library.switch_late("on 1 ward fake")
    encoder = TokenFake()
    asked = encoder.encode_query_tokens("cold barley loaf").vectors
    held = {
        name: (asked @ encoder.encode_passage_tokens(f"{name.title()}\n{text}").vectors.T).max(axis=1).mean()
        for name, text in NOTES.items()
    }
    listed = [Path(hit.path.decode()).stem for hit in found(library, 1.0).hits]
    assert sorted(listed) == sorted(NOTES)
    assert listed == sorted(NOTES, key=lambda name: -held[name])


def test_vectors_follow_the_passages(library: Library, tmp_path: Path) -> None:
    library.switch_late("on 2 kmeans fake")
    before = rows(library)
    (tmp_path / "notes" / "beer.md").write_text("# Beer\n\nOnly the yeast of the cellar is left.\n")
    (tmp_path / "notes" / "bees.md").unlink()
    (tmp_path / "notes" / "baker.md").write_text("# Baker\n\nA baker rises at three.\n")
    library.sync(accept_removals=True)
    status = library.late_status()
    assert status is not None
    assert status.have == status.passages == len(NOTES)
    after = rows(library)
    assert len(after) == len(NOTES)
    assert sorted(after.values()) != sorted(before.values())
    fresh = tmp_path / "fresh.carrel"
    with Library.open(fresh, create=True, encoder=TokenFake()) as other:  # type: ignore[arg-type]
        other.add(tmp_path / "notes")
        other.sync()
        other.switch_late("on 2 kmeans fake")
        assert sorted(rows(other).values()) == sorted(after.values())


def test_off_it_costs_nothing_and_is_not_kept_current_and_on_again_it_catches_up(
    library: Library, tmp_path: Path
) -> None:
    library.switch_late("on 2 ward fake")
    before = rows(library)
    library.switch_late("off")
    (tmp_path / "notes" / "beer.md").write_text("# Beer\n\nOnly the yeast of the cellar is left.\n")
    library.sync()
    assert rows(library) == before
    assert found(library, 1.0).late == ""
    status = library.late_status()
    assert status is not None
    assert (status.state, status.have) == ("off", len(NOTES) - 1)
    library.switch_late("on 2 ward fake")
    kept = rows(library)
    assert sum(kept[each] == before.get(each) for each in kept) == len(NOTES) - 1
    library.switch_late("remove")
    assert tables(library) == []
    assert library.late_status() is None


def test_stopped_it_goes_on_with_the_next_sync(library: Library) -> None:
    stop = threading.Event()
    stop.set()
    library.switch_late("on 2 ward fake", stop=stop)
    status = library.late_status()
    assert status is not None
    assert status.have == 0
    assert found(library, 1.0).hits  # nothing has vectors, and all is found as before
    library.sync()
    status = library.late_status()
    assert status is not None
    assert status.have == len(NOTES)


def test_another_factor_makes_the_vectors_anew(library: Library) -> None:
    library.switch_late("on 1 ward fake")
    long = sum(map(len, rows(library).values()))
    library.switch_late("on 6 ward fake")
    assert sum(map(len, rows(library).values())) < long / 3
    assert len(tables(library)) == 2


@pytest.mark.parametrize("order", ["", "on", "on 9 ward fake", "on 2 nearest fake", "on x ward fake", "up"])
def test_an_order_that_is_none_is_refused(library: Library, order: str) -> None:
    with pytest.raises(ModelError):
        library.switch_late(order)
    assert tables(library) == []


def test_a_model_of_one_vector_is_refused_with_the_reason(tmp_path: Path, roughly_fitted: None) -> None:
    with Library.open(tmp_path / "l.carrel", create=True, encoder=OneVector()) as library:  # type: ignore[arg-type]
        library.sync()
        for refused in (lambda: library.switch_late("on 4 ward fake"), lambda: library.late_estimate("fake", 4)):
            with pytest.raises(ModelError, match="late interaction"):
                refused()


def test_damaged_rows_are_left_out_and_a_model_that_is_gone_is_as_if_it_were_off(library: Library) -> None:
    library.switch_late("on 1 ward fake")
    conn = apsw.Connection(str(library.path))
    (table,) = [name for name in tables(library) if name != "late_model"]
    conn.execute(f"UPDATE {table} SET codes = x'00' WHERE passage_id = 1")
    conn.execute(f"UPDATE {table} SET scale = 9e999 WHERE passage_id = 2")
    assert len(found(library, 0.5).hits) == len(NOTES)
    conn.execute("UPDATE late_model SET fingerprint = 'another', name = 'nobody/has-this'")
    assert found(library, 0.5).late == ""
    conn.execute("UPDATE late_model SET method = 'odd'")
    assert library.late_status() is None
    conn.execute(f"DROP TABLE {table}")
    assert found(library, 0.5).hits


@pytest.mark.parametrize(
    ("damage", "is_kept"),
    [
        ("UPDATE late_1 SET codes = x'00' WHERE passage_id = 1", True),
        ("UPDATE late_1 SET mean = CAST(x'ff' AS TEXT) WHERE passage_id < 3", True),
        ("CREATE TABLE late_7 AS SELECT * FROM late_1", True),
        ("UPDATE late_model SET dimension = 7", False),
        ("UPDATE late_model SET method = 'odd'", False),
        ("UPDATE late_model SET name = CAST(x'ff' AS TEXT)", False),
        ("UPDATE late_model SET state = 'odd'", False),
        ("DELETE FROM late_model", False),
        ("DROP TABLE late_1", False),
    ],
)
def test_the_doctor_tells_of_damaged_token_vectors_and_the_repair_has_them_made_again(
    library: Library, damage: str, is_kept: bool
) -> None:
    library.switch_late("on 1 ward fake")
    before = rows(library)
    library.close()
    conn = apsw.Connection(str(library.path))
    conn.execute(damage.replace("CREATE TABLE late_7 AS SELECT * FROM late_1", LATE_VECTORS % "late_7"))
    conn.close()
    care = Maintenance(library.path, TokenFake())  # type: ignore[arg-type]
    assert [check.name for check in care.check().checks if not check.ok] == ["late vectors"]
    mended = care.check(repair=True)
    assert all(check.ok for check in mended.checks)
    assert any("carrel late on" in said for said in mended.done) is not is_kept
    with Library.open(library.path, encoder=TokenFake()) as again:  # type: ignore[arg-type]
        assert (again.late_status() is not None) is is_kept
        if not is_kept:
            again.switch_late("on 1 ward fake")
        assert rows(again) == before


def test_late_interaction_that_cannot_be_read_is_switched_on_anew_and_removed(library: Library) -> None:
    library.switch_late("on 1 ward fake")
    before = rows(library)
    apsw.Connection(str(library.path)).execute("UPDATE late_model SET method = 'odd'")
    library.switch_late("on 1 ward fake")
    assert rows(library) == before
    apsw.Connection(str(library.path)).execute("DELETE FROM late_model")
    library.switch_late("remove")
    assert tables(library) == []


def test_a_late_model_that_is_not_installed_is_told_with_what_fetches_it_and_nothing_else_waits(
    library: Library, tmp_path: Path
) -> None:
    library.switch_late("on 1 ward fake")
    apsw.Connection(str(library.path)).execute("UPDATE late_model SET name = 'nobody/has-this'")
    (tmp_path / "notes" / "beer.md").write_text("# Beer\n\nOnly the yeast of the cellar is left.\n")
    with pytest.raises(ModelError) as refused:
        library.sync()
    assert "carrel late on nobody/has-this" in refused.value.fix and "models use" not in refused.value.fix
    assert library.status().pending == 0
    assert found(library, 0.0, "yeast").hits[0].path.endswith(b"beer.md")


def test_a_text_on_which_the_late_model_fails_keeps_no_other_from_its_vectors(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = TokenFake.encode_passage_tokens

    def picky(encoder: TokenFake, text: str):
        if "swarm" in text:
            raise RuntimeError("a shape that does not fit")
        return encode(encoder, text)

    monkeypatch.setattr(TokenFake, "encode_passage_tokens", picky)
    library.switch_late("on 1 ward fake")
    status = library.late_status()
    assert status is not None and status.have == len(NOTES)
    assert found(library, 0.3).hits


def test_a_late_model_that_fails_on_every_text_is_told(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(encoder: TokenFake, text: str):
        raise RuntimeError("a shape that does not fit")

    library.switch_late("on 1 ward fake")
    monkeypatch.setattr(TokenFake, "encode_passage_tokens", broken)
    with pytest.raises(ModelError):
        library.switch_late("on 2 ward fake")


def test_why_tells_what_late_interaction_did(library: Library, tmp_path: Path) -> None:
    library.switch_late("on 1 ward fake")
    settings = SearchSettings(late=0.5)
    report = library.why("cold barley loaf", tmp_path / "notes" / "beer.md", settings=settings)
    (stage,) = [stage for stage in report.stages if stage.stage == "late"]
    assert stage.passed
    assert "by late interaction" in stage.detail
    off = library.why("cold barley loaf", tmp_path / "notes" / "beer.md", settings=SearchSettings(late=0.0))
    assert all(stage.stage != "late" for stage in off.stages)


def test_what_if_can_try_its_weight_without_another_search(library: Library) -> None:
    library.switch_late("on 1 ward fake")
    exploration = library.explore("cold barley loaf", settings=SearchSettings(late=0.0, collapse=0.0))
    assert exploration.result.late == "fake"
    assert [hit.shares.late for hit in exploration.result.hits] == [None] * len(NOTES)
    tried = exploration.again(SearchSettings(late=1.0, collapse=0.0))
    assert [hit.path for hit in tried.hits] == [hit.path for hit in found(library, 1.0).hits]


def test_a_leg_alone_shows_that_leg(library: Library) -> None:
    library.switch_late("on 1 ward fake")
    for fusion in ("vector", "keyword"):
        result = library.search("cold barley loaf", settings=SearchSettings(late=1.0, fusion=fusion))  # type: ignore[arg-type]
        assert all(hit.shares.late is None for hit in result.hits)


def test_an_encoder_without_tokens_searches_as_before(tmp_path: Path, roughly_fitted: None) -> None:
    with Library.open(tmp_path / "l.carrel", create=True, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
        library.sync()
        assert library.search("anything").late == ""
