"""Questions on many subjects with short passages, written for Carrel: whether a tuned model still knows the rest.

A model that learns one person's library may forget everything else. Each subject has three passages that lie close to
each other, and questions that one of them answers; all passages together are what is searched, by meaning alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.embedding.encoder import Encoder
from engine.evaluation.metrics import ndcg

FILE = "general.txt"


@dataclass(frozen=True, slots=True)
class Probe:
    """The passages, and the questions, each with the place of the passage that answers it."""

    passages: tuple[str, ...]
    questions: tuple[tuple[str, int], ...]


@cache
def general() -> Probe:
    """Read the shipped probe: lines "- passage" and, below those of a subject, "? number: question"."""
    passages: list[str] = []
    questions: list[tuple[str, int]] = []
    first = 0
    for line in (Path(__file__).parent / FILE).read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            first = len(passages)
        elif line.startswith("- "):
            passages.append(line[2:])
        elif line.startswith("? "):
            number, _, text = line[2:].partition(": ")
            questions.append((text, first + int(number) - 1))
    return Probe(tuple(passages), tuple(questions))


def score(encoder: Encoder) -> list[float]:
    """Return the NDCG@10 of each question under a model, by its vectors alone."""
    probe = general()
    prefix = encoder.manifest.passage_prefix
    passages = encoder.encode_passages([prefix + text for text in probe.passages])
    cosines = encoder.encode_queries([text for text, _ in probe.questions]) @ passages.T
    return [
        ndcg([str(place) for place in (-row).argsort(kind="stable")[:10].tolist()], {str(answer): 1})
        for row, (_, answer) in zip(cosines, probe.questions, strict=True)
    ]
