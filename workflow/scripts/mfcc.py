"""results/<run>/features/mfcc.parquet: MFCC of every digit, by `ima.features.mfcc.extract`.

With several shards, each job has a contiguous part of the digits, and the last one joins them.
"""

from ima.datasets.digit_recordings import Waves, spoken_digits
from ima.features.mfcc import Mfcc, batch_ends, extract
from ima.utils.io import ParquetStream, join_parquet, read_parquet, write_parquet
from ima.utils.parallel import n_workers
from ima.utils.schemas import FEATURES, RECORDINGS, SEGMENTS
from ima.workflow import script
from ima.workflow.shards import Shard


def main(snakemake):
    if snakemake.input.get("shards"):
        rows = join_parquet(snakemake.input.shards, snakemake.output.features, FEATURES)
        print(f"{rows} digits of {len(snakemake.input.shards)} shards")
        return
    recordings = read_parquet(snakemake.input.recordings, RECORDINGS)
    segments = read_parquet(snakemake.input.segments, SEGMENTS)
    params = snakemake.params
    mfcc = Mfcc(**params.mfcc)
    waves = Waves(snakemake.input.waves, mfcc.rate)
    items, digits = spoken_digits(recordings, segments, params.oh, params.doubtful)
    ends = [0, *batch_ends(digits)]
    part = Shard.of(snakemake.wildcards).part(len(ends) - 1)
    start, length = ends[part.start], ends[part.stop] - ends[part.start]
    items, digits = items.slice(start, length), digits.slice(start, length)
    if not length:
        write_parquet(FEATURES.empty_table(), snakemake.output.features)
        return
    processes = n_workers(snakemake.threads, len(items), each=8000)
    with ParquetStream(snakemake.output.features, FEATURES) as stream:
        for x in extract(digits, waves, mfcc, processes):
            stream.write(items.slice(stream.rows, len(x)), x=x)
    print(f"{len(items)} digits from {len(recordings)} recordings")


if __name__ == "__main__":
    script.run(main, snakemake)
