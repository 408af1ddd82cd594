"""tsne.parquet of a model, which Figure 5 draws, by `ima.embed_emotion.embed_items` (6.1)."""

from ima import data, job
from ima.embed_emotion import draw_voices, embed_items
from ima.io import read_parquet, read_tensors, write_parquet
from ima.schema_emotion import EMBEDDINGS_EMOTION, ITEMS_EMOTION, LEXICON
from ima.train import device
from ima.utterances import latents


def main(snakemake):
    state, config = read_tensors(snakemake.input.autoencoder)
    autoencoder = data.build_autoencoder(config, state)
    x = data.load_features({m: snakemake.input[m] for m in autoencoder.modalities}, device())
    state, config = read_tensors(snakemake.input.importance)
    u, y = latents(data.build_ima(autoencoder, config, state).to(device()), x)
    settings, seed = dict(snakemake.params.settings), int(snakemake.wildcards.seed)
    items = read_parquet(snakemake.input.tokens, ITEMS_EMOTION)
    shown = draw_voices(items, settings.pop("points"), seed)
    lexicon = read_parquet(snakemake.input.lexicon, LEXICON)
    table = embed_items(u, y, lexicon, shown, **settings, seed=seed)
    write_parquet(table, snakemake.output.embeddings, EMBEDDINGS_EMOTION)
    print(f"{len(table)} words and voices")


if __name__ == "__main__":
    job.run(main, snakemake)
