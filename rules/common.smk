"""What the rules share: where a corpus lies, the code a rule depends on, items of the report."""

import ast
from functools import cache
from types import SimpleNamespace

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger


@cache
def imported(file):
    """Return the files of the package that the imports of one Python file run."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # `from ima import io` names a module, `from ima.utils.io import f` a function of one.
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


#: The corpora of digits.
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


def there(corpora, **files):
    """Return an input function of no files, that stops before anything is made if some are lacking.

    `files` are a user's own files beside the corpora, by name.
    """
    from ima.utils.errors import InputError
    from ima.workflow.corpora import check_there

    def check(wildcards):
        roots = {corpus: corpus_root(corpus) for corpus in corpora if not made_by_rule(corpus)}
        try:
            check_there(roots | files)
        except InputError as error:
            raise WorkflowError(str(error)) from None
        return []

    return check


def fingerprint(corpus):
    """Return what changes when a file of a user's own corpus does: names, sizes and times."""
    from ima.datasets.base import tree_fingerprint

    root = Path(corpus_root(corpus))
    return tree_fingerprint(root) if root.is_dir() and not made_by_rule(corpus) else ""


#: Baselines by the name that their files have: kind, label in tables, and settings of their own.
#: First those that are named as their kind; variants, which a run adds, come after them.
MODELS = dict(
    sorted(config["baselines"]["models"].items(), key=lambda item: item[0] != item[1]["kind"])
)


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
    size = config["seeds_per_job"]
    return ["-".join(map(str, seeds[i : i + size])) for i in range(0, len(seeds), size)]


#: What the report's categories are called, by the paper's section.
SECTIONS = {
    "Section 3": "Section 3, absent modalities",
    "Section 4": "Section 4, data and features",
    "Section 6.1": "Section 6.1, importances",
    "Section 6.2": "Section 6.2, representations",
    "Section 6.3": "Section 6.3, visualisations",
}
#: Of every result that the report shows: its category and the file of its caption.
REPORTED = {}


def title_of(file):
    """Return what a result is called: `results/tables/table1.csv` is Table 1."""
    name = re.sub(r"(figure|table)(?=\d)", r"\1 ", Path(file).stem).replace("_", " ")
    return name[0].upper() + name[1:]


def reported(file, section, caption=None, **options):
    """Return a result as an item of the report, with a caption of its name or another's.

    `options` are of Snakemake's `report`, for a folder of figures.
    """
    caption = f"workflow/report/{caption or Path(file).stem}.rst"
    REPORTED[file] = {"section": SECTIONS.get(section, section), "caption": caption}
    labels = {"result": title_of(file), "format": Path(file).suffix.removeprefix(".")}
    options = {"labels": labels} | options
    marked = directory(file) if "patterns" in options else file
    return report(marked, caption=f"../{caption}", category=REPORTED[file]["section"], **options)


def objectives_of(variants):
    """Return by label of a variant the objectives of both stages."""
    return {
        of["label"]: [of[stage]["objective"] for stage in ("autoencoder", "importance")]
        for of in variants
    }


def drawn_first(variants):
    """Return variants of IMA in the order in which figures show them: `figures.variant`, the others."""
    first = config["figures"]["variant"] or list(variants)[0]
    return sorted(variants, key=lambda name: name != first)


def figure_files(file, variants, section):
    """Return the figure of each variant as an item of the report: the first has the file's name."""
    path = Path(file)
    others = [f"{path.parent}/{path.stem}_{name}{path.suffix}" for name in variants[1:]]
    return [reported(one, section, caption=path.stem) for one in (file, *others)]


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
    files = [file for rule in makers for file in rule.output if not file.is_directory]
    return sorted(set(map(str, files)))


def about_run():
    """Return in a line what a run is made from, and where its results go."""
    made = {corpus: " (made)" if made_by_rule(corpus) else "" for corpus in DIGIT_CORPORA}
    data = ", ".join(OWN["modalities"]) if OWN else ", ".join(c + made[c] for c in made)
    spoken = "" if OWN else f"; emotion: {config['emotion']['corpus']}"
    return (
        f"Run '{config['run']}' of {data}{spoken}; latent sizes {config['latents']}, "
        f"seeds {config['seeds']}. It makes {TABLES}, results/index.html and {RUN}. "
        "What there is to make: snakemake --list; what would be made, and why: snakemake -n."
    )


def no_own_data(wildcards):
    """Stop where results on data of the user's own are asked for, and the config names none."""
    raise WorkflowError(
        "config: expected `own`, the files of your modalities, found none. "
        "Run: snakemake --cores 8 own --configfile config/own.yaml"
    )


def merged_settings(*parts):
    """Return settings over one another, in an order of their own.

    A params value is compared as it is written: in the order of config files, a key that a second
    file repeats would rerun jobs for the same values.
    """
    return dict(sorted({name: value for part in parts for name, value in part.items()}.items()))


def training_at(latent):
    """Return the settings of stage 1 at a latent size: those of all, and what it has of its own."""
    settings = dict(config["autoencoder"])
    own = settings.pop("by_latent").get(str(latent), {})
    return merged_settings(settings, own)


def stage1(wildcards):
    """Return the settings of stage 1 of a model: those of its latent size, and of its variant."""
    own = VARIANTS[wildcards.variant]["autoencoder"]
    return merged_settings(training_at(wildcards.latent), own)


def stage1_of_folds(wildcards):
    """Return the settings of stage 1 where stage 2 trains autoencoders, too; None elsewhere."""
    mixture = importance_settings(wildcards.variant)["objective"] == "mixture"
    return stage1(wildcards) if mixture else None


def budget(wildcards):
    """Return what IMA and every baseline share: how long and fast to train at a latent size."""
    shared = ("epochs", "batch_size", "learning_rate", "schedule", "patience")
    return {name: training_at(wildcards.latent)[name] for name in shared}


def importance_settings(variant):
    """Return the settings of stage 2 of a variant, `rho` of the run's modalities among them."""
    shared, own = config["importance"], VARIANTS[variant]["importance"]
    rho = shared["rho"] | own.get("rho", {}) if own.get("rho") != "auto" else {}
    rho = {name: rho[name] if rho else "auto" for name in MODALITIES}
    return merged_settings(shared, own, {"rho": rho})


def stage2(variant):
    """Return of these what `ima.models.importance.Stage2` takes, without the restarts."""
    others = ("hidden", "latent", "rho", "restarts", "seeds")
    return {k: v for k, v in importance_settings(variant).items() if k not in others}


def last_round(file):
    """Return a file of the last of the alternating rounds of both stages."""
    return file.replace("{round}", str(config["alternations"]))


def importance_checkpoint(wildcards):
    """Return the importance networks of a model: those learnt beside the variant's `latent`."""
    return last_round(rules.importance.output.model).format(
        variant=wildcards.variant,
        latent=importance_settings(wildcards.variant)["latent"] or wildcards.latent,
        seed=wildcards.seed,
    )


def round_before(wildcards):
    """Return autoencoder and importances of the round before; none in the first round (Section 5)."""
    number = int(wildcards.round) - 1
    if not number:
        return {}
    of = {"variant": wildcards.variant, "seed": wildcards.seed, "round": number}
    latent = importance_settings(wildcards.variant)["latent"] or wildcards.latent
    return {
        "before": rules.autoencoder.output.model.format(latent=wildcards.latent, **of),
        "importance": f"{MODEL}/importance_round{{round}}.safetensors".format(latent=latent, **of),
    }


def seeds_beside(variant, latent):
    """Return the seeds of importance.csv: there may be more of those that serve other latents."""
    more = config["importance"]["seeds"]
    serving = importance_settings(variant)["latent"] == latent
    return more if more and serving else config["seeds"]


def in_study(variant, study):
    """Return label, settings of both stages and rho of a variant, as a study of the config has them.

    A study has a latent size and epochs of stage 1; it may have restarts of stage 2.
    """
    both = importance_settings(variant)
    return {
        "label": VARIANTS[variant]["label"],
        "autoencoder": stage1(SimpleNamespace(variant=variant, latent=study["latent"]))
        | {"epochs": study["epochs"]},
        "importance": stage2(variant) | {"restarts": study.get("restarts", both["restarts"])},
        "rho": both["rho"],
    }


def baseline_incomplete(name):
    """Return label, kind, settings and layers of a baseline in the study of missing items."""
    study = config["missing_study"]
    shared = budget(SimpleNamespace(latent=str(study["latent"]))) | {"epochs": study["epochs"]}
    own = {key: value for key, value in own_settings(name).items() if key != "absent"}
    return {
        "label": MODELS[name]["label"],
        "kind": MODELS[name]["kind"],
        "settings": shared | own,
        "layers": own_layers(name),
    }


def of_untrained(stage1, networks, name):
    """Return a setting of importance networks; None where stage 1 does not begin with untrained ones."""
    return networks[name] if stage1["importances"] == "untrained" else None
