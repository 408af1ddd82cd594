"""Exact nearest neighbours for Precision@K (Section 5.4), by blocks of distances."""

from collections.abc import Sequence

import numpy as np

from ima.pairing.shared_items import Members
from ima.utils.errors import InputError

#: Choices of neighbours: all other samples, or those that share no item with the query.
CHOICES = ("all", "distinct")
#: Values of a block of distances, and the least and greatest number of its queries.
BLOCK, QUERIES = 2**23, (16, 128)
#: Candidates per neighbour above which double precision replaces single precision.
CANDIDATES = 4
#: Distances of candidates that are computed at once.
RANKED = 2**16


def neighbours(z: np.ndarray, k: int, shared: Sequence[np.ndarray] = ()) -> np.ndarray:
    """Return the k nearest other samples of each sample by Euclidean distance, nearest first.

    The search is exact: neighbours are ranked by distances in double precision, and ties go to the
    sample that comes first.

    Args:
        z: representations (N, L).
        k: neighbours per sample, 1 to N - 1.
        shared: columns (N,) of identifiers. Samples that share an identifier with the query in any
            column are excluded (the same clip or image in another pair). Negative integers mark
            absent items and never match.

    Returns:
        Row numbers (N, k).

    Raises:
        InputError: k is out of range, z has NaN, or fewer than k samples are left for some query.
    """
    choice = CHOICES[len(shared) > 0]
    return neighbours_by_choice(z, k, shared, (choice,))[choice]


def neighbours_by_choice(
    z: np.ndarray, k: int, shared: Sequence[np.ndarray], choices: Sequence[str] = CHOICES
) -> dict[str, np.ndarray]:
    """Return what `neighbours` returns for each choice, from the same distances.

    Distances are computed in single precision. All samples that may be among the k nearest, given
    the bound on the rounding errors, are ranked by their distances in double precision. If these
    are many, distances are computed in double precision from then on.

    Args:
        z, k, shared: as in `neighbours`.
        choices: some of CHOICES; `all` ignores `shared`.

    Raises:
        InputError: as in `neighbours`.
    """
    n = len(z)
    if not 1 <= k <= n - 1:
        raise InputError("K", expected=f"1 to {n - 1} for {n} samples", found=k)
    z = np.asarray(z, np.float64)
    if not np.isfinite(z).all():
        raise InputError("representations", expected="finite numbers", found="NaN or infinity")
    z = np.ldexp(z, -np.frexp(np.abs(z).max())[1])  # at most 1: squares do not overflow
    members = {"all": [], "distinct": [Members(column) for column in shared]}
    chosen = {choice: members[choice] for choice in CHOICES if choice in choices}
    nearest = {choice: np.empty((n, k), np.int64) for choice in chosen}
    distances = _Distances(z, k, np.float32)
    size = int(np.clip(BLOCK // n, *QUERIES))
    for first in range(0, n, size):
        rows = np.arange(first, min(first + size, n))
        found = distances.candidates(rows, chosen)
        most = max(len(queries) for queries, _ in found.values())
        if distances.dtype == np.float32 and most > CANDIDATES * k * len(rows):
            distances = _Distances(z, k, np.float64)
            found = distances.candidates(rows, chosen)
        for choice, candidates in found.items():
            nearest[choice][rows] = _ranked(z, rows, *candidates, k)
    return nearest


class _Distances:
    """Squared distances of all samples to a query, less the query's squared norm.

    They are |z|^2 - 2 q.z, of centred vectors, so that the expansion loses few digits.

    Args:
        z: representations (N, L) of at most 1.
        k: number of neighbours.
        dtype: type of the distances.
    """

    def __init__(self, z: np.ndarray, k: int, dtype: type):
        n, latent = z.shape
        centred = z - z.mean(0)
        self.k, self.dtype = k, np.dtype(dtype)
        self.norms = np.einsum("il,il->i", centred, centred)
        self.query = np.concatenate((-2 * centred, np.ones((n, 1))), 1, dtype=dtype)  # (N, L + 1)
        # The least distances of groups of samples bound the k-th smallest distance.
        self.group = int(np.clip(n // (4 * k), 1, 16))
        width = -(-n // self.group) * self.group
        self.reference = np.zeros((latent + 1, width), dtype)
        self.reference[:latent, :n] = centred.T
        self.reference[latent, :n] = self.norms
        # A distance is a sum of L + 1 products of rounded numbers. With r the unit roundoff and
        # c = (L + 4) r, its error is at most c (2 |q| |z| + |z|^2) <= c (5 |q|^2 + 4 d^2), where d
        # is the distance. If d32 is the k-th smallest of the computed d^2, the true k-th is at most
        # R = (d32 + 5 c |q|^2) / (1 - 4 c), and whatever is no further has a computed d^2 of at
        # most R (1 + 4 c) + 5 c |q|^2. This is less than d32 + 11 c (d32 + |q|^2) if c < .02.
        # Underflow adds at most the smallest normal number per product.
        self.relative = 11 * (latent + 4) * np.finfo(dtype).eps / 2
        self.absolute = 4 * (latent + 4) * float(np.finfo(dtype).tiny)

    def candidates(
        self, rows: np.ndarray, members: dict[str, Sequence[Members]]
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return queries (M,), of 0 to B - 1, and their candidates (M,), both ascending.

        Args:
            rows: row numbers (B,) of the queries.
            members: by choice, the samples to exclude, in addition to those of choices before it.

        Raises:
            InputError: a query has fewer than k candidates.
        """
        distance = self.query[rows] @ self.reference  # (B, width)
        distance[:, len(self.norms) :] = np.inf  # padding
        distance[np.arange(len(rows)), rows] = np.inf
        found = {}
        for choice, columns in members.items():
            for column in columns:
                for query, row in enumerate(rows):
                    distance[query, column.of(row)] = np.inf
            found[choice] = self._smallest(distance, rows)
        return found

    def _smallest(self, distance: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        least = distance.reshape(len(rows), self.group, -1).min(1)
        kth = np.partition(least, self.k - 1, axis=1)[:, self.k - 1].astype(np.float64)
        slack = self.relative * np.maximum(kth + 2 * self.norms[rows], 0) + self.absolute
        limit = np.nextafter((kth + slack).astype(self.dtype), self.dtype.type(np.inf))
        limit = np.minimum(limit, np.finfo(self.dtype).max)  # what is excluded is at infinity
        near = np.flatnonzero(distance <= limit[:, None])
        queries, columns = np.divmod(near, distance.shape[1])
        counts = np.bincount(queries, minlength=len(rows))
        if (counts < self.k).any():
            raise InputError(
                "neighbours",
                expected=f"{self.k} samples that share no item with the query",
                found=f"fewer for sample {rows[(counts < self.k).argmax()]}",
                do="Choose a smaller K or more data.",
            )
        return queries, columns


def _ranked(
    z: np.ndarray, rows: np.ndarray, queries: np.ndarray, candidates: np.ndarray, k: int
) -> np.ndarray:
    """Return the k nearest candidates (B, k) of each query, by distances that are not expanded."""
    exact = np.empty(len(queries))  # identical points are exactly equally near
    for first in range(0, len(queries), RANKED):
        part = slice(first, first + RANKED)
        exact[part] = ((z[candidates[part]] - z[rows[queries[part]]]) ** 2).sum(1)
    order = np.lexsort((exact, queries))  # stable
    starts = np.searchsorted(queries, np.arange(len(rows)))
    return candidates[order[starts[:, None] + np.arange(k)]]
