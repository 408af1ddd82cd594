"""Stage 2, importance_round<n>.safetensors, by `ima.importance.train_importance` (Eqs. 3-4)."""

from ima import data, job
from ima.importance import Stage2, train_importance
from ima.io import read_tensors, write_history, write_tensors
from ima.train import device


def main(snakemake):
    params = snakemake.params
    state, config = read_tensors(snakemake.input.autoencoder)
    autoencoder = data.build_autoencoder(config, state).to(device())
    settings = Stage2(restarts=params.restarts, **params.settings)
    seed = int(snakemake.wildcards.seed)
    names = list(autoencoder.modalities)
    x = data.load_features({name: snakemake.input[name] for name in names}, device())
    pairs, held_out = (data.load_pairs(snakemake.input[name]) for name in ("pairs", "validation"))
    networks, history, final = train_importance(
        autoencoder, x, pairs, params.rho, params.hidden, settings, seed, held_out
    )
    config = {"hidden": params.hidden, "rho": params.rho, "seed": seed, "settings": vars(settings)}
    write_history(history, snakemake.output.history)
    write_tensors(networks.state_dict(), snakemake.output.model, config)
    print(f"best of {settings.restarts} restarts, losses {final['loss'].tolist()}")


if __name__ == "__main__":
    job.run(main, snakemake)
