"""Every column of every Parquet table that passes between rules, once.

A table may not have other columns than its schema names; `ima.utils.io` checks on writing and
reading.
"""

from collections.abc import Iterable

import pyarrow as pa

#: Vectors of a width that the data decide; `ima.utils.arrow.conform` fills the width in.
VECTOR = pa.list_(pa.float32(), 0)


def _table(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, type_, nullable=False) for name, type_ in columns.items()])


def _absent(**columns: pa.DataType) -> pa.Schema:
    """Return columns that are null where a pair lacks the modality."""
    return pa.schema([pa.field(name, type_) for name, type_ in columns.items()])


#: One image of a corpus: row `row` (0-based) of the IDX file `file`.
IMAGES = _table(
    id=pa.string(), split=pa.string(), label=pa.int8(), file=pa.string(), row=pa.int32()
)

#: One recording of a speech corpus. `digits` is what is said, a letter a digit (`z` and `o` are
#: zero and oh); `file` is relative to the corpus' root; `group` is man, woman, boy, girl, ...
RECORDINGS = _table(
    id=pa.string(),
    corpus=pa.string(),
    split=pa.string(),
    speaker=pa.string(),
    group=pa.string(),
    digits=pa.string(),
    file=pa.string(),
)

#: A file of a corpus that is not used, and why.
SKIPPED = _table(corpus=pa.string(), file=pa.string(), reason=pa.string())

#: The wave of a recording, at the rate of the run.
WAVES = _table(id=pa.string(), wave=pa.list_(pa.int16()))

#: One spoken digit: its place in a recording. `loglik` is per frame; `doubtful` says what is odd
#: about the cut ('' when nothing is).
SEGMENTS = _table(
    recording=pa.string(),
    position=pa.int16(),
    digit=pa.string(),
    start_s=pa.float64(),
    end_s=pa.float64(),
    loglik=pa.float32(),
    doubtful=pa.string(),
)

#: Where a digit of a recording really lies, known for what the demo's synthesiser spoke.
TRUTH = _table(
    file=pa.string(),
    position=pa.int16(),
    digit=pa.string(),
    start_s=pa.float64(),
    end_s=pa.float64(),
)

#: What pairing must know of an item.
ITEMS = _table(id=pa.string(), split=pa.string(), label=pa.int8())

#: Features of one item of a modality. The order of rows is what pair tables refer to.
FEATURES = _table(id=pa.string(), split=pa.string(), label=pa.int8(), x=VECTOR)

#: An item of a user's own modality (`ima.datasets.user`). Label and split are '' where the user
#: gives none; `noise`, whether the user knows it to be noise.
OWN_ITEMS = _table(id=pa.string(), split=pa.string(), label=pa.string(), noise=pa.bool_(), x=VECTOR)

#: The importance of an item of a user's own modality, whether it is in a pair or not.
OWN_IMPORTANCES = _table(modality=pa.string(), id=pa.string(), importance=pa.float32())

#: Features of synthetic noise; its rows follow those of the modality's FEATURES.
NOISE = _table(id=pa.string(), x=VECTOR)

#: Importance networks of a variant, rho and modality, the best of its restarts. Scores, mean
#: importance and `share_noise`, that of items of an importance below .5, are of test pairs; `corr`
#: (L_corr, scale-free), `raw` (as it is), `local` and `loss` (local + lambda corr, whatever form
#: was minimised) of training's. `agreement`: mean Jaccard index of the training items of an
#: importance below .5 with those of every other rho.
RHO_SWEEP = _table(
    variant=pa.string(),
    rho=pa.float64(),
    modality=pa.string(),
    precision_noise=pa.float64(),
    recall_noise=pa.float64(),
    f1_noise=pa.float64(),
    f1_important=pa.float64(),
    mean_importance=pa.float64(),
    share_noise=pa.float64(),
    corr=pa.float64(),
    raw=pa.float64(),
    local=pa.float64(),
    loss=pa.float64(),
    agreement=pa.float64(),
)

#: How well a detector finds the noise of a problem (`ima.evaluation.noise_benchmark`) among its
#: test pairs.
NOISE_STUDY = _table(
    kind=pa.string(),
    R=pa.float64(),
    seed=pa.int32(),
    modality=pa.string(),
    detector=pa.string(),
    precision_noise=pa.float64(),
    recall_noise=pa.float64(),
    f1_noise=pa.float64(),
)

#: How well representations of a model retrieve that was trained with modalities absent
#: (`ima.evaluation.missing_modalities`): `share` of the pairs that lack an item, what was done
#: about these pairs (`absent`: learn, drop or impute), and whether the `test` pairs are complete
#: or incomplete too.
MISSING_STUDY = _table(
    share=pa.float64(),
    seed=pa.int32(),
    model=pa.string(),
    absent=pa.string(),
    representation=pa.string(),
    test=pa.string(),
    neighbours=pa.string(),
    k=pa.int32(),
    precision=pa.float64(),
)

#: Scores of a reading (`ima.evaluation.readings.design`): F1 of the noise class by modality,
#: Precision@K of IMA's joint representation weighted by importances, by the true noise labels and
#: not at all, and of the baselines, null where the run has no such baseline.
READING_SCORES = (
    *("f1_image", "f1_speech", "weighted", "oracle", "unweighted"),
    *("jmvae", "mvae", "denoising"),
)

#: A block of readings: the level of each factor, latent size, seed, and READING_SCORES.
READINGS = pa.schema(
    [
        *_table(
            activation=pa.string(),
            features=pa.string(),
            epochs=pa.string(),
            importances=pa.string(),
            correlation=pa.string(),
            rho=pa.string(),
            z=pa.string(),
            neighbours=pa.string(),
            latent=pa.int32(),
            seed=pa.int32(),
        ),
        *(pa.field(score, pa.float64()) for score in READING_SCORES),
    ]
)

#: t-SNE coordinates of one view (a hidden layer or representation) of test pairs: the row of the
#: pair table, the pair's label and kind, and whether an item that the view shows is noise.
EMBEDDINGS = _table(
    view=pa.string(),
    pair=pa.int32(),
    label=pa.int8(),
    kind=pa.string(),
    noise=pa.bool_(),
    x=pa.float32(),
    y=pa.float32(),
)


def pairs_schema(modalities: Iterable[str]) -> pa.Schema:
    """Return the schema of a pair table: a row number a modality, the label and kind of the pair.

    The row number is null where the pair lacks the modality (Section 3). `kind` is `clean`, or
    `<modality>_noise` where that modality is noise; of several, joined by +.
    """
    items = _absent(**{f"item_{name}": pa.int32() for name in modalities})
    return pa.schema([*items, *_table(label=pa.int8(), kind=pa.string())])


def baseline_schema(modalities: Iterable[str]) -> pa.Schema:
    """Return the schema of a baseline's representations of a pair table, one seed after another.

    `z` is the joint one, `u_<m>` that of a modality alone, null where the pair lacks it; rows of a
    seed are the pairs', in order.
    """
    unimodal = _absent(**{f"u_{name}": VECTOR for name in modalities})
    return pa.schema([*_table(seed=pa.int32(), z=VECTOR), *unimodal])


def representations_schema(modalities: Iterable[str]) -> pa.Schema:
    """Return the schema of the representations of a pair table, row for row.

    `z` is the joint one weighted by importances, `z_unweighted` with all importances 1, `u_<m>`
    a modality's own, `y_<m>` its importance, both null where the pair lacks the modality.
    """
    names = list(modalities)
    unimodal = {f"u_{name}": VECTOR for name in names}
    importances = {f"y_{name}": pa.float32() for name in names}
    return pa.schema([*_table(z=VECTOR, z_unweighted=VECTOR), *_absent(**unimodal, **importances)])


def own_representations_schema(modalities: Iterable[str]) -> pa.Schema:
    """Return the schema of what a user is given of every pair of own data.

    Its split, label (the user's own word for it, '' for none), kind and ids, null where the pair
    lacks the modality; then the columns of `representations_schema`.
    """
    names = list(modalities)
    ids = {f"id_{name}": pa.string() for name in names}
    told = _table(split=pa.string(), label=pa.string(), kind=pa.string())
    return pa.schema([*told, *_absent(**ids), *representations_schema(names)])
