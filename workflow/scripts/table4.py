"""results/tables/table4.csv: costs of models (Table 4), by `ima.evaluation.complexity.table4`."""

import torch

from ima.evaluation.complexity import Setting, table4
from ima.features.voice import columns
from ima.models.baselines import BASELINES
from ima.models.checkpoints import hidden_width
from ima.models.ima import Modality
from ima.training.sizes import AUTO, BATCH
from ima.utils.io import vector_width, write_csv
from ima.workflow import script, summary


def setting(layers, widths, settings):
    """Return the models of a data set, given the widths of its vectors."""
    models = {
        label or BASELINES[kind].label: (kind, own) for label, kind, own in settings["models"]
    }
    modalities = {
        name: Modality(widths[name], **own | {"hidden": hidden_width(own)})
        for name, own in layers.items()
    }
    batch = BATCH if settings["batch"] == AUTO else settings["batch"]
    return Setting(modalities, **settings | {"models": models, "batch": batch})


def main(snakemake):
    torch.set_num_threads(1)  # times are measured on one core
    params = snakemake.params
    widths = {name: vector_width(snakemake.input[name]) for name in params.layers["digits"]}
    # The dimensions of words and voices are in the config, so Table 4 does not need their corpus.
    spoken = {"verbal": params.words, "acoustic": len(columns(params.voices))}
    datasets = {
        name: setting(layers, {**widths, **spoken}, params.settings[name])
        for name, layers in params.layers.items()
    }
    table = table4(datasets, range(2, params.most + 1), params.run)
    write_csv(table, snakemake.output.table)
    print(summary.first(table.select(["model", "latent", "microseconds"]), "microseconds"))


if __name__ == "__main__":
    script.run(main, snakemake)
