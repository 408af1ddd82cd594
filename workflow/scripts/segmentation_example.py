"""A recording with its digit boundaries, by `ima.reporting.figures.segmentation.plot_utterance`."""

import pyarrow.compute as pc

from ima.datasets.digit_recordings import Waves
from ima.reporting.figures import save
from ima.reporting.figures.segmentation import plot_utterance
from ima.utils.errors import InputError
from ima.utils.io import read_parquet
from ima.utils.schemas import RECORDINGS, SEGMENTS
from ima.workflow import script


def main(snakemake):
    recording = snakemake.wildcards.recording
    ids = read_parquet(snakemake.input.recordings, RECORDINGS)["id"].to_pylist()
    if recording not in ids:
        example = f"the id of a recording, such as {ids[0]}"
        raise InputError(snakemake.input.recordings, expected=example, found=recording)
    segments = read_parquet(snakemake.input.segments, SEGMENTS)
    rows = segments.filter(pc.field("recording") == recording).to_pylist()
    samples, rate = Waves(snakemake.input.waves, snakemake.params.rate)(recording)
    figure = plot_utterance(samples, rate, rows, title=recording)
    save(figure, *snakemake.output)
    print(f"{len(rows)} digits drawn")


if __name__ == "__main__":
    script.run(main, snakemake)
