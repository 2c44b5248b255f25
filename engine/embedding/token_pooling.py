"""Pools the token vectors of a passage to fewer, by clusters of tokens that are alike, and keeps them as bytes.

Hierarchical clustering by Ward's criterion is the best for a model that was not trained for it (Clavié et al., 2024);
k-means is what pooling-aware training pools by. Both give the same answer each time.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Method = Literal["ward", "kmeans"]
METHODS: tuple[Method, ...] = ("ward", "kmeans")
LEAST_FACTOR, MOST_FACTOR = 1, 6
ROUNDS = 8  # of k-means; the clusters of a passage's hundred tokens have settled by then

Floats = NDArray[np.float32]


class Codes(NamedTuple):
    """Vectors around their mean: `codes` (n, dimension) int8 x `scale` + `mean` (dimension,)."""

    codes: NDArray[np.int8]
    scale: float
    mean: NDArray[np.float16]


def pool(vectors: Floats, factor: int, method: Method) -> Floats:
    """Return one vector of unit length for each `factor` of those given, and at least one; shape (k, dimension)."""
    wanted = max(1, -(-len(vectors) // factor))
    if factor <= 1 or wanted >= len(vectors):
        return vectors
    clusters = ward(vectors, wanted) if method == "ward" else kmeans(vectors, wanted)
    return cluster_means(vectors, clusters, wanted)


def cluster_means(vectors: Floats, clusters: NDArray[np.int64], count: int) -> Floats:
    """Return the mean of each cluster at unit length; clusters are numbered from 0, and an empty one is left out."""
    sums = np.zeros((count, vectors.shape[1]), np.float32)
    np.add.at(sums, clusters, vectors)
    sums = sums[np.bincount(clusters, minlength=count) > 0]
    lengths = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.float32(1e-12))
    means: Floats = sums / lengths
    return means


def ward(vectors: Floats, wanted: int) -> NDArray[np.int64]:
    """Return the number of each vector's cluster: the pair is joined whose joining adds the least variance.

    Distances are updated by the formula of Lance and Williams; n³ / 2 steps in numpy's hands, 3 ms for 125 tokens.
    """
    count = len(vectors)
    squares = np.einsum("ij,ij->i", vectors, vectors)
    distance = (squares[:, None] + squares[None, :] - 2.0 * vectors @ vectors.T).astype(np.float64)
    np.fill_diagonal(distance, np.inf)
    sizes, parent = np.ones(count), np.arange(count)
    for _ in range(count - wanted):
        one, other = divmod(int(distance.argmin()), count)
        both, apart = sizes[one] + sizes[other], distance[one, other]
        joined = ((sizes[one] + sizes) * distance[one] + (sizes[other] + sizes) * distance[other] - sizes * apart) / (
            both + sizes
        )
        joined[[one, other]] = np.inf
        distance[one] = distance[:, one] = joined
        distance[other] = distance[:, other] = np.inf
        sizes[one] = both
        parent[parent == other] = one
    return np.unique(parent, return_inverse=True)[1].astype(np.int64)


def kmeans(vectors: Floats, wanted: int) -> NDArray[np.int64]:
    """Return the number of each vector's cluster, by cosine; the first centres are tokens at even distances."""
    centres = vectors[np.linspace(0, len(vectors) - 1, wanted).round().astype(np.int64)]
    clusters = np.zeros(len(vectors), np.int64)
    for _ in range(ROUNDS):
        nearest = (vectors @ centres.T).argmax(axis=1).astype(np.int64)
        if (nearest == clusters).all() and _:
            break
        clusters = nearest
        sums = np.zeros_like(centres)
        np.add.at(sums, clusters, vectors)
        held = np.bincount(clusters, minlength=wanted) > 0
        lengths = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.float32(1e-12))
        centres = np.where(held[:, None], sums / lengths, centres)
    return clusters


def encoded(vectors: Floats) -> Codes:
    """Return vectors as int8 around their mean."""
    mean = vectors.mean(axis=0).astype(np.float16)
    rest = vectors - mean.astype(np.float32)
    scale = max(float(np.abs(rest).max(initial=0.0)) / 127.0, 1e-9)
    return Codes(np.rint(rest / scale).astype(np.int8), scale, mean)


def best_cosines(asked: Floats, held: list[Codes]) -> NDArray[np.float64]:
    """Return for each passage the mean over the question's tokens of the best cosine with its vectors (MaxSim / n)."""
    if not held:
        return np.empty(0)
    codes = np.concatenate([each.codes for each in held]).astype(np.float32)
    firsts = np.cumsum([0, *(len(each.codes) for each in held)])[:-1]
    scales = np.array([each.scale for each in held], np.float32)
    means = asked @ np.stack([each.mean for each in held]).astype(np.float32).T
    best = np.maximum.reduceat(asked @ codes.T, firsts, axis=1) * scales + means
    found: NDArray[np.float64] = best.mean(axis=0, dtype=np.float64)
    return found
