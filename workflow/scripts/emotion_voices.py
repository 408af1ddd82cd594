"""results/<run>/emotion/voices.parquet, by `ima.features.pooling.span_vectors` (6.2)."""

import pyarrow as pa
import pyarrow.compute as pc

from ima.features.pooling import span_vectors, z_score
from ima.utils.arrow import vector_column
from ima.utils.io import read_parquet, write_parquet
from ima.utils.parallel import n_workers
from ima.utils.schemas_emotion import EMOTION_UTTERANCES, SPANS, VOICES
from ima.workflow import script


def main(snakemake):
    spans = read_parquet(snakemake.input.spans, SPANS)
    utterances = read_parquet(snakemake.input.utterances, EMOTION_UTTERANCES)
    training = utterances.filter(pc.equal(utterances["split"], "train"))["speaker"].to_pylist()
    voice = dict(snakemake.params.voice)
    scale = voice.pop("scale")
    files = len(spans["file"].unique())
    jobs = n_workers(snakemake.threads, files, each=50)
    vectors = span_vectors(snakemake.params.root, spans, **voice, jobs=jobs)
    x = z_score(vectors, spans["speaker"].to_pylist(), training, scale)
    table = spans.select(["utterance", "position", "speaker"]).append_column("x", vector_column(x))
    names = zip(table["utterance"].to_pylist(), table["position"].to_pylist(), strict=True)
    table = table.append_column("id", pa.array([f"{name}#{place}" for name, place in names]))
    write_parquet(table, snakemake.output.voices, VOICES)
    print(f"{len(spans)} audio spans in {files} files, {voice['features']}")


if __name__ == "__main__":
    script.run(main, snakemake)
