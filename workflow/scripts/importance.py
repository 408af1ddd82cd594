"""Stage 2 (Eqs. 3-4): importance_round<n>.safetensors, by
`ima.models.importance.train_importance`.
"""

import torch

from ima.evaluation.user.stability import over_folds
from ima.models import checkpoints
from ima.models.autoencoder import Stage1
from ima.models.concordance import Checkpoint
from ima.models.importance import Stage2, train_importance
from ima.models.stages import constant_importances, cross_fit
from ima.training import distributed
from ima.training.loop import device
from ima.utils.io import read_tensors, write_history, write_tensors
from ima.workflow import script


def main(snakemake):
    tensors, config, history, said = distributed.run(
        lambda: train(snakemake), snakemake.params.processes
    )
    write_history(history, snakemake.output.history)
    write_tensors(tensors, snakemake.output.model, config)
    print(said)


def train(snakemake):
    """Return the tensors of the importance networks, their config, the history and its summary."""
    params = snakemake.params
    state, config = read_tensors(snakemake.input.autoencoder)
    autoencoder = checkpoints.build_autoencoder(config, state).to(device())
    settings = Stage2(restarts=params.restarts, **params.settings)
    seed = int(snakemake.wildcards.seed)
    names = list(autoencoder.modalities)
    x = checkpoints.load_features({name: snakemake.input[name] for name in names}, device())
    pairs, held_out = (
        checkpoints.load_pairs(snakemake.input[name]) for name in ("pairs", "validation")
    )
    folds = None
    if settings.objective == "mixture":
        before, stage1 = snakemake.input.get("importance"), Stage1(**params.stage1)
        networks = checkpoints.load_networks(before, x) if before else None
        y = constant_importances(x, networks, stage1, params.hidden, params.rho, seed)
        folds = cross_fit(autoencoder, x, pairs, held_out, stage1, seed, settings.folds, y)
    networks, history, found = train_importance(
        autoencoder, x, pairs, params.rho, params.hidden, settings, seed, held_out, folds
    )
    config = {"hidden": params.hidden, "rho": params.rho, "seed": seed, "settings": vars(settings)}
    if settings.objective != "mixture":
        said = f"best of {settings.restarts} restarts, losses {found['loss'].tolist()}"
        return networks.state_dict(), config, history, said
    models = {name: of.model for name, of in found.items()}
    fitted = {name: of.concordance for name, of in found.items()}
    more = Checkpoint(models, found[names[0]].pair, fitted).tensors()
    both = {m: torch.cat((pairs[m], held_out[m])) for m in names}
    config["folds"] = over_folds(found, networks, x, both)
    said = "\n".join(
        f"{name}: {of.share:.2f} informative, {len(of.pair)} pairs in {len(folds)} folds"
        for name, of in found.items()
    )
    return {**networks.state_dict(), **more}, config, history, said


if __name__ == "__main__":
    script.run(main, snakemake)
