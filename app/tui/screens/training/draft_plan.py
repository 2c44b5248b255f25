"""The plan of a run as a person puts it together: what is taken, how it is trained, how much. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.tui.training_port import QuerySource, Recipe, RunPlan

BUDGETS = (1_000, 2_500, 5_000, 10_000, 30_000, 60_000)  # triples; 60,000 is the published recipe's
DEFAULT_BUDGET = 10_000


@dataclass(frozen=True, slots=True)
class Planning:
    """What there is to choose from, and what is chosen."""

    sources: tuple[QuerySource, ...] = ()
    recipes: tuple[Recipe, ...] = ()
    taken: frozenset[str] = frozenset()
    recipe: str = ""
    budget: int = DEFAULT_BUDGET
    review: bool = False  # whether the run waits until its examples were looked at

    @property
    def plan(self) -> RunPlan:
        """The plan as a run takes it."""
        kept = [source for source in self.sources if source.name in self.taken and self.count_of(source)]
        given = tuple((source.name, source.given) for source in kept if source.given)
        return RunPlan(tuple(source.name for source in kept), self.recipe, self.budget, given, self.review)

    @property
    def queries(self) -> int:
        """How many queries the taken sources give."""
        return sum(self.count_of(source) for source in self.sources if source.name in self.taken)

    @property
    def trains(self) -> bool:
        """Whether a model learns, by the recipe that is picked."""
        return next((recipe.trains for recipe in self.recipes if recipe.name == self.recipe), True)

    def count_of(self, source: QuerySource) -> int:
        """Return how many questions of a source the recipe that is picked learns from."""
        return source.queries if self.trains else source.labelled

    @property
    def fault(self) -> str:
        """Why the plan cannot begin, "" where it can."""
        if not self.taken:
            return "Take at least one source of questions."
        if self.queries:
            return ""
        few = "What is taken gives no question to learn from."
        return few if self.trains else "Nobody said what answers these: mark results, or name a file of questions."

    def offered(self, sources: Sequence[QuerySource], recipes: Sequence[Recipe]) -> Planning:
        """Return the plan for other sources and recipes; what was chosen stays chosen where it still is there."""
        known = {source.name: source for source in self.sources}
        sources = [known[each.name] if each.asks and each.name in known else each for each in sources]
        taken = {source.name for source in sources if source.name in self.taken}
        taken |= {each.name for each in sources if each.name not in known and each.taken and each.queries}
        names = [recipe.name for recipe in recipes]
        recipe = self.recipe if self.recipe in names else (names[0] if names else "")
        return replace(self, sources=tuple(sources), recipes=tuple(recipes), taken=frozenset(taken), recipe=recipe)

    def toggled(self, source: str) -> Planning:
        """Return the plan with a source taken, or left out."""
        return replace(self, taken=self.taken ^ {source})

    def with_source(self, source: QuerySource) -> Planning:
        """Return the plan with a source in place of the one of its name, and taken."""
        sources = tuple(source if each.name == source.name else each for each in self.sources)
        return replace(self, sources=sources, taken=self.taken | {source.name})

    def with_recipe(self, recipe: str) -> Planning:
        """Return the plan with another recipe."""
        return replace(self, recipe=recipe)

    def stepped(self, by: int) -> Planning:
        """Return the plan with the next greater or smaller budget."""
        nearest = min(range(len(BUDGETS)), key=lambda place: abs(BUDGETS[place] - self.budget))
        return replace(self, budget=BUDGETS[max(0, min(nearest + by, len(BUDGETS) - 1))])
