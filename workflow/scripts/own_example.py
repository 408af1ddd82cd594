"""results/example/: three modalities of one digit, by `ima.own_example.write_example`."""

from pathlib import Path

from ima import job
from ima.own_example import write_example


def main(snakemake):
    folder = Path(snakemake.output.files[0]).parent
    noise = write_example(folder, snakemake.params.digits, snakemake.params.seed)
    print(f"items that are noise: {noise}")


if __name__ == "__main__":
    job.run(main, snakemake)
