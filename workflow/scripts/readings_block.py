"""results/<run>/readings/: scores of a block of readings (5, 6), by
`ima.evaluation.readings.train.train_block`.
"""

import numpy as np

from ima.datasets.noise import noise_wave
from ima.evaluation.readings.design import blocks, design, of_block
from ima.evaluation.readings.train import Data, Settings, features, train_block
from ima.features.mfcc import Mfcc, mfcc_of_waves
from ima.models.checkpoints import load_first_pairs
from ima.pairing.by_label import noise_count, read_pairs
from ima.training.loop import device
from ima.utils.arrow import matrix
from ima.utils.io import read_parquet, write_parquet
from ima.utils.matrices import read_matrix
from ima.utils.schemas import FEATURES, READINGS
from ima.workflow import script


def main(snakemake):
    params, drawn = snakemake.params, design(**snakemake.params.design)
    if int(snakemake.wildcards.block) >= len(blocks(drawn)):
        write_parquet(READINGS.empty_table(), snakemake.output.scores, READINGS)
        print("no readings: the draw has fewer blocks")
        return
    block = blocks(drawn)[int(snakemake.wildcards.block)]
    readings = of_block(drawn, block)
    speech = read_parquet(snakemake.input.mfcc, FEATURES, rows=True)
    noise = _noise(len(speech), snakemake)
    x = features(
        block["features"],
        read_matrix(snakemake.input.image),
        np.concatenate((matrix(speech, "x"), noise)),
        np.flatnonzero(speech["split"].to_numpy(zero_copy_only=False) == "train"),
        params.mfcc["n_mfcc"],
    )
    train, validation = (
        load_first_pairs(snakemake.input[split], params.pairs[split])
        for split in ("train", "validation")
    )
    test = read_pairs(snakemake.input.test).slice(0, params.pairs["test"])
    data = Data({m: of.to(device()) for m, of in x.items()}, train, validation, test)
    settings = Settings(
        *(params.layers, params.stage1, params.stage2, params.hidden, params.baselines, params.k)
    )
    seed = int(snakemake.wildcards.seed)
    scores = train_block(block, readings, params.neighbours, data, settings, seed)
    write_parquet(scores, snakemake.output.scores, READINGS)
    print(f"{len(readings)} readings of {', '.join(map(str, block.values()))}")


def _noise(count, snakemake):
    """Return the MFCC of the noise waveforms before the mapping to [0, 1] in rule noise_speech."""
    paths = [snakemake.input[split] for split in ("train", "validation", "test")]
    rng = np.random.default_rng([snakemake.params.noise_seed, 1])
    mfcc, seconds = Mfcc(**snakemake.params.mfcc), snakemake.params.noise["seconds"]
    wanted = noise_count("speech", count, paths)
    return mfcc_of_waves((noise_wave(seconds, mfcc.rate, rng) for _ in range(wanted)), mfcc)


if __name__ == "__main__":
    script.run(main, snakemake)
