"""results/<run>/raw/iemocap/: emotional dialogues of the demo, by
`ima.datasets.synthetic.emotion.write_iemocap`.
"""

from ima.datasets.manifest import write_manifest
from ima.datasets.synthetic.emotion import write_iemocap
from ima.utils.atomic_files import whole_folder
from ima.utils.io import write_parquet
from ima.utils.schemas_emotion import EMOTION_TRUTH
from ima.workflow import script


def main(snakemake):
    with whole_folder(snakemake.output.tree) as tree:
        truth = write_iemocap(tree, **snakemake.params.demo)
    write_manifest(snakemake.output.tree, snakemake.output.manifest)
    write_parquet(truth, snakemake.output.truth, EMOTION_TRUTH)
    print(f"{len(truth)} words spoken")


if __name__ == "__main__":
    script.run(main, snakemake)
