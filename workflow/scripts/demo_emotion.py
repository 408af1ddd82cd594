"""results/<run>/raw/iemocap/: emotional dialogues, by `ima.corpora.demo_emotion.write_iemocap`."""

from pathlib import Path

from ima import job
from ima.corpora.demo_emotion import write_iemocap
from ima.corpora.manifest import write_manifest
from ima.io import write_parquet
from ima.schema_emotion import EMOTION_TRUTH


def main(snakemake):
    tree = Path(snakemake.output.tree)
    truth = write_iemocap(tree, **snakemake.params.demo)
    write_manifest(tree, snakemake.output.manifest)
    write_parquet(truth, snakemake.output.truth, EMOTION_TRUTH)
    print(f"{len(truth)} words spoken")


if __name__ == "__main__":
    job.run(main, snakemake)
