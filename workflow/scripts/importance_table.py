"""results/tables/importance.csv: F1 of the noise class by seed (5.2), by
`ima.reporting.tables.importance.by_seed`.
"""

from ima.evaluation.item_errors import Clusters, f1_values
from ima.evaluation.metrics import importance_scores
from ima.models import checkpoints
from ima.models.importance import importances
from ima.pairing.by_label import is_noise, read_pairs
from ima.reporting.tables.importance import by_seed
from ima.training.loop import device
from ima.utils.io import read_tensors, write_csv
from ima.workflow import script, summary


def main(snakemake):
    pairs = checkpoints.load_pairs(snakemake.input.pairs)
    x = checkpoints.load_features({name: snakemake.input[name] for name in pairs}, device())
    noise = is_noise(read_pairs(snakemake.input.pairs))
    widths = {name: x_m.shape[1] for name, x_m in x.items()}
    rows = []
    for path, model in zip(snakemake.input.models, snakemake.params.models, strict=True):
        state, config = read_tensors(path)
        networks = checkpoints.build_networks(widths, config, state).to(device())
        y = importances(networks, x, pairs)
        for name, items in pairs.items():
            there = (items >= 0).numpy()
            y_m, is_noise_m = y[name][0].numpy()[there], noise[name][there]
            clusters = Clusters([items.numpy()[there]], int(there.sum()))
            error = clusters.error(f1_values(y_m < 0.5, is_noise_m))
            scores = importance_scores(y_m, is_noise_m)
            rows.append({**model, "modality": name, **scores, **error})
    table = by_seed(rows, snakemake.params.run)
    write_csv(table, snakemake.output.table)
    print(summary.first(table, "f1_noise"))


if __name__ == "__main__":
    script.run(main, snakemake)
