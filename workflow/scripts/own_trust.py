"""Tables and advice on whether importances of user data can be trusted, by
`ima.reporting.user.trust.trust_tables`."""

from ima.reporting.user import advice
from ima.reporting.user.trust import trust_tables
from ima.utils.atomic_files import whole_file
from ima.utils.io import read_parquet, read_tensors, write_csv
from ima.workflow import script


def main(snakemake):
    params, given, out = snakemake.params, snakemake.input, snakemake.output
    folds = [read_tensors(path)[1].get("folds", {}) for path in given.importance]
    trust, weighting = trust_tables(
        lambda number: read_parquet(given.representations[number]),
        params.models,
        folds,
        params.labels,
        params.k,
        params.run,
    )
    write_csv(trust, out.trust)
    write_csv(weighting, out.weighting)
    rows, effects = trust.to_pylist(), weighting.to_pylist()
    with whole_file(out.report) as temporary:
        temporary.write_text(advice.report(rows, effects, params.run), encoding="utf-8")
    latent = rows[0]["latent"]
    first, effects = ([row for row in of if row["latent"] == latent] for of in (rows, effects))
    print(f"latent {latent}: {advice.advice(first, effects)}")


if __name__ == "__main__":
    script.run(main, snakemake)
