"""results/cards/*.md: a card for each corpus and one for the model, by
`ima.reporting.cards.data_card`; *.croissant.json: metadata of each corpus, by
`ima.reporting.croissant.corpus`.
"""

from pathlib import Path

from ima.reporting import cards, croissant
from ima.utils.atomic_files import whole_file
from ima.utils.io import read_csv, read_json, read_parquet, write_json
from ima.utils.schemas import FEATURES
from ima.workflow import script

SPEECH = ("corpus", "level", "split", "group", "unit", "found", "expected")


def main(snakemake):
    given, params = snakemake.input, snakemake.params
    facts = cards.read_facts(given.facts)
    written, metadata = {}, []
    for corpus, manifest in zip(params.corpora, given.manifests, strict=True):
        counts, skipped = counted(corpus, given, params)
        known = facts[params.facts[corpus]]
        read = read_json(manifest, ["files", "bytes", "sha256"])
        written[corpus] = cards.data_card(known, read, counts, skipped, params.run)
        metadata.append(croissant.corpus(corpus, known, read, params.run))
    if given.tables:
        titles = [facts[params.facts[corpus]]["title"] for corpus in params.corpora]
        tables = {Path(path).stem: read_csv(path, ["run"]).to_pylist() for path in given.tables}
        sidecar = read_json(given.sidecar, ["config", "code"])
        written["model"] = cards.model_card(params.run, sidecar, titles, tables)
    for path in snakemake.output.cards:
        with whole_file(path) as temporary:
            temporary.write_text(written[Path(path).stem], "utf-8")
    for path, of in zip(snakemake.output.croissant, metadata, strict=True):
        write_json(of, path)


def counted(corpus, given, params):
    """Return the counts of a corpus, and the reasons for its unused files."""
    if corpus == params.image:
        table = read_parquet(given.image, FEATURES)
        counts = cards.image_counts(*(table[name].to_pylist() for name in ("split", "label")))
        return counts, reasons(given.image_skipped, corpus)
    if corpus in params.speech:
        # The file has no rows for corpora without nominal counts.
        rows = read_csv(given.speech_counts, SPEECH, rows=False).to_pylist()
        return cards.speech_counts(rows, corpus), reasons(given.speech_skipped, corpus)
    rows = read_csv(given.emotion_counts, ["corpus", "emotion", "usable", "expected"]).to_pylist()
    return cards.emotion_counts(rows, corpus), reasons(given.emotion_skipped, corpus)


def reasons(path, corpus):
    """Return the reason for each unused file of a corpus, with numbers masked."""
    rows = read_csv(path, ["corpus", "reason"], rows=False).to_pylist()
    return [cards.without_numbers(row["reason"]) for row in rows if row["corpus"] == corpus]


if __name__ == "__main__":
    script.run(main, snakemake)
