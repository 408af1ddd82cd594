"""Shared encoders of utterances, by `ima.models.shared_utterances.fit_utterances`."""

import numpy as np
import torch

from ima.evaluation.emotion import utterances as of
from ima.evaluation.emotion.scores import Utterances
from ima.models import checkpoints
from ima.models.shared_utterances import fit_utterances
from ima.pairing.words_voices import held_out_utterances
from ima.training.loop import Training, device
from ima.utils.io import read_parquet, write_history, write_tensors
from ima.utils.schemas_emotion import EMOTION_UTTERANCES, ITEMS_EMOTION
from ima.workflow import script


def main(snakemake):
    given, params, seed = snakemake.input, snakemake.params, int(snakemake.wildcards.seed)
    x = checkpoints.load_features({m: given[m] for m in params.layers}, device())
    items = read_parquet(given.tokens, ITEMS_EMOTION)
    names, tokens = of.tokens(x, items)
    split = Utterances.of(read_parquet(given.utterances, EMOTION_UTTERANCES), names).split
    rng = np.random.default_rng(params.pairs["seed"])
    held = np.isin(names, held_out_utterances(items, params.pairs["validation_share"], rng))
    train = (split == "train") & ~held
    parts = [tokens.part(torch.from_numpy(np.flatnonzero(mask))) for mask in (train, held)]
    modalities = checkpoints.modalities_of(x, params.layers)
    encoders, history = fit_utterances(
        modalities, int(snakemake.wildcards.latent), *parts, Training(**params.training), seed
    )
    write_history(history, snakemake.output.history)
    config = {"seed": seed, "settings": params.training}
    write_tensors(encoders.state_dict(), snakemake.output.model, config)
    print(f"validation loss {min(row['validation'] for row in history):.3f}")


if __name__ == "__main__":
    script.run(main, snakemake)
