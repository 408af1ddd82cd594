"""Another method on words and voices, trained and scored, by
`ima.evaluation.emotion.scores.score_all`.
"""

from ima.evaluation.classifier import Classifier
from ima.evaluation.emotion import utterances as of
from ima.evaluation.emotion.scores import Utterances, score_all
from ima.models import checkpoints
from ima.models.peers import lacking, peer
from ima.models.peers.views import Problem, pair_matrices
from ima.training.loop import Training, device
from ima.utils.io import read_parquet, write_json
from ima.utils.schemas_emotion import EMOTION_UTTERANCES, ITEMS_EMOTION
from ima.workflow import script


def main(snakemake):
    params, given, wildcards = snakemake.params, snakemake.input, snakemake.wildcards
    seed, method = int(wildcards.seed), peer(wildcards.peer)
    if why := lacking(wildcards.peer):
        skipped = {"seed": seed, "model": method.label, "scores": [], "skipped": why}
        write_json(skipped, snakemake.output.scores)
        print(why)
        return
    splits = ("train", "validation")
    x, pairs = checkpoints.load_data(given, splits, device())
    problem = Problem(
        *(pair_matrices(x, items) for items in pairs),
        checkpoints.modalities_of(x, params.layers),
        int(wildcards.latent),
        Training(**{name: params.training[name] for name in vars(Training())}),
        seed,
    )
    fitted = method.fitted(problem)
    tokens = read_parquet(given.tokens, ITEMS_EMOTION)
    names, place = of.groups(tokens)
    about = Utterances.of(read_parquet(given.utterances, EMOTION_UTTERANCES), names)
    views = of.plain_representations(of.baseline_tokens(fitted, x, tokens), place, len(names))
    settings = Classifier(**params.classifier)
    rows = score_all([(method.label, "", views)], about, params.k, settings, seed)
    write_json({"seed": seed, "model": method.label, "scores": rows}, snakemake.output.scores)
    print(f"{method.label} on {len(names)} utterances")


if __name__ == "__main__":
    script.run(main, snakemake)
