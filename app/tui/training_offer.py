"""What there is to learn from in a library, the recipes, and what can be expected of a plan before it starts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.tui.training_port import Prospect, QuerySource, Recipe, RunPlan
from engine.paths import expanded

if TYPE_CHECKING:
    from training.library_snapshot import LibrarySnapshot
    from training.run_plan import Plan

FRESH_SECONDS = 30.0  # a count of the queries is used again for so long; counting reads the whole library
REPRODUCTION = "prefix"  # the published pseudo-queries, which harm: only the command line offers them
JUDGED, LANGUAGE_MODEL = "judged", "language model"
FUSION = "fusion"

SOURCES: Mapping[str, tuple[str, str]] = {
    "marks": (
        "marked, judged and opened",
        "Searches of yours with the results that you marked or opened, and what you judged with `carrel judge`."
        " Nothing teaches more.",
    ),
    "log": (
        "your searches, without answers",
        "The searches of the log. What meaning and words find together is the teacher; none of them can be held out.",
    ),
    "links": ("links between notes", "The words of a link ask, the note that it leads to answers."),
    "headings": ("headings", "A heading asks, the passage below it answers."),
    "titles": ("titles", "A title asks, its note answers. They teach next to nothing: the title is in the note too."),
    JUDGED: (
        "questions in a file",
        'JSON Lines, a question each: {"query": "how do I …", "relevant": ["kitchen/bread.md"]}.',
    ),
    LANGUAGE_MODEL: (
        "questions by a language model",
        "A language model on this machine makes a question of each of up to 500 passages; name its OpenAI-compatible"
        " address. Nothing leaves this machine.",
    ),
}  # title, explained
ASKS = {JUDGED: "a file: ~/questions.jsonl", LANGUAGE_MODEL: "an address: http://localhost:11434/v1"}
RECIPES: Mapping[str, tuple[str, str]] = {
    "local": (
        "local: the upper half of the model",
        "One round with four wrong answers an example and the fused score as a teacher; made for a machine without a"
        " GPU. The library is embedded anew before it is used.",
    ),
    "adapter": (
        "adapter: a small lens for questions",
        "Seconds to minutes, and no passage is embedded anew; it can do less, and can lose less.",
    ),
    "late": (
        "late: token vectors that may be pooled",
        "For late interaction (`carrel late`): it is to keep its ranking when one vector stands for up to six words.",
    ),
    FUSION: (
        "fusion: how meaning and words are joined",
        "No model is trained: the few constants of the ranking are fitted to what you marked and judged, each question"
        " left out once. Seconds, and nothing is embedded anew; it needs no PyTorch.",
    ),
    "published": (
        "published: the recipe of the paper",
        "Two rounds over up to 60,000 triples with a very low learning rate (arXiv 2604.15484): hours without a GPU.",
    ),
}


class Offer:
    """Counts the queries of a library, and remembers the counts for a while."""

    def __init__(self, library: Path) -> None:
        self._library = library
        self._counted: tuple[float, tuple[QuerySource, ...]] | None = None

    def sources(self) -> Sequence[QuerySource]:
        """Return the sources with what each would give. Raises CarrelError."""
        if self._counted is None or time.monotonic() - self._counted[0] > FRESH_SECONDS:
            self._counted = time.monotonic(), tuple(self._count())
        return self._counted[1]

    def _count(self) -> list[QuerySource]:
        from training import query_sources

        names = [
            name for name in query_sources.SOURCES if name not in query_sources.OF_COLLECTIONS and name != REPRODUCTION
        ]
        names.sort(key=lambda name: list(SOURCES).index(name) if name in SOURCES else len(SOURCES))
        snapshot = self._snapshot()
        found = []
        for name in names:
            title, explained = SOURCES.get(name, (name, ""))
            queries = [] if name in ASKS else list(query_sources.SOURCES[name](snapshot))
            taken, labelled = name in query_sources.DEFAULT_SOURCES, sum(query.labelled for query in queries)
            judges, asks = name != "log", ASKS.get(name, "")
            found.append(
                QuerySource(name, title, len(queries), explained, taken, asks, judges=judges, labelled=labelled)
            )
        return found

    def source_with(self, source: QuerySource, given: str) -> QuerySource:
        """Return a source with what it gives once a file or an address is named. Raises CarrelError."""
        from training import language_model, query_sources

        if source.name == LANGUAGE_MODEL:
            language_model.endpoint(given)
            return replace(source, queries=language_model.MOST_PASSAGES, given=given)
        path = str(expanded(given).absolute())
        number = sum(1 for query in query_sources.SOURCES[source.name](self._snapshot(judged=path)) if query.relevant)
        return replace(source, queries=number, labelled=number, given=path)

    def _snapshot(self, judged: str = "") -> LibrarySnapshot:
        from training import library_snapshot  # with numpy and the encoder, which a browser may not have loaded yet
        from training.run_plan import Plan

        plan = Plan("", library=str(self._library), judged=judged)
        return library_snapshot.open_snapshot(plan, lambda what, done, of: None)

    def recipes(self, *, torch: bool) -> Sequence[Recipe]:
        """Return the recipes, the one for a machine like most first; without torch those that need none."""
        from training.run_plan import RECIPES as KNOWN

        names = [*(name for name in RECIPES if name in KNOWN), *(name for name in KNOWN if name not in RECIPES)]
        return [
            Recipe(name, *RECIPES.get(name, (name, "")), trains=KNOWN[name].needs_torch)
            for name in names
            if torch or not KNOWN[name].needs_torch
        ]

    def prospect(self, sources: Sequence[QuerySource], plan: RunPlan, made: Plan) -> Prospect:
        """Return what can be expected, after the gate's, the splits' and the estimate's own rules. Raises CarrelError.

        `made` is the plan as the training takes it.
        """
        from training import estimate, gate, library_snapshot, splits

        taken = [source for source in sources if source.name in plan.sources]
        if not made.how.needs_torch:
            judged = sum(source.labelled for source in taken)
            smallest = gate.smallest_gain(judged) if judged else None
            return Prospect(judged, judged, gate.NEEDED, smallest, estimate.fusion_seconds(judged))
        queries = sum(source.queries for source in taken)
        known = sum(source.queries for source in taken if source.judges)
        held_out = int(splits.held_out(known))
        smallest = gate.smallest_gain(held_out) if held_out else None
        learnt = queries - held_out - int(splits.DEVELOPMENT_SHARE * known)
        seconds = estimate.expected(made, library_snapshot.passages(made), learnt=learnt, held_out=held_out)
        return Prospect(queries, held_out, gate.NEEDED, smallest, seconds)
