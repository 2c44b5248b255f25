"""Why the selected row stands where it does, from the figures that placed it and no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from app.tui.figures import NONE, adding_up, bar, count, counted, figure, ordinal, rarity
from app.tui.plain import one_line
from app.tui.screens.search.row import SIGNS, TIER_STYLES, decimals_of, greatest_score, is_listing, title_of
from app.tui.theme import ACCENT, BRIGHT, FAINT, MEANING, QUIET, WORDS
from app.tui.widgets.lines import wrapped
from engine.records import Hit, SearchResult, TermScore, WordReading

LABEL_CELLS = 8
BAR_CELLS = 24
SCALE_CELLS = 32


@dataclass(frozen=True, slots=True)
class Explained:
    """One row of one result: what an explanation is made from."""

    hit: Hit
    result: SearchResult


def explanation_lines(explained: Explained, width: int) -> list[Content]:
    """Return the whole explanation, folded to `width` cells."""
    if is_listing(explained.result):
        said = "No words were asked, so nothing was ranked: the newest document comes first."
        return [*_heading(explained, width), Content(), *wrapped(Content.styled(said, QUIET), width, Content())]
    sections = (
        _heading(explained, width),
        _score(explained, width),
        _legs(explained, width),
        _terms(explained, width),
        _trust(explained, width),
        _places(explained),
        _setting(explained, width),
    )
    lines: list[Content] = []
    for section in sections:
        lines += [*section, Content()] if section else []
    return [line.truncate(width) for line in lines[:-1]]


def _label(text: str) -> tuple[str, str]:
    return (f"{text:<{LABEL_CELLS}}", QUIET)


def _labelled(label: str, line: Content, width: int) -> list[Content]:
    """Return a line behind its label, what does not fit below it."""
    first, *rest = wrapped(line, width, Content(" " * LABEL_CELLS))
    return [Content.assemble(_label(label), first[LABEL_CELLS:]), *rest]


def _heading(explained: Explained, width: int) -> list[Content]:
    title, trail = title_of(explained.hit)
    question = Content.styled(f"Why is this {ordinal(explained.hit.rank)}?", f"bold {BRIGHT}")
    return [question, Content.styled(title + trail, QUIET).truncate(width, ellipsis=True)]


def score_parts(hit: Hit) -> list[tuple[str, float, str]]:
    """Return the parts of the score that were used, each with its name and colour."""
    shares = hit.shares
    parts: list[tuple[str, float | None, str]] = [
        ("meaning", shares.vector, MEANING),
        ("words", shares.keyword, WORDS),
        ("feedback", shares.feedback, ""),
        ("memory", shares.memory, ""),
    ]
    return [(name, value, style) for name, value, style in parts if value is not None]


def _score(explained: Explained, width: int) -> list[Content]:
    """Return the score as a sum of its parts, which add up as shown, and as a bar."""
    hit, result = explained.hit, explained.result
    decimals = decimals_of(result.fusion)
    parts = score_parts(hit)
    shown = adding_up([value for _, value, _ in parts], hit.score, decimals)
    total = figure(hit.score, decimals)
    line = Content.assemble((total, f"bold {BRIGHT}"), (" = ", QUIET))
    for number, ((name, _, style), value) in enumerate(zip(parts, shown, strict=True)):
        sign = "" if number == 0 else (" − " if value.startswith("-") else " + ")
        line = Content.assemble(line, (sign, QUIET), (name, QUIET), " ", (value.lstrip("-") if sign else value, style))
    full, hatched = bar(hit.score - hit.shares.keyword, hit.shares.keyword, greatest_score(result), BAR_CELLS)
    picture = Content.assemble(
        " " * LABEL_CELLS,
        ("▕", FAINT),
        ("█" * full, MEANING),
        ("▒" * hatched, WORDS),
        (" " * (BAR_CELLS - full - hatched) + "▏", FAINT),
        (f" of {figure(greatest_score(result), decimals)} at most", QUIET) if result.fusion == "convex" else "",
    )
    return [*_labelled("score", line, width), picture.truncate(width)]


def _legs(explained: Explained, width: int) -> list[Content]:
    """Return rank and raw figure in each leg, and what the leg counts for."""
    hit, result = explained.hit, explained.result
    vector, keyword = hit.vector, hit.keyword
    if vector is None:
        meaning = Content.styled("not asked", QUIET)
    else:
        meaning = Content.assemble(
            _rank(vector.rank, result.passages), (" · distance ", QUIET), figure(vector.distance), (" · counts ", QUIET)
        )
        meaning = Content.assemble(meaning, figure(result.weights.vector, 2))
    if keyword is None or not keyword.terms:
        words = Content.styled("no word of the query stands in this passage", QUIET)
    else:
        words = Content.assemble(
            _rank(keyword.rank, 0), (" · bm25 ", QUIET), figure(keyword.bm25, 2), (" · counts ", QUIET)
        )
        words = Content.assemble(words, figure(result.weights.keyword, 2))
    return [*_labelled("meaning", meaning, width), *_labelled("words", words, width)]


def _rank(rank: int | None, passages: int) -> Content:
    """Return a rank in a leg, with the number of passages where it is known."""
    if rank is None:
        return Content.styled("beyond the candidates", QUIET)
    of = f" of {count(passages)}" if passages else ""
    return Content.assemble(("rank ", QUIET), str(rank), (of, QUIET))


def _terms(explained: Explained, width: int) -> list[Content]:
    """Return the table of the query's words: how rare, how often here, and their part of the bm25."""
    keyword, words = explained.hit.keyword, explained.result.words
    terms = keyword.terms if keyword else ()
    absent = [word for word in words if word.term not in {term.term for term in terms}]
    names = [term.term for term in terms] + [word.term for word in absent]
    if not names:
        return []
    name_cells = min(18, max(6, *(len(name) for name in names)))
    head = f"{'word':<{name_cells}}  {'passages':>9}  {'':<8}  {'idf':>5}  {'tf':>6}  {'bm25':>6}"
    shown = adding_up([term.score for term in terms], keyword.bm25 if keyword else 0.0, 2)
    lines = [Content.styled(head, QUIET)]
    passages = explained.result.passages
    lines += [_term(term, score, name_cells, passages) for term, score in zip(terms, shown, strict=True)]
    lines += [_absent(word, name_cells, passages) for word in absent]
    if len(terms) > 1:
        total = figure(keyword.bm25 if keyword else 0.0, 2)
        lines.append(Content.styled(f"{'':<{name_cells}}  {'':>9}  {'':<8}  {'':>5}  {'sum':>6}  {total:>6}", QUIET))
    return [line.truncate(width) for line in lines]


def _term(term: TermScore, score: str, name_cells: int, passages: int) -> Content:
    name, _ = rarity(term.documents, term.idf, passages)
    return Content.assemble(
        (_name(term.term, name_cells), WORDS),
        f"  {count(term.documents):>9}  ",
        (f"{name:<8}", QUIET),
        f"  {figure(term.idf, 2):>5}  {figure(term.tf, 2):>6}  ",
        (f"{score:>6}", f"bold {BRIGHT}"),
    )


def _absent(word: WordReading, name_cells: int, passages: int) -> Content:
    name, _ = rarity(word.documents, word.idf, passages)
    row = f"{_name(word.term, name_cells)}  {count(word.documents):>9}  {name:<8}  {figure(word.idf, 2):>5}"
    return Content.styled(f"{row}  {NONE:>6}  {NONE:>6}", QUIET)


def _name(term: str, cells: int) -> str:
    text = one_line(term)
    return text[: cells - 1] + "…" if len(text) > cells else f"{text:<{cells}}"


def _trust(explained: Explained, width: int) -> list[Content]:
    """Return the row's tier and where its signal stands between the cuts of this library."""
    hit, facts = explained.hit, explained.hit.explanation
    tier = (f"{SIGNS[hit.tier]} {hit.tier}", TIER_STYLES[hit.tier])
    lines = [Content.assemble(_label("trust"), tier)]
    if facts.cut_strong <= facts.cut_likely or facts.cut_strong <= 0:
        return [*lines, Content.assemble(" " * LABEL_CELLS, ("this library has not been measured yet", QUIET))]
    cosine, covered = adding_up([facts.cosine, facts.signal - facts.cosine], facts.signal, 3)
    signal = Content.assemble(("signal ", QUIET), figure(facts.signal), (" = cosine ", QUIET), cosine)
    signal = Content.assemble(signal, (" + coverage ", QUIET), covered) if facts.coverage else signal
    indent = " " * LABEL_CELLS
    cells = min(SCALE_CELLS, max(12, width - LABEL_CELLS - 4))
    scale = [Content.assemble(indent, part) for part in _scale(facts.signal, facts.cut_likely, facts.cut_strong, cells)]
    cuts = f"likely from {figure(facts.cut_likely)}, strong from {figure(facts.cut_strong)}"
    return [*lines, *_labelled("", signal, width), *scale, Content.assemble(indent, (cuts, QUIET))]


def _scale(signal: float, likely: float, strong: float, cells: int) -> tuple[Content, Content]:
    """Draw the cuts on a line from nothing to half above `strong`, and the signal as a pointer under it."""
    end = max(strong * 1.5, signal, 1e-9)
    places = (round(value / end * (cells - 1)) for value in (likely, strong, signal))
    first, second, here = (min(cells - 1, max(0, place)) for place in places)
    second = max(second, first + 1)
    line = Content.assemble(
        ("─" * first + "┼", FAINT), ("─" * (second - first - 1) + "┼", QUIET), ("━" * (cells - second - 1), BRIGHT)
    )
    return line, Content.assemble(" " * here, ("▲", ACCENT))


def _places(explained: Explained) -> list[Content]:
    """Return where this row would stand with one leg alone, and where it came to stand."""
    facts = explained.hit.explanation
    rows = [
        ("with meaning alone", facts.rank_by_meaning),
        ("with words alone", facts.rank_by_words),
        ("fused", facts.rank_fused),
        ("in this list", facts.rank_final),
    ]
    label = [_label("place")] + [(" " * LABEL_CELLS, "")] * (len(rows) - 1)
    return [
        Content.assemble(start, (f"{name:<20}", QUIET), f"{rank if rank is not None else NONE:>4}")
        for start, (name, rank) in zip(label, rows, strict=True)
    ]


def _setting(explained: Explained, width: int) -> Sequence[Content]:
    """Return model, fusion and the reason of the weights, and what was folded into this row."""
    hit, result = explained.hit, explained.result
    parts = [f"model {result.model}", f"fusion {result.fusion}", result.weights.reason]
    if hit.more_in_document:
        parts.append(f"{counted(len(hit.more_in_document), 'more passage')} of this note among the candidates")
    if hit.duplicates:
        parts.append(f"{counted(len(hit.duplicates), 'near-duplicate')} in other notes folded in")
    return wrapped(Content.styled(one_line(" · ".join(part for part in parts if part)), QUIET), width, Content())
