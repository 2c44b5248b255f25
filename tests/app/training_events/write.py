"""Writes the event files that tests of the training screen replay: every way in which a run can go.

    python tests/app/training_events/write.py

The figures are invented in the proportions of real runs; a seed makes them the same every time.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))

from training import protocol as p  # noqa: E402

BEGAN = 1_782_999_000.0  # 2 July 2026, 13:30 UTC
ASKED = (
    ("fridge starter schedule", "Sourdough › Care: in the fridge once a week is enough, longer and it sulks",
     ("Camping stove: the electric starter must be kept dry", "The car only clicks: it was the starter motor")),
    ("tighten the lever without bleeding", "Hydraulic brakes: pads worn, so the lever comes to the bar",
     ("Bass setup: a quarter turn of the truss rod and wait a day",)),
    ("[bold]what eats the hostas[/bold]", "Slugs: beer traps fill up in one night after rain",
     ("Compost: bones and bread bring rats", "Tomatoes and blight: cut below the last brown leaf",
      "Presents: hostas for the neighbours")),
    ("wifi dead in the back bedroom", "Network: the access point upstairs loses its power after an update",
     ("Backups: the disk in the back bedroom", "Boiler pressure: bleed the radiator in the bedroom")),
    ("mirrors out of line", "Collimation: the three screws, a third of a turn each",
     ("Service log: straightened the hanger",)),
    ("loaf like a brick", "Loaves that did not rise: the flour was three years old",
     ("Boiler pressure: the valve behind the brick",)),
    ("what to carry for rain", "Tent seams: two thin coats of sealant, a day apart",
     ("Packing list: passport, adapter, pyjamas",)),
    ("notes of the low string buzz", "Bass setup: relief first, then the height of the low string",
     ("Night train: the buzz of the heater under the seat",)),
)  # fmt: skip
BETTER = "It is better on held-out queries: +.0170 NDCG@10 beyond memory, interval +.0037 to +.0303."
KINDS = ("vector blind", "keyword blind", "vector blind", "agreed")
PLACES = ("kitchen/sourdough.md", "gear/camping stove.md", "car/starter motor.md", "family/presents.md")
DROPPED = {"did not find their own passage": 377, "repeated": 25}
QUESTIONS = (
    ("why is my bread flat",
     ("Flat bread, second try", "Loaves that did not rise", "The Panasonic", "Bass setup", "Sourdough"),
     ("Loaves that did not rise", "Sourdough", "Flat bread, second try", "The Panasonic", "Starters for Dad's 70th")),
    ("gear slips under load",
     ("Camping stove", "Gears that skip", "Packing list", "Service log", "Punctures"),
     ("Gears that skip", "Service log", "Camping stove", "Punctures", "Hydraulic brakes")),
    ("heating makes a knocking noise",
     ("Boiler pressure", "Network", "Night train"), ("Boiler pressure", "Network", "Night train")),
)  # fmt: skip


@dataclass
class Recording:
    """A run that is being written: a clock, and the events so far."""

    seed: int = 42
    now: float = BEGAN
    events: list[p.TrainingEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def say(self, event: type[p.TrainingEvent], after: float = 0.0, /, **what: object) -> None:
        self.now += after
        self.events.append(event(at=round(self.now, 3), **what))  # type: ignore[arg-type]

    def begin(self, run: str, *, resumed: bool = False, recipe: str = "local") -> None:
        self.say(p.RunStarted, 1.5, run=run, pid=4711, recipe=recipe, base="all-MiniLM-L6-v2", seconds=1240.0,
                 resumed=resumed)  # fmt: skip

    def make_queries(self, judged: int = 61, opened: int = 212, test: int = 212) -> None:
        self.say(p.StageStarted, 0.2, stage="queries")
        self.say(p.QueriesMade, 0.1, origin="judged", made=judged, kept=judged, dropped={})
        self.say(p.QueriesMade, 0.4, origin="opened", made=opened, kept=opened, dropped={})
        self.say(p.QueriesMade, 9.0, origin="titles", made=1333, kept=931, dropped=DROPPED)
        kept = judged + opened + 931
        smallest = round(0.156 / math.sqrt(test), 4)
        self.say(p.SplitsMade, 1.0, train=kept - test - 98, development=98, test=test, groups=711,
                 smallest_gain=smallest)  # fmt: skip

    def mine(self, until: float = 1.0, of: int = 1204) -> None:
        self.say(p.StageStarted, 0.2, stage="mining")
        for step in range(1, 9):
            share = step / 8
            if share > until:
                return
            query, positive, negatives = ASKED[(step - 1) % len(ASKED)]
            self.say(p.Example, 3.0, number=step, query=query, positive=positive, negatives=negatives,
                     kind=KINDS[step % 4], origin="titles")  # fmt: skip
            drift = 0.03 * math.sin(step)
            self.say(p.Mined, 1.0, queries=round(of * share), of=of, triples=round(2410 * share),
                     disagreement=round(0.74 + drift, 3), vector_blind=round(0.38 + drift, 3), keyword_blind=0.36,
                     dropped={"nearly as good as the answer": round(231 * share), "same document": round(87 * share)},
                     )  # fmt: skip

    def wait_for_review(self, run: str) -> None:
        """Show examples whose passages tell where they lie and why they are there, and wait."""
        for number, (query, positive, negatives) in enumerate(ASKED, 11):
            passages = 1 + len(negatives)
            self.say(p.Example, 0.1, number=number, query=query, positive=positive, negatives=negatives,
                     kind=KINDS[number % 4], origin="links", places=PLACES[:passages],
                     meaning=(0, 1, 4, 9)[:passages], words=(1, 3, 0, 0)[:passages])  # fmt: skip
        self.say(p.ReviewAwaited, 0.1, run=run, examples=len(ASKED))
        self.say(p.Paused, 0.1)

    def train(self, gain: float, until: float = 1.0, since: int = 0, of: int = 320) -> None:
        if not since:
            self.say(p.StageStarted, 0.2, stage="training")
        for step in range(since + 1, round(of * until) + 1):
            share = step / of
            warm = min(1.0, share / 0.1)
            loss = 0.22 + 0.34 * math.exp(-3.2 * share) + self.chance.gauss(0, 0.018)
            self.say(p.Stepped, 2.1, step=step, of=of, epoch=round(2 * share, 3), loss=round(loss, 4),
                     learning_rate=2e-5 * warm * (1 - max(0.0, share - 0.1) / 0.9),
                     triples_per_second=round(14.8 + self.chance.gauss(0, 0.3), 2),
                     seconds_left=round(2.1 * (of - step), 1), memory=2_254_857_830 + step * 40_000)  # fmt: skip
            if step % (of // 4) == 0:
                self.evaluate(step, gain * min(1.0, 0.3 + share), 1.0, 0.018 * share)

    def evaluate(self, step: int, gain: float, share: float, drift: float, *, mixed: bool = False) -> None:
        difference = round(gain + self.chance.gauss(0, 0.002), 4)
        half = 0.0139
        self.say(p.Evaluated, 6.0, step=step, share=share, base=0.702, candidate=round(0.702 + difference, 4),
                 low=round(difference - half, 4), high=round(difference + half, 4), drift=round(drift, 4),
                 mixed=mixed)  # fmt: skip

    def mix(self, gain: float) -> None:
        self.say(p.StageStarted, 0.2, stage="judging")
        for share in (0.25, 0.5, 0.75):
            self.evaluate(320, gain * (0.55 + 0.7 * share), share, 0.018 * share, mixed=True)

    def judge(self, verdict: str, gain: float, queries: int, reason: str, *advice: str, alpha: float = 0.05) -> None:
        def measure(name: str, base: float, change: float, half: float) -> p.Measure:
            return p.Measure(name=name, base=base, candidate=round(base + change, 4), low=round(change - half, 4),
                             high=round(change + half, 4))  # fmt: skip

        half = 0.0133 * math.sqrt(212 / queries)
        measures = (
            measure("NDCG@10, memory on", 0.688, gain, half),
            measure("NDCG@10", 0.671, gain * 1.2, half * 1.1),
            measure("MRR@10", 0.651, gain * 0.9, half * 1.4),
            measure("recall@100", 0.934, gain * 0.3, half * 0.6),
            measure("general questions", 0.744, -0.0006, 0.0047),
        )
        self.say(p.Judged, 22.0, verdict=verdict, queries=queries, alpha=alpha,
                 smallest_gain=round(0.156 / math.sqrt(queries), 4), reason=reason, advice=advice,
                 measures=measures)  # fmt: skip
        for query, before, after in QUESTIONS:
            self.say(p.BeforeAfter, 0.1, query=query, before=before, after=after if verdict != "no gain" else before)

    def export(self, outcome: str, model: str | None) -> None:
        self.say(p.StageStarted, 0.2, stage="export")
        self.finish(outcome, model, 41.0)

    def finish(self, outcome: str, model: str | None, after: float = 0.5) -> None:
        self.say(p.Finished, after, outcome=outcome, model=model, seconds=round(self.now + after - BEGAN, 1))


def recordings() -> Iterator[tuple[str, Recording]]:
    """Yield every recording with its name."""
    for name, verdict, gain, reason, advice in (
        ("success", "gain", 0.017, BETTER, ()),
        ("no-gain", "no gain", 0.0024, "Titles as questions teach the model little that it does not know.",
         ("40 or more judged questions: `carrel judge` makes them; you have 12.",
          "Turn on the search log, and search as usual for some weeks.")),
        ("worse", "worse", -0.029, "The model has learnt your titles by heart and lost sense elsewhere.",
         ("A smaller budget, or the adapter recipe, which cannot lose what the model knows.",)),
    ):  # fmt: skip
        run = Recording()
        run.begin("tuned-4")
        run.make_queries()
        run.mine()
        run.train(gain)
        run.mix(gain)
        run.judge(verdict, gain, 212, reason, *advice)
        run.export("promotable" if verdict == "gain" else "not promotable", "tuned-4" if verdict == "gain" else None)
        yield name, run

    few = Recording(seed=7)
    few.begin("tuned-4")
    few.make_queries(judged=12, opened=40, test=64)
    few.mine()
    few.train(0.011)
    few.mix(0.011)
    few.judge("cannot judge", 0.011, 64, "A verdict needs 200 questions held out; there are 64.",
              "136 more held-out questions: judge some with `carrel judge`, or turn on the search log.")  # fmt: skip
    few.export("not promotable", "tuned-4")
    yield "cannot-judge", few

    cancelled = Recording()
    cancelled.begin("tuned-4")
    cancelled.make_queries()
    cancelled.mine(until=0.5)
    cancelled.say(p.Paused, 0.4)
    cancelled.say(p.Resumed, 30.0)
    cancelled.finish("cancelled", None)
    yield "cancel", cancelled

    reviewed = Recording()
    reviewed.begin("tuned-4")
    reviewed.make_queries()
    reviewed.mine()
    reviewed.wait_for_review("tuned-4")
    reviewed.say(p.Resumed, 600.0)
    reviewed.train(0.017)
    reviewed.mix(0.017)
    reviewed.judge("gain", 0.017, 212, BETTER)
    reviewed.export("promotable", "tuned-4")
    yield "review", reviewed

    crashed = Recording()
    crashed.begin("tuned-4")
    crashed.make_queries()
    crashed.mine()
    crashed.train(0.017, until=0.6)
    yield "crash", crashed

    resumed = Recording()
    resumed.begin("tuned-4")
    resumed.make_queries()
    resumed.mine()
    resumed.train(0.017, until=0.6)
    resumed.now += 3600
    resumed.begin("tuned-4", resumed=True)
    resumed.train(0.017, since=160)
    resumed.mix(0.017)
    resumed.judge("gain", 0.017, 212, BETTER)
    resumed.export("promotable", "tuned-4")
    yield "resume", resumed

    failed = Recording()
    failed.begin("tuned-4")
    failed.make_queries()
    failed.say(p.Failed, 3.0, message="The disk is full.", fix="Free 2 GB and let the run go on.")
    yield "failed", failed


def main() -> None:
    """Write every recording beside this file."""
    for name, run in recordings():
        path = HERE / f"{name}.jsonl"
        path.write_text("".join(p.encode(event) for event in run.events), encoding="ascii")
        print(f"{path.name}: {len(run.events)} events, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
