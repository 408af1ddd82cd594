"""representations.parquet of the test pairs (5.3), by
`ima.evaluation.represent.represent`.
"""

from ima.evaluation.represent import as_table, represent
from ima.models import checkpoints
from ima.training.loop import device
from ima.utils.io import write_parquet
from ima.utils.schemas import representations_schema
from ima.workflow import script


def main(snakemake):
    given = snakemake.input
    model = checkpoints.load_ima(given.autoencoder, given.importance, device())
    x, (pairs,) = checkpoints.load_data(snakemake.input, ("pairs",), device())
    table = as_table(**represent(model, x, pairs))
    write_parquet(table, snakemake.output.representations, representations_schema(pairs))
    means = ", ".join(f"{m} {table[f'y_{m}'].to_numpy().mean():.2f}" for m in pairs)
    print(f"{len(table)} pairs, mean importance {means}")


if __name__ == "__main__":
    script.run(main, snakemake)
