"""results/<run>/features/mfcc.parquet: MFCC of every digit, by `ima.features.mfcc.extract`."""

from ima.datasets.digit_recordings import Waves, spoken_digits
from ima.features.mfcc import Mfcc, extract
from ima.utils.io import ParquetStream, read_parquet
from ima.utils.parallel import n_workers
from ima.utils.schemas import FEATURES, RECORDINGS, SEGMENTS
from ima.workflow import script


def main(snakemake):
    recordings = read_parquet(snakemake.input.recordings, RECORDINGS)
    segments = read_parquet(snakemake.input.segments, SEGMENTS)
    params = snakemake.params
    mfcc = Mfcc(**params.mfcc)
    waves = Waves(snakemake.input.waves, mfcc.rate)
    items, digits = spoken_digits(recordings, segments, params.oh, params.doubtful)
    processes = n_workers(snakemake.threads, len(items), each=8000)
    with ParquetStream(snakemake.output.features, FEATURES) as stream:
        for x in extract(digits, waves, mfcc, processes):
            stream.write(items.slice(stream.rows, len(x)), x=x)
    print(f"{len(items)} digits from {len(recordings)} recordings")


if __name__ == "__main__":
    script.run(main, snakemake)
