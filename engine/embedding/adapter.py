"""The adapter: a matrix W = I + U V^T of low rank that moves the vectors of queries and leaves passages alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelError
from engine.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Adapter:
    """`up` and `down` have the shape (dimension, rank); a query vector q becomes q + up (down^T q), of unit length."""

    up: NDArray[np.float32]
    down: NDArray[np.float32]

    def apply(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the moved vectors, shape (n, dimension), of unit length."""
        moved = vectors + (vectors @ self.down) @ self.up.T
        length = np.linalg.norm(moved, axis=1, keepdims=True)
        scaled: NDArray[np.float32] = np.where(length > 0, moved / np.maximum(length, 1e-12), vectors)
        return scaled.astype(np.float32, copy=False)

    def after(self, first: Adapter) -> Adapter:
        """Return the adapter that does what `first` and then this one would: the product of both matrices."""
        up = np.concatenate([first.up + self.up @ (self.down.T @ first.up), self.up], axis=1)
        return Adapter(up, np.concatenate([first.down, self.down], axis=1))

    def write(self, path: Path) -> None:
        """Write the adapter to a file."""
        with path.open("wb") as stream:
            np.savez(stream, up=self.up.astype(np.float32), down=self.down.astype(np.float32))

    @classmethod
    def read(cls, path: Path) -> Adapter:
        """Read an adapter. Raises ModelError where the file is none."""
        from zipfile import BadZipFile  # 1.5 ms, and few models have an adapter

        try:
            with np.load(path, allow_pickle=False) as kept:
                up, down = kept["up"].astype(np.float32), kept["down"].astype(np.float32)
            if up.ndim == 2 and up.shape == down.shape and np.isfinite(up).all() and np.isfinite(down).all():
                return cls(up, down)
            fault = "its matrices do not fit each other"
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            fault = f"{error}"
        raise ModelError(
            f"The adapter {path} cannot be used.",
            cause=f"{fault}.",
            fix="Go back with `carrel rollback`, or promote the run again.",
        )
