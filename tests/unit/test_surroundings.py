"""A passage is ranked by itself and by what stands around it in its document."""

from __future__ import annotations

import mailbox
from email.message import EmailMessage

import pytest
from notes import FILLER, library_of

from engine.records import SearchSettings
from engine.retrieval import surroundings

PLAIN = SearchSettings(collapse=0.0, group=False)
SENTENCE = "Sentence {} of the {} speaks about the weather over the hills and of sheep in the fields nearby. "
MIDDLE = "The valve was opened slowly and the pressure fell by half within a minute of that. "


def essay(subject: str, middle: str = MIDDLE, around: str = "") -> str:
    """Return a note of several passages: `middle` stands inside, `around` in the passages beside it."""
    before = "".join(SENTENCE.format(number, subject) for number in range(8))
    after = "".join(SENTENCE.format(number, subject) for number in range(8, 16))
    return f"# {subject}\n\n{before}{around}\n\n{middle * 6}\n\n{around}{after}\n"


NOTES = {
    "boiler.md": essay("boiler", around="All of this is what the old locomotive of the museum needs. "),
    "attic.md": essay("attic"),
    **FILLER,
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    with library_of(tmp_path_factory.mktemp("around"), NOTES, fitted=False) as library:
        yield library


def middles(result):
    """Return the rows whose own text speaks of the valve and not of the locomotive, by the name of their note."""
    found = [hit for hit in result.hits if "valve" in hit.snippet and "locomotive" not in hit.snippet]
    return {hit.path.rsplit(b"/", 1)[1].decode(): hit for hit in reversed(found)}


def test_of_two_passages_that_say_the_same_the_one_whose_neighbours_speak_of_it_is_first(library):
    found = middles(library.search("locomotive valve pressure", limit=50, settings=PLAIN))
    assert found["boiler.md"].score > found["attic.md"].score
    assert (found["boiler.md"].shares.around or 0) > (found["attic.md"].shares.around or 0)


def test_what_is_around_is_a_part_of_the_score(library):
    for hit in library.search("locomotive valve pressure", limit=50, settings=PLAIN).hits:
        shares = hit.shares
        parts = (shares.vector, shares.keyword, shares.rare, shares.around, shares.feedback, shares.memory)
        assert hit.score == pytest.approx(sum(part or 0 for part in parts))


def test_scores_are_the_same_whether_the_words_were_read_before_or_not(library, monkeypatch):
    monkeypatch.setattr(surroundings, "_kept", lambda *given: pytest.fail("nothing was read before"))
    monkeypatch.setattr("engine.retrieval.postings_cache.PostingsReader.knows", lambda *given: False)
    read = library.search("locomotive valve pressure", limit=50, settings=PLAIN)
    monkeypatch.undo()
    library.search("locomotive valve pressure", settings=PLAIN)
    kept = library.search("locomotive valve pressure", limit=50, settings=PLAIN)
    assert [hit.passage_id for hit in kept.hits] == [hit.passage_id for hit in read.hits]
    assert [hit.score for hit in kept.hits] == pytest.approx([hit.score for hit in read.hits])


@pytest.mark.parametrize("fusion", ["rrf", "rrf-published", "vector", "keyword"])
def test_other_fusions_rank_a_passage_by_itself(library, fusion):
    found = library.search("locomotive valve", limit=50, settings=SearchSettings(fusion=fusion))
    assert all(hit.shares.around is None for hit in found.hits)


def test_what_if_takes_it_into_account_too(library):
    explored = library.explore("locomotive valve pressure", limit=50, settings=PLAIN)
    again = explored.again(SearchSettings(collapse=0.0, group=False, feedback=False), limit=50)
    assert middles(again)["boiler.md"].score > middles(again)["attic.md"].score


def test_another_message_of_a_mailbox_is_not_what_stands_around_one(tmp_path):
    box = mailbox.mbox(str(tmp_path / "box.mbox"), create=True)
    for text in ("We talked about the locomotive.", "The valve was opened slowly.", "The locomotive is old."):
        message = EmailMessage()
        message["Subject"], message["From"] = "Museum", "anna@example.com"
        message.set_content(text)
        box.add(message)
    box.close()
    notes = {"box.mbox": (tmp_path / "box.mbox").read_bytes(), **FILLER}
    with library_of(tmp_path / "library", notes, fitted=False) as library:
        found = library.search("valve", limit=50, settings=PLAIN)
        row = next(hit for hit in found.hits if "valve" in hit.snippet)
        assert row.shares.around is None
