"""Tables of noise detection by importances: by seed, and on harder noise with controls (5.2)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import pyarrow as pa

from ima.evaluation.item_errors import half_width
from ima.evaluation.seeds import mean_sd, over_seeds
from ima.utils.arrow import to_table

#: F1 from which a seed is counted in `seeds_at_<goal>`.
GOAL = 0.98


def by_seed(rows: Iterable[Mapping], run: str) -> pa.Table:
    """Return F1 of the noise class, with one column per seed.

    Args:
        rows: for each model, `variant`, `latent` (of the autoencoder that its networks were trained
            with), `seed`, `modality`, the scores of `ima.evaluation.metrics.importance_scores`,
            and the error of `f1_noise` (`ima.evaluation.item_errors.Clusters.error`).
        run: name of the run, for the first column.

    Returns:
        A row per variant, latent size and modality: mean and sd of F1 over seeds, half the width of
        its 95 % interval over items (mean over seeds), the mean F1 of shuffled importances, the
        lowest F1, the number of seeds that reach GOAL, mean F1 of the important class, and
        `f1_seed<n>` for each seed.
    """
    by_variant: dict[tuple, dict[int, Mapping]] = defaultdict(dict)
    for row in rows:
        by_variant[row["variant"], row["latent"], row["modality"]][row["seed"]] = row
    table = []
    for (variant, latent, modality), seeds in by_variant.items():
        f1 = {seed: row["f1_noise"] for seed, row in sorted(seeds.items())}
        mean, sd = mean_sd([*f1.values()])
        widths = [half_width(row) for row in seeds.values()]
        table.append(
            {
                "run": run,
                "variant": variant,
                "latent": latent,
                "modality": modality,
                "seeds": len(f1),
                "f1_noise": mean,
                "f1_noise_sd": sd,
                "f1_noise_ci_items": None if None in widths else mean_sd(widths)[0],
                "f1_shuffled": mean_sd([row["f1_shuffled"] for row in seeds.values()])[0],
                "f1_noise_min": min(f1.values()),
                f"seeds_at_{GOAL}": sum(value >= GOAL for value in f1.values()),
                "f1_important": mean_sd([row["f1_important"] for row in seeds.values()])[0],
                **{f"f1_seed{seed}": value for seed, value in f1.items()},
            }
        )
    return to_table(table, ("variant", "modality"), ("latent", "seeds", f"seeds_at_{GOAL}"))


def noises(studies: pa.Table, run: str) -> pa.Table:
    """Return each detector's scores on each type of noise, over seeds.

    Args:
        studies: tables of `ima.utils.schemas.NOISE_STUDY`, from one or more seeds.
        run: name of the run, for the first column.

    Returns:
        A row per type of noise, R, modality and detector: `seeds`, and mean and sd of precision,
        recall and F1 of the noise class.
    """
    keys = ("noise_type", "R", "modality", "detector")
    scores = ("f1_noise", "precision_noise", "recall_noise")
    return to_table(over_seeds(studies.to_pylist(), keys, run, scores), keys[:1] + keys[2:])
