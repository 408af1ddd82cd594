"""results/<run>/recordings/: all recordings at one sampling rate, by
`ima.datasets.digit_recordings.write_waves`.
"""

import pyarrow as pa

from ima.datasets import digit_recordings
from ima.utils.io import write_csv, write_parquet
from ima.utils.parallel import n_workers
from ima.utils.schemas import RECORDINGS
from ima.workflow import script


def main(snakemake):
    params, output = snakemake.params, snakemake.output
    fsdd = {"split": params.fsdd_split, "test_speakers": tuple(params.fsdd_test_speakers)}
    indexed, unnamed, counts = digit_recordings.index(params.roots, {"fsdd": fsdd})
    processes = n_workers(snakemake.threads, len(indexed), each=2000)
    recordings, undecoded = digit_recordings.write_waves(
        indexed, params.roots, params.rate, output.waves, processes
    )
    skipped = pa.concat_tables([unnamed, undecoded])
    write_csv(skipped, output.skipped)
    write_csv(counts, output.counts)
    digit_recordings.check_skipped(recordings, skipped, params.max_skipped)
    write_parquet(recordings, output.recordings, RECORDINGS)
    print(f"{len(recordings)} recordings, {len(skipped)} skipped")


if __name__ == "__main__":
    script.run(main, snakemake)
