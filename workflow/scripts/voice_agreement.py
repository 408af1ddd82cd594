"""results/tables/voice_agreement.csv (A.2), by
`ima.reporting.tables.voice_agreement.agreement_table`.
"""

from ima.evaluation.voice_agreement import against_opensmile, choose
from ima.reporting.figures import save
from ima.reporting.figures.voice_agreement import agreement
from ima.reporting.tables.voice_agreement import agreement_table
from ima.utils.io import read_parquet, write_csv
from ima.utils.parallel import n_workers
from ima.utils.schemas_emotion import SPANS
from ima.workflow import script, summary


def main(snakemake):
    params = snakemake.params
    spans = read_parquet(snakemake.input.spans, SPANS)
    chosen = choose(spans["speaker"].to_pylist(), spans["file"].to_pylist())
    jobs = n_workers(snakemake.threads, len(chosen), each=10)
    reference = against_opensmile(params.root, chosen, params.remove_offset, jobs)
    table = agreement_table(params.run, params.corpus, reference)
    figure = agreement(reference, table.to_pylist())
    write_csv(table, snakemake.output.table)
    save(figure, snakemake.output.pdf, snakemake.output.png)
    print("compared:", *(file for _, file in chosen), sep="\n")
    print(summary.first(table, "agreement"))


if __name__ == "__main__":
    script.run(main, snakemake)
