"""Whether every word of real files is found: each asked for by words alone, against readers that are not Carrel's.

    python -m tests.bench.word_audit DIR [--words 20] [--files N] [--seed 1] [--json]

Of each file below DIR that `independent_words` can read, so many different words are drawn, and each is asked for with
a filter for that file. A word counts as found where the file is listed. Each that is missing is listed with what
`carrel why` says of it; so are the files that Carrel says it does not read, and those that the other reader cannot
read. Files are copied and indexed a few hundred at a time, for a filter by path looks at each document. Exit code 1
below 99.5 %.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
for _place in (ROOT, ROOT / "tests", ROOT / "tests" / "bench"):
    sys.path.insert(0, str(_place))

from fake_encoder import FakeEncoder  # noqa: E402
from independent_words import READERS, words  # noqa: E402
from machine import heading, machine  # noqa: E402

from engine.library import Library  # noqa: E402
from engine.records import SearchSettings  # noqa: E402

WANTED = 0.995  # of all words asked for
FILES_AT_ONCE = 250
ROWS = 10
BY_WORDS = SearchSettings(fusion="keyword", group=True, collapse=0.0, memory=False)
SHOWN = 60  # missing words in the table; --json lists all


@dataclass(frozen=True)
class Missing:
    """A word that the other reader gives and the library does not find in its file."""

    file: str
    word: str
    reason: str


@dataclass
class Report:
    """What was asked for and found, by ending; `untold` counts files that the other reader could not read."""

    asked: Counter[str]
    found: Counter[str]
    missing: list[Missing]
    not_read: dict[str, str]
    untold: Counter[str]

    def share(self) -> float:
        """Return the share of the words that were found."""
        return self.found.total() / max(self.asked.total(), 1)


def main() -> int:
    """Audit a folder and print what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--words", type=int, default=20, help="words drawn from a file; 0: all")
    parser.add_argument("--files", type=int, default=0, help="files drawn; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if not chosen.folder.is_dir():
        parser.error(f"{chosen.folder} is no folder")
    report = audit(chosen.folder, chosen.words, chosen.files, chosen.seed)
    named = machine()
    print(json.dumps({"machine": named, **as_dict(report)}, indent=1) if chosen.json else table(named, report))
    return int(report.share() < WANTED)


def audit(folder: Path, count: int, files: int, seed: int) -> Report:
    """Ask for `count` words of each of `files` files below a folder; 0 means all."""
    readable = sorted(path for path in folder.rglob("*") if path.suffix.lower() in READERS and path.is_file())
    random.Random(seed).shuffle(readable)
    report = Report(Counter(), Counter(), [], {}, Counter())
    for batch in _batches(readable[: files or None]):
        with tempfile.TemporaryDirectory(prefix="carrel-audit-") as base:
            _audit_batch(Path(base), folder, batch, count, seed, report)
    return report


def _batches(files: Sequence[Path]) -> Iterator[Sequence[Path]]:
    for start in range(0, len(files), FILES_AT_ONCE):
        yield files[start : start + FILES_AT_ONCE]


def _audit_batch(base: Path, folder: Path, batch: Sequence[Path], count: int, seed: int, report: Report) -> None:
    notes = base / "files"
    for path in batch:
        copy = notes / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    with Library.open(base / "library.carrel", create=True, encoder=FakeEncoder()) as library:  # type: ignore[arg-type]
        library.add(notes)
        library.sync()
        failed = {os.fsdecode(each.path): each.reason for each in library.failures()}
        for path in batch:
            copy, name = notes / path.relative_to(folder), str(path.relative_to(folder))
            if str(copy) in failed or library.document(os.fsencode(copy)) is None:
                report.not_read[name] = failed.get(str(copy)) or _reason(library, "any", copy)
            else:
                _audit_file(library, copy, name, count, seed, report)


def _audit_file(library: Library, copy: Path, name: str, count: int, seed: int, report: Report) -> None:
    ending = copy.suffix.lower()
    try:
        held = words(copy)
    except Exception:  # another's reader may fail in any way on files broken on purpose
        report.untold[ending] += 1
        return
    if count and len(held) > count:
        held = random.Random(f"{seed} {name}").sample(held, count)
    for word in held:
        report.asked[ending] += 1
        query = f'{word} path:"{copy}"'
        if any(hit.path == os.fsencode(copy) for hit in library.search(query, limit=ROWS, settings=BY_WORDS).hits):
            report.found[ending] += 1
        else:
            report.missing.append(Missing(name, word, _reason(library, word, copy)))


def _reason(library: Library, word: str, copy: Path) -> str:
    told = library.why(word, copy, settings=BY_WORDS)
    indexed = next((each.detail for each in told.stages if each.stage == "indexed" and each.passed), "")
    if f"“{word}” stands" in indexed:
        return indexed.partition("; ")[2]
    lost = [each for each in told.stages if not each.passed and each.stage != "vector"]
    stage = lost[0] if lost else None
    return f"{stage.stage}: {stage.detail}; needed: {stage.needed}" if stage else "listed without the filter"


def as_dict(report: Report) -> dict[str, Any]:
    """Return the report as JSON has it."""
    return {
        "asked": report.asked.total(),
        "found": report.found.total(),
        "share": report.share(),
        "by_ending": {end: {"asked": n, "found": report.found[end]} for end, n in report.asked.most_common()},
        "missing": [asdict(each) for each in report.missing],
        "not_read": report.not_read,
        "unreadable_for_the_other_reader": dict(report.untold),
    }


def table(named: dict[str, Any], report: Report) -> str:
    """Return the figures as a person reads them."""
    lines = [heading(named), "", f"{'ending':10} {'asked':>8} {'found':>8} {'share':>8}"]
    for ending, asked in report.asked.most_common():
        lines.append(f"{ending:10} {asked:8,} {report.found[ending]:8,} {report.found[ending] / asked:8.2%}")
    lines += [f"{'all':10} {report.asked.total():8,} {report.found.total():8,} {report.share():8.2%}", ""]
    for missing in report.missing[:SHOWN]:
        lines.append(f"{missing.word:24} {missing.file}\n{'':24} {missing.reason}")
    if len(report.missing) > SHOWN:
        lines.append(f"and {len(report.missing) - SHOWN:,} more")
    lines += [f"not read: {name}: {reason}" for name, reason in report.not_read.items()]
    lines += [
        f"{count} {ending} files could not be read by the other reader" for ending, count in report.untold.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
