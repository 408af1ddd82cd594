"""results/<run>/emotion/voices.parquet, by `ima.features.pooling.span_vectors` (A.2).

With several shards, each job measures the spans of a contiguous part of the files; the last one
standardises all.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.features.pooling import span_vectors, z_score
from ima.utils.arrow import vector_column
from ima.utils.atomic_files import whole_file
from ima.utils.io import read_parquet, write_parquet
from ima.utils.parallel import n_workers
from ima.utils.schemas_emotion import EMOTION_UTTERANCES, SPANS, VOICES
from ima.workflow import script
from ima.workflow.shards import Shard


def main(snakemake):
    given, voice = snakemake.input, dict(snakemake.params.voice)
    scale = voice.pop("scale")
    # Folds have the same spans, which are measured once.
    spans = read_parquet(given.spans[0], SPANS)
    files = spans["file"].unique()
    if shards := given.get("shards"):
        vectors = np.empty(0)
        for number, path in enumerate(shards):
            mine = rows_of(spans, files, Shard(number, len(shards)))
            part = np.load(path, allow_pickle=False)
            vectors = vectors if vectors.size else np.empty((len(spans), part.shape[1]), part.dtype)
            vectors[mine] = part
    else:
        mine = rows_of(spans, files, Shard.of(snakemake.wildcards))
        part = spans.take(mine)
        jobs = n_workers(snakemake.threads, len(part["file"].unique()), each=50)
        vectors = span_vectors(snakemake.params.root, part, **voice, jobs=jobs)
    if hasattr(snakemake.wildcards, "scatteritem"):
        with whole_file(snakemake.output.vectors) as temporary, temporary.open("wb") as file:
            np.save(file, vectors)
        return
    about = spans.select(["utterance", "position", "speaker"])
    for path, output in zip(given.utterances, snakemake.output.voices, strict=True):
        utterances = read_parquet(path, EMOTION_UTTERANCES)
        training = utterances.filter(pc.equal(utterances["split"], "train"))["speaker"].to_pylist()
        x = z_score(vectors, spans["speaker"].to_pylist(), training, scale)
        table = about.append_column("x", vector_column(x))
        write_parquet(table.append_column("id", pa.array(ids(spans))), output, VOICES)
    print(f"{len(spans)} audio spans in {len(files)} files, {voice['features']}")


def rows_of(spans, files, shard):
    """Return the row numbers of the spans in a shard's files."""
    return np.flatnonzero(pc.is_in(spans["file"], files[shard.part(len(files))]))


def ids(spans):
    """Return the name of each span: its utterance and position."""
    columns = (spans[name].to_pylist() for name in ("utterance", "position"))
    return [f"{name}#{place}" for name, place in zip(*columns, strict=True)]


if __name__ == "__main__":
    script.run(main, snakemake)
