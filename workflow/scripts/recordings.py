"""results/<run>/recordings/: all recordings at one rate, by `ima.corpora.speech.write_waves`."""

import pyarrow as pa

from ima import job
from ima.corpora import speech
from ima.io import write_csv, write_parquet
from ima.parallel import worth_starting
from ima.schema import RECORDINGS


def main(snakemake):
    params, output = snakemake.params, snakemake.output
    fsdd = {"split": params.fsdd_split, "test_speakers": tuple(params.fsdd_test_speakers)}
    indexed, unnamed, counts = speech.index(params.roots, {"fsdd": fsdd})
    processes = worth_starting(snakemake.threads, len(indexed), each=2000)
    recordings, undecoded = speech.write_waves(
        indexed, params.roots, params.rate, output.waves, processes
    )
    skipped = pa.concat_tables([unnamed, undecoded])
    write_csv(skipped, output.skipped)
    write_csv(counts, output.counts)
    speech.check_skipped(recordings, skipped, params.max_skipped)
    write_parquet(recordings, output.recordings, RECORDINGS)
    print(f"{len(recordings)} recordings, {len(skipped)} skipped")


if __name__ == "__main__":
    job.run(main, snakemake)
