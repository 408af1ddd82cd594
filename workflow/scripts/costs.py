"""results/tables/costs.csv: parameters and training time of the models of the leaderboard, by
`ima.reporting.tables.leaderboard.costs_table`.
"""

import torch

from ima.models import checkpoints
from ima.models.baselines.seeds import rebuild_seeds
from ima.reporting.tables.leaderboard import costs_table
from ima.utils.errors import within
from ima.utils.io import read_tensors, write_csv
from ima.workflow import script
from ima.workflow.peers import trained
from ima.workflow.resources import measured, total


def weights(*modules):
    """Return the number of weights of modules."""
    return sum(weight.numel() for module in modules for weight in module.parameters())


def of_ima(files):
    """Return the number of weights of IMA by representation, from its checkpoints."""
    model = checkpoints.load_ima(*files[:2], torch.device("cpu"))
    found = {"unweighted": weights(model.autoencoder), "weighted": weights(model)}
    for file in files[2:]:
        encoders = checkpoints.load_shared_encoders(file, model)
        found["contrastive"] = weights(model, encoders)
    return found


def of_baseline(file):
    """Return the number of weights of a baseline, from the checkpoint of its seeds."""
    tensors, config = read_tensors(file)
    with within(file):
        return weights(next(iter(rebuild_seeds(config, tensors).values())))


def main(snakemake):
    params, given = snakemake.params, snakemake.input
    jobs = {of["job"]: of for _, of in measured(params.folder, params.rules)}
    costs, files = [], [*given.ima]
    for about, jobs_by_view in params.ima:
        own = [files.pop(0) for _ in range(2 + ("contrastive" in jobs_by_view))]
        counts = of_ima(own)
        for view, names in jobs_by_view.items():
            of = {"representation": view, "parameters": counts[view], **total(jobs, names)}
            costs.append(about | of)
    for (about, name, seeds), file in zip(params.baselines, given.baselines, strict=True):
        took = {key: value / seeds for key, value in total(jobs, [name]).items()}
        of = {"representation": "joint", "parameters": of_baseline(file), **took}
        costs += [about | of] * seeds
    costs += [{**of, "representation": "joint"} for of in trained(given.get("peers") or [])]
    table = costs_table(costs, params.run)
    write_csv(table, snakemake.output.table)
    print(f"{len(table)} models, at most {max(table['parameters'].to_pylist()):,} parameters")


if __name__ == "__main__":
    script.run(main, snakemake)
