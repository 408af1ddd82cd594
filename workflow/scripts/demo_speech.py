"""results/<run>/raw/{tidigits,ti46}/: spoken digits of the demo, by
`ima.datasets.synthetic.digits.write_tidigits`.
"""

from ima.datasets.manifest import write_manifest
from ima.datasets.synthetic import digits
from ima.utils.atomic_files import whole_folder
from ima.workflow import script


def main(snakemake):
    output, params = snakemake.output, snakemake.params
    tokens = params.ti46_tokens
    with whole_folder(output.tidigits) as tidigits, whole_folder(output.ti46) as ti46:
        truth = [
            digits.write_tidigits(tidigits, params.speakers, params.strings, params.seed),
            digits.write_ti46(ti46, tokens["train"], tokens["test"], params.seed),
        ]
    write_manifest(output.tidigits, output.tidigits_manifest)
    write_manifest(output.ti46, output.ti46_manifest)
    digits.write_truth(truth, output.truth)
    print(f"{sum(map(len, truth))} digits spoken")


if __name__ == "__main__":
    script.run(main, snakemake)
