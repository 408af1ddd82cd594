"""What the rules share: where a corpus lies, the code a rule depends on, items of the report."""

import ast
from functools import cache


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


def reported(file, section):
    """Return a figure's file, or the table of what it draws, as an item of the report."""
    name, form = Path(file).stem, Path(file).suffix.removeprefix(".")
    return report(
        file,
        caption=f"../workflow/report/{name}.rst",
        category=section,
        labels={"figure": name.replace("figure", "Figure "), "format": form},
    )
