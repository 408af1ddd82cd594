"""results/tables/table4.csv: what models cost (Table 4), by `ima.complexity.table4`."""

import torch

from ima import job, told
from ima.complexity import table4
from ima.io import vector_width, write_csv
from ima.model import Modality


def main(snakemake):
    torch.set_num_threads(1)  # a time on one core is told
    params = snakemake.params
    modalities = {
        name: Modality(vector_width(snakemake.input[name]), **layers)
        for name, layers in params.layers.items()
    }
    models = {label: (kind, own) for label, kind, own in params.models}
    table = table4(
        modalities,
        params.latents,
        params.hidden,
        models,
        params.batch_size,
        range(2, params.most + 1),
        params.run,
    )
    write_csv(table, snakemake.output.table)
    print(told.first(table.select(["model", "latent", "microseconds"]), "microseconds"))


if __name__ == "__main__":
    job.run(main, snakemake)
