"""results/tables/importance.csv: F1 of noise by seed, by `ima.tables_importance.by_seed` (5.2)."""

from ima import data, job, told
from ima.importance import importances
from ima.io import read_tensors, write_csv
from ima.metrics import importance_scores
from ima.pairing import is_noise, read_pairs
from ima.tables_importance import by_seed
from ima.train import device


def main(snakemake):
    pairs = data.load_pairs(snakemake.input.pairs)
    x = data.load_features({name: snakemake.input[name] for name in pairs}, device())
    noise = is_noise(read_pairs(snakemake.input.pairs))
    rows = []
    for path, model in zip(snakemake.input.models, snakemake.params.models, strict=True):
        state, config = read_tensors(path)
        y = importances(data.build_networks(x, config, state).to(device()), x, pairs)
        for name, items in pairs.items():
            there = (items >= 0).numpy()
            scores = importance_scores(y[name][0].numpy()[there], noise[name][there])
            rows.append({**model, "modality": name, **scores})
    table = by_seed(rows, snakemake.params.run)
    write_csv(table, snakemake.output.table)
    print(told.first(table, "f1_noise"))


if __name__ == "__main__":
    job.run(main, snakemake)
