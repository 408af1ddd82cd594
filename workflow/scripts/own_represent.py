"""Model file, representations and importances of user data, by
`ima.reporting.tables.user.as_tables`.
"""

import torch

from ima.datasets.splits import SPLITS
from ima.evaluation.represent import as_table, joint, represent
from ima.models import checkpoints
from ima.models.concordance import Checkpoint, concordance_tensors, fusion_weights
from ima.models.importance import importances
from ima.pairing.by_label import read_pairs
from ima.reporting.tables.user import as_tables
from ima.training.loop import device
from ima.utils.io import read_json, read_parquet, read_tensors, write_parquet, write_tensors
from ima.utils.schemas import OWN_IMPORTANCES, own_representations_schema
from ima.workflow import script


def main(snakemake):
    given, out, params = snakemake.input, snakemake.output, snakemake.params
    state, config = read_tensors(given.autoencoder)
    autoencoder = checkpoints.build_autoencoder(config, state)
    state, stage2 = read_tensors(given.importance)
    model = checkpoints.build_ima(autoencoder, stage2, state).to(device())
    pairs = dict(zip(SPLITS, map(read_pairs, given.pairs), strict=True))
    names = list(autoencoder.modalities)
    parts = [checkpoints.load_pairs(path) for path in given.pairs]
    rows = {m: torch.cat([part[m] for part in parts]) for m in names}
    x = checkpoints.load_features({m: given[m] for m in names}, device())
    of_pairs = represent(model, x, rows)
    found = as_table(**of_pairs)
    said = Checkpoint.from_tensors(state)
    concordance = said.of_pairs(model, x, rows)
    fused = {}
    if params.fusion != "importance":
        y = fusion_weights(params.fusion, of_pairs["y"], concordance)
        fused[params.fusion] = joint(of_pairs["u"], y, of_pairs["present"]).cpu().numpy()
    y = importances(model.importance, x, {m: torch.arange(len(x[m])) for m in names})
    ids = {m: read_parquet(given[m][0])["id"] for m in names}
    tables = as_tables(
        pairs,
        found,
        ids,
        {m: y[m][0].numpy() for m in names},
        read_json(given.classes),
        {m: of.numpy() for m, of in concordance.items()},
        fused,
    )
    schema = own_representations_schema(names, bool(concordance), params.fusion)
    write_parquet(tables[0], out.representations, schema)
    write_parquet(tables[1], out.importances, OWN_IMPORTANCES)
    config = checkpoints.model_config(autoencoder) | {"seed": int(snakemake.wildcards.seed)}
    config |= {"hidden": stage2["hidden"], "rho": stage2["rho"]}
    scaled = [read_tensors(path) for path in given.scales]
    scales = {name: of for tensors, _ in scaled for name, of in tensors.items()}
    columns = {of["modality"]: of["columns"] for _, of in scaled}
    config["columns"] = {name: of for name, of in columns.items() if of}
    models = {f"concordance.{name}": of for name, of in concordance_tensors(said.models).items()}
    write_tensors({**model.state_dict(), **scales, **models}, out.model, config)
    print(f"{len(tables[0])} pairs, {len(tables[1])} items")


if __name__ == "__main__":
    script.run(main, snakemake)
