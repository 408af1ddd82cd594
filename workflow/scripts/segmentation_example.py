"""A recording with its digits' places, by `ima.figures_segmentation.plot_utterance`."""

import pyarrow.compute as pc

from ima import job
from ima.corpora.speech import Waves
from ima.errors import InputError
from ima.figures import save
from ima.figures_segmentation import plot_utterance
from ima.io import read_parquet
from ima.schema import RECORDINGS, SEGMENTS


def main(snakemake):
    recording = snakemake.wildcards.recording
    ids = read_parquet(snakemake.input.recordings, RECORDINGS)["id"].to_pylist()
    if recording not in ids:
        example = f"the id of a recording, as {ids[0]}"
        raise InputError(snakemake.input.recordings, expected=example, found=recording)
    segments = read_parquet(snakemake.input.segments, SEGMENTS)
    rows = segments.filter(pc.field("recording") == recording).to_pylist()
    samples, rate = Waves(snakemake.input.waves, snakemake.params.rate)(recording)
    figure = plot_utterance(samples, rate, rows, title=recording)
    save(figure, *snakemake.output)
    print(f"{len(rows)} digits drawn")


if __name__ == "__main__":
    job.run(main, snakemake)
