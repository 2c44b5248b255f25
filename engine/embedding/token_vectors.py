"""The vectors of the single tokens of a text, each with the span of the text that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TokenVectors(NamedTuple):
    """Tokens in their order, without those that the model puts around a text.

    `spans` (n, 2) are code points of the text, `vectors` (n, dimension) are of unit length.
    """

    spans: NDArray[np.int64]
    vectors: NDArray[np.float32]
