"""How documents are cut into passages: nothing is lost, everything fits, and structure decides where."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import blake2b
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chunking import PassageRules, cut
from engine.chunking.token_counts import SLICE_CHARACTERS
from engine.errors import ModelError
from engine.records import HELD_BACK, Block, BlockKind, Document, Passage

KINDS: tuple[BlockKind, ...] = ("heading", "paragraph", "list", "code", "table", "quote", "meta")
TOKEN = re.compile(r"[^\W_]{1,7}|[^\w\s]|_")  # words in pieces of seven letters, and single marks


def token_starts(text: str) -> list[int]:
    """Tokenise as a word-piece encoder would, near enough, and refuse what such an encoder refuses."""
    text.encode("utf-8")
    return [match.start() for match in TOKEN.finditer(text)]


def tokens(text: str) -> int:
    return len(token_starts(text))


def markdown(text: str, title: str = "note", *, written: bool = False, kind: str = "markdown") -> Document:
    """Read a text as a Markdown reader would: headings, fenced code, lists, tables, paragraphs."""
    pattern = re.compile(
        r"^```[\s\S]*?^```$|^(?P<level>#+) (?P<label>.+)$|^(?:[-|].*\n?)+|^(?:(?![#\-|`]|\s*$).+\n?)+",
        re.MULTILINE,
    )
    blocks = []
    for match in pattern.finditer(text):
        first = match.group()[:1]
        block_kind: BlockKind = "paragraph"
        if match["level"]:
            block_kind = "heading"
        elif first in "`-|":
            block_kind = {"`": "code", "-": "list", "|": "table"}[first]  # type: ignore[assignment]
        end = match.start() + len(match.group().rstrip())
        blocks.append(Block(block_kind, match.start(), end, len(match["level"] or ""), match["label"] or ""))
    return Document(text, title, written, kind, tuple(blocks))


def sentence(number: int, words: int = 12) -> str:
    return " ".join(f"w{number}x{word}" for word in range(words)).capitalize() + "."


def paragraph(number: int, sentences: int = 4) -> str:
    return " ".join(sentence(number * 100 + index) for index in range(sentences))


def bodies(passages: Sequence[Passage]) -> list[int]:
    return [tokens(passage.text) for passage in passages]


# --- any document at all ------------------------------------------------------------------------------------------

PIECES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "# Head\n",
            "\n\n",
            "\n",
            " ",
            "[a](b)",
            "**x**",
            "| a | b |\n",
            "- item\n",
            "漢字。仮名、",
            "👩‍👩‍👧",
            "e\u0301",
        ]
    ),
    st.sampled_from(["\x00\x01", "\x1c", "\u2028", "\ud800", "]([](", "a" * 700, "https://x.y/" + "z" * 90, "```\n"]),
    st.integers(1, 60).map(paragraph),
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Draw hostile documents: blocks with gaps, out of order, overlapping, beyond the end, of any kind."""
    text = "".join(draw(st.lists(PIECES, max_size=25)))
    place = st.integers(-3, len(text) + 5)
    block = st.builds(
        Block,
        kind=st.sampled_from(KINDS),
        start=place,
        end=place,
        level=st.integers(-1, 40),
        label=st.text(max_size=60),
        page=st.none() | st.integers(1, 9),
    )
    return Document(
        text,
        draw(st.text(max_size=80)),
        draw(st.booleans()),
        draw(st.sampled_from(["markdown", "text", "rst", "org", "code", "pdf"])),
        tuple(draw(st.lists(block, max_size=20))),
    )


@given(documents(), st.sampled_from([PassageRules(), PassageRules(target=30, window=64), PassageRules(window=24)]))
def test_passages_tile_any_document_and_fit_the_window(document: Document, rules: PassageRules) -> None:
    passages = cut(document, token_starts, rules, prefix="passage: ")
    assert "".join(passage.text for passage in passages) == document.text
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    assert passages[0].start == 0
    assert passages[-1].end == len(document.text)
    assert all(left.end == right.start for left, right in pairwise(passages))
    for passage in passages:
        assert passage.text == document.text[passage.start : passage.end]
        embedded = passage.embedded.removeprefix(HELD_BACK)
        assert embedded.startswith("passage: ")
        assert embedded.removeprefix("passage: ").strip()
        assert tokens(embedded) + rules.special <= rules.window
        digest = blake2b(passage.embedded.encode(), digest_size=16).digest()
        assert passage.hash == (digest if embedded == passage.embedded else bytes(4) + digest[4:])


@given(documents())
def test_lines_are_those_of_the_visible_text(document: Document) -> None:
    for passage in cut(document, token_starts):
        visible = passage.text.strip()
        before = document.text[: passage.start] + passage.text[: len(passage.text) - len(passage.text.lstrip())]
        if visible:
            assert passage.line_start == before.count("\n") + 1
            assert passage.line_end == passage.line_start + visible.count("\n")


@given(documents())
def test_only_the_first_passage_may_begin_with_an_empty_line(document: Document) -> None:
    for passage in cut(document, token_starts)[1:]:
        assert passage.text.strip()
        assert passage.text.partition("\n")[0].strip()


@pytest.mark.parametrize("kind", ["meta", "table", "code", "list", "paragraph"])
def test_an_empty_line_stays_with_what_is_before_it(kind: BlockKind) -> None:
    text = "\n\n".join(sentence(number) for number in range(40)) + "\n\n\n"
    block = Block(kind, 0, len(text))
    passages = cut(Document(text + paragraph(7), "note", False, "markdown", (block,)), token_starts)
    assert len(passages) > 3
    assert all(passage.text[0].isalnum() for passage in passages)


# --- size ---------------------------------------------------------------------------------------------------------


def test_a_note_that_fits_stays_in_one_piece() -> None:
    assert len(cut(markdown(paragraph(1, 2)), token_starts)) == 1


def test_a_long_text_falls_into_pieces_near_the_target() -> None:
    text = "\n\n".join(paragraph(number, 1 + number % 3) for number in range(60))
    sizes = bodies(cut(markdown(text), token_starts))
    assert all(60 <= size <= 160 for size in sizes)
    assert 85 <= sum(sizes) / len(sizes) <= 115


def test_a_section_a_little_too_long_is_split_evenly() -> None:
    text = "# Head\n\n" + "\n\n".join(sentence(number, 10) for number in range(20))
    first, second = bodies(cut(markdown(text), token_starts))
    assert abs(first - second) <= 40


def test_a_word_of_200_000_characters_is_cut_inside() -> None:
    document = Document("x" * 200_000, "blob", False, "text")
    passages = cut(document, token_starts)
    assert "".join(passage.text for passage in passages) == document.text
    assert all(tokens(passage.text) <= 160 for passage in passages)


def test_a_word_that_the_encoder_takes_for_one_token_is_cut_all_the_same() -> None:
    passages = cut(Document("x" * 200_000, "blob", False, "text"), lambda text: [0] if text else [])
    assert max(len(passage.text) for passage in passages) < 4_000


def test_long_text_without_a_full_stop_is_cut_between_words() -> None:
    text = " ".join(f"word{number}" for number in range(900))
    for passage in cut(Document(text, "", False, "text"), token_starts):
        assert passage.text.startswith("word")
        assert tokens(passage.text) <= 160


def test_chinese_text_is_cut_after_its_full_stops() -> None:
    text = "".join("一二三四五六七八九十" * 3 + "。" for _ in range(120))
    passages = cut(Document(text, "", False, "text"), lambda part: range(len(part)))
    assert len(passages) > 10
    assert all(passage.text.endswith("。") for passage in passages)


def test_a_small_window_still_holds_title_headings_and_body() -> None:
    rules = PassageRules(target=100, window=32)
    text = "# " + "title " * 40 + "\n\n" + "## " + "heading " * 40 + "\n\n" + paragraph(1, 6)
    document = markdown(text, title="title " * 40, written=True)
    for passage in cut(document, token_starts, rules):
        assert tokens(passage.embedded) + rules.special <= rules.window
        assert "title" in passage.embedded


def test_a_large_text_is_tokenised_in_a_few_calls() -> None:
    calls: list[int] = []

    def counting(text: str) -> list[int]:
        calls.append(len(text))
        return token_starts(text)

    text = "".join(f"## Part {number}\n\n{sentence(number, 3)}\n\n" for number in range(12_000))
    assert len(text) > 6 * SLICE_CHARACTERS
    passages = cut(markdown(text), counting)
    assert "".join(passage.text for passage in passages) == text
    assert len(calls) <= 2 * len(text) / SLICE_CHARACTERS + 1  # a slice ends at a line end in its second half
    assert sum(calls) <= 1.5 * len(text)


# --- structure ----------------------------------------------------------------------------------------------------


def test_sections_are_not_mixed_when_each_says_enough() -> None:
    text = f"# One\n\n{paragraph(1)}\n\n# Two\n\n{paragraph(2)}\n"
    passages = cut(markdown(text), token_starts)
    assert [passage.headings for passage in passages] == [("One",), ("Two",)]


def test_a_tiny_section_joins_its_sibling_under_the_common_path() -> None:
    text = f"# Top\n\n## One\n\nShort.\n\n## Two\n\n{paragraph(2, 3)}\n"
    (passage,) = cut(markdown(text), token_starts)
    assert passage.headings == ("Top",)
    assert passage.embedded.removeprefix(HELD_BACK).startswith("Top\nOne Short. Two ")


def test_a_heading_is_never_the_last_thing_in_a_passage() -> None:
    parts = [f"{'#' * (1 + number % 4)} Head {number}\n\n{paragraph(number, number % 6)}" for number in range(80)]
    document = markdown("\n\n".join(parts) + "\n\nThe end.")
    ends = {block.end for block in document.blocks if block.kind == "heading"}
    for passage in cut(document, token_starts):
        assert passage.start + len(passage.text.rstrip()) not in ends


def test_headings_in_a_row_stay_with_the_text_below_them() -> None:
    text = f"# One\n\n{paragraph(1)}\n\n# Two\n\n## Three\n\n### Four\n\n{paragraph(2)}"
    passages = cut(markdown(text), token_starts)
    assert passages[1].text.startswith("# Two\n\n## Three\n\n### Four")
    assert passages[1].headings == ("Two", "Three", "Four")


def test_an_outline_of_headings_alone_is_cut_between_its_items() -> None:
    items = "\n".join(f"## Item {number}\n### {sentence(number, 8)}" for number in range(40))
    passages = cut(markdown(f"# List\n{items}\n"), token_starts)
    assert len(passages) >= 3
    assert all(passage.text.startswith("## Item") for passage in passages[1:])


def test_a_sentence_that_announces_a_list_stays_with_it() -> None:
    items = "\n".join(f"- {sentence(number, 8)}" for number in range(6))
    text = f"{paragraph(1)}\n\nWhat is needed:\n\n{items}\n"
    (announcing,) = [passage for passage in cut(markdown(text), token_starts) if "needed:" in passage.text]
    assert not announcing.text.rstrip().endswith("needed:")


def test_table_rows_stay_whole() -> None:
    rows = [f"| row{number} | {sentence(number, 6)} |" for number in range(80)]
    passages = cut(markdown("\n".join(rows)), token_starts)
    assert len(passages) > 3
    assert all(passage.text.startswith("| row") and passage.text.rstrip().endswith("|") for passage in passages)


def test_code_is_cut_at_blank_lines_before_functions() -> None:
    functions = [
        f"def f{number}(a, b):\n    c = a + b\n\n    d = c * {number}\n    return [c, d, a - b]\n\n\n"
        for number in range(30)
    ]
    text = "".join(functions)
    passages = cut(Document(text, "f.py", False, "code"), token_starts)
    assert len(passages) > 5
    assert all(passage.text.startswith("def ") for passage in passages)
    assert passages[0].embedded == passages[0].text.strip()


def test_front_matter_of_a_code_file_counts_as_its_text() -> None:
    text = f"# {'license ' * 120}\n" + "x = 1\n" * 20
    document = Document(text, "x.py", False, "code", (Block("meta", 0, text.index("\n")),))
    assert all(tokens(passage.embedded) <= 160 for passage in cut(document, token_starts))


@pytest.mark.parametrize(
    "parts",
    [[paragraph(number, 1 + number * 7 % 4) for number in range(200)], [sentence(number, 7) for number in range(400)]],
    ids=["paragraphs", "lines of one length"],
)
def test_an_edit_leaves_the_passages_elsewhere_as_they_were(parts: list[str]) -> None:
    before = {passage.hash for passage in cut(markdown("\n\n".join(parts)), token_starts)}
    changed = []
    for place in range(20, 180, 20):
        edited = [*parts[:place], "A new line of a few words.", *parts[place:]]
        after = {passage.hash for passage in cut(markdown("\n\n".join(edited)), token_starts)}
        changed.append(len(after - before))
    assert min(changed) >= 1
    assert max(changed) <= 15
    assert sum(changed) / len(changed) <= 4


# --- what is embedded ---------------------------------------------------------------------------------------------


def embedded(text: str, title: str = "note", **options: bool) -> str:
    (passage,) = cut(markdown(text, title, **options), token_starts)
    return passage.embedded


def test_the_heading_path_stands_before_the_body_and_not_in_it() -> None:
    assert embedded("# Bread\n\n## Sourdough\n\nFeed the starter.") == "Bread. Sourdough\nFeed the starter."


def test_a_written_title_stands_before_the_headings() -> None:
    assert embedded("## Flour\n\nRye.", "Baking", written=True) == "Baking. Flour\nRye."


def test_a_title_taken_from_the_file_name_is_not_embedded() -> None:
    assert embedded("Rye.", "flour", written=False) == "Rye."


def test_a_title_that_is_the_first_heading_is_said_once() -> None:
    text = "# Baking\n\n## Flour\n\nRye."
    (passage,) = cut(markdown(text, "Baking", written=True), token_starts)
    assert passage.embedded == "Baking. Flour\nRye."
    assert passage.headings == ("Flour",)


def test_front_matter_is_kept_in_the_text_and_left_out_of_the_meaning() -> None:
    text = "---\ntags: [a, b]\n---\n\nRye."
    (passage,) = cut(
        Document(text, "note", False, "markdown", (Block("meta", 0, 20), Block("paragraph", 22, 26))), token_starts
    )
    assert passage.text == text
    assert passage.embedded == "Rye."


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("See [the docs](https://a.b/c_(d)) now.", "See the docs now."),
        ("![A cat](cat.png) sits.", "A cat sits."),
        ("Ask [[people/Ann|Ann]] or [[Bob]].", "Ask Ann or Bob."),
        ("Some **bold**, *soft*, __loud__ and `code()` words.", "Some bold, soft, loud and code() words."),
        ("snake_case and 2 * 3 and a*b stay.", "snake_case and 2 * 3 and a*b stay."),
        ("> quoted\n> twice", "quoted twice"),
        ("- [ ] buy milk\n- bread\n", "buy milk bread"),
        ("a   lot\n of \t space", "a lot of space"),
        ("| a | b |\n|---|---|\n| c | d |", "a b c d"),
    ],
)
def test_markup_is_left_out_of_the_meaning(written: str, meant: str) -> None:
    assert embedded(written) == meant


def test_plain_text_keeps_its_marks() -> None:
    (passage,) = cut(Document("- a [b](c) **d**", "x", False, "text"), token_starts)
    assert passage.embedded == "- a [b](c) **d**"


def test_link_targets_do_not_count_towards_the_size() -> None:
    links = " ".join(f"[word{number}](https://example.org/{'path/' * 20}{number})" for number in range(60))
    assert len(cut(markdown(links), token_starts)) == 1


def test_of_a_deep_path_the_innermost_headings_are_embedded() -> None:
    heads = "\n\n".join(f"{'#' * level} {'outer ' * 10}{level}" for level in range(1, 6))
    (passage,) = cut(markdown(f"{heads}\n\nBody."), token_starts)
    assert len(passage.headings) == 5
    assert passage.embedded.count("outer") == 20
    assert passage.embedded.endswith("5\nBody.")


# --- little or nothing to embed -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "\n", "  \n\t\n "])
def test_an_empty_note_is_one_passage_that_carries_its_name(text: str) -> None:
    (passage,) = cut(Document(text, "Shopping", False, "markdown"), token_starts)
    assert passage.text == text
    assert passage.embedded == "Shopping"
    assert (passage.line_start, passage.line_end) == (1, 1)


def test_nothing_at_all_still_has_something_to_embed() -> None:
    (passage,) = cut(Document("", "", False, "text"), token_starts)
    assert passage.embedded


def test_only_a_heading_is_embedded_as_that_heading() -> None:
    assert embedded("# Ideas") == "Ideas"


def test_only_front_matter_is_embedded_as_written() -> None:
    text = "---\ntags: x\n---"
    (passage,) = cut(Document(text, "n", False, "markdown", (Block("meta", 0, len(text)),)), token_starts)
    assert passage.embedded == "--- tags: x ---"


# --- page and rules -----------------------------------------------------------------------------------------------


def test_a_passage_has_the_page_of_its_first_block() -> None:
    first, second = paragraph(1, 8), paragraph(2, 8)
    blocks = (
        Block("paragraph", 0, len(first), page=3),
        Block("paragraph", len(first) + 1, len(first) + 1 + len(second), page=4),
    )
    passages = cut(Document(f"{first}\n{second}", "p", False, "pdf", blocks), token_starts)
    assert [passage.page for passage in passages] == [3, 4]


def test_rules_survive_a_manifest() -> None:
    rules = PassageRules(target=90, window=512)
    assert PassageRules.from_dict(asdict(rules)) == rules


@pytest.mark.parametrize("values", [{"overlap": 3}, {"target": "100"}, {"target": True}])
def test_a_rule_that_is_not_known_is_refused(values: dict[str, int]) -> None:
    with pytest.raises(ModelError):
        PassageRules.from_dict(values)
