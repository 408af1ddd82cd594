"""Importance-based Multimodal Autoencoder: data, model, evaluation.

The modules follow the data: corpora -> features -> pairing -> train -> represent -> metrics.
`ima.IMA` is the model as an estimator on arrays.
"""

__version__ = "0.2.0"
__all__ = ["IMA"]


def __getattr__(name: str):
    # torch takes seconds to import, and most modules do without it.
    if name == "IMA":
        import importlib

        return importlib.import_module("ima.estimator").IMA
    raise AttributeError(f"module 'ima' has no attribute '{name}'")
