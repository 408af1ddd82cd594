"""Figures of digit boundaries in some recordings, chosen by `ima.alignment.examples.choose`."""

import pyarrow as pa
import pyarrow.compute as pc

from ima.alignment.examples import choose
from ima.datasets.digit_recordings import Waves
from ima.reporting.figures import save
from ima.reporting.figures.segmentation import plot_utterance
from ima.utils.atomic_files import whole_folder
from ima.utils.io import read_parquet, write_csv
from ima.utils.schemas import RECORDINGS, SEGMENTS
from ima.workflow import script


def main(snakemake):
    recordings = read_parquet(snakemake.input.recordings, RECORDINGS, rows=True)
    segments = read_parquet(snakemake.input.segments, SEGMENTS, rows=True)
    chosen = choose(recordings, segments)
    waves = Waves(snakemake.input.waves, snakemake.params.rate)
    names = []
    with whole_folder(snakemake.output.figures) as folder:
        for number, (recording, why) in enumerate(chosen, 1):
            rows = segments.filter(pc.field("recording") == recording).to_pylist()
            figure = plot_utterance(*waves(recording), rows, title=f"{recording} ({why})")
            names.append(f"{number:02d}-{recording.replace('/', '-')}")
            for form in ("png", "pdf"):
                save(figure, folder / f"{names[-1]}.{form}")
    table = pa.table(dict(zip(("recording", "why"), zip(*chosen, strict=True), strict=True)))
    write_csv(table.add_column(0, "figure", [names]), snakemake.output.chosen)
    print(f"{len(names)} recordings drawn")


if __name__ == "__main__":
    script.run(main, snakemake)
