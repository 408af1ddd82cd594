"""results/tables/feature_checks.csv: digit accuracy of speech features, by
`ima.evaluation.feature_ablation.feature_checks`.
"""

from ima.alignment.methods import segment
from ima.datasets.digit_recordings import Waves
from ima.evaluation.feature_ablation import feature_checks, variants
from ima.features.mfcc import Mfcc
from ima.reporting.figures import save
from ima.reporting.figures.feature_ablation import feature_accuracy
from ima.utils.io import read_parquet, write_csv
from ima.utils.schemas import RECORDINGS, SEGMENTS
from ima.workflow import script, summary


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
    print(summary.first(table, "accuracy"))


if __name__ == "__main__":
    script.run(main, snakemake)
