"""Importance-based Multimodal Autoencoder: data, model, evaluation.

`ima.IMA` is the model as a scikit-learn estimator on arrays. The packages follow the data:
`datasets`, `features`, `pairing`, `training` and `models`, `evaluation`, `reporting`
(docs/dev/architecture.md).
"""

__version__ = "0.2.0"
__all__ = ["IMA"]


def __getattr__(name: str):
    # torch takes seconds to import, and most modules do without it.
    if name == "IMA":
        import importlib

        return importlib.import_module("ima.estimator").IMA
    raise AttributeError(f"module 'ima' has no attribute '{name}'")
