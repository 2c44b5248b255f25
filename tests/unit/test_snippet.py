"""A snippet looks at so much of a passage and no more, and one that fails takes no list away."""

from __future__ import annotations

from pathlib import Path

import pytest
from notes import FILLER, library_of

from engine.records import SearchSettings
from engine.retrieval import hits, snippet
from engine.store.tokenizer import Places

pytestmark = pytest.mark.usefixtures("unfitted")

WORDS_ONLY = SearchSettings(fusion="keyword")
HOSTILE = {
    "blank.md": "# Wombat\n\nwombat burrow" + "\n" * 19_000 + "wombat again\n",
    "links.md": "# Links\n\nwombat " + "[](" * 6_000 + "\n",
    "brackets.md": "wombat " + "[" * 30_000,
    "line.txt": "wombat " * 150_000,
    "letters.txt": "wombat " + "a " * 50_000,
}


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Note how many characters and tokens each snippet had to deal with."""
    counted: list[tuple[int, int]] = []

    class Counted(Places):
        def __init__(self, text: str, kind: str = "", most: int | None = None) -> None:
            super().__init__(text, kind, most)
            counted.append((len(text), len(self.terms)))

    monkeypatch.setattr(snippet, "Places", Counted)
    return counted


def test_no_passage_has_more_looked_at_than_a_snippet_needs(tmp_path: Path, looked_at: list[tuple[int, int]]) -> None:
    with library_of(tmp_path, {**HOSTILE, **FILLER}) as library:
        found = library.search("wombat", settings=WORDS_ONLY).hits
    assert len(found) == len(HOSTILE) == len(looked_at)
    assert max(characters for characters, _ in looked_at) <= 4_000
    assert max(tokens for _, tokens in looked_at) <= 1_000


def test_words_behind_many_blank_lines_are_shown(tmp_path: Path) -> None:
    note = "wombat burrow" + "\n" * 9_000 + "and the badger\n"
    with library_of(tmp_path, {"a.md": note, **FILLER}) as library:
        (hit,) = library.search("wombat badger", settings=WORDS_ONLY).hits
    assert hit.snippet == "wombat burrow and the badger"
    assert [hit.snippet[start:end] for start, end in hit.marks] == ["wombat", "badger"]


def test_a_snippet_that_fails_takes_no_list_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = hits.snippet  # type: ignore[attr-defined]

    def failing(text: str, *rest: object) -> object:
        if "badger" in text:
            raise RecursionError
        return plain(text, *rest)

    monkeypatch.setattr(hits, "snippet", failing)
    with library_of(tmp_path, {"a.md": "wombat\n\nand badger", "b.md": "wombat and heron", **FILLER}) as library:
        found = {hit.path.rsplit(b"/", 1)[1]: hit for hit in library.search("wombat", settings=WORDS_ONLY).hits}
    assert found[b"a.md"].snippet == "wombat and badger"
    assert found[b"a.md"].marks == ()
    assert found[b"b.md"].marks == ((0, 6),)


def test_a_snippet_begins_with_a_sentence_or_with_a_word(tmp_path: Path) -> None:
    before = "".join(f"Nothing of it stands in sentence {number} here. " for number in range(4))
    after = "And so it goes on with many words that nobody asked for. " * 4
    notes = {
        "sentence.md": f"{before}Then the wombat digs. {after}",
        "word.md": "nothing " * 60 + "and a wombat digs " + "onward " * 60,
        "names.md": f"Garden\n\nBurrows\n\nThe wombat digs. {after}",
    }
    with library_of(tmp_path, {**notes, **FILLER}) as library:
        found = {hit.path.rpartition(b"/")[2]: hit for hit in library.search("wombat", settings=WORDS_ONLY).hits}
    assert found[b"sentence.md"].snippet.startswith("… Then the wombat digs.")
    assert len(found[b"sentence.md"].snippet) > snippet.SNIPPET_LENGTH - snippet.LONGEST_WORD
    assert found[b"word.md"].snippet.startswith("… nothing ")
    text, marks = snippet.snippet(
        "Garden\nBurrows\n\nThe wombat digs.", snippet.FtsQuery((), ()), ("Garden", "Burrows")
    )
    assert (text, marks) == ("The wombat digs.", ())


def test_a_word_that_ends_a_passage_is_shown_wherever_the_words_before_it_are_cut(tmp_path: Path) -> None:
    notes = {f"{longer}.md": f"{'onward ' * 40}{'g' * longer} over the wombat" for longer in range(1, 8)}
    with library_of(tmp_path, {**notes, **FILLER}) as library:
        found = library.search("wombat", settings=WORDS_ONLY).hits
    assert len(found) == len(notes)
    for hit in found:
        assert [hit.snippet[start:end] for start, end in hit.marks] == ["wombat"]
        assert hit.snippet.startswith("… onward ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "The *fix-up* commits, _all of them_, are ~~gone~~ **here**.",
            "The fix-up commits, all of them, are gone here.",
        ),
        ("`f(*args, *more)` and 2 * 3 * 4", "f(*args, *more) and 2 * 3 * 4"),
        ("snake_case_name, `__init__`, `_private` and _other", "snake_case_name, __init__, _private and _other"),
        ("*.py and *.md, or a*b*c", "*.py and *.md, or a*b*c"),
    ],
)
def test_signs_that_only_shape_a_text_are_left_away_and_those_of_names_stay(text: str, shown: str) -> None:
    query = snippet.FtsQuery((), ())
    assert snippet.snippet(text, query, kind="markdown") == (shown, ())
    assert snippet.snippet(text, query, kind="code")[0] == text


def test_what_org_says_of_a_file_stands_in_no_snippet(tmp_path: Path) -> None:
    head = "#+title: The harbour\n#+filetags: :sea:\n\n"
    notes = {
        "a.org": f"{head}Wombat boats leave the harbour.\n#+begin_src sh\nls\n#+end_src\n",
        "b.org": head + "wombat",
    }
    notes["c.org"] = "#+title: wombat\n#+author: badger\n"
    with library_of(tmp_path, {**notes, **FILLER}) as library:
        shown = {Path(hit.path.decode()).name: hit for hit in library.search("wombat", settings=WORDS_ONLY).hits}
    assert shown["a.org"].snippet == "Wombat boats leave the harbour. #+begin_src sh ls #+end_src"
    assert shown["b.org"].snippet == "wombat"
    assert [shown["b.org"].snippet[start:end] for start, end in shown["b.org"].marks] == ["wombat"]
    assert shown["c.org"].snippet  # it says nothing else
