"""Mutated real documents, read as the indexer reads them: `python -m tests.faults.fuzz --files 2000 --seed 42`.

Each is a document of CARREL_DATA with bits flipped, cut short, or spliced with another; of ZIP files also a member is
mutated and packed anew, so that what lies behind the checksums is reached. Into others a long run is put: of blanks,
brackets, headings, escapes or openings that nothing closes, alone, nested, or as a huge header. What is read is cut,
too, with the tokenizer of the embedded model. A fault is anything but a document or a reason within the limit, a reader
that fails for a reason that it did not foresee, and anything that the parent loses: memory, file descriptors, children.
Exit status 1 at any fault.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import sys
import tempfile
import time
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from engine.embedding import catalogue
from engine.errors import SourceError
from engine.indexing.passage_encoder import cutting
from engine.records import Cutting
from engine.sources.discovery import FoundFile, discover
from engine.sources.parser import Limits, Parser

DATA = Path(os.environ.get("CARREL_DATA", os.devnull))
LIMIT_SECONDS = 30
GRACE_SECONDS = 10  # to end a child and start the next, on a busy machine
LARGEST_SEED = 4 * 2**20  # bytes: larger documents only make the run longer
LEAKED_BYTES = 24 * 2**20  # what the parent's memory may grow by after the first tenth of the files
LONGEST_RUN = 200_000  # bytes
RUNS = (
    *("\n", " ", "\t", " \n", "\n\n  ", "\r", "\x0c", "\u200b", "\u200b\n\n", "\u3000"),  # blanks
    *("[", "[[", "](", "[](", "![", "(", "<", "{", "{{", "[a](", "<a ", "<!--", "<b>", "$$", "\\(", "{\\b "),  # nested
    *("# ", "# a\n", "#+a: ", "* a\n", "= a\n", "a\n=\n", "X-A: b\n", "a: b\n", ":a: b\n", "\\section{a}\n"),
    *("\\", "\\'", "\\u", "&", "&#", "&amp;", "%", "%20", "=?", "=?utf-8?q?=", "\x1b[", "\x9b", "\x00"),  # escapes
    *("`", "```\n", "~~~\n", "/*", "--", "\\begin{a}", "#+BEGIN_A\n", "> ", "- ", "|", "| a ", "**", "_", '"'),
)
UNFORESEEN = ("the reader failed", "the reader gave no sound answer", "the reader stopped")


@dataclass(slots=True)
class Outcome:
    """What came of a run. `faults` name the file and what went wrong with it."""

    read: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    grown: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """What this process holds: bytes of memory, file descriptors, children."""

    resident: int
    descriptors: int
    children: int

    @classmethod
    def now(cls) -> Held:
        """Look into /proc; zeros where there is none."""
        if not Path("/proc/self/statm").exists():
            return cls(0, 0, 0)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        children = sum(len(path.read_text().split()) for path in Path("/proc/self/task").glob("*/children"))
        return cls(pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir("/proc/self/fd")), children)


def seeds() -> list[Path]:
    """Return the documents that are mutated, in an order that every run has."""
    root = DATA / "documents"
    found = [item for item in discover(os.fsencode(root)) if isinstance(item, FoundFile)]
    return sorted(root / os.fsdecode(item.path) for item in found if 0 < item.size <= LARGEST_SEED)


def mutated(raw: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return `raw` damaged in one of the ways."""
    if raw.startswith(b"PK") and chance.random() < 0.6:
        try:
            return _repacked(raw, other, chance)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError):
            pass
    return _damaged(raw, other, chance)


def _damaged(raw: bytes, other: bytes, chance: random.Random) -> bytes:
    way = chance.randrange(6)
    content = bytearray(raw)
    if way == 0:
        for _ in range(chance.choice((1, 4, 32, 256))):
            if content:
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif way == 1:
        del content[chance.randrange(len(content) + 1) :]
    elif way == 2:
        start, taken = chance.randrange(len(content) + 1), chance.randrange(len(other) + 1)
        content[start : start + chance.randrange(4096)] = other[taken : taken + chance.randrange(1, 65_536)]
    elif way >= 4:
        _put_run(content, chance)
    else:
        start = chance.randrange(len(content) + 1)
        piece = bytes(content[start : start + chance.randrange(1, 4096)])
        content[start:start] = piece * chance.choice((2, 50, 500))
    return bytes(content)


def _put_run(content: bytearray, chance: random.Random) -> None:
    """Put a run of one piece into a text, mostly at the beginning of a line; as a header it is the whole of one."""
    piece = chance.choice(RUNS) + (chance.choice(RUNS) if chance.random() < 0.2 else "")
    run = piece * (chance.choice((1_000, 20_000, LONGEST_RUN)) // len(piece.encode()))
    if chance.random() < 0.2:  # closed again, inside out
        run += piece[::-1].translate(str.maketrans("[({<", "])}>")) * (len(run) // len(piece))
    surroundings = (("", ""), ("\n", "\n"), ("# ", "\n"), ("---\n", "\n---\n"), ("X-A: ", "\n"), ("[", "]"))
    before, after = chance.choice(surroundings)
    start = content.rfind(b"\n", 0, chance.randrange(len(content) + 1)) + 1 if chance.random() < 0.8 else 0
    content[start:start] = (before + run + after).encode()


def _repacked(raw: bytes, other: bytes, chance: random.Random) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as before, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as after:
        names = before.namelist()
        written = [name for name in names if name.endswith((".xml", ".rels", ".opf", ".ncx", ".xhtml", ".html"))]
        chosen = chance.choice(written or names)
        for name in names:
            content = before.read(name)
            after.writestr(name, _damaged(content, other, chance) if name == chosen else content)
    return buffer.getvalue()


def run(files: int, seed: int, folder: Path, keep: Path | None = None) -> Outcome:
    """Read so many mutated files below `folder`; those at fault are copied to `keep`."""
    chance = random.Random(seed)
    originals = seeds()
    outcome = Outcome()
    how = cutting(catalogue.load(catalogue.EMBEDDED))
    others = Held.now().children
    settled: Held | None = None
    with Parser(Limits(seconds=LIMIT_SECONDS)) as parser:
        for number in range(files):
            original, other = chance.choice(originals), chance.choice(originals)
            path = folder / f"{number}{original.suffix}"
            path.write_bytes(mutated(original.read_bytes(), other.read_bytes()[:65_536], chance))
            faults = len(outcome.faults)
            _read(parser, path, how, f"{number} ({original.name})", outcome)
            if keep is not None and len(outcome.faults) > faults:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / path.name).write_bytes(path.read_bytes())
            path.unlink()
            if number == files // 10:
                settled = Held.now()
        _compare(settled, Held.now(), others, outcome)
    if Held.now().children > others:
        outcome.faults.append("a child outlived its parser")
    return outcome


def _read(parser: Parser, path: Path, how: Cutting | None, name: str, outcome: Outcome) -> None:
    began = time.monotonic()
    try:
        parser.read(os.fsencode(path), None, how)
        outcome.read += 1
    except SourceError as error:
        outcome.refused[error.reason] += 1
        if error.reason.startswith(UNFORESEEN):
            outcome.faults.append(f"{name}: {error.reason}")
    except Exception as error:
        outcome.faults.append(f"{name}: {type(error).__name__}: {error}")
    took = time.monotonic() - began
    outcome.slowest = max(outcome.slowest, (took, name))
    if took > LIMIT_SECONDS + GRACE_SECONDS:
        outcome.faults.append(f"{name}: took {took:.0f} s")


def _compare(before: Held | None, after: Held, others: int, outcome: Outcome) -> None:
    if before is None:
        return
    outcome.grown = after.resident - before.resident
    if outcome.grown > LEAKED_BYTES:
        outcome.faults.append(f"the parent's memory grew by {outcome.grown / 2**20:.0f} MB")
    if after.descriptors > before.descriptors + 2:  # the two pipes of a child that was not there before
        outcome.faults.append(f"file descriptors grew from {before.descriptors} to {after.descriptors}")
    if after.children > others + 1:
        outcome.faults.append(f"{after.children - others} children are there, where one reads")


def main() -> int:
    """Run as the arguments say, tell what came of it, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.fuzz", description="Read mutated real documents.")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--keep", type=Path, help="a folder for the files that were at fault")
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="carrel-fuzz-") as folder:
        outcome = run(arguments.files, arguments.seed, Path(folder), arguments.keep)
    for reason, count in outcome.refused.most_common():
        print(f"{count:6}  {reason}")
    print(f"{outcome.read:6}  read")
    seconds, name = outcome.slowest
    print(f"slowest {seconds:.1f} s: {name}; memory grew by {outcome.grown / 2**20:.1f} MB")
    took = time.monotonic() - began
    print(f"{arguments.files} files, seed {arguments.seed}, {took:.0f} s, {len(outcome.faults)} faults")
    for fault in outcome.faults:
        print(f"FAULT {fault}", file=sys.stderr)
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
