"""results/<run>/raw/{tidigits,ti46}/: spoken digits, by `ima.corpora.demo.write_tidigits`."""

from pathlib import Path

from ima import job
from ima.corpora import demo
from ima.corpora.manifest import write_manifest


def main(snakemake):
    tidigits, ti46 = Path(snakemake.output.tidigits), Path(snakemake.output.ti46)
    params = snakemake.params
    truth = [
        demo.write_tidigits(tidigits, params.speakers, params.strings, params.seed),
        demo.write_ti46(ti46, params.ti46_tokens["train"], params.ti46_tokens["test"], params.seed),
    ]
    write_manifest(tidigits, snakemake.output.tidigits_manifest)
    write_manifest(ti46, snakemake.output.ti46_manifest)
    demo.write_truth(truth, snakemake.output.truth)
    print(f"{sum(map(len, truth))} digits spoken")


if __name__ == "__main__":
    job.run(main, snakemake)
