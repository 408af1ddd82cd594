"""Other methods, trained on the same pairs as IMA (`peers`, and `own.compare` on user data)."""

#: Methods, latent sizes and seeds of the run.
TRAINED_PEERS = (
    {"peer": OWN["compare"], "latent": config["latents"], "seed": config["seeds"]}
    if OWN
    else {
        "peer": config["peers"]["digits"],
        "latent": config["peers"]["latents"] or config["latents"],
        "seed": config["peers"]["seeds"] or config["seeds"],
    }
)
#: The same for utterances.
EMOTION_PEERS = {
    "peer": config["peers"]["emotion"],
    "latent": config["emotion"]["latent"],
    "seed": config["peers"]["seeds"] or config["seeds"],
}


wildcard_constraints:
    peer="|".join([*TRAINED_PEERS["peer"], *EMOTION_PEERS["peer"]]) or "none",


rule peer:
    """Train a method on the training pairs, with IMA's budget and early stopping, and score it."""
    input:
        **FEATURES,
        train=PAIRS.train,
        validation=PAIRS.validation,
        test=PAIRS.test,
    output:
        scores=f"{RUN}/peers/{{peer}}_latent{{latent}}_seed{{seed}}.json",
    log:
        f"{RUN}/logs/peer_{{peer}}_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/peer_{{peer}}_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=4000,
    params:
        code=code("peer.py"),
        layers=LAYERS,
        training=budget,
        k=config["retrieval"]["k"],
        classifier=config["classifier"],
    script:
        "../workflow/scripts/peer.py"


#: Scores of all methods, latent sizes and seeds.
PEER_SCORES = expand(rules.peer.output.scores, **TRAINED_PEERS)
