"""Functions shared by the rules: paths of corpora, code dependencies, report items and settings."""

import hashlib
from functools import cache
from itertools import product
from types import SimpleNamespace

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

#: An import of the package: `from ima.utils import io`, `import ima.utils.io`.
IMPORT = re.compile(r"^ *(?:from (ima[\w.]*) import (\([^)]*\)|.*)|import (ima[\w.]*))", re.M)


@cache
def package_files():
    """Return the package's files by module, as paths from the project's folder."""
    files = {}
    for folder, _, names in os.walk(ROOT / "src/ima"):
        place = os.path.relpath(folder, ROOT)
        package = place.removeprefix(f"src{os.sep}").replace(os.sep, ".")
        for name, suffix in map(os.path.splitext, names):
            if suffix == ".py":
                dotted = package if name == "__init__" else f"{package}.{name}"
                files[dotted] = f"{place}/{name}.py"
    return files


@cache
def source(file):
    """Return the text of a file in the project's folder."""
    return (ROOT / file).read_text("utf-8")


@cache
def imported(file):
    """Return the package's files that are executed by the imports of a Python file."""
    files = set()
    # Parsing every file, or joining paths for every import, would take longer than all else here.
    for origin, names, plain in IMPORT.findall(source(file)):
        # `from ima import io` imports a module, `from ima.utils.io import f` a function.
        for name in (origin or plain, *(f"{origin}.{name}" for name in re.findall(r"\w+", names))):
            while name:
                files.add(package_files().get(name))
                name = name.rpartition(".")[0]
    return frozenset(filter(None, files))


@cache
def code_files(script):
    """Return a script and the package's files that it depends on."""
    new = {f"workflow/scripts/{script}"}
    found = set(new)
    while new := frozenset().union(*map(imported, new)) - found:
        found |= new
    return sorted(found)


@cache
def code(script):
    """Return a hash of the code that a script depends on, so that editing it reruns the rule.

    As a param, it does so whatever the files' times are, and inputs are data only.
    """
    return code_hash(code_files(script))


def code_hash(files):
    """Return a hash of Python files after the word `code`."""
    texts = (f"{file}\0{source(file)}\0" for file in files)
    return f"code {hashlib.sha256(''.join(texts).encode()).hexdigest()[:16]}"


def shipped(file):
    """Return the path of a file that comes with the workflow."""
    return os.path.relpath(ROOT / file)


def take_locks():
    """Lock the folders of results that this run reads or writes, or stop it."""
    from ima.utils.errors import InputError

    jobs = list(workflow.dag.needrun_jobs())
    try:
        LOCKS.take(
            [str(file) for job in jobs for file in job.input],
            [str(file) for job in jobs for file in job.output],
        )
    except InputError as error:
        raise WorkflowError(str(error)) from None


def inputs_of_user(files):
    """Return the files that can be inputs; Snakemake takes braces in names for wildcards.

    Those that cannot be need a param that changes with their content (`file_fingerprint`).
    """
    return [file for file in files if not set("{}") & set(file)]


def own_rules():
    """Return the rules of this workflow, without those of a workflow that imports it."""
    return [rule for rule in workflow.rules if rule.module_globals is globals()]


scattergather:
    extraction=config["shards"],


def shards(file):
    """Return the files of all shards that a rule joins, from their pattern; none for one shard."""
    return gather.extraction(f"{RUN}/shards/{file}") if config["shards"] > 1 else []


#: Corpora of the digits experiment.
DIGIT_CORPORA = [config["image"]["corpus"], *config["speech"]["corpora"]]
#: Freely available corpora, which a rule downloads if they are missing in `raw`.
OPEN_CORPORA = {"mnist", "fsdd", "ravdess", "meld"}
#: Corpora in whose place the demo makes others.
DEMO_CORPORA = {"mnist", "tidigits", "ti46", "iemocap"} if config["raw"] is None else set()


def corpus_root(corpus):
    """Return the folder of a corpus: one provided by the user, or one that a rule fills."""
    made = f"{RUN}/raw/{corpus}"
    if corpus in config["roots"]:
        return config["roots"][corpus]
    if config["raw"] is None:
        return made
    folder = f"{config['raw']}/{corpus}"
    return made if corpus in OPEN_CORPORA and not Path(folder).exists() else folder


def made_by_rule(corpus):
    """Return the manifest of a corpus that a rule makes or downloads; empty for a user's corpus."""
    root = corpus_root(corpus)
    return [f"{root}.json"] if root.startswith(f"{RUN}/raw/") else []


def made_by_demo(corpora):
    """Return those corpora that the demo makes, under the names of the corpora they replace."""
    return [corpus for corpus in corpora if corpus in DEMO_CORPORA and made_by_rule(corpus)]


def require_corpora(corpora, **files):
    """Return an input function without files that stops the run at its start if any are missing.

    `files` are other files of the user that are required, by name.
    """
    from ima.utils.errors import InputError
    from ima.workflow.corpora import check_corpora

    def check(wildcards):
        roots = {corpus: corpus_root(corpus) for corpus in corpora if not made_by_rule(corpus)}
        try:
            check_corpora(roots | files)
        except InputError as error:
            raise WorkflowError(str(error)) from None
        return []

    return check


@cache
def fingerprint(corpus):
    """Return a value that changes with the files of a user's corpus: their names, sizes or times."""
    from ima.utils.trees import tree_fingerprint
    from ima.workflow.corpora import READ

    root = Path(corpus_root(corpus))
    if made_by_rule(corpus) or not root.is_dir():
        return ""
    return tree_fingerprint(root, READ.get(corpus, ""))


def file_fingerprint(file):
    """Return a value that changes with the content of a user's file or folder; empty for none.

    It is also empty for the example's files (rule `own_example`), which may not exist yet.
    """
    from ima.utils.trees import content_fingerprint

    made = file is None or Path(file).parent == Path("results/example")
    return "" if made else content_fingerprint([file])


#: Baselines by the name used in file names: kind, label in tables, and their own settings.
#: Those named after their kind come first, followed by the run's additional variants.
MODELS = dict(
    sorted(config["baselines"]["models"].items(), key=lambda item: item[0] != item[1]["kind"])
)


def own_settings(name):
    """Return the settings of a baseline that are specific to its kind."""
    others = ("kind", "label", "activation")
    return {key: value for key, value in MODELS[name].items() if key not in others}


def own_layers(name):
    """Return a baseline's layers by modality, with its own activation if it has one."""
    own = {key: MODELS[name][key] for key in ("activation",) if key in MODELS[name]}
    return {modality: layers | own for modality, layers in LAYERS.items()}


def seed_batches(seeds):
    """Return batches of seeds for one job each, such as `0-1-2`, in the config's order."""
    size = config["seeds_per_job"]
    return ["-".join(map(str, seeds[i : i + size])) for i in range(0, len(seeds), size)]


def values_of(keys, settings=config):
    """Return all values of some keys anywhere in the config."""
    found = set()
    for key, value in settings.items():
        if isinstance(value, dict):
            found |= values_of(keys, value)
        elif key in keys and value is not None:
            found |= set(value if isinstance(value, list) else [value])
    return found


#: Names of the report's categories, by section of the paper.
SECTIONS = {
    "Section 3": "Section 3, absent modalities",
    "Section 4": "Section 4, data and features",
    "Section 6.1": "Section 6.1, importances",
    "Section 6.2": "Section 6.2 and annex, representations",
    "Section 6.3": "Section 6.3, visualisations",
}
#: Category and caption file of every result in the report.
REPORTED = {}


def title_of(file):
    """Return the title of a result: `results/tables/table1.csv` is Table 1."""
    name = re.sub(r"(figure|table)(?=\d)", r"\1 ", Path(file).stem).replace("_", " ")
    return name[0].upper() + name[1:]


def reported(file, section, caption=None, **options):
    """Return a result as a report item, with its own caption or that of another result.

    `options` are passed to Snakemake's `report`, for a folder of figures.
    """
    caption = f"workflow/report/{caption or Path(file).stem}.rst"
    REPORTED[file] = {"section": SECTIONS.get(section, section), "caption": caption}
    labels = {"result": title_of(file), "format": Path(file).suffix.removeprefix(".")}
    options = {"labels": labels} | options
    marked = directory(file) if "patterns" in options else file
    return report(marked, caption=f"../{caption}", category=REPORTED[file]["section"], **options)


def objectives_of(variants):
    """Return the objectives of both stages for each variant, by label."""
    return {
        of["label"]: [of[stage]["objective"] for stage in ("autoencoder", "importance")]
        for of in variants
    }


def drawn_first(variants):
    """Return the variants of IMA in the order of figures: `figures.variant`, then the others."""
    first = config["figures"]["variant"] or list(variants)[0]
    return sorted(variants, key=lambda name: name != first)


def figure_files(file, variants, section):
    """Return each variant's figure as a report item; the first variant's keeps the file name."""
    path = Path(file)
    others = [f"{path.parent}/{path.stem}_{name}{path.suffix}" for name in variants[1:]]
    return [reported(one, section, caption=path.stem) for one in (file, *others)]


def manifests(corpora):
    """Return the manifests of corpora; those of a user's corpora are made by rule `checksums`."""
    return [
        file
        for corpus in corpora
        for file in made_by_rule(corpus) or [f"{RUN}/corpora/{corpus}.json"]
    ]


def is_table(file):
    """Return whether a result is a table, which has a sidecar."""
    return str(file).startswith("results/tables/") and str(file).endswith(".csv")


def whole_run(wildcards):
    """Return all files made by rules of which any result is a target of the whole run."""
    wanted = set(map(str, rules.all.input))
    makers = [rule for rule in own_rules() if wanted & set(map(str, rule.output))]
    files = [file for rule in makers for file in rule.output if not file.is_directory]
    return sorted(set(map(str, files)))


def about_run():
    """Return a summary of the run's data, settings and output paths for the log."""
    made = {corpus: " (made)" if made_by_rule(corpus) else "" for corpus in DIGIT_CORPORA}
    data = ", ".join(OWN["modalities"]) if OWN else ", ".join(c + made[c] for c in made)
    spoken = "" if OWN else f"; emotion: {config['emotion']['corpus']}"
    return (
        f"Run '{config['run']}' of {data}{spoken}; latent sizes {config['latents']}, "
        f"seeds {config['seeds']}. Results go to {TABLES}, results/index.html and {RUN}. "
        "To list the rules: snakemake --list; to see what would run, and why: snakemake -n."
    )


def no_own_data(wildcards):
    """Stop if results on user data are requested, but the config has no user data."""
    raise WorkflowError(
        "config: expected `own`, the files of your modalities, found none. "
        "Run: snakemake --cores 8 own --configfile config/own.yaml"
    )


def no_paper_data(wildcards):
    """Stop if results on the paper's data are requested, but the config has user data."""
    raise WorkflowError(
        "config: expected no `own`, whose data replace the digits, for the paper's tables, claims "
        f"and cards of corpora; found the modalities {', '.join(OWN['modalities'])}. "
        "Request `own` or `all`, or omit the config with `own`."
    )


def merged_settings(*parts):
    """Return merged settings, where later ones take precedence, sorted by name.

    Snakemake compares the text of params. In the order of the config files, a key repeated in a
    second file would change the text, and rerun jobs although the values are the same.
    """
    return dict(sorted({name: value for part in parts for name, value in part.items()}.items()))


def training_at(latent):
    """Return the settings of stage 1 at a latent size: the common ones and those for this size."""
    settings = dict(config["autoencoder"])
    own = settings.pop("by_latent").get(str(latent), {})
    return merged_settings(settings, own)


def stage1(wildcards):
    """Return the settings of stage 1 of a model, given its latent size and variant."""
    own = VARIANTS[wildcards.variant]["autoencoder"]
    return merged_settings(training_at(wildcards.latent), own)


def stage1_of_folds(wildcards):
    """Return the settings of stage 1 if stage 2 trains autoencoders as well, otherwise None."""
    mixture = importance_settings(wildcards.variant)["objective"] == "mixture"
    return stage1(wildcards) if mixture else None


def budget(wildcards):
    """Return the training settings shared by IMA and all baselines at a latent size."""
    shared = ("epochs", "batch_size", "learning_rate", "schedule", "patience")
    return {name: training_at(wildcards.latent)[name] for name in shared}


def importance_settings(variant):
    """Return the settings of stage 2 of a variant, including `rho` of the run's modalities."""
    shared, own = config["importance"], VARIANTS[variant]["importance"]
    rho = shared["rho"] | own.get("rho", {}) if own.get("rho") != "auto" else {}
    rho = {name: rho[name] if rho else "auto" for name in MODALITIES}
    return merged_settings(shared, own, {"rho": rho})


def stage2(variant):
    """Return the settings of `ima.models.importance.Stage2` for a variant, without restarts."""
    others = ("hidden", "latent", "rho", "restarts", "seeds")
    return {k: v for k, v in importance_settings(variant).items() if k not in others}


def last_round(file):
    """Return a file of the last round, as both stages alternate for some rounds."""
    return file.replace("{round}", str(config["alternations"]))


def importance_checkpoint(wildcards):
    """Return a model's importance networks, which are trained with the variant's `latent`."""
    return last_round(rules.importance.output.model).format(
        variant=wildcards.variant,
        latent=importance_settings(wildcards.variant)["latent"] or wildcards.latent,
        seed=wildcards.seed,
    )


def shared_encoders(wildcards):
    """Return the shared encoders of all seeds of a model, if the config asks for its variant's."""
    files = expand(rules.shared_encoders.output.model, seed=wildcards.seeds.split("-"), **wildcards)
    return files if wildcards.variant in config["shared_encoders"] else []


def training_jobs(variant, latent, seed):
    """Return the names of all jobs that training a model takes, without importances and with.

    Importance networks may belong to an autoencoder of another latent size, and every round but the
    first builds on the importances of the round before.
    """
    rounds = range(1, config["alternations"] + 1)
    of = f"{variant}_latent{{}}_seed{seed}_round"
    other = importance_settings(variant)["latent"] or latent
    stage1 = [f"autoencoder_{of.format(latent)}{n}" for n in rounds]
    stage2 = [
        [f"autoencoder_{of.format(other)}{n}", f"importance_{of.format(other)}{n}"] for n in rounds
    ]
    jobs = {"unweighted": [stage1, *stage2[:-1]], "weighted": [stage1, *stage2]}
    return {view: list(dict.fromkeys(sum(parts, []))) for view, parts in jobs.items()}


def models_of(wildcards):
    """Return the wildcards of each model, in the order of `expand`."""
    return [dict(zip(wildcards, values)) for values in product(*wildcards.values())]


def jobs_of(variant, latent, seed):
    """Return the jobs that train a model by representation, with its shared encoders if it has any."""
    jobs = training_jobs(variant, latent, seed)
    if variant in config["shared_encoders"]:
        name = f"shared_encoders_{variant}_latent{latent}_seed{seed}"
        jobs["contrastive"] = [*jobs["weighted"], name]
    return jobs


def checkpoints_of(**model):
    """Return the checkpoints of a model: both stages, and its shared encoders if it has any."""
    files = [AUTOENCODER.format(**model), importance_checkpoint(SimpleNamespace(**model))]
    if model["variant"] in config["shared_encoders"]:
        files.append(rules.shared_encoders.output.model.format(**model))
    return files


def seeds_of_model(wildcards):
    """Return the checkpoints of both stages for each seed of a job."""
    of = {"variant": wildcards.variant, "latent": wildcards.latent}
    models = [SimpleNamespace(**of, seed=seed) for seed in wildcards.seeds.split("-")]
    return {
        "autoencoders": [AUTOENCODER.format(**vars(model)) for model in models],
        "importances": [importance_checkpoint(model) for model in models],
    }


def round_before(wildcards):
    """Return the autoencoder and importances of the previous round, if there is one (Section 5)."""
    number = int(wildcards.round) - 1
    if not number:
        return {}
    of = {"variant": wildcards.variant, "seed": wildcards.seed, "round": number}
    latent = importance_settings(wildcards.variant)["latent"] or wildcards.latent
    return {
        "before": rules.autoencoder.output.model.format(latent=wildcards.latent, **of),
        "importance": f"{MODEL}/importance_round{{round}}.safetensors".format(latent=latent, **of),
    }


def importances_of_folds(wildcards):
    """Return the importances with which stage 2 trains autoencoders as well, if it does so."""
    mixture = importance_settings(wildcards.variant)["objective"] == "mixture"
    before = round_before(wildcards) if mixture else {}
    return {name: file for name, file in before.items() if name == "importance"}


def importance_seeds(variant, latent):
    """Return the seeds in importance.csv, possibly more at the latent size that others reuse."""
    more = config["importance"]["seeds"]
    reused = importance_settings(variant)["latent"] == latent
    return more if more and reused else config["seeds"]


def files_of_networks(variants):
    """Return the files that define the networks of variants, so that editing one trains anew."""
    return sorted({os.path.relpath(file) for name in variants for file in NETWORKS[name]})


def in_study(variant, study):
    """Return the label, settings of both stages, rho and layers of a variant in a study.

    A study sets the latent size and the epochs of stage 1, and may set the restarts of stage 2.
    """
    both = importance_settings(variant)
    return {
        "label": VARIANTS[variant]["label"],
        "autoencoder": stage1(SimpleNamespace(variant=variant, latent=study["latent"]))
        | {"epochs": study["epochs"]},
        "importance": stage2(variant) | {"restarts": study.get("restarts", both["restarts"])},
        "rho": both["rho"],
        "layers": with_networks(LAYERS, VARIANTS[variant]),
    }


def baseline_incomplete(name):
    """Return label, kind, settings and layers of a baseline in the study of missing modalities."""
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
    """Return a setting of importance networks if stage 1 starts from untrained ones, else None."""
    return networks[name] if stage1["importances"] == "untrained" else None
