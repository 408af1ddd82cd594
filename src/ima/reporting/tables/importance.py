"""Tables of noise detection by importances: by seed, and on harder noise with controls (5.2)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import pyarrow as pa

from ima.evaluation.metrics import mean_sd

#: F1 from which a seed is counted in `seeds_at_<goal>`.
GOAL = 0.98
_TEXT = ("run", "variant", "modality", "kind", "detector")
_WHOLE = ("latent", "seeds", f"seeds_at_{GOAL}")


def by_seed(rows: Iterable[Mapping], run: str) -> pa.Table:
    """Return F1 of the noise class, with one column per seed.

    Args:
        rows: for each model, `variant`, `latent` (of the autoencoder that its networks were trained
            with), `seed`, `modality`, and the scores of
            `ima.evaluation.metrics.importance_scores`.
        run: name of the run, for the first column.

    Returns:
        A row per variant, latent size and modality: mean, sd and lowest F1 over seeds, the number
        of seeds that reach GOAL, mean F1 of the important class, and `f1_seed<n>` for each seed.
    """
    found: dict[tuple, dict[int, Mapping]] = defaultdict(dict)
    for row in rows:
        found[row["variant"], row["latent"], row["modality"]][row["seed"]] = row
    table = []
    for (variant, latent, modality), seeds in found.items():
        f1 = {seed: row["f1_noise"] for seed, row in sorted(seeds.items())}
        mean, sd = mean_sd([*f1.values()])
        table.append(
            {
                "run": run,
                "variant": variant,
                "latent": latent,
                "modality": modality,
                "seeds": len(f1),
                "f1_noise": mean,
                "f1_noise_sd": sd,
                "f1_noise_min": min(f1.values()),
                f"seeds_at_{GOAL}": sum(value >= GOAL for value in f1.values()),
                "f1_important": mean_sd([row["f1_important"] for row in seeds.values()])[0],
                **{f"f1_seed{seed}": value for seed, value in f1.items()},
            }
        )
    return _typed(table)


def noises(studies: pa.Table, run: str) -> pa.Table:
    """Return each detector's scores on each kind of noise, over seeds.

    Args:
        studies: tables of `ima.utils.schemas.NOISE_STUDY`, from one or more seeds.
        run: name of the run, for the first column.

    Returns:
        A row per kind of noise, R, modality and detector: `seeds`, and mean and sd of precision,
        recall and F1 of the noise class.
    """
    found: dict[tuple, list[Mapping]] = defaultdict(list)
    for row in studies.to_pylist():
        found[row["kind"], row["R"], row["modality"], row["detector"]].append(row)
    table = []
    for (kind, R, modality, detector), seeds in found.items():
        out = {"run": run, "kind": kind, "R": R, "modality": modality, "detector": detector}
        out["seeds"] = len(seeds)
        for name in ("f1_noise", "precision_noise", "recall_noise"):
            out[name], out[f"{name}_sd"] = mean_sd([row[name] for row in seeds])
        table.append(out)
    return _typed(table)


def _typed(rows: list[dict]) -> pa.Table:
    types = {**dict.fromkeys(_TEXT, pa.string()), **dict.fromkeys(_WHOLE, pa.int32())}
    return pa.Table.from_pylist(
        rows, schema=pa.schema([(name, types.get(name, pa.float64())) for name in rows[0]])
    )
