"""results/tables/voice_agreement.csv, by `ima.tables_agreement.agreement_table` (6.2)."""

from ima import job, told
from ima.features.agreement import against_opensmile, against_toolbox, choose
from ima.figures import save
from ima.figures_agreement import agreement
from ima.io import read_parquet, write_csv
from ima.parallel import worth_starting
from ima.schema_emotion import SPANS
from ima.tables_agreement import agreement_table


def main(snakemake):
    params = snakemake.params
    spans = read_parquet(snakemake.input.spans, SPANS)
    chosen = choose(spans["speaker"].to_pylist(), spans["file"].to_pylist())
    jobs = worth_starting(snakemake.threads, len(chosen), each=10)
    toolbox = [against_toolbox(params.reference)] if params.reference else []
    ours = against_opensmile(params.root, chosen, params.remove_offset, jobs)
    references = [ours, *toolbox]
    table = agreement_table(params.run, params.corpus, references)
    figure = agreement(references, table.to_pylist())
    write_csv(table, snakemake.output.table)
    save(figure, snakemake.output.pdf, snakemake.output.png)
    print("compared:", *(file for _, file in chosen), sep="\n")
    print(told.first(table, "agreement"))


if __name__ == "__main__":
    job.run(main, snakemake)
