"""A detector of unusual items, which ignores pairs."""

import numpy as np

from ima.evaluation.rivals.base import Given


def isolation(given: Given) -> dict[str, np.ndarray]:
    """Return the anomaly score of each item's features by an isolation forest."""
    from sklearn.ensemble import IsolationForest

    scores = {}
    for m, x in given.test().items():
        forest = IsolationForest(random_state=given.seed)
        forest.fit(given.x[m][given.pairs["train"][m].unique()].numpy())
        scores[m] = -forest.score_samples(x.numpy())
    return scores
