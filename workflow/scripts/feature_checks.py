"""results/tables/feature_checks.csv: digits told by `ima.features.checks.feature_checks`."""

from ima import job, told
from ima.corpora.speech import Waves
from ima.features.checks import feature_checks, variants
from ima.features.speech import Mfcc
from ima.figures import save
from ima.figures_checks import feature_accuracy
from ima.io import read_parquet, write_csv
from ima.schema import RECORDINGS, SEGMENTS
from ima.segment.methods import segment


def main(snakemake):
    params, threads = snakemake.params, snakemake.threads
    recordings = read_parquet(snakemake.input.recordings, RECORDINGS)
    mfcc, configured = Mfcc(**params.mfcc), params.segmentation
    waves = Waves(snakemake.input.waves, mfcc.rate)
    one_digit = all(len(digits) == 1 for digits in recordings["digits"].to_pylist())
    methods = ["hmm", "equal", *(["whole"] if one_digit else [])]
    segments = {
        method: segment(recordings, waves, method, threads)
        for method in methods
        if method != configured
    }
    segments[configured] = read_parquet(snakemake.input.segments, SEGMENTS)
    table = feature_checks(
        params.run,
        recordings,
        segments,
        waves,
        variants(mfcc, params.mapping, configured, methods),
        oh=params.oh,
        doubtful=params.doubtful,
        processes=threads,
    )
    write_csv(table, snakemake.output.table, digits=4)
    figure = feature_accuracy(table.to_pylist())
    for path in (snakemake.output.pdf, snakemake.output.png):
        save(figure, path)
    print(told.first(table, "accuracy"))


if __name__ == "__main__":
    job.run(main, snakemake)
