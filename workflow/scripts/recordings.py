"""results/<run>/recordings/: all recordings at one sampling rate, by
`ima.datasets.digit_recordings.write_waves`.

With several shards, each job decodes a contiguous part of the files, and the last one joins them.
"""

import pyarrow as pa

from ima.datasets import digit_recordings
from ima.datasets.base import skipped_table
from ima.datasets.digit_recordings import BATCH
from ima.utils.io import read_csv, read_parquet, write_csv, write_parquet
from ima.utils.parallel import n_workers
from ima.utils.schemas import RECORDINGS
from ima.workflow import script
from ima.workflow.shards import Shard


def main(snakemake):
    params, output = snakemake.params, snakemake.output
    fsdd = {"split": params.fsdd_split, "test_speakers": tuple(params.fsdd_test_speakers)}
    indexed, unnamed, counts = digit_recordings.index(params.roots, {"fsdd": fsdd})
    if shards := snakemake.input.get("shards"):
        digit_recordings.join_waves(snakemake.input.waves, output.waves)
        recordings = pa.concat_tables([read_parquet(path, RECORDINGS) for path in shards])
        undecoded = joined(snakemake.input.skipped, params.roots)
    else:
        batches = -(-len(indexed) // BATCH)
        part = Shard.of(snakemake.wildcards).part(batches)
        indexed = indexed[part.start * BATCH : part.stop * BATCH]
        processes = n_workers(snakemake.threads, len(indexed), each=2000)
        recordings, undecoded = digit_recordings.write_waves(
            indexed, params.roots, params.rate, output.waves, processes
        )
    if hasattr(snakemake.wildcards, "scatteritem"):
        write_csv(undecoded, output.skipped)
        write_parquet(recordings, output.recordings, RECORDINGS)
        return
    skipped = pa.concat_tables([unnamed, undecoded])
    write_csv(skipped, output.skipped)
    write_csv(counts, output.counts)
    digit_recordings.check_skipped(recordings, skipped, params.max_skipped)
    write_parquet(recordings, output.recordings, RECORDINGS)
    print(f"{len(recordings)} recordings, {len(skipped)} skipped")


def joined(files, corpora):
    """Return SKIPPED of several shards in the order of a single one."""
    rows = [row for file in files for row in read_csv(file, ["corpus"], rows=False).to_pylist()]
    found = {corpus: [] for corpus in corpora}
    for row in rows:
        found[row["corpus"]].append((row["file"], row["reason"]))
    return pa.concat_tables([skipped_table(*of) for of in found.items()])


if __name__ == "__main__":
    script.run(main, snakemake)
