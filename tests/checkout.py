"""The workflow as tests see it: a checkout of its own, and its plan (DAG) without a run."""

import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
CHECKOUT = ("Snakefile", "workflow", "rules", "envs", "config", "src", "profiles")
#: A demo that is small enough to train in seconds.
SMALL = {
    "run": "small",
    "seeds": [0, 1],
    "latents": [2],
    "shared_encoders": ["ima+"],
    "demo": {
        "speakers": {"man": 4, "woman": 4, "boy": 2, "girl": 2},
        "strings": 3,
        "ti46_tokens": {"train": 1, "test": 1},
    },
    "pairs": {"train": 600, "test": 400},
    "autoencoder": {"epochs": 2, "by_latent": {"2": {"epochs": 2}}},
    "classifier": {"epochs": 2},
    "complexity": {"modalities": 3},
    "importance": {"latent": 2, "restarts": 2, "steps": 10},
    "noise_study": {
        "latent": 2,
        "pairs": {"train": 300, "validation": 200, "test": 200},
        "epochs": 1,
        "noise_types": ["degraded", "mispaired"],
    },
    "missing_study": {
        "latent": 2,
        "pairs": {"train": 200, "validation": 100, "test": 100},
        "epochs": 1,
    },
    "readings": {
        "factors": {"epochs": [1]},
        "sample": 2,
        "blocks": 1,
        "pairs": {"train": 200, "validation": 100, "test": 100},
        "steps": 2,
    },
    "sweep": {"latent": 2, "rho": [0.3, 0.8], "restarts": 2},
    "figures": {"latent": 2, "tsne": {"points": 200}},
    "emotion": {
        "demo": {"dialogues": 1, "turns": 24},
        "max_skipped": 0.05,
        "words": {"min_count": 2},
        "seeds": [0],
        "autoencoder": {"epochs": 1},
        "importance": {"restarts": 1, "init": "equal", "rounds": 1, "steps": 2},
        "sweep": {"rho": [0, 0.5], "restarts": 1},
        "retrieval": {"k": [3]},
        "classifier": {"epochs": 1},
        "figures": {"points": 150},
    },
}


#: Rules that run the script of another.
SHARED_SCRIPTS = {"emotion_autoencoder": "autoencoder", "emotion_importance": "importance"}


def script_of(rule: str) -> str:
    """Return the file of a rule's script."""
    return f"workflow/scripts/{SHARED_SCRIPTS.get(rule, rule)}.py"


class Checkout:
    """A copy of the workflow in a folder of its own, with a config of its own.

    Another process may have made the copy: it is then taken as it is.
    """

    def __init__(self, folder: Path):
        self.folder, self.config = folder, json.loads(json.dumps(SMALL))
        folder.mkdir(parents=True, exist_ok=True)
        for name in () if (folder / CHECKOUT[0]).exists() else CHECKOUT:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, folder / name)

    def command(self, *arguments: str, cores: int = 2, forked: bool = False) -> list[str]:
        """Return the command of a run with this config, which is written for it."""
        config = self.folder / "small.yaml"
        text = yaml.safe_dump(self.config, sort_keys=False)
        if not config.exists() or config.read_text() != text:
            config.write_text(text)
        limit = [] if "--jobs" in arguments else ["--cores", str(cores)]
        snakemake = [str(ROOT / "tests/forked.py")] if forked else ["-m", "snakemake"]
        return [
            *(sys.executable, *snakemake, *arguments, *limit),
            *("--configfile", str(config)),
        ]

    def snakemake(
        self,
        *arguments: str,
        check: bool = True,
        cores: int = 2,
        forked: bool = False,
        **environment: str,
    ) -> subprocess.CompletedProcess:
        """Run Snakemake here, with more in its environment if wanted.

        With `forked`, scripts run in forks (tests/forked.py); without, as users run them.
        """
        kept = {name: v for name, v in os.environ.items() if name != "PYTHONPATH"}
        command = self.command(*arguments, cores=cores, forked=forked)
        # To files: the end of a pipe would come only when the last orphan of a killed run is gone.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            code = subprocess.call(
                command, cwd=self.folder, env={**kept, **environment}, stdout=out, stderr=err
            )
            out.seek(0), err.seek(0)
            done = subprocess.CompletedProcess(command, code, out.read(), err.read())
        assert not check or code == 0, done.stdout + done.stderr
        return done

    def copy(self, folder: Path) -> "Checkout":
        """Return a copy with all that was made, in which a test can run more."""
        shutil.copytree(self.folder, folder)
        copy = Checkout(folder)
        copy.config = json.loads(json.dumps(self.config))
        return copy

    def plan(self, *targets: str) -> "Plan":
        """Return what a run would do now."""
        return plans([(self.folder, self.config)], targets)[0]

    def edit(self, file: str) -> None:
        path = self.folder / file
        path.write_text(path.read_text() + "\n# edited\n")

    def restore(self, file: str) -> None:
        shutil.copy2(ROOT / file, self.folder / file)

    def bytes_of_results(self) -> dict[str, bytes]:
        """Return the content of all results by path, but for logs and what tells of times."""
        results = self.folder / "results"
        names = [p.relative_to(results) for p in sorted(results.rglob("*")) if p.is_file()]
        # Of rules that measure how long training or jobs take, and what shows it.
        times = ("complexity", "table4", "costs", "resources", "index.html")
        wanted = [
            name
            for name in names
            if not {"logs", "benchmarks"} & set(name.parts) and not name.name.startswith(times)
        ]
        return {str(name): (results / name).read_bytes() for name in wanted}


def rules_of_workflow() -> set[str]:
    """Return the names of all rules that run a script, also of those that a config leaves out."""
    text = "".join(file.read_text() for file in sorted((ROOT / "rules").glob("*.smk")))
    blocks = re.split(r"^ *rule (\w+):", text, flags=re.M)[1:]
    return {
        name for name, block in zip(blocks[::2], blocks[1::2], strict=True) if "script:" in block
    }


def defaults() -> dict:
    """Return the default config."""
    return yaml.safe_load((ROOT / "config/config.yaml").read_text())


def merged(*configs: dict) -> dict:
    """Return configs over one another, as Snakemake has them."""
    whole: dict = {}
    for config in configs:
        for key, value in config.items():
            deep = isinstance(value, dict) and isinstance(whole.get(key), dict)
            whole[key] = merged(whole[key], value) if deep else value
    return json.loads(json.dumps(whole))


class Plan:
    """The jobs of a DAG: what each reads and writes, and whether it would run.

    Args:
        jobs: of each its `rule`, `wildcards`, `input`, `output` and so on, by name; `reported`, its
            rule's outputs that the report shows; `after`, the places in this list of the jobs it
            needs; `runs`, whether it would run; `own`, whether for a reason of its own, not only
            after another; `code`, the files of the script and of the package that it depends on,
            and `hash`, what tells their content; `submission`, the same for the jobs that a cluster
            would run as one.
    """

    def __init__(self, jobs: Sequence[dict]):
        self.jobs = list(jobs)

    def running(self) -> set[tuple]:
        """Return the jobs that would run, each as (rule, its wildcards)."""
        return {name_of(job) for job in self.jobs if job["runs"]}

    def with_descendants(self, chosen: Iterable[dict]) -> set[tuple]:
        """Return jobs of this DAG and all that come after them."""
        ids = {id(job) for job in chosen}
        found = {number for number, job in enumerate(self.jobs) if id(job) in ids}
        while (
            more := {number for number, job in enumerate(self.jobs) if found & set(job["after"])}
            - found
        ):
            found |= more
        return {name_of(self.jobs[number]) for number in found} - {("all",)}

    def of_rules(self, rules: Iterable[str]) -> list[dict]:
        return [job for job in self.jobs if job["rule"] in set(rules)]

    def submissions(self) -> list[list[str]]:
        """Return the rules of the jobs of each submission to a cluster."""
        found: dict[int, list[str]] = {}
        for job in self.jobs:
            if job["runs"] and job["rule"] != "all":
                found.setdefault(job["submission"], []).append(job["rule"])
        return sorted(map(sorted, found.values()))

    def rules(self) -> set[str]:
        return {job["rule"] for job in self.jobs} - {"all"}


def name_of(job: dict) -> tuple:
    """Return what tells a job from the others of the DAG."""
    return (job["rule"], *sorted(job["wildcards"].items()))


def plans(
    wanted: Sequence[tuple[Path, dict]],
    targets: Sequence[str] = (),
    profile: dict | None = None,
    anew: bool = False,
) -> list[Plan]:
    """Plan several runs, each in a process of its own that is forked from this one.

    A process of its own for each, for Snakemake keeps what it has read; forked, for it takes a
    second to import.

    Args:
        wanted: of each the checkout's folder and the config.
        targets: files or rules; none for the default.
        profile: a profile's content, of which `groups` and `group-components` are used.
        anew: as if nothing had been made.

    Raises:
        RuntimeError: Snakemake refuses one; with what it said.
    """
    import snakemake.api  # noqa: F401  before the fork

    tasks = [(folder, config, tuple(targets), profile or {}, anew) for folder, config in wanted]
    context = multiprocessing.get_context("fork")
    with context.Pool(min(2, len(tasks)), maxtasksperchild=1) as pool:
        found = pool.map(_plan, tasks, chunksize=1)
    for result in found:
        if isinstance(result, str):
            raise RuntimeError(result)
    return [Plan(jobs) for jobs in found]


def _plan(task: tuple[Path, dict, Sequence[str], dict, bool]) -> list[dict] | str:
    """Return the jobs of a DAG, or why there is none."""
    from snakemake import api
    from snakemake.dag import DAG
    from snakemake.settings import enums, types

    # Snakemake looks for no reasons of a job's own where it follows another that runs.
    bfs = DAG.bfs
    DAG.bfs = lambda dag, way, *jobs, **of: (
        () if way is dag.depending else bfs(dag, way, *jobs, **of)
    )
    folder, config, targets, profile, anew = task
    file = Path(tempfile.mkdtemp(prefix="plan-")) / "config.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    quiet = types.OutputSettings(quiet={enums.Quietness.ALL})
    groups = types.GroupSettings(
        overwrite_groups=profile.get("groups", {}),
        group_components=profile.get("group-components", {}),
    )
    try:
        with api.SnakemakeApi(quiet) as snakemake:
            workflow = snakemake.workflow(
                resource_settings=types.ResourceSettings(cores=2),
                config_settings=types.ConfigSettings(configfiles=[file]),
                snakefile=folder / "Snakefile",
                workdir=folder,
            )
            dag = workflow.dag(types.DAGSettings(targets=frozenset(targets), forceall=anew))
            dag.execute_workflow(executor="dryrun", group_settings=groups)
            return _jobs(workflow._workflow.dag)
    except Exception as error:
        return f"{error} {error.__cause__ or ''}"
    finally:
        shutil.rmtree(file.parent)


def _jobs(dag) -> list[dict]:
    from snakemake.io import is_flagged

    jobs = list(dag.jobs)
    number = {job: i for i, job in enumerate(jobs)}
    runs = set(dag.needrun_jobs(exclude_finished=False))
    return [
        {
            "rule": job.rule.name,
            "wildcards": dict(job.wildcards_dict),
            "input": _named(job.input),
            "output": _named(job.output),
            "params": dict(job.params.items()),
            **_code(job.rule),
            "log": [str(file) for file in job.log],
            "reported": [str(file) for file in job.rule.output if is_flagged(file, "report")],
            "threads": job.threads,
            "after": [number[other] for other in dag.dependencies[job]],
            "runs": job in runs,
            "own": not dag.reason(job).derived,
            "submission": id(dag._group.get(job, job)),
        }
        for job in jobs
    ]


def _code(rule) -> dict:
    """Return the files of a rule's script and of the package that it needs, and their hash."""
    if not rule.script:
        return {"code": [], "hash": None}
    of, script = rule.module_globals, Path(rule.script).name
    return {"code": of["code_files"](script), "hash": of["code"](script)}


def _named(files) -> list[tuple[str | None, str, bool]]:
    """Return files with their names, None for those without, and whether a list bears the name."""
    found: list[tuple[str | None, str, bool]] = [(None, str(file), True) for file in files]
    for name, (start, end) in files._get_names():
        stop = start + 1 if end is None else end
        found[start:stop] = [(name, file, end is not None) for _, file, _ in found[start:stop]]
    return found
