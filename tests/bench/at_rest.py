"""What the browser and its indexer take of a core while nobody types: `at_rest.py [--seconds 60]`.

It watches a few notes in a home of its own, waits until they are indexed, and counts the processor time of both
processes from /proc, with the terminal in focus and after it has lost it. Needs Linux. Exit status 1 above the limit.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from terminal import Terminal

LIMIT_PERCENT = 0.5
FOCUS_LOST = "\x1b[O"
SETTLING_SECONDS = 25.0  # the indexer loads its model and fits the tiers; the browser warms up
TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """Return a process and all that it has started."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    return [pid, *(each for path in children for child in path.read_text().split() for each in family(int(child)))]


def seconds_of(pid: int) -> float:
    """Return the processor time that a process has used, of user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def shares(terminal: Terminal, seconds: float) -> dict[int, float]:
    """Return how much of a core each process takes, in percent."""
    before = {pid: seconds_of(pid) for pid in family(terminal.pid)}
    terminal.rest(seconds)
    return {pid: (seconds_of(pid) - began) / seconds * 100 for pid, began in before.items()}


def main() -> int:
    """Measure, print a line for each process, and return the exit status."""
    parser = argparse.ArgumentParser(description="What the browser takes of a core at rest.")
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="carrel-rest-") as home:
        notes = Path(home) / "notes"
        notes.mkdir()
        for number in range(50):
            (notes / f"{number}.md").write_text(f"# Note {number}\n\nA heron stands in the reeds of lake {number}.\n")
        environment = {**os.environ, "CARREL_HOME": home, "TERM": "xterm-256color"}
        terminal = Terminal([sys.executable, "-P", "-m", "app.cli", str(notes)], environment)
        terminal.rest(SETTLING_SECONDS)
        print(terminal.screen.text)
        worst = 0.0
        for state, keys in (("in focus", ""), ("focus lost", FOCUS_LOST)):
            terminal.press(keys)
            taken = shares(terminal, seconds)
            for pid, share in taken.items():
                name = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")[-60:]
                print(f"{state}: {share:5.2f} % of a core  {name}")
            worst = max(worst, taken[terminal.pid])
        terminal.leave("\x11", 10.0)
    print(f"the browser: at most {worst:.2f} %, limit {LIMIT_PERCENT} %")
    return int(worst > LIMIT_PERCENT)


if __name__ == "__main__":
    raise SystemExit(main())
