"""results/<run>/features/image_noise.parquet: noise images, by `ima.noise.noise_images`."""

import numpy as np

from ima import job
from ima.io import read_parquet
from ima.noise import noise_images, write_noise
from ima.pairing import noise_count
from ima.schema import FEATURES


def main(snakemake):
    corpus = read_parquet(snakemake.input.features, FEATURES, rows=True)
    count = noise_count("image", len(corpus), snakemake.input.pairs)
    rng = np.random.default_rng([snakemake.params.seed, 0])
    pixels = corpus["x"].type.list_size
    x = noise_images(count, pixels, **snakemake.params.noise, rng=rng)
    write_noise("image", x, snakemake.output.features)
    print(f"{len(x)} made")


if __name__ == "__main__":
    job.run(main, snakemake)
