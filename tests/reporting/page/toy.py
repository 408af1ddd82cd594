"""A page with all kinds of results."""

import numpy as np
import pyarrow as pa
from matplotlib.figure import Figure

from ima.reporting.page import maps
from ima.reporting.page.document import Item, page
from ima.reporting.page.made import Rule
from ima.utils.schemas import EMBEDDINGS
from ima.utils.schemas_emotion import EMBEDDINGS_EMOTION

CLAIMS = """id,section,ours,verdict,link
b,6.2,0.8412,holds,results/tables/table1.csv
a <rare>,6.1,0.8409,does not hold,results/tables/none.csv
c,5.4,,not testable here,
"""
_MODELS = [
    *(("IMA <paper>", "weighted", 50, 0.01), ("IMA <paper>", "image", 50, 0.02)),
    *((f"M{i}", "joint", 2 if i % 2 else 50, 0.01) for i in range(37)),
    ("chance", "joint", "", ""),
]
TABLE1 = (
    "run,model,representation,k,latent,seeds,paper,precision,precision_no_shared,"
    "precision_no_shared_sd,precision_noise\n"
) + "".join(
    f"toy,{model},{view},10,{latent},2,,{(37 * i % 100) / 1000 + 1e-5},{0.90001 - i / 50:.5f},"
    f"{sd},0.5\n"
    for i, (model, view, latent, sd) in enumerate(_MODELS)
)
RESOURCES = """run,stage,rule,jobs,seconds,seconds_longest,cpu_seconds,mem_mb
toy,training,autoencoder,2,5400,3600,1,1500
toy,results,table1,1,30,30,1,
"""
CAPTION = "**Table 1.** Precision of ``x`` & more, of all pairs. *Data: the demo.*"


def drawn(path, width=900):
    figure = Figure(figsize=(width / 300, 2))
    figure.subplots().plot([0, 1])
    figure.savefig(path, dpi=300)
    return path


def embeddings(n=60):
    rng = np.random.default_rng(0)
    views = ["hidden_image", "u_speech", "z"]
    columns = {
        "view": [view for view in views for _ in range(n)],
        "pair": [*range(n)] * 3,
        "label": [i % 10 for i in range(n)] * 3,
        "pair_type": ["image_noise" if i % 7 == 0 else "clean" for i in range(n)] * 3,
        "noise": [i % 7 == 0 for i in range(n)] * 3,
        "x": rng.normal(size=3 * n),
        "y": rng.normal(size=3 * n),
    }
    return pa.table(columns).cast(EMBEDDINGS)


def importances():
    return {"image": np.linspace(0, 1, 80), "speech": np.linspace(1, 0, 80)}


def emotion_embeddings():
    columns = {
        "view": ["verbal", "verbal", "acoustic"],
        "item": [1, 0, 7],
        "category": ["sad", "not emotional", "angry"],
        "importance": [0.25, 0.5, 0.75],
        "x": [0.0, 1.0, 2.0],
        "y": [0.0, 1.0, 2.0],
    }
    return pa.table(columns).cast(EMBEDDINGS_EMOTION)


def utterance(i):
    return {
        **{"id": f"u{i}", "speaker": "s", "label": i % 4, "split": "validation"},
        **{"tokens": ["so", "<happy>", f"word{i}"] * 3, "verbal": [0.1, 0.9, None] * 3},
        "acoustic": [0.2, 0.5, 0.7] * 3,
    }


def written(folder):
    """Write a page with all kinds of results."""
    contents = {"table1": TABLE1, "claims": CLAIMS, "resources": RESOURCES}
    for name, text in contents.items():
        (folder / f"{name}.csv").write_text(text)
    drawn(folder / "figure2.png", 2100)
    (folder / "figure2.py").write_text('"""A line & <more>."""')
    rule = Rule("figure2", str(folder / "figure2.py"), "A <line>.", ("results/toy/a.parquet",))
    given = [
        ("table1.csv", "Table 1", "Section 6.2 and annex, representations", CAPTION, None),
        (
            "figure2.png",
            "Figure 2",
            "Section 6.1, importances",
            "**Figure 2.** A line that rises.",
            rule,
        ),
        ("claims.csv", "Claims", "Claims", "What the paper says.", None),
        ("resources.csv", "Resources", "The run", "Time and memory.", None),
    ]
    items = [Item(str(folder / name), *about) for name, *about in given]
    explored = [
        maps.pair_maps(embeddings(), importances(), list("0123456789"), noise=True),
        maps.emotion_maps(emotion_embeddings(), ["the", "</script>"]),
    ]
    utterances = [utterance(i) for i in range(130)]
    text = page("toy <1>", items, explored, utterances, "On *toys*.", folder)
    (folder / "index.html").write_text(text, encoding="utf-8")
    return folder / "index.html"
