"""Encoders of what modalities share, by `ima.models.shared_encoders.fit_shared_encoders`."""

from ima.models import checkpoints
from ima.models.shared_encoders import fit_shared_encoders
from ima.training.loop import Training, device
from ima.utils.io import write_history, write_tensors
from ima.workflow import script


def main(snakemake):
    given, params, seed = snakemake.input, snakemake.params, int(snakemake.wildcards.seed)
    x, (pairs, held) = checkpoints.load_data(given, ("train", "validation"), device())
    model = checkpoints.load_ima(given.autoencoder, given.importance, device())
    encoders, history = fit_shared_encoders(
        model, x, pairs, held, Training(**params.training), seed
    )
    config = {"seed": seed, "settings": params.training}
    write_history(history, snakemake.output.history)
    write_tensors(encoders.state_dict(), snakemake.output.model, config)
    print(f"validation loss {min(row['validation'] for row in history):.3f}")


if __name__ == "__main__":
    script.run(main, snakemake)
