"""The two stages of training (Section 3), one model a latent size and seed."""

MODEL = f"{RUN}/models/latent{{latent}}/seed{{seed}}"

#: Settings of stage 2 that every objective and rho shares.
STAGE2 = {
    name: value
    for name, value in config["importance"].items()
    if name not in ("objective", "latent", "rho", "restarts", "seeds")
}


rule autoencoder:
    """Stage 1: encoders and decoders (Eq. 2)."""
    input:
        **FEATURES,
        pairs=PAIRS.train,
        validation=PAIRS.validation,
        code=code("autoencoder.py"),
    output:
        model=f"{MODEL}/autoencoder.safetensors",
        history=f"{MODEL}/autoencoder_history.csv",
    log:
        f"{RUN}/logs/autoencoder_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/autoencoder_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        layers=LAYERS,
        settings=stage1,
    script:
        "../workflow/scripts/autoencoder.py"


rule importance:
    """Stage 2: importance networks of an objective (Eqs. 3 and 4), the best of several restarts."""
    input:
        **FEATURES,
        pairs=PAIRS.train,
        validation=PAIRS.validation,
        autoencoder=rules.autoencoder.output.model,
        code=code("importance.py"),
    output:
        model=f"{MODEL}/importance_{{objective}}.safetensors",
        history=f"{MODEL}/importance_{{objective}}_history.csv",
    log:
        f"{RUN}/logs/importance_{{objective}}_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/importance_{{objective}}_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        settings=STAGE2,
        rho=RHO,
        restarts=config["importance"]["restarts"],
    script:
        "../workflow/scripts/importance.py"
