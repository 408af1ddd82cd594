"""Provenance: checksums of corpora, a sidecar file for each table, and a crate of the run."""

from ima.utils.trees import PARTS
from ima.workflow.corpora import READ


rule checksums:
    """Number, size and checksum of a user's files: a corpus, word vectors, a lexicon, own data."""
    input:
        own_parts,
    output:
        manifest=f"{RUN}/corpora/{{corpus}}.json",
    log:
        f"{RUN}/logs/checksums_{{corpus}}.log",
    benchmark:
        f"{RUN}/benchmarks/checksums_{{corpus}}.tsv"
    wildcard_constraints:
        corpus=r"\w+",
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("checksums.py"),
        root=lambda wildcards: USER_FILES.get(wildcards.corpus) or corpus_root(wildcards.corpus),
        only=lambda wildcards: (
            PARTS if wildcards.corpus in OWN_FILES else READ.get(wildcards.corpus, "")
        ),
        fingerprint=fingerprint_of_files,
    script:
        "../workflow/scripts/checksums.py"


# Every rule that makes tables also makes their sidecars, which ima.workflow.script writes. Rules
# with corpora other than digits name their manifests themselves, as their input `corpora`.
for maker in own_rules():
    tables = [str(file) for file in maker.output if is_table(file)]
    if tables:
        if "corpora" not in maker.input.keys():
            maker.set_input(corpora=no_paper_data if OWN else manifests(DIGIT_CORPORA))
        maker.set_params(sidecars_code=code_hash(["src/ima/workflow/provenance.py"]))
        maker.set_output(
            provenance=[f"{table.removesuffix('.csv')}.provenance.json" for table in tables]
        )


rule crate:
    """Target: the run as an RO-Crate: code, config, tables, figures and their provenance."""
    input:
        results=whole_run,
        corpora=(
            [f"{RUN}/corpora/{name}.json" for name in OWN_FILES]
            if OWN
            else manifests(DIGIT_CORPORA) + emotion_manifests()
        ),
    output:
        crate=f"{RUN}/crate.zip",
    log:
        f"{RUN}/logs/crate.log",
    benchmark:
        f"{RUN}/benchmarks/crate.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("crate.py"),
        folder=f"{RUN}/benchmarks",
        job_values=JOB_VALUES,
        rules=[rule.name for rule in own_rules() if rule.benchmark and rule.name != "crate"],
    script:
        "../workflow/scripts/crate.py"
