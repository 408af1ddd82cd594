"""resources.csv: time and memory of each rule, by `ima.workflow.resources.resources`."""

from ima.utils.io import write_csv
from ima.workflow import script
from ima.workflow.resources import measured, resources


def main(snakemake):
    params = snakemake.params
    jobs = measured(params.folder, params.stages, params.job_values)
    table = resources(jobs, params.stages, params.run)
    write_csv(table, snakemake.output.table, digits=2)
    total, most = sum(table["seconds"].to_pylist()), max(table["mem_mb"].drop_null().to_pylist())
    print(f"{sum(table['jobs'].to_pylist())} jobs, {total:.0f} s in total, {most:.0f} MB at most")


if __name__ == "__main__":
    script.run(main, snakemake)
