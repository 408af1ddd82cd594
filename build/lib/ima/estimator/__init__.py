"""`IMA`, the model as an estimator by the rules of scikit-learn."""

from ima.estimator.model import IMA, MIXTURE

__all__ = ["IMA", "MIXTURE"]
