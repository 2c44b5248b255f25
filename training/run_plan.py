"""The plan of a run, in plain facts that survive a crash: the sources of its queries, the recipe, the budget."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from engine.errors import UsageError

SEED = 42
DEFAULT_BUDGET = 10_000  # triples


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a run learns. `kind` "encoder" changes the weights, "adapter" a matrix behind the query encoder. "late"
    changes the weights so that late interaction keeps its scores when a passage's token vectors are pooled; "fusion" no
    model, but the constants of the fusion, and needs none of the rest.

    `batch` counts rows, each a query with its positive and up to `negatives` hard negatives; `length` counts tokens;
    the lowest `frozen` layers and the word embeddings stay as they are; `distil` weighs the divergence from the fused
    scores against the contrastive loss; `evaluations` is how often an epoch is judged on the development queries.
    """

    name: str
    kind: str
    epochs: int
    learning_rate: float
    batch: int
    negatives: int
    length: int
    frozen: int
    distil: float
    evaluations: int
    rank: int = 0

    @property
    def needs_torch(self) -> bool:
        """Whether a model learns."""
        return self.kind != "fusion"


# "published" is that of bge-small-rrf-v2 and -v4 (arXiv 2604.15484). "local" is cut for two cores: a row of four
# negatives costs five passages for four triples where the published triple costs two for one, and the lower half of the
# layers is left out of the backward pass.
RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("published", "encoder", 2, 3e-6, 64, 1, 256, 0, 0.0, 1),
        Recipe("local", "encoder", 1, 2e-5, 16, 4, 160, 3, 0.5, 2),
        Recipe("adapter", "adapter", 30, 3e-3, 64, 4, 160, 0, 1.0, 1, rank=32),
        Recipe("late", "late", 1, 1e-5, 8, 7, 160, 3, 1.0, 2),
        Recipe("fusion", "fusion", 0, 0.0, 0, 0, 0, 0, 0.0, 0),
    )
}


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: its name, whose queries and passages, the base model's name, the recipe's, and the triples at most.

    Either `library` names the person's library, or `collection` a folder in BEIR layout of which only the queries and
    judgements of `split` are opened. `judged` is a JSON Lines file of questions; `sources` are origins of queries as
    `training.query_sources` names them, in the order of their worth. `model_url` is a language model on this machine.
    With `review` the run pauses before the training, so that examples can be looked at and rejected.
    """

    name: str
    library: str = ""
    collection: str = ""
    split: str = "train"
    judged: str = ""
    sources: tuple[str, ...] = ()
    base: str = ""
    recipe: str = "local"
    budget: int = DEFAULT_BUDGET
    seed: int = SEED
    model_url: str = ""
    review: bool = False

    @property
    def how(self) -> Recipe:
        """The recipe itself. Raises UsageError where there is none of that name."""
        if self.recipe not in RECIPES:
            raise UsageError(f"There is no recipe {self.recipe}.", fix=f"Known are: {', '.join(RECIPES)}.")
        return RECIPES[self.recipe]

    def to_json(self) -> dict[str, Any]:
        """Give the plan as JSON takes it."""
        return asdict(self)

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> Plan:
        """Read what `to_json` gave; unknown keys are passed over."""
        known = {each.name: written[each.name] for each in fields(cls) if each.name in written}
        return cls(**{**known, "sources": tuple(known.get("sources", ()))})
