"""How much of what was learnt is kept: mixtures of base and tuned model (WiSE-FT, Wortsman et al., 2022)."""

from __future__ import annotations

from collections.abc import Mapping

MIXTURES = (0.25, 0.5, 0.75)  # shares of the tuned model that are judged beside none of it and all of it
UNJUDGED_SHARE = 0.5  # where no development query can choose: halfway keeps most of what the base knows


def best_share(scores: Mapping[float, float]) -> float:
    """Return the share that scored best; of equal ones the least, which leaves most as it was."""
    return max(scores, key=lambda share: (scores[share], -share))
