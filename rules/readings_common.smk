"""Readings to train, and the settings that they share (docs/readings.md)."""

from types import SimpleNamespace

from ima.evaluation.readings.factors import check_seeds, count_blocks

#: The draw of readings (`ima.evaluation.readings.design.design`).
DESIGN = {
    "factors": config["readings"]["factors"],
    "sample": config["readings"]["sample"],
    "few": config["readings"]["blocks"],
    "seed": config["readings"]["seed"],
}
#: Numbers of the blocks of readings; each block and seed is one job.
BLOCKS = []
if DESIGN["sample"]:
    check_seeds(config["readings"]["seeds"])
    drawn = count_blocks(DESIGN["factors"], DESIGN["sample"], DESIGN["few"])
    BLOCKS = range(min(drawn, DESIGN["sample"]))


def read_stage1(latent):
    """Return the settings of stage 1 of the variant `paper` that readings do not vary."""
    shared = dict(config["autoencoder"])
    own = shared.pop("by_latent").get(str(latent), {})
    settings = shared | own | config["ima"]["paper"]["autoencoder"]
    return {k: v for k, v in settings.items() if k not in ("epochs", "importances")}


def read_stage2():
    """Return the settings of stage 2 of the variant `paper` that readings do not vary."""
    settings = config["importance"] | config["ima"]["paper"]["importance"]
    wanted = ("objective", "steps", "batch_size", "learning_rate")
    own = {name: config["readings"][name] or settings[name] for name in ("steps", "restarts")}
    return {name: settings[name] for name in wanted} | own


def read_baselines():
    """Return the settings of the first baseline of each kind, by kind and latent size."""
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
