"""What a benchmark says of the machine that it ran on, and the real text that all of them read."""

from __future__ import annotations

import os
import platform
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SEED = 11


def machine() -> dict[str, Any]:
    """Name processor, cores, system, Python, commit and present load."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    model = re.search(r"model name\s*: (.+)", text)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {
        "processor": model[1] if model else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "commit": commit.stdout.strip(),
        "load": [round(each, 2) for each in os.getloadavg()],
    }


def heading(named: dict[str, Any]) -> str:
    """Return the machine as one line."""
    return f"{named['processor']}, {named['cores']} cores, load {named['load'][0]}, Python {named['python']}"


def notes() -> Path:
    """Return the real notes that CARREL_DATA names; ends the program where there are none."""
    folder = Path(os.environ.get("CARREL_DATA", "")) / "notes"
    if not os.environ.get("CARREL_DATA") or not folder.is_dir():
        sys.exit("Set CARREL_DATA to the folder that holds notes/.")
    return folder


def passages(count: int) -> list[str]:
    """Return real passages as the indexer would embed them, drawn at random with a fixed seed."""
    from engine.chunking import PassageRules, cut
    from engine.embedding import catalogue
    from engine.sources.reading import Parser

    encoder = catalogue.load()
    rules = PassageRules.from_dict(encoder.manifest.passage_rules)
    files = sorted(path for path in notes().rglob("*") if path.suffix in {".md", ".rst", ".org"} and path.is_file())
    random.Random(SEED).shuffle(files)
    found: list[str] = []
    with Parser() as parser:
        for path in files:
            document = parser.read(os.fsencode(path))
            found += [each.embedded for each in cut(document, encoder.token_starts, rules)]
            if len(found) >= count:
                break
    return found[:count]
