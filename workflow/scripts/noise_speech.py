"""results/<run>/features/speech_noise.parquet: features of noise waveforms (A.1.2), by
`ima.datasets.noise.noise_wave`.
"""

import numpy as np

from ima.datasets.noise import noise_wave, write_noise
from ima.features.mfcc import Mfcc, UnitInterval, mfcc_of_waves
from ima.pairing.by_label import noise_count
from ima.utils.io import read_json, read_parquet
from ima.utils.schemas import FEATURES
from ima.workflow import script


def main(snakemake):
    corpus = read_parquet(snakemake.input.features, FEATURES, rows=True)
    count = noise_count("speech", len(corpus), snakemake.input.pairs)
    rng = np.random.default_rng([snakemake.params.seed, 1])
    mfcc = Mfcc(**snakemake.params.mfcc)
    seconds = snakemake.params.noise["seconds"]
    waves = (noise_wave(seconds, mfcc.rate, rng) for _ in range(count))
    mapping = UnitInterval.from_dict(read_json(snakemake.input.mapping))
    x = mapping(mfcc_of_waves(waves, mfcc))
    write_noise("speech", x, snakemake.output.features)
    print(f"{len(x)} noise waveforms")


if __name__ == "__main__":
    script.run(main, snakemake)
