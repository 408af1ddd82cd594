"""Scores of peers of IMA on pairs (`ima.models.peers`)."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
from torch import Tensor

from ima.evaluation.classifier import Classifier, accuracy_rows
from ima.evaluation.metrics import score_views
from ima.models.baselines import represent
from ima.models.peers.views import Fitted


def score_peer(
    fitted: Fitted,
    x: Mapping[str, Tensor],
    pairs: Mapping[str, Mapping[str, Tensor]],
    tables: Mapping[str, pa.Table],
    k: Sequence[int],
    settings: Classifier,
    seed: int,
) -> dict[str, list[dict]]:
    """Score a fitted peer as IMA is scored.

    Args:
        fitted: the peer.
        x: by modality, the matrix (n_m, D_m) of its items.
        pairs: for `train` and `test`, by modality the row numbers (N,) of the pairs.
        tables: for `train` and `test`, a table of `ima.utils.schemas.pairs_schema`.
        k: values of K.
        settings: settings of the classifier.
        seed: seed of the classifier.

    Returns:
        `retrieval`: rows of `ima.evaluation.metrics.score_views`, for `joint` and each modality;
        `accuracy`: rows of `ima.evaluation.classifier.accuracy_rows`, for `joint`.
    """
    z = {
        split: {name: of.cpu().numpy() for name, of in represent(fitted, x, pairs[split]).items()}
        for split in ("train", "test")
    }
    joint = [{"joint": of["joint"]} for of in z.values()]
    labels = [tables[split]["label"].to_numpy() for split in z]
    return {
        "retrieval": score_views(z["test"], tables["test"], k),
        "accuracy": accuracy_rows(*joint, labels, tables["test"], settings, seed),
    }
