"""results/<run>/segments/: boundaries of each digit, by `ima.alignment.methods.segment`."""

from ima.alignment.methods import doubtful, segment
from ima.datasets.digit_recordings import Waves
from ima.utils.io import read_parquet, write_csv, write_parquet
from ima.utils.parallel import n_workers
from ima.utils.schemas import RECORDINGS, SEGMENTS
from ima.workflow import script


def main(snakemake):
    recordings = read_parquet(snakemake.input.recordings, RECORDINGS)
    waves = Waves(snakemake.input.waves, snakemake.params.rate)
    processes = n_workers(snakemake.threads, len(recordings), each=4000)
    segments = segment(recordings, waves, snakemake.params.method, processes)
    write_parquet(segments, snakemake.output.segments, SEGMENTS)
    write_csv(doubtful(segments), snakemake.output.doubtful)
    print(f"{len(segments)} digits, {len(doubtful(segments))} doubtful")


if __name__ == "__main__":
    script.run(main, snakemake)
