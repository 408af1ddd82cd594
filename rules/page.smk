"""All results of the run on one page, and what its jobs took."""

from jinja2 import Template

#: Rules whose results are the run's; on data of the user's own, those of `own`.
PARTS = ["checks", "importances", "digits", "emotion"]
#: The run's results, which its page and its report show.
RESULTS = (
    OWN_RESULTS
    if OWN
    else [
        *(str(file) for part in PARTS for file in getattr(rules, part).input),
        *expand("results/figures/figure{number}.{form}", number=[2, 4], form=["pdf", "png"]),
    ]
)


rule resources:
    """Time and memory that the run's jobs took, by stage and rule."""
    input:
        results=RESULTS,
        code=code("resources.py"),
    output:
        table=reported(f"{TABLES}/resources.csv", "The run"),
    log:
        f"{RUN}/logs/resources.log",
    benchmark:
        f"{RUN}/benchmarks/resources.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        run=config["run"],
        folder=f"{RUN}/benchmarks",
        # By rule, the file that it stands in; without those that only show results.
        stages=lambda wildcards: {
            rule.name: Path(str(rule.snakefile)).stem
            for rule in workflow.rules
            if rule.benchmark and rule.name not in ("resources", "index", "crate")
        },
    script:
        "../workflow/scripts/resources.py"


def on_the_page(*files):
    """Return results that the page shows: those of the run, or of them those that are there."""
    return [file for file in files if config["page"] == "run" or Path(file).exists()]


def shown(wildcards):
    """Return all that the page shows: what the paper claims, too, once a rule tells whether it holds."""
    claims = [file for file in REPORTED if REPORTED[file]["section"] == "Claims"]
    return on_the_page(*claims, *map(str, RESULTS), *rules.resources.output)


def captioned(wildcards, input):
    """Return what the page says of the results that it shows."""
    given = SimpleNamespace(config=config)
    return [
        {
            "file": file,
            "title": title_of(file),
            "section": REPORTED[file]["section"],
            "caption": Template((ROOT / REPORTED[file]["caption"]).read_text()).render(
                snakemake=given
            ),
        }
        for file in dict.fromkeys(map(str, input.results))
        if file in REPORTED
    ]


#: What the page lets a reader explore beside tables and figures: by name, its files.
EXPLORED = {
    "embeddings": DRAWN,
    "representations": rules.represent.output.representations.format(
        latent=config["figures"]["latent"], seed=config["seeds"][0]
    ),
}
if OWN:
    EXPLORED["classes"] = PAIRS.classes
else:
    EXPLORED |= {
        "emotion": rules.emotion_tsne.output.embeddings.format(**EMOTION_DRAWN),
        "lexicon": rules.emotion_words.output.lexicon,
        "utterances": rules.emotion_corpus.output.utterances,
        "tokens": rules.emotion_corpus.output.tokens,
        "importances": rules.emotion_scores.output.importances.format(**EMOTION_DRAWN),
    }


rule index:
    """All results on one page: claims, tables to sort, maps and utterances to explore, figures."""
    input:
        results=shown,
        explored=lambda wildcards: on_the_page(*EXPLORED.values()),
        code=code("index.py"),
    output:
        page=reported("results/index.html", "All on one page"),
    log:
        f"{RUN}/logs/index.log",
    benchmark:
        f"{RUN}/benchmarks/index.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        run=config["run"],
        shown=captioned,
        explored=lambda wildcards, input: {
            name: file for name, file in EXPLORED.items() if file in input.explored
        },
        modalities=MODALITIES,
        noise=noise_known(OWN) if OWN else True,
    script:
        "../workflow/scripts/index.py"
