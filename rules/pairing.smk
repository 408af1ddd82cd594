"""Pairs of items, and the definitions of the modalities for all later rules.

Later rules use FEATURES, PAIRS and LAYERS, which are defined here, and name no modality. They apply
to the two modalities of the digits or, if the config has `own`, to those of the user.
"""

from ima.workflow.config import check_modalities, layers_of
from ima.workflow.networks import network_files, with_networks


rule pairs:
    """Row numbers of the items of every pair; train, validation and test share no item."""
    input:
        image=rules.features_image.output.features,
        # Not features_speech: the mapping to [0, 1] does not change ids, splits and labels.
        speech=rules.mfcc.output.features,
    output:
        train=f"{RUN}/pairs/train.parquet",
        validation=f"{RUN}/pairs/validation.parquet",
        test=f"{RUN}/pairs/test.parquet",
    log:
        f"{RUN}/logs/pairs.log",
    benchmark:
        f"{RUN}/benchmarks/pairs.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("pairs.py"),
        R=config["pairs"]["R"],
        totals={split: config["pairs"][split] for split in ("train", "test", "validation")},
        sizes=config["pairs"]["sizes"],
        validation_share=config["pairs"]["validation_share"],
        seed=config["pairs"]["seed"],
    script:
        "../workflow/scripts/pairs.py"


rule noise_image:
    """Noise images required by the pairs."""
    input:
        pairs=list(rules.pairs.output),
        features=rules.features_image.output.features,
    output:
        features=f"{RUN}/features/image_noise.parquet",
    log:
        f"{RUN}/logs/noise_image.log",
    benchmark:
        f"{RUN}/benchmarks/noise_image.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("noise_image.py"),
        noise=config["noise"]["image"],
        seed=config["noise"]["seed"],
    script:
        "../workflow/scripts/noise_image.py"


rule noise_speech:
    """Speech features of the noise waveforms required by the pairs."""
    input:
        pairs=list(rules.pairs.output),
        features=rules.features_speech.output.features,
        mapping=rules.features_speech.output.mapping,
    output:
        features=f"{RUN}/features/speech_noise.parquet",
    log:
        f"{RUN}/logs/noise_speech.log",
    benchmark:
        f"{RUN}/benchmarks/noise_speech.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("noise_speech.py"),
        noise=config["noise"]["speech"],
        mfcc=config["speech"]["mfcc"],
        seed=config["noise"]["seed"],
    script:
        "../workflow/scripts/noise_speech.py"


if OWN:

    include: "user_data.smk"

else:
    MODALITIES = ["image", "speech"]
    check_modalities(
        MODALITIES, {"model": config["model"], "importance.rho": config["importance"]["rho"]}
    )
    #: Features of the corpus and of its noise by modality, in the order of the pairs' row numbers.
    FEATURES = {
        "image": [rules.features_image.output.features, rules.noise_image.output.features],
        "speech": [rules.features_speech.output.features, rules.noise_speech.output.features],
    }
    PAIRS = rules.pairs.output

#: Layers of each modality.
LAYERS = {name: layers_of(config["model"][name]) for name in MODALITIES}
#: Files that define the networks of variants that do not have these layers.
NETWORKS = network_files(VARIANTS, MODALITIES, "", ROOT / "src")
