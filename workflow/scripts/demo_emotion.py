"""results/<run>/raw/iemocap/: emotional dialogues of the demo, by
`ima.datasets.synthetic.emotion.write_iemocap`.
"""

from pathlib import Path

from ima.datasets.manifest import write_manifest
from ima.datasets.synthetic.emotion import write_iemocap
from ima.utils.io import write_parquet
from ima.utils.schemas_emotion import EMOTION_TRUTH
from ima.workflow import script


def main(snakemake):
    tree = Path(snakemake.output.tree)
    truth = write_iemocap(tree, **snakemake.params.demo)
    write_manifest(tree, snakemake.output.manifest)
    write_parquet(truth, snakemake.output.truth, EMOTION_TRUTH)
    print(f"{len(truth)} words spoken")


if __name__ == "__main__":
    script.run(main, snakemake)
