"""A peer of IMA, trained and scored, by `ima.evaluation.peers.score_peer`."""

import resource
import time

import psutil

from ima.datasets.splits import SPLITS
from ima.evaluation.classifier import Classifier
from ima.evaluation.peers import score_peer
from ima.models import checkpoints
from ima.models.peers import lacking, peer
from ima.models.peers.views import Problem, pair_matrices
from ima.pairing.by_label import read_pairs
from ima.training.loop import Training, device
from ima.utils.io import write_json
from ima.workflow import script, summary


def main(snakemake):
    params, given, wildcards = snakemake.params, snakemake.input, snakemake.wildcards
    if why := lacking(wildcards.peer):
        write_json({"model": peer(wildcards.peer).label, "skipped": why}, snakemake.output.scores)
        print(why)
        return
    latent, seed = int(wildcards.latent), int(wildcards.seed)
    x, pairs = checkpoints.load_data(given, SPLITS, device())
    pairs = dict(zip(SPLITS, pairs, strict=True))
    problem = Problem(
        *(pair_matrices(x, pairs[split]) for split in ("train", "validation")),
        checkpoints.modalities_of(x, params.layers),
        latent,
        Training(**params.training),
        seed,
    )
    fitted = peer(wildcards.peer).fitted(problem)
    # Of the whole process so far, as Snakemake measures the jobs that train IMA.
    scores = {
        "model": peer(wildcards.peer).label,
        "latent": latent,
        "seed": seed,
        "parameters": fitted.parameters,
        "seconds": time.time() - psutil.Process().create_time(),
        "cpu_seconds": time.process_time(),
        "mem_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    }
    tables = {split: read_pairs(given[split]) for split in SPLITS}
    settings = Classifier(**params.classifier)
    scores |= score_peer(fitted, x, pairs, tables, params.k, settings, seed)
    write_json(scores, snakemake.output.scores)
    print(f"{summary.precisions(scores['retrieval'])}; {scores['cpu_seconds']:.0f} CPU s")


if __name__ == "__main__":
    script.run(main, snakemake)
