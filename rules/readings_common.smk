"""Readings to train, and the settings that they share (docs/readings.md)."""

from types import SimpleNamespace

import pandas as pd
from snakemake.utils import Paramspace

from ima.evaluation.readings import design as multiverse

#: The readings to train: for each, the level of every factor of both stages.
READINGS = []
if config["readings"]["sample"]:
    multiverse.check_seeds(config["readings"]["seeds"])
    READINGS = multiverse.design(
        config["readings"]["factors"],
        config["readings"]["sample"],
        config["readings"]["blocks"],
        config["readings"]["seed"],
    )
#: Blocks of readings; each block and seed is one job.
BLOCKS = Paramspace(
    pd.DataFrame(multiverse.blocks(READINGS), columns=multiverse.BLOCK), filename_params="*"
)


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
