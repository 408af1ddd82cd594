"""results/<run>/features/mfcc.parquet: MFCC of every digit, by `ima.features.speech.extract`."""

from ima import job
from ima.corpora.speech import Waves, spoken_digits
from ima.features.speech import Mfcc, extract
from ima.io import ParquetStream, read_parquet
from ima.parallel import worth_starting
from ima.schema import FEATURES, RECORDINGS, SEGMENTS


def main(snakemake):
    recordings = read_parquet(snakemake.input.recordings, RECORDINGS)
    segments = read_parquet(snakemake.input.segments, SEGMENTS)
    params = snakemake.params
    mfcc = Mfcc(**params.mfcc)
    waves = Waves(snakemake.input.waves, mfcc.rate)
    items, digits = spoken_digits(recordings, segments, params.oh, params.doubtful)
    processes = worth_starting(snakemake.threads, len(items), each=8000)
    with ParquetStream(snakemake.output.features, FEATURES) as stream:
        for x in extract(digits, waves, mfcc, processes):
            stream.write(items.slice(stream.rows, len(x)), x=x)
    print(f"{len(items)} digits from {len(recordings)} recordings")


if __name__ == "__main__":
    job.run(main, snakemake)
