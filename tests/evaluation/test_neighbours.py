"""Neighbours of data for which single precision does not suffice, against brute force."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from ima.evaluation import neighbours as module
from ima.evaluation.neighbours import neighbours_by_choice
from ima.pairing.shared_items import Members, most_neighbours

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(400, 6))
CENTRES = RNG.normal(size=(4, 6))[RNG.integers(0, 4, 400)]
#: Points, and the same at a scale at which brute force neither overflows nor underflows.
POINTS = {
    "plain": (NORMAL, NORMAL),
    "clusters": (CENTRES + 1e-5 * NORMAL,) * 2,  # closer than single precision resolves
    "outlier": (np.concatenate((NORMAL[1:], np.full((1, 6), 1e6))),) * 2,
    "equal": (np.ones((400, 6)),) * 2,
    "tiny": (NORMAL * 2.0**-700, NORMAL),
    "huge": (NORMAL * 2.0**700, NORMAL),
}


def brute_force(z, items, k):
    distance = cdist(z, z, "sqeuclidean")
    np.fill_diagonal(distance, np.inf)
    for column in items:
        distance[(column[:, None] == column) & (column >= 0)] = np.inf
    return np.argsort(distance, axis=1, kind="stable")[:, :k]


@pytest.mark.parametrize("kind", POINTS)
def test_both_choices_are_those_of_brute_force(kind):
    z, scaled = POINTS[kind]
    items = [RNG.integers(-1, 150, 400), RNG.integers(0, 200, 400)]
    found = neighbours_by_choice(z, 20, items)
    assert (found["all"] == brute_force(scaled, [], 20)).all()
    assert (found["distinct"] == brute_force(scaled, items, 20)).all()
    assert (found["all"] != found["distinct"]).any()


@pytest.mark.parametrize(("kind", "doubled"), [("plain", False), ("clusters", True)])
def test_double_precision_is_used_only_where_single_does_not_suffice(kind, doubled, monkeypatch):
    types = []
    made = module._Distances
    monkeypatch.setattr(module, "_Distances", lambda *of: types.append(of[2]) or made(*of))
    neighbours_by_choice(POINTS[kind][0], 5, [])
    assert types == [np.float32, np.float64][: 1 + doubled]


def test_without_the_bound_on_rounding_neighbours_are_missed(monkeypatch):
    """The bound is what makes the search exact: in single precision alone, it is not."""
    made = module._Distances

    def unbounded(z, k, dtype):
        distances = made(z, k, np.float32)
        distances.relative = distances.absolute = 0
        return distances

    monkeypatch.setattr(module, "_Distances", unbounded)
    z = POINTS["clusters"][0]
    found = neighbours_by_choice(z, 20, [], ["all"])["all"]
    assert (found != brute_force(z, [], 20)).any()


def test_members_by_hand():
    members = Members(np.array([4, -1, 7, 4, -1]))
    assert [members.of(row).tolist() for row in range(5)] == [[0, 3], [], [2], [0, 3], []]
    assert members.counts.tolist() == [2, 0, 1, 2, 0]
    assert Members(np.array(["a", "b", "a"])).of(2).tolist() == [0, 2]


@pytest.mark.parametrize("items", [3, 40, 10_000])
def test_most_neighbours_counts_pairs_with_two_common_items_once(items):
    columns = [RNG.integers(-1, items, 300) for _ in range(3)]
    columns[1] = columns[0] // 2 + 1  # whoever has one of these items in common has both
    shared = np.eye(300, dtype=bool)
    for column in columns:
        shared |= (column[:, None] == column) & (column >= 0)
    assert most_neighbours(columns, 300) == 300 - shared.sum(1).max()


@pytest.mark.parametrize(("n", "most"), [(5, 4), (1, 0), (0, 0)])
def test_most_neighbours_of_pairs_that_share_nothing(n, most):
    assert most_neighbours([], n) == most_neighbours([np.arange(n)], n) == most
