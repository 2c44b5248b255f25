"""What the tools answer: the figures as data and as lines to read, no longer than a client takes, notes in their fence.

A client may show a model the data or the lines, so both carry the marks, and both together keep to the limit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.mcp.fence import Fence
from app.wording.remarks import remark_said
from app.wording.safe_text import one_line
from engine.figures import figure
from engine.records import Hit, SearchResult, StoredPassage, WhyReport

Answer = dict[str, Any]
MOST_BYTES = 16_000  # of a result: some clients refuse more than 25,000 tokens, and all pay for each
MOST_REMARKS = 5
MOST_TEXT = 400  # characters of a passage
SAID = {
    "strong": "The library answers this.",
    "likely": "The library likely answers this.",
    "weak": "The library hardly answers this: weigh what is found.",
    "none": "Nothing relevant is there. The nearest passages follow, if any; they do not answer the question.",
}


def result_of(answer: Answer, lines: Sequence[str]) -> Answer:
    """Return the result of a call: data, and the same as text."""
    return {"content": [{"type": "text", "text": "\n".join(lines)}], "structuredContent": answer}


def size_of(result: Answer) -> int:
    """Return how many bytes a result takes on the line."""
    return len(json.dumps(result, ensure_ascii=False).encode(errors="replace"))


def found(
    result: SearchResult, passages: Mapping[int, StoredPassage], place: Callable[[Hit], str], fence: Fence
) -> Answer:
    """Return the rows of a search; as many of them as fit, the rest is counted."""
    rows = [_row(hit, passages.get(hit.passage_id), place(hit), fence) for hit in result.hits]
    answer: Answer = {
        "verdict": result.verdict,
        "said": SAID[result.verdict],
        "mark": fence.mark,
        "hits": rows,
        "more": max(0, result.found - len(rows)),
        "remarks": [one_line(remark_said(remark)) for remark in result.query.remarks[:MOST_REMARKS]],
    }
    while rows and size_of(result_of(answer, _found_lines(answer))) > MOST_BYTES:
        rows.pop()
        answer["more"] += 1
    return result_of(answer, _found_lines(answer))


def _row(hit: Hit, passage: StoredPassage | None, place: str, fence: Fence) -> Answer:
    text = passage.text if passage else hit.snippet
    words, meaning = hit.keyword, hit.vector
    matched = [one_line(term.term) for term in words.terms] if words else []
    return {
        "place": place,
        "title": fence.line(hit.title),
        "headings": fence.line(" › ".join(hit.headings)),
        "tier": hit.tier,
        "score": round(hit.score, 4),
        "meaning": {"rank": meaning.rank, "distance": round(meaning.distance, 4)} if meaning else None,
        "words": {"rank": words.rank, "bm25": round(words.bm25, 2), "matched": matched} if words else None,
        "text": fence.text(shortened(text, hit.snippet)),
    }


def shortened(text: str, around: str) -> str:
    """Return at most 400 characters of a text, whole words around the part that a search shows of it."""
    text = text.strip()
    if len(text) <= MOST_TEXT:
        return text
    core = around.strip("… \n")
    at = max(0, text.find(core[:40])) if core else 0
    begin = max(0, min(at - (MOST_TEXT - min(len(core), MOST_TEXT)) // 2, len(text) - MOST_TEXT))
    part = text[begin : begin + MOST_TEXT - 2]
    part = part if not begin else part.partition(" ")[2] or part
    ends = begin + MOST_TEXT - 2 >= len(text)
    part = part if ends else part.rpartition(" ")[0] or part
    return f"{'…' if begin else ''}{part}{'' if ends else '…'}"


def _found_lines(answer: Answer) -> list[str]:
    lines = [f"{answer['verdict']}: {answer['said']}", *answer["remarks"]]
    for number, row in enumerate(answer["hits"], 1):
        lines += [
            "",
            f"{number}. {row['place']}  ({_figures(row)})",
            f"{row['title']} {row['headings']}".rstrip(),
            row["text"],
        ]
    if answer["more"]:
        lines += ["", f"{answer['more']} more were found: narrow the query, or raise limit."]
    return lines


def _figures(row: Answer) -> str:
    told = [row["tier"], f"score {figure(row['score'])}"]
    if row["meaning"]:
        told.append(f"meaning rank {row['meaning']['rank'] or '-'}, distance {figure(row['meaning']['distance'])}")
    if row["words"]:
        matched = " ".join(row["words"]["matched"])
        told.append(f"words rank {row['words']['rank'] or '-'}, bm25 {row['words']['bm25']}: {matched}")
    return "; ".join(told)


def reading(answer: Answer) -> Answer:
    """Return numbered lines of a document."""
    head = [f"{answer['place']}: lines {answer['first']} to {answer['last']} of {answer['total']}"]
    outline = ["Outline:", *answer["outline"]] if answer["outline"] else []
    tail = [f"It goes on: read {answer['next']}"] if answer["next"] else []
    return result_of(answer, [*head, answer["title"], *outline, answer["text"], *tail])


def why_not(report: WhyReport, place: str, fence: Fence) -> Answer:
    """Return where a document was lost in a search."""
    stages = [
        {
            "stage": stage.stage,
            "passed": stage.passed,
            "rank": stage.rank,
            "detail": fence.line(stage.detail),
            "needed": fence.line(stage.needed) if stage.needed else "",
        }
        for stage in report.stages
    ]
    answer: Answer = {
        "place": place,
        "found": report.found,
        "rank": report.final_rank,
        "mark": fence.mark,
        "stages": stages,
        "advice": [fence.line(advice) for advice in report.advice],
    }
    head = f"{place} is {f'found, at rank {report.final_rank}' if report.found else 'not found'}."
    lines = [f"{'passed' if each['passed'] else 'lost'} {each['stage']}: {each['detail']}" for each in stages]
    return result_of(answer, [head, *lines, *answer["advice"]])
