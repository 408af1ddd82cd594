"""compare.csv and own_compare.pdf, .png: IMA and its peers on user data, by
`ima.reporting.user.compare.compare_table`.
"""

from ima.reporting.figures import save
from ima.reporting.figures.compare import draw
from ima.reporting.user.compare import FUSED, chance_scores, compare_table, ima_scores
from ima.utils.io import read_json, read_rows, read_tensors, write_csv
from ima.workflow import script, summary
from ima.workflow.peers import trained
from ima.workflow.resources import measured, total


def main(snakemake):
    params, given, out = snakemake.params, snakemake.input, snakemake.output
    jobs = {of["job"]: of for _, of in measured(params.folder, ("autoencoder", "importance"))}
    costs = {}
    for model, *files in zip(params.models, given.autoencoders, given.importances, strict=True):
        # Names with a slash are those of the pairs' scores, which are not needed for z.
        sizes = [
            sum(t.numel() for name, t in read_tensors(file)[0].items() if "/" not in name)
            for file in files
        ]
        for fused, parameters in zip(FUSED, (sum(sizes), sizes[0]), strict=True):
            of = {"parameters": parameters, **total(jobs, model[fused])}
            costs[model["latent"], model["seed"], fused] = of
    scores = ima_scores(
        (of for path in given.scores for of in read_json(path)),
        [row for path in given.accuracies for row in read_json(path)],
        costs,
        params.modalities,
    )
    chance = chance_scores(
        read_json(given.anchors, ["model", "precision"]),
        [row for path in given.chance for row in read_rows(path)],
        dict.fromkeys(of["latent"] for of in scores),
    )
    table = compare_table(scores + trained(given.peers) + chance, params.run)
    write_csv(table, out.table)
    drawn = [row for row in table.to_pylist() if row["latent"] == params.latent]
    save(draw(drawn, params.label), out.pdf, out.png)
    print(summary.first(table, "precision"))


if __name__ == "__main__":
    script.run(main, snakemake)
