"""A long storm: several processes change files, the indexer is killed again and again, and in the end nothing differs.

    python -m tests.faults.soak [--minutes 30] [--seed 1] [--fake] [--writers 3] [--keep]

Writers do random things to three folders, and swap some for links that lead out of them. A person writes secrets and
forgets them again, and takes folders out and in. Two browsers search throughout; one starts and stops an indexer. No
answer may err, no text from outside may be found, and no secret may stand in a file at rest. An indexer follows it all
as `carrel watch` does, with the model that comes with Carrel (or with `--fake` without one); it is killed with SIGKILL
at random moments, and another takes over that was waiting. Every few minutes, and at the end, the writers pause, and
the library is held against one made anew: passages, texts, spans and hashes the same, vectors with a cosine of .99999,
words clean under FTS5's own check. The exit code is 1 at any difference.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
for _place in (ROOT, ROOT / "tests", ROOT / "tests" / "faults", ROOT / "tests" / "unit"):
    sys.path.insert(0, str(_place))

from browsing import browse  # noqa: E402, F401 - what a process may be, beside the functions below
from equality import differences, made_anew, read_contents, words_are_sound  # noqa: E402
from fake_encoder import FakeEncoder  # noqa: E402
from forgetting import Person, kept_words  # noqa: E402
from turmoil import OUTSIDE_WORD, Turmoil  # noqa: E402

from engine.indexer.worker import Encoders  # noqa: E402
from engine.indexing.passage_encoder import PassageEncoder  # noqa: E402
from engine.library import Library  # noqa: E402
from engine.sources.parser import Parser  # noqa: E402
from engine.store import folders, requests  # noqa: E402
from engine.store.connection import open_writer  # noqa: E402
from engine.store.lock import holder  # noqa: E402

ROUND_SECONDS = 150.0  # of writing and killing, before the library is held against a new one
SETTLING_SECONDS = 240.0  # what an indexer may take to catch up with a round on a busy machine
PACE_SECONDS = (0.0, 0.02, 0.1, 0.5)  # between two operations of a writer
LIFE_SECONDS = (0.3, 25.0)  # of an indexer, from its start to its death
FILES_AT_FIRST = 60
BROWSERS = 2
PERSON_SECONDS = (0.0, 0.5, 3.0)  # between two things that the person does
PERSON_ENDS_SECONDS = 300.0  # what the last order of a person may take
MOST_SAID = 20_000  # characters of the processes' log that are shown where one failed
MOST_FILES = 900  # above, writers remove more than they add: a round must end in bounded time


def main() -> int:
    """Run the soak, print what happened, and return the exit code."""
    options = _parse()
    base = Path(tempfile.mkdtemp(prefix="carrel-soak-"))
    os.environ["CARREL_HOME"] = str(base / "home")
    soak = Soak(base, options.seed, options.writers, fake=options.fake)
    try:
        differ = soak.run(options.minutes * 60.0)
    finally:
        soak.close()
        if not options.keep:
            shutil.rmtree(base, ignore_errors=True)
    if options.keep:
        print(f"everything is kept in {base}")
    return 1 if differ else 0


class Soak:
    """Three folders, writers, and indexers that are killed."""

    def __init__(self, base: Path, seed: int, writers: int, *, fake: bool) -> None:
        self.base, self.fake, self.writers = base, fake, writers
        self.chance = random.Random(seed)
        self.outside = base / "outside"
        self.roots = [base / name for name in ("notes", "more", "papers")]
        self.diary = base / "diary"
        for folder in (self.outside, self.diary, *self.roots):
            folder.mkdir()
        self.library = base / "home" / "library.carrel"
        with closing(open_writer(self.library, create=True)) as conn:
            for root in (self.diary, *self.roots):
                folders.add(conn, os.fsencode(root))
        start = Turmoil(self.roots, self.outside, self.chance)
        for _ in range(FILES_AT_FIRST):
            start.create()
        self.operations: Counter[str] = Counter()
        self.secrets: list[str] = []
        self.kills = self.rounds = self.accepted = 0
        self.working: list[subprocess.Popen[bytes]] = []
        self.indexers = [self._indexer(), self._indexer()]  # one works, one waits to take over
        self.browser_reports = [base / f"browser{number}.json" for number in range(BROWSERS)]
        self.browsers = [self._browser(number) for number in range(BROWSERS)]

    def run(self, seconds: float) -> int:
        """Go on for so long; return how many differences there were."""
        until = time.monotonic() + seconds
        differ = 0
        while time.monotonic() < until:
            self.rounds += 1
            self._one_round(min(ROUND_SECONDS, max(10.0, until - time.monotonic())))
            found = self._compare()
            differ += len(found)
            print("\n".join([self._line(), *found]), flush=True)
        operations = self.operations + self._browsed()
        print(f"operations: {json.dumps(dict(sorted(operations.items())))}")
        print(f"{self._line()}; {differ} differences", flush=True)
        return differ

    def close(self) -> None:
        """End everything that was started."""
        for browser in self.browsers:
            browser.terminate()  # it takes its indexer with it
        for browser in self.browsers:
            with suppress(subprocess.TimeoutExpired):
                browser.wait(10.0)
        for process in (*self.working, *self.indexers, *self.browsers):
            _kill(process)

    # --- a round ----------------------------------------------------------------------------------------------------

    def _one_round(self, seconds: float) -> None:
        reports = [self.base / f"writer{self.rounds}-{number}.json" for number in range(self.writers)]
        person = self.base / f"person{self.rounds}.json"
        self.working = [*(self._writer(seconds, report) for report in reports), self._person(seconds, person)]
        next_death = time.monotonic() + self.chance.uniform(*LIFE_SECONDS)
        while any(process.poll() is None for process in self.working):
            if time.monotonic() >= next_death:
                self._kill_one()
                next_death = time.monotonic() + self.chance.uniform(*LIFE_SECONDS)
            time.sleep(0.05)
        for process, report in zip(self.working, (*reports, person), strict=True):
            if process.returncode:
                said = (self.base / "processes.log").read_text(errors="replace")[-MOST_SAID:]
                raise RuntimeError(f"what was to write {report.name} failed with {process.returncode}:\n{said}")
            told = json.loads(report.read_text())
            self.secrets += told.pop("secrets", [])
            self.operations.update(told)

    def _kill_one(self) -> None:
        """Kill the indexer that holds the lock, if one does by now, else any; start another in its place."""
        held = holder(self.library)
        working = [process for process in self.indexers if held is not None and process.pid == held.pid]
        if held is not None and not working and held.task == "watching" and self.chance.random() < 0.5:
            with suppress(ProcessLookupError):
                os.kill(held.pid, signal.SIGKILL)  # that of a browser, which starts another
            self.kills += 1
            return
        victim = self.chance.choice(working or self.indexers)
        _kill(victim)
        self.kills += 1
        self.indexers[self.indexers.index(victim)] = self._indexer()

    def _compare(self) -> list[str]:
        """Wait until the library is as a new one, and return how it differs if it never is."""
        with closing(open_writer(self.library)) as conn:
            file = self.base / "home" / f"fresh{self.rounds}.carrel"
            fresh = made_anew(file, (self.diary, *self.roots), self._encoder, Parser)
            until = time.monotonic() + SETTLING_SECONDS
            asked = 0.0
            while (found := differences(read_contents(self.library), fresh)) and time.monotonic() < until:
                if time.monotonic() >= asked + 10.0 and any(each.held for each in folders.every(conn)):
                    requests.file(conn, "accept_removals")  # writers do empty folders, and a person would say so
                    self.accepted += 1
                    asked = time.monotonic()
                time.sleep(0.5)
            number = requests.file(conn, "sync")
            while time.monotonic() < until + SETTLING_SECONDS:
                state = requests.state(conn, number)
                if state is not None and state.done:
                    break
                time.sleep(0.1)
            else:
                return [*found, "the indexer did not answer"]
            outcome = state.outcome or {}
            left = {name: outcome.get(name) for name in ("added", "updated", "moved", "removed") if outcome.get(name)}
            found += [f"a sync found what the watcher had not told of: {left}"] if left else []
            found += differences(read_contents(self.library), fresh)
            words_are_sound(conn)
        for each in file.parent.glob(f"{file.name}*"):
            each.unlink()
        return [*found, *kept_words(self.library, {OUTSIDE_WORD, *self.secrets}), *self._browser_faults()]

    def _browser_faults(self) -> list[str]:
        """Return what went wrong in a browser; it is told at each round's end again."""
        faults = [fault for report in self._reports() for fault in report["faults"]]
        ended = [process.returncode for process in self.browsers if process.poll() is not None]
        return faults + [f"a browser ended with {code}" for code in ended]

    def _browsed(self) -> Counter[str]:
        return sum((Counter(report["done"]) for report in self._reports()), Counter())

    def _reports(self) -> list[dict[str, Any]]:
        return [json.loads(report.read_text()) for report in self.browser_reports if report.exists()]

    def _line(self) -> str:
        done = sum(self.operations.values())
        documents = len(read_contents(self.library).documents)
        searched = sum(self._browsed().values())
        return (
            f"round {self.rounds}: {done:,} operations, {searched:,} of the browsers, {self.kills} kills, "
            f"{len(self.secrets):,} secrets forgotten, {self.accepted} removals accepted, {documents:,} documents"
        )

    # --- processes --------------------------------------------------------------------------------------------------

    def _encoder(self) -> PassageEncoder:
        return FakeEncoder() if self.fake else Encoders()(None)

    def _indexer(self) -> subprocess.Popen[bytes]:
        """Start `carrel watch` on the library: it works, or follows the one that does and waits."""
        return self._started("watch", self.library, self._encoder_name)

    def _writer(self, seconds: float, report: Path) -> subprocess.Popen[bytes]:
        return self._started("write", self.base, self._seed(), seconds, report)

    def _person(self, seconds: float, report: Path) -> subprocess.Popen[bytes]:
        return self._started("remember", self.base, self._seed(), seconds, report, self._encoder_name)

    def _browser(self, number: int) -> subprocess.Popen[bytes]:
        starts = "starts" if number == 0 else "follows"
        report = self.browser_reports[number]
        return self._started("browse", self.library, report, self._seed(), self._encoder_name, starts)

    @property
    def _encoder_name(self) -> str:
        return "fake" if self.fake else "real"

    def _seed(self) -> int:
        return self.chance.getrandbits(32)

    def _started(self, what: str, *arguments: object) -> subprocess.Popen[bytes]:
        """Start a process that does one of the functions below; what it says goes to one log."""
        code = f"import sys; from tests.faults import soak; soak.{what}(*sys.argv[1:])"
        with (self.base / "processes.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-c", code, *map(str, arguments)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def watch(library: str, encoder: str) -> None:
    """Be an indexer until killed."""
    import threading

    from engine.indexer.worker import run_foreground

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    os.nice(5)
    run_foreground(Path(library), lambda event: None, stop, (lambda name: FakeEncoder()) if encoder == "fake" else None)


def write(base: str, seed: str, seconds: str, report: str) -> None:
    """Be a writer for so long, and leave what was done as JSON in `report`."""
    chance = random.Random(int(seed))
    roots = [Path(base) / name for name in ("notes", "more", "papers")]
    turmoil = Turmoil(roots, Path(base) / "outside", chance)
    turmoil.leave_out(turmoil.keep_size_and_time)  # while no indexer lives, nothing tells of such a change
    until = time.monotonic() + float(seconds)
    pace = chance.choice(PACE_SECONDS)
    while time.monotonic() < until:
        turmoil.happen()
        if chance.random() < 0.02:
            pace = chance.choice(PACE_SECONDS)
            while sum(len(names) for root in roots for _, _, names in os.walk(root)) > MOST_FILES:
                with suppress(OSError):
                    turmoil.remove()
        time.sleep(pace)
    Path(report).write_text(json.dumps(turmoil.done))


def remember(base: str, seed: str, seconds: str, report: str, encoder: str) -> None:
    """Be a person for so long, and leave as JSON in `report` what was done and what was forgotten."""
    place, chance = Path(base), random.Random(int(seed))
    roots = [place / name for name in ("notes", "more", "papers")]
    until = time.monotonic() + float(seconds)
    signal.alarm(int(float(seconds) + PERSON_ENDS_SECONDS))
    with Library.open(
        place / "home" / "library.carrel", encoder=FakeEncoder() if encoder == "fake" else None
    ) as library:
        person = Person(library, place / "diary", roots, chance)
        while time.monotonic() < until:
            person.happen()
            time.sleep(chance.choice(PERSON_SECONDS))
        person.forget_all()
    Path(report).write_text(json.dumps({**person.done, "secrets": person.secrets}))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and nothing that it has started: those must see for themselves that it has gone."""
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--writers", type=int, default=3, help="processes that change files")
    encoder = parser.add_mutually_exclusive_group()
    encoder.add_argument("--fake", action="store_true", help="use the encoder without a model")
    encoder.add_argument("--real-encoder", dest="fake", action="store_false", help="use the model (the default)")
    parser.add_argument("--keep", action="store_true", help="keep the folders and the library")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
