"""tsne.parquet of a model, the data of Figure 5 (6.3), by
`ima.evaluation.emotion.tsne.embed_items`.
"""

from ima.evaluation.emotion.tsne import draw_voices, embed_items
from ima.evaluation.emotion.utterances import latents
from ima.models import checkpoints
from ima.training.loop import device
from ima.utils.io import read_parquet, write_parquet
from ima.utils.schemas_emotion import EMBEDDINGS_EMOTION, ITEMS_EMOTION, LEXICON
from ima.workflow import script


def main(snakemake):
    given = snakemake.input
    model = checkpoints.load_ima(given.autoencoder, given.importance, device())
    x = checkpoints.load_features({m: given[m] for m in model.importance}, device())
    u, y = latents(model, x)
    settings, seed = dict(snakemake.params.settings), int(snakemake.wildcards.seed)
    items = read_parquet(snakemake.input.tokens, ITEMS_EMOTION)
    shown = draw_voices(items, settings.pop("points"), seed)
    lexicon = read_parquet(snakemake.input.lexicon, LEXICON)
    table = embed_items(u, y, lexicon, shown, **settings, seed=seed)
    write_parquet(table, snakemake.output.embeddings, EMBEDDINGS_EMOTION)
    print(f"{len(table)} words and voices")


if __name__ == "__main__":
    script.run(main, snakemake)
