"""Scores of baselines and references on utterances (6.2), by
`ima.evaluation.emotion.scores.score_all`.
"""

from ima.evaluation.classifier import Classifier
from ima.evaluation.emotion import utterances as of
from ima.evaluation.emotion.scores import Utterances, anchors, score_all
from ima.models import checkpoints
from ima.models.baselines import baseline
from ima.models.baselines.seeds import rebuild_seeds
from ima.models.shared_encoders import SharedEncoders
from ima.training.loop import device
from ima.utils.errors import within
from ima.utils.io import read_parquet, read_tensors, write_json
from ima.utils.schemas_emotion import EMOTION_UTTERANCES, ITEMS_EMOTION
from ima.workflow import script


def main(snakemake):
    params, seed = snakemake.params, int(snakemake.wildcards.seed)
    x = checkpoints.load_features({m: snakemake.input[m] for m in params.layers}, device())
    items = read_parquet(snakemake.input.tokens, ITEMS_EMOTION)
    names, place = of.groups(items)
    about = Utterances.of(read_parquet(snakemake.input.utterances, EMOTION_UTTERANCES), names)
    made = []
    for path in snakemake.input.baselines:
        state, config = read_tensors(path)
        peer = rebuild_seeds(config, state)[seed].to(device())
        views = of.plain_representations(of.baseline_tokens(peer, x, items), place, len(names))
        made.append((baseline(config["baseline"]).label, "", views))
    if file := snakemake.input.get("shared_encoders"):
        modalities = checkpoints.modalities_of(x, params.layers)
        encoders = SharedEncoders(modalities, int(snakemake.wildcards.latent)).to(device())
        with within(file):
            checkpoints.load_weights(encoders, read_tensors(file)[0])
        shared = of.shared_representations(encoders, of.tokens(x, items)[1])
        made.append(("shared encoders", "", shared))
    raw = of.raw_tokens({m: values.cpu().numpy() for m, values in x.items()}, items)
    raw = of.plain_representations(raw, place, len(names))
    made.append(("raw features", "", raw))
    settings = Classifier(**params.classifier)
    rows = score_all(made, about, params.k, settings, seed)
    rows += anchors(raw[of.JOINT], about, params.k, settings, seed)
    write_json({"seed": seed, "scores": rows}, snakemake.output.scores)
    print(f"{len(made)} models on {len(names)} utterances")


if __name__ == "__main__":
    script.run(main, snakemake)
