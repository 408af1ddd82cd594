"""results/<run>/features/image_noise.parquet: noise images (A.1.1), by
`ima.datasets.noise.noise_images`.
"""

import numpy as np

from ima.datasets.noise import noise_images, write_noise
from ima.pairing.by_label import noise_count
from ima.utils.io import read_parquet
from ima.utils.schemas import FEATURES
from ima.workflow import script


def main(snakemake):
    corpus = read_parquet(snakemake.input.features, FEATURES, rows=True)
    count = noise_count("image", len(corpus), snakemake.input.pairs)
    rng = np.random.default_rng([snakemake.params.seed, 0])
    pixels = corpus["x"].type.list_size
    x = noise_images(count, pixels, **snakemake.params.noise, rng=rng)
    write_noise("image", x, snakemake.output.features)
    print(f"{len(x)} noise images")


if __name__ == "__main__":
    script.run(main, snakemake)
