"""results/tables/generation.csv and its figure: modalities generated from others, by
`ima.evaluation.generation.coherence_rows`.
"""

from ima.evaluation import generation
from ima.evaluation.classifier import Classifier
from ima.evaluation.represent import decode
from ima.models import checkpoints
from ima.models.baselines.seeds import rebuild_seeds
from ima.pairing.by_label import read_pairs
from ima.reporting.figures import save
from ima.reporting.figures.generation import GIVEN, REAL, draw, pictures
from ima.training.loop import device
from ima.utils.errors import within
from ima.utils.io import read_tensors, write_csv, write_json
from ima.workflow import script, summary


def main(snakemake):
    given, out, params = snakemake.input, snakemake.output, snakemake.params
    train, test = read_pairs(given.train), read_pairs(given.test)
    x, (_, items) = checkpoints.load_data(given, ("train", "test"), device())
    real = {name: values.cpu().numpy() for name, values in x.items()}
    x, (items,) = checkpoints.only_paired(x, [items])
    classifiers = generation.item_classifiers(real, train, Classifier(**params.settings))
    ceilings = generation.ceilings(classifiers, real, test)
    asked = generation.tasks(test)
    shown, rows, drawn = generation.one_per_class(test), [], {}
    for about, model in trained(given, params):
        z = generation.latents(model, x, items)
        stage1 = getattr(model, "autoencoder", model)
        for row in generation.coherence_rows(stage1, z, test, asked, classifiers):
            rows.append({**about, **row, "ceiling": ceilings[row["generated"]]})
        if about["latent"] == params.drawn and about["model"] not in drawn:  # its first seed
            drawn[about["model"]] = {
                source: decode(stage1, z[source][shown], target).cpu().numpy()
                for source, target in directions(items)
            }
    write_json(rows, out.scores)
    table = generation.coherence_table(rows, params.run)
    write_csv(table, out.table)
    chosen = {name: x[name][numbers[shown]].cpu().numpy() for name, numbers in items.items()}
    title = f"latent size {params.drawn}"
    labels = test["label"].to_numpy()[shown]
    save(draw(blocks(chosen, drawn, params.coefficients), labels, title), out.pdf, out.png)
    print(summary.first(table, "coherence"))


def trained(given, params):
    """Yield the keys and the network of each model and seed, IMA's first."""
    files = zip(params.models, given.autoencoders, given.importances, strict=True)
    for about, *checkpoint in files:
        yield about, checkpoints.load_ima(*checkpoint, device())
    for about, path in zip(params.baselines, given.baselines, strict=True):
        state, config = read_tensors(path)
        with within(path):
            models = rebuild_seeds(config, state)
        for seed, model in models.items():
            yield {**about, "seed": seed}, model.to(device())


def directions(names):
    """Return the modalities given and generated, each from each other one."""
    return [(given, generated) for generated in names for given in names if given != generated]


def blocks(chosen, drawn, coefficients):
    """Return the rows of pictures of the figure by direction."""
    found = {}
    for given, generated in directions(chosen):
        rows = [
            (GIVEN, pictures(chosen[given], coefficients[given])),
            (REAL, pictures(chosen[generated], coefficients[generated])),
        ]
        rows += [(m, pictures(of[given], coefficients[generated])) for m, of in drawn.items()]
        found[f"{generated} from {given}"] = rows
    return found


if __name__ == "__main__":
    script.run(main, snakemake)
