"""results/<run>/raw/{tidigits,ti46}/: spoken digits of the demo, by
`ima.datasets.synthetic.digits.write_tidigits`.
"""

from pathlib import Path

from ima.datasets.manifest import write_manifest
from ima.datasets.synthetic import digits
from ima.workflow import script


def main(snakemake):
    tidigits, ti46 = Path(snakemake.output.tidigits), Path(snakemake.output.ti46)
    params = snakemake.params
    truth = [
        digits.write_tidigits(tidigits, params.speakers, params.strings, params.seed),
        digits.write_ti46(
            ti46, params.ti46_tokens["train"], params.ti46_tokens["test"], params.seed
        ),
    ]
    write_manifest(tidigits, snakemake.output.tidigits_manifest)
    write_manifest(ti46, snakemake.output.ti46_manifest)
    digits.write_truth(truth, snakemake.output.truth)
    print(f"{sum(map(len, truth))} digits spoken")


if __name__ == "__main__":
    script.run(main, snakemake)
