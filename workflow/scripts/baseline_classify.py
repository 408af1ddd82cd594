"""A baseline's classification accuracy (Table 5), by
`ima.evaluation.classifier.accuracy_rows`.
"""

from ima.evaluation.classifier import Classifier, accuracy_rows
from ima.models import checkpoints
from ima.models.baselines import represent
from ima.models.baselines.seeds import rebuild_seeds
from ima.pairing.by_label import read_pairs
from ima.training.loop import device
from ima.utils.io import read_tensors, write_json
from ima.workflow import script, summary


def main(snakemake):
    tables = [read_pairs(snakemake.input[split]) for split in ("train", "test")]
    x, pairs = checkpoints.load_data(snakemake.input, ("train", "test"), device())
    labels = [table["label"].to_numpy() for table in tables]
    state, config = read_tensors(snakemake.input.model)
    settings, latent = Classifier(**snakemake.params.settings), int(snakemake.wildcards.latent)
    rows = []
    there = [{m: (items >= 0).cpu().numpy() for m, items in some.items()} for some in pairs]
    for seed, model in rebuild_seeds(config, state).items():
        model = model.to(device())
        views = [
            {name: z.cpu().numpy() for name, z in represent(model, x, some).items()}
            for some in pairs
        ]
        of = {"model": snakemake.params.label, "latent": latent, "seed": seed}
        scores = accuracy_rows(*views, labels, tables[1], settings, seed, there)
        rows += [{**of, **row} for row in scores]
    write_json(rows, snakemake.output.accuracy)
    print(summary.accuracies(rows))


if __name__ == "__main__":
    script.run(main, snakemake)
