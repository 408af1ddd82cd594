"""Read, check and pair the user's files (docs/own_data.md)."""

from ima.workflow.user_config import check_config, check_fusion, standardized
from ima.utils.trees import parts_of

#: Whether a variant uses rho from the config, which must then give one for each modality.
RHO_GIVEN = any(of["importance"].get("rho") != "auto" for of in VARIANTS.values())
MODALITIES = check_config(
    OWN,
    config["model"],
    config["importance"]["rho"] if RHO_GIVEN else OWN["modalities"],
    digits=("image", "speech"),
)
check_fusion(OWN["fusion"], list(VARIANTS.values())[0]["importance"]["objective"])


rule own_features:
    """Read and check ids, vectors, labels and splits of a user modality."""
    input:
        files=lambda wildcards: inputs_of_user(
            parts_of(OWN["modalities"][wildcards.modality]["file"])
        ),
    output:
        features=f"{RUN}/own/{{modality}}.arrow",
    log:
        f"{RUN}/logs/own_features_{{modality}}.log",
    benchmark:
        f"{RUN}/benchmarks/own_features_{{modality}}.tsv"
    wildcard_constraints:
        modality="|".join(MODALITIES),
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=4000,
    params:
        code=code("own_features.py"),
        path=lambda wildcards: OWN["modalities"][wildcards.modality]["file"],
        fingerprint=lambda wildcards: file_fingerprint(
            OWN["modalities"][wildcards.modality]["file"]
        ),
        columns=lambda wildcards: {
            name: column
            for name, column in OWN["modalities"][wildcards.modality].items()
            if name not in ("file", "show")
        },
        loss=lambda wildcards: config["model"][wildcards.modality]["loss"],
        standardize=lambda wildcards: standardized(config["model"][wildcards.modality]),
    script:
        "../workflow/scripts/own_features.py"


#: Items of each modality as read, before standardization.
ITEMS = {name: [rules.own_features.output.features.format(modality=name)] for name in MODALITIES}


rule own_pairs:
    """Pair user items by id, label or file, as row numbers."""
    input:
        **ITEMS,
        listed=inputs_of_user(parts_of(OWN["pairs"]["file"])) if "file" in OWN["pairs"] else [],
    output:
        train=f"{RUN}/own/pairs/train.parquet",
        validation=f"{RUN}/own/pairs/validation.parquet",
        test=f"{RUN}/own/pairs/test.parquet",
        classes=f"{RUN}/own/pairs/classes.json",
    log:
        f"{RUN}/logs/own_pairs.log",
    benchmark:
        f"{RUN}/benchmarks/own_pairs.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=4000,
    params:
        code=code("own_pairs.py"),
        modalities=MODALITIES,
        pairs=OWN["pairs"],
        fingerprint=lambda wildcards: file_fingerprint(OWN["pairs"].get("file")),
        shares=OWN["shares"],
        seed=OWN["seed"],
    script:
        "../workflow/scripts/own_pairs.py"


PAIRS = rules.own_pairs.output


rule own_scale:
    """Standardize each dimension of a modality by the items of the training pairs."""
    input:
        raw=rules.own_features.output.features,
        pairs=PAIRS.train,
    output:
        features=f"{RUN}/own/scaled/{{modality}}.arrow",
        scale=f"{RUN}/own/scaled/{{modality}}.safetensors",
    log:
        f"{RUN}/logs/own_scale_{{modality}}.log",
    benchmark:
        f"{RUN}/benchmarks/own_scale_{{modality}}.tsv"
    wildcard_constraints:
        modality="|".join(MODALITIES),
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=4000,
    params:
        code=code("own_scale.py"),
        standardize=lambda wildcards: standardized(config["model"][wildcards.modality]),
    script:
        "../workflow/scripts/own_scale.py"


#: Features of each modality for all later rules; pairs refer to their row numbers.
FEATURES = {name: [rules.own_scale.output.features.format(modality=name)] for name in MODALITIES}
#: Scale of each modality.
SCALES = [rules.own_scale.output.scale.format(modality=name) for name in MODALITIES]
