"""Subtitles: what is said, on the lines where it stands in the file; numbers, times and styles are left blank.

So a passage's line leads to the cue and its time, and neither is found when a person searches for a number.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from engine.records import Block, Document
from engine.sources.readers.source_file import Source
from engine.sources.readers.text import Lines

PAUSE_SECONDS = 2.5  # of silence part two paragraphs
LONG_PARAGRAPH = 600  # code points: talk without a pause is parted there, after a sentence
_CLOCK = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>|<\d[\d:.]*>|\{\\[^{}\n]{0,200}\}")
_VOICE = re.compile(r"<v(?:\.[\w.]*)?\s+([^<>\n]{1,100})>")
_ASIDE = ("NOTE", "STYLE", "REGION", "WEBVTT")
_ENDS_SENTENCE = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")


@dataclass(slots=True)
class _Cue:
    """The lines `first` up to, but not with, `after` that are said from one second to another."""

    first: int
    after: int
    begins: float
    ends: float


def read(source: Source) -> Document:
    """Read SubRip (.srt) or WebVTT (.vtt)."""
    written = source.text().split("\n")
    spoken = [""] * len(written)
    cues = _cues(written)
    for cue in cues:
        for number in range(cue.first, cue.after):
            words = html.unescape(_TAG.sub("", _VOICE.sub(r"\1: ", written[number])))
            spoken[number] = " ".join(words.split())
    lines = Lines("\n".join(spoken))
    end = int(max((cue.ends for cue in cues), default=0))
    metadata = {"length": f"{end // 3600}:{end // 60 % 60:02}:{end % 60:02}"} if cues else {}
    return source.document("subtitles", lines.text, _paragraphs(lines, cues), "", metadata=metadata)


def _cues(written: list[str]) -> list[_Cue]:
    """Find what is said; text that stands under no time, in a file that has none, is one long cue."""
    cues: list[_Cue] = []
    inside = False
    for number, line in enumerate(written):
        if timing := _TIMING.match(line):
            if inside and number - 1 >= cues[-1].first and written[number - 1].strip().isdigit():
                cues[-1].after = number - 1  # the cue's number: a blank line is missing above it
            clock = timing.groups()
            cues.append(_Cue(number + 1, number + 1, _seconds(clock[:4]), _seconds(clock[4:])))
            inside = True
        elif not line.strip():
            inside = False
        elif inside:
            cues[-1].after = number + 1
    if not cues and not (written and written[0].startswith(_ASIDE)):
        return [_Cue(0, len(written), 0.0, 0.0)]
    return cues


def _seconds(clock: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = clock
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + float(f"0.{fraction or 0}")


def _paragraphs(lines: Lines, cues: list[_Cue]) -> list[Block]:
    """Join cues into paragraphs, parted where nobody speaks for a while, or after a sentence where it gets long."""
    blocks: list[Block] = []
    before: _Cue | None = None
    for cue in cues:
        first = next((number for number in range(cue.first, cue.after) if lines.texts[number]), None)
        if first is None:
            continue
        start, end = lines.span(first, cue.after)
        if before is not None and not _parts(lines, blocks[-1], before, cue):
            blocks[-1] = Block("paragraph", blocks[-1].start, end)
        else:
            blocks.append(Block("paragraph", start, end))
        before = cue
    return blocks


def _parts(lines: Lines, block: Block, before: _Cue, cue: _Cue) -> bool:
    if cue.begins - before.ends >= PAUSE_SECONDS or cue.begins < before.begins:
        return True
    last = lines.text[max(block.start, block.end - 20) : block.end]
    return block.end - block.start >= LONG_PARAGRAPH and _ENDS_SENTENCE.search(last) is not None
