"""Subtitles: what is said, on the lines where it stands in the file; numbers, times and styles are left blank.

So a passage's line leads to the cue and its time, and neither is found when a person searches for a number.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from engine.records import Block, BlockKind, Document
from engine.sources.readers.source_file import Source
from engine.sources.readers.text import Lines

PAUSE_SECONDS = 2.5  # of silence part two paragraphs
LONG_PARAGRAPH = 600  # code points: talk without a pause is parted there, after a sentence
_CLOCK = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>|<\d[\d:.]*>|\{\\[^{}\n]{0,200}\}")
_VOICE = re.compile(r"<v(?:\.[\w.]*)?\s+([^<>\n]{1,100})>")
_ASIDE = re.compile(r"(NOTE|STYLE|REGION|WEBVTT)(?![^ \t])[ \t]{0,99}(?:-[ \t])?")
_WORD = re.compile(r"[^\W\d_]{3}")
_KEY = re.compile(r"[0-9a-fA-F-]{16,200}(?:/[\d-]{1,20})?")
_ENDS_SENTENCE = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")


@dataclass(slots=True)
class _Cue:
    """The lines `first` up to, but not with, `after` that are said from one second to another."""

    first: int
    after: int
    begins: float
    ends: float
    kind: BlockKind = "paragraph"  # or "meta": the head of the file, or a note


def read(source: Source) -> Document:
    """Read SubRip (.srt) or WebVTT (.vtt)."""
    written = source.text().split("\n")
    spoken = [""] * len(written)
    cues = _cues(written)
    for cue in cues:
        for number in range(cue.first, cue.after):
            line = _ASIDE.sub("", written[number]) if cue.kind == "meta" else written[number]
            if not _TIMING.match(line):  # below the name of a cue
                words = html.unescape(_TAG.sub("", _VOICE.sub(r"\1: ", line)))
                spoken[number] = " ".join(words.split())
    lines = Lines("\n".join(spoken))
    end = int(max((cue.ends for cue in cues), default=0))
    timed = any(cue.kind == "paragraph" for cue in cues)
    metadata = {"length": f"{end // 3600}:{end // 60 % 60:02}:{end % 60:02}"} if timed else {}
    return source.document("subtitles", lines.text, _paragraphs(lines, cues), "", metadata=metadata)


def _cues(written: list[str]) -> list[_Cue]:
    """Find what is said; text that stands under no time, in a file that has none, is one long cue."""
    cues: list[_Cue] = []
    is_web = written[0].startswith("WEBVTT")
    inside = silent = False  # a block that says something, or one that holds styles
    for number, line in enumerate(written):
        if timing := _TIMING.match(line):
            _drop_number(cues, written, number)
            clock = timing.groups()
            named = is_web and _has_name(written, number)
            cues.append(_Cue(number - 1 if named else number + 1, number + 1, _seconds(clock[:4]), _seconds(clock[4:])))
            inside, silent = True, False
        elif not line.strip():
            inside = silent = False
        elif is_web and not inside and not silent and (aside := _ASIDE.match(line)):
            if aside[1] in ("NOTE", "WEBVTT"):
                now = cues[-1].ends if cues else 0.0
                cues.append(_Cue(number, number + 1, now, now, "meta"))
            inside, silent = aside[1] == "NOTE", aside[1] != "NOTE"
        elif cues and not silent and (inside or not _heads_cue(written, number)):
            cues[-1].after = number + 1  # below a blank line too, as some are written
            inside = True
    return cues or [_Cue(0, len(written), 0.0, 0.0)]


def _heads_cue(written: list[str], number: int) -> bool:
    """Whether a line is the number of the cue whose time stands below it, or its name."""
    return number + 1 < len(written) and _TIMING.match(written[number + 1]) is not None


def _has_name(written: list[str], number: int) -> bool:
    """Whether above a time stands a name that has words; many programs write a number there, or a key."""
    name = written[number - 1].strip() if number else ""
    stands_alone = number < 2 or not written[number - 2].strip()
    return stands_alone and _WORD.search(name) is not None and _KEY.fullmatch(name) is None


def _drop_number(cues: list[_Cue], written: list[str], number: int) -> None:
    """Take the number of the cue whose time is on this line from the cue before, where no blank line parts the two.

    Where every second line is blank, the number stands between two of them.
    """
    if not cues:
        return
    at, last = number - 1, cues[-1]
    while at > last.first and not written[at].strip():
        at -= 1
    is_apart = at == number - 1 or (at > last.first and not written[at - 1].strip())
    if is_apart and last.first <= at < last.after and written[at].strip().isdigit():
        last.after = at


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
            blocks[-1] = Block(cue.kind, blocks[-1].start, end)
        else:
            blocks.append(Block(cue.kind, start, end))
        before = cue
    return blocks


def _parts(lines: Lines, block: Block, before: _Cue, cue: _Cue) -> bool:
    if "meta" in (cue.kind, before.kind):
        return True
    if cue.begins - before.ends >= PAUSE_SECONDS or cue.begins < before.begins:
        return True
    last = lines.text[max(block.start, block.end - 20) : block.end]
    return block.end - block.start >= LONG_PARAGRAPH and _ENDS_SENTENCE.search(last) is not None
