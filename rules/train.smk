"""The two stages of training (Section 3), one model a latent size and seed."""

MODEL = f"{RUN}/models/latent{{latent}}/seed{{seed}}"

#: By modality, its corpus' features and then its noise: what the pairs' row numbers count.
FEATURES = {
    "image": [rules.features_image.output.features, rules.noise_image.output.features],
    "speech": [rules.features_speech.output.features, rules.noise_speech.output.features],
}


rule autoencoder:
    """Stage 1: encoders and decoders (Eq. 2)."""
    input:
        **FEATURES,
        pairs=rules.pairs.output.train,
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
        layers=config["model"],
        settings=config["autoencoder"],
    script:
        "../workflow/scripts/autoencoder.py"


rule importance:
    """Stage 2: importance networks (Eqs. 3 and 4), the best of several restarts."""
    input:
        **FEATURES,
        pairs=rules.pairs.output.train,
        autoencoder=rules.autoencoder.output.model,
        code=code("importance.py"),
    output:
        model=f"{MODEL}/importance.safetensors",
        history=f"{MODEL}/importance_history.csv",
    log:
        f"{RUN}/logs/importance_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/importance_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        settings=config["importance"],
    script:
        "../workflow/scripts/importance.py"
