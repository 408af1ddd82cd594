"""results/example/: example user data of digits, by `ima.workflow.user_example.write_example`."""

from pathlib import Path

from ima.workflow import script
from ima.workflow.user_example import write_example


def main(snakemake):
    folder = Path(snakemake.output.files[0]).parent
    noise = write_example(folder, snakemake.params.digits, snakemake.params.seed)
    print(f"number of noise items: {noise}")


if __name__ == "__main__":
    script.run(main, snakemake)
