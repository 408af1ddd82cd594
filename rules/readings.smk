"""A multiverse: the central claims under each way to read what the text leaves open."""

from types import SimpleNamespace

import pandas as pd
from snakemake.utils import Paramspace

from ima import readings as multiverse

#: The readings that are trained: the level of each factor of both stages.
READINGS = []
if config["readings"]["sample"]:
    multiverse.check_seeds(config["readings"]["seeds"])
    READINGS = multiverse.design(
        config["readings"]["factors"],
        config["readings"]["sample"],
        config["readings"]["blocks"],
        config["readings"]["seed"],
    )
#: Blocks of readings, a job for each of them and each seed.
BLOCKS = Paramspace(
    pd.DataFrame(multiverse.blocks(READINGS), columns=multiverse.BLOCK), filename_params="*"
)


def read_stage1(latent):
    """Return the settings of stage 1 of the variant `paper`, but for those that readings choose."""
    shared = dict(config["autoencoder"])
    own = shared.pop("by_latent").get(str(latent), {})
    settings = shared | own | config["ima"]["paper"]["autoencoder"]
    return {k: v for k, v in settings.items() if k not in ("epochs", "importances")}


def read_stage2():
    """Return the settings of stage 2 of the variant `paper`, but for those that readings choose."""
    settings = config["importance"] | config["ima"]["paper"]["importance"]
    wanted = ("objective", "steps", "batch_size", "learning_rate")
    own = {name: config["readings"][name] or settings[name] for name in ("steps", "restarts")}
    return {name: settings[name] for name in wanted} | own


def read_baselines():
    """Return by kind of baseline and latent size the settings of the first baseline of this kind."""
    names = {model["kind"]: name for name, model in reversed(MODELS.items())}
    shared = {L: budget(SimpleNamespace(latent=str(L))) for L in config["latents"]}
    return {
        kind: {
            latent: {k: v for k, v in of.items() if k != "epochs"} | own_settings(names[kind])
            for latent, of in shared.items()
        }
        for kind in ("jmvae", "mvae", "denoising")
        if kind in names
    }


rule readings_block:
    """Train the readings that share activation, features and epochs, and the baselines so read."""
    input:
        image=[rules.features_image.output.features, rules.noise_image.output.features],
        mfcc=rules.mfcc.output.features,
        train=rules.pairs.output.train,
        validation=rules.pairs.output.validation,
        test=rules.pairs.output.test,
        code=code("readings_block.py"),
    output:
        scores=f"{RUN}/readings/{BLOCKS.wildcard_pattern}/seed{{seed}}.parquet",
    log:
        f"{RUN}/logs/readings_block_{BLOCKS.wildcard_pattern}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/readings_block_{BLOCKS.wildcard_pattern}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        block=BLOCKS.instance,
        readings=lambda wildcards: multiverse.of_block(READINGS, dict(wildcards.items())),
        neighbours=config["readings"]["factors"].get("neighbours"),
        pairs=config["readings"]["pairs"],
        noise=config["noise"]["speech"],
        noise_seed=config["noise"]["seed"],
        mfcc=config["speech"]["mfcc"],
        layers={name: config["model"][name] for name in ("image", "speech")},
        stage1={latent: read_stage1(latent) for latent in config["latents"]},
        stage2=read_stage2(),
        hidden=config["importance"]["hidden"],
        baselines=read_baselines(),
        k=config["readings"]["k"],
    script:
        "../workflow/scripts/readings_block.py"


rule readings:
    """Under which readings the central claims hold, and which choices decide it."""
    input:
        scores=expand(
            f"{RUN}/readings/{{block}}/seed{{seed}}.parquet",
            block=BLOCKS.instance_patterns,
            seed=config["readings"]["seeds"],
        ),
        code=code("readings.py"),
    output:
        table=reported("results/tables/readings.csv", "Readings"),
        scores=reported("results/tables/readings_scores.csv", "Readings"),
        pdf=reported("results/figures/readings.pdf", "Readings"),
        png=reported("results/figures/readings.png", "Readings"),
    log:
        f"{RUN}/logs/readings.log",
    benchmark:
        f"{RUN}/benchmarks/readings.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        run=config["run"],
    script:
        "../workflow/scripts/readings.py"
