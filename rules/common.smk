"""What the rules share: where a corpus lies, the code a rule depends on, items of the report."""

import ast
from functools import cache

from snakemake.exceptions import WorkflowError


@cache
def imported(file):
    """Return the files of the package that the imports of one Python file run."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # `from ima import io` names a module, `from ima.io import f` a function of one.
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    files = set()
    for parts in (name.split(".") for name in names if name and name.split(".")[0] == "ima"):
        for depth in range(1, len(parts) + 1):
            path = ROOT.joinpath("src", *parts[:depth])
            files |= {path / "__init__.py", path.with_suffix(".py")}
    return frozenset(file for file in files if file.exists())


@cache
def code(script):
    """Return the package's files that a rule's script runs: edit one, and the rule runs again."""
    found, new = set(), imported(ROOT / "workflow/scripts" / script)
    while new:
        found |= new
        new = frozenset().union(*(imported(file) for file in new)) - found
    return sorted(os.path.relpath(file) for file in found)


#: Corpora that the digits are of.
DIGIT_CORPORA = [config["image"]["corpus"], *config["speech"]["corpora"]]
#: Corpora that anyone may have: a rule downloads them where `raw` lacks them.
OPEN_CORPORA = {"mnist", "fsdd"}


def corpus_root(corpus):
    """Return the folder of a corpus: the user's own, or the one that a rule fills."""
    made = f"{RUN}/raw/{corpus}"
    if corpus in config["roots"]:
        return config["roots"][corpus]
    if config["raw"] is None:
        return made
    folder = f"{config['raw']}/{corpus}"
    return made if corpus in OPEN_CORPORA and not Path(folder).exists() else folder


def made_by_rule(corpus):
    """Return the manifest of a corpus that a rule makes or downloads; none of a user's own."""
    root = corpus_root(corpus)
    return [f"{root}.json"] if root.startswith(f"{RUN}/raw/") else []


def fingerprint(corpus):
    """Return what changes when a file of a user's own corpus does: names, sizes and times."""
    from ima.corpora import tree_fingerprint

    root = Path(corpus_root(corpus))
    return tree_fingerprint(root) if root.is_dir() and not made_by_rule(corpus) else ""


#: Baselines by the name that their files have: kind, label in tables, and settings of their own.
MODELS = config["baselines"]["models"]


def own_settings(name):
    """Return the settings of a baseline that only its kind has."""
    others = ("kind", "label", "activation")
    return {key: value for key, value in MODELS[name].items() if key not in others}


def own_layers(name):
    """Return the layers of a baseline by modality: those of the config, or with its activation."""
    own = {key: MODELS[name][key] for key in ("activation",) if key in MODELS[name]}
    return {modality: layers | own for modality, layers in LAYERS.items()}


def seed_batches(seeds):
    """Return the seeds that one job takes, as `0-1-2`: so many, in the order of the config."""
    size = config["seeds_a_job"]
    return ["-".join(map(str, seeds[i : i + size])) for i in range(0, len(seeds), size)]


def reported(file, section):
    """Return a figure's file, or the table of what it draws, as an item of the report."""
    name, form = Path(file).stem, Path(file).suffix.removeprefix(".")
    return report(
        file,
        caption=f"../workflow/report/{name}.rst",
        category=section,
        labels={"figure": name.replace("figure", "Figure "), "format": form},
    )


def manifests(corpora):
    """Return the manifests of corpora: those of the rules that made them, else by `checksums`."""
    return [
        file
        for corpus in corpora
        for file in made_by_rule(corpus) or [f"{RUN}/corpora/{corpus}.json"]
    ]


def is_table(file):
    """Tell whether a result is a table, which has a sidecar."""
    return str(file).startswith("results/tables/") and str(file).endswith(".csv")


def whole_run(wildcards):
    """Return all that the rules make whose results are the targets of the whole run."""
    wanted = set(map(str, rules.all.input))
    makers = [rule for rule in workflow.rules if wanted & set(map(str, rule.output))]
    return sorted({str(file) for rule in makers for file in rule.output if rule.name != "all"})


def no_own_data(wildcards):
    """Stop where results on data of the user's own are asked for, and the config names none."""
    raise WorkflowError(
        "config: expected `own`, the files of your modalities, found none. "
        "Run: snakemake --cores 8 own --configfile config/own.yaml"
    )


def stage1(wildcards):
    """Return the settings of stage 1 for a latent size: those of all, and what it has of its own."""
    settings = dict(config["autoencoder"])
    own = settings.pop("by_latent")
    return settings | own.get(str(wildcards.latent), {})


def budget(wildcards):
    """Return of those settings what IMA and every baseline share: how long and fast to train."""
    shared = ("epochs", "batch_size", "learning_rate", "schedule", "patience")
    return {name: value for name, value in stage1(wildcards).items() if name in shared}


def serving(wildcards):
    """Return the importance networks that serve a model: those learnt beside `importance.latent`."""
    return rules.importance.output.model.format(
        latent=config["importance"]["latent"] or wildcards.latent,
        seed=wildcards.seed,
        objective=config["importance"]["objective"],
    )
