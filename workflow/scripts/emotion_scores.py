"""scores.json of IMA on utterances (5.3, 5.4, 6.2), by
`ima.evaluation.emotion.scores.score_all`.
"""

import pyarrow as pa

from ima.evaluation.classifier import Classifier
from ima.evaluation.emotion import utterances as of
from ima.evaluation.emotion.scores import Utterances, score_all
from ima.models import checkpoints
from ima.training.loop import device
from ima.utils.arrow import vector_column
from ima.utils.io import read_parquet, write_json, write_parquet
from ima.utils.schemas_emotion import (
    EMOTION_UTTERANCES,
    ITEMS_EMOTION,
    REPRESENTATIONS_EMOTION,
    TOKEN_IMPORTANCES,
    WORD_VECTORS,
)
from ima.workflow import script


def main(snakemake):
    params, seed = snakemake.params, int(snakemake.wildcards.seed)
    given = snakemake.input
    model = checkpoints.load_ima(given.autoencoder, given.importance, device())
    x = checkpoints.load_features({m: given[m] for m in model.importance}, device())
    items = read_parquet(snakemake.input.tokens, ITEMS_EMOTION)
    names, _ = of.groups(items)
    about = Utterances.of(read_parquet(snakemake.input.utterances, EMOTION_UTTERANCES), names)
    counts = read_parquet(snakemake.input.verbal[0], WORD_VECTORS)["count"].to_numpy()
    ours = of.ima_representations(model, x, items, counts, seed)
    made = [(params.label, weighting, views) for weighting, views in ours.items()]
    rows = score_all(made, about, params.k, Classifier(**params.classifier), seed)
    write_json({"seed": seed, "scores": rows}, snakemake.output.scores)
    columns = {"id": names, "label": about.labels, "split": about.split}
    columns |= {f"z_{view}": vector_column(z) for view, z in ours["weighted"].items()}
    columns["z_unweighted"] = vector_column(ours["unweighted"][of.JOINT])
    write_parquet(pa.table(columns), snakemake.output.representations, REPRESENTATIONS_EMOTION)
    _, y = of.latents(model, x)
    columns = {name: items[name] for name in ("utterance", "position", "token")}
    columns |= {f"y_{m}": values[items[f"item_{m}"].to_numpy()] for m, values in y.items()}
    write_parquet(pa.table(columns), snakemake.output.importances, TOKEN_IMPORTANCES)
    print(f"{len(made)} weightings of {len(names)} utterances")


if __name__ == "__main__":
    script.run(main, snakemake)
