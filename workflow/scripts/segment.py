"""results/<run>/segments/: where each digit lies, by `ima.segment.methods.segment`."""

from ima import job
from ima.corpora.speech import Waves
from ima.io import read_parquet, write_csv, write_parquet
from ima.parallel import worth_starting
from ima.schema import RECORDINGS, SEGMENTS
from ima.segment.methods import doubtful, segment


def main(snakemake):
    recordings = read_parquet(snakemake.input.recordings, RECORDINGS)
    waves = Waves(snakemake.input.waves, snakemake.params.rate)
    processes = worth_starting(snakemake.threads, len(recordings), each=4000)
    segments = segment(recordings, waves, snakemake.params.method, processes)
    write_parquet(segments, snakemake.output.segments, SEGMENTS)
    write_csv(doubtful(segments), snakemake.output.doubtful)
    print(f"{len(segments)} digits, {len(doubtful(segments))} doubtful")


if __name__ == "__main__":
    job.run(main, snakemake)
