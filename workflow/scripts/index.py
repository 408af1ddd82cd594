"""index.html: all results of a run on one page, by `ima.reporting.page.document.page`."""

from pathlib import Path

from ima.evaluation.emotion.utterances import with_importances
from ima.reporting.page.document import Item, page
from ima.reporting.page.made import Rule
from ima.reporting.page.maps import emotion_maps, pair_maps
from ima.utils.arrow import conform
from ima.utils.atomic_files import whole_file
from ima.utils.io import read_json, read_parquet
from ima.utils.schemas import EMBEDDINGS, labelled, representations_schema
from ima.utils.schemas_emotion import (
    EMBEDDINGS_EMOTION,
    EMOTION_TOKENS,
    EMOTION_UTTERANCES,
    LEXICON,
    TOKEN_IMPORTANCES,
)
from ima.workflow import script


def maps_of(files, modalities, noise):
    """Return the maps whose files are available."""
    found = []
    if {"embeddings", "representations"} <= set(files):
        table = read_parquet(files["representations"], representations_schema(modalities))
        y = {name: table[f"y_{name}"].to_numpy() for name in modalities}
        classes = read_json(files["classes"]) if "classes" in files else list(map(str, range(10)))
        embeddings = read_parquet(files["embeddings"])
        embeddings = conform(embeddings, labelled(EMBEDDINGS, embeddings), files["embeddings"])
        found.append(pair_maps(embeddings, y, classes, noise))
    if {"emotion", "lexicon"} <= set(files):
        words = read_parquet(files["lexicon"], LEXICON)["word"].to_pylist()
        found.append(emotion_maps(read_parquet(files["emotion"], EMBEDDINGS_EMOTION), words))
    return found


def utterances_of(files):
    """Return the utterances of the validation part, from which those of Figure 3 are chosen."""
    if not {"utterances", "tokens", "importances"} <= set(files):
        return []
    whole = with_importances(
        read_parquet(files["utterances"], EMOTION_UTTERANCES),
        read_parquet(files["tokens"], EMOTION_TOKENS),
        read_parquet(files["importances"], TOKEN_IMPORTANCES),
    )
    return [one for one in whole if one["split"] == "validation"]


def main(snakemake):
    params, files = snakemake.params, snakemake.params.explored
    items = [Item(**item | {"rule": Rule(**item["rule"])}) for item in params.shown]
    explored = maps_of(files, params.modalities, params.noise)
    folder = Path(snakemake.output.page).parent
    text = page(params.run, items, explored, utterances_of(files), params.about, folder)
    with whole_file(snakemake.output.page) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(f"{len(items)} results on a page of {len(text) / 1e6:.1f} MB")


if __name__ == "__main__":
    script.run(main, snakemake)
