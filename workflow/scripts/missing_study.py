"""Training with missing modalities, for one seed (Section 3), by
`ima.evaluation.missing_modalities.study`.
"""

import pyarrow as pa
import torch

from ima.evaluation.missing_modalities import BaselineModel, ImaModel, study
from ima.models import checkpoints
from ima.models.autoencoder import Stage1
from ima.models.baselines import baseline
from ima.models.importance import Stage2
from ima.pairing.by_label import read_pairs
from ima.utils.io import write_parquet
from ima.utils.schemas import MISSING_STUDY
from ima.workflow import script


def main(snakemake):
    params, given = snakemake.params, snakemake.input
    pairs = {
        split: checkpoints.load_first_pairs(given[split], most)
        for split, most in params.pairs.items()
    }
    labels = read_pairs(given.test)["label"].to_numpy()[: params.pairs["test"]]
    x = checkpoints.load_features({m: given[m] for m in pairs["train"]}, torch.device("cpu"))
    x, renumbered = checkpoints.only_paired(x, list(pairs.values()))
    pairs = dict(zip(pairs, renumbered, strict=True))
    models = {
        of["label"]: ImaModel(
            Stage1(**of["autoencoder"]),
            Stage2(**of["importance"]),
            of["rho"],
            params.hidden,
            of["layers"],
        )
        for of in params.variants
    }
    models |= {
        of["label"]: BaselineModel(
            of["kind"], baseline(of["kind"]).settings(**of["settings"]), of["layers"]
        )
        for of in params.baselines
    }
    seed = int(snakemake.wildcards.seed)
    rows = study(x, pairs, labels, params.shares, models, params.latent, seed)
    write_parquet(pa.Table.from_pylist(rows, MISSING_STUDY), snakemake.output.study)
    print(f"{len(rows)} scores of {len(models)} models at {len(params.shares)} shares")


if __name__ == "__main__":
    script.run(main, snakemake)
