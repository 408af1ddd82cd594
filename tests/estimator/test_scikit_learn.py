"""scikit-learn's own checks, on an estimator that splits the columns of one matrix in two views.

Checks that contradict several views are in DIFFERS, with the reason; docs/library.md lists them.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from ima import IMA
from ima.models.autoencoder import Stage1
from ima.models.importance import Stage2

DOCS = Path(__file__).parents[2] / "docs/library.md"
QUICK = {
    "stage1": Stage1(epochs=1),
    "stage2": Stage2(objective="paper", steps=1, restarts=1),
}
#: Checks that fail, and why that is meant.
DIFFERS = {
    "check_n_features_in": "n_features_in_ is a dict with one number per modality",
    "check_n_features_in_after_fitting": "n_features_in_ is a dict with one number per modality",
    "check_dtype_object": "wrong values raise InputError, a ValueError, not a TypeError",
    "check_estimators_empty_data_messages": "the message gives the shape in other words",
    "check_estimators_nan_inf": "a row that is all NaN is a missing item, not an error",
    "check_fit2d_1sample": "the message counts pairs, not samples",
}
#: Checks that pass or fail with the processor, as they compare 32-bit results to 1e-9 or 1e-7.
#: `test_samples_do_not_depend_on_others` has a tolerance for 32 bits.
FLOAT32 = ("check_methods_sample_order_invariance", "check_methods_subset_invariance")


def halves(X):
    """Return a matrix as two views, the left and the right half of its columns."""
    if issparse(X):
        return [X, X]
    X = np.asarray(X)
    middle = X.shape[1] // 2 if X.ndim == 2 else 0
    return [X[:, :middle], X[:, middle:]] if middle else [X, X]


class SplitColumns(IMA):
    """IMA on the two halves of a matrix, as scikit-learn's checks know no views."""

    def __init__(self, latent=2, random_state=0):
        super().__init__(latent=latent, random_state=random_state, **QUICK)

    def fit(self, X, y=None):
        return super().fit(halves(X), y)

    def transform(self, X):
        return super().transform(halves(X))

    def predict(self, X):
        return super().predict(halves(X), to="view_1")

    def score(self, X, y=None):
        return super().score(halves(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


@parametrize_with_checks(
    [SplitColumns()], expected_failed_checks=lambda _: DIFFERS, xfail_strict=True
)
def test_checks(estimator, check):
    if check.func.__name__ in FLOAT32:
        pytest.skip("its tolerance is for 64 bits")
    check(estimator)


def test_the_documentation_lists_the_checks_that_differ():
    listed = re.findall(r"^\| `(check_\w+)` \|", DOCS.read_text(), re.M)
    assert listed == [*DIFFERS, *FLOAT32]


def views(n=60, seed=0):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, 2))
    return {m: shared @ rng.normal(size=(2, d)) for m, d in (("a", 4), ("b", 3))}


def test_arguments_are_stored_unchanged():
    layers, rho = {"a": {"hidden": 8}}, {"a": 0.5, "b": 0.7}
    model = IMA(layers, 3, rho=rho, **QUICK)
    assert model.layers is layers and model.rho is rho and model.stage1 is QUICK["stage1"]
    other = clone(model)
    assert other.get_params() == model.get_params() and other is not model
    assert repr(IMA()) == "IMA()" and repr(IMA(latent=3)) == "IMA(latent=3)"
    assert model.set_params(latent=2).fit(views()).transform(views()).shape == (60, 2)


def test_samples_do_not_depend_on_others():
    x = views()
    model = IMA(latent=2, **QUICK).fit(x)
    z = model.transform(x)
    for rows in (np.arange(60)[::-1], np.array([7])):
        some = model.transform({m: of[rows] for m, of in x.items()})
        np.testing.assert_allclose(some, z[rows], rtol=1e-4, atol=1e-5)


def test_in_a_pipeline():
    """IMA ignores the labels that the classifier needs; its columns have names."""
    x, model = views(), IMA(latent=2, **QUICK)
    labels = x["a"][:, 0] > 0
    pipeline = make_pipeline(model, LogisticRegression()).fit(x, labels)
    assert pipeline.score(x, labels) == pipeline[-1].score(model.transform(x), labels)
    np.testing.assert_array_equal(clone(model).fit_transform(x), model.transform(x))
    assert model.get_feature_names_out().tolist() == ["ima0", "ima1"]
    pytest.importorskip("pandas")
    frame = model.set_output(transform="pandas").transform(views())
    assert list(frame.columns) == ["ima0", "ima1"]
