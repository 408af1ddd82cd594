"""Importance-based Multimodal Autoencoder: data, model, evaluation.

The modules follow the data: corpora -> features -> pairing -> train -> represent -> metrics.
"""

__version__ = "0.1.0"
