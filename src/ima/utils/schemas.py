"""Schemas of all Parquet tables that rules exchange.

`ima.utils.io` validates tables when it writes and reads them: they have exactly the columns of
their schema.
"""

from collections.abc import Iterable

import pyarrow as pa

#: Vectors whose width depends on the data; `ima.utils.arrow.conform` fills it in.
VECTOR = pa.list_(pa.float32(), 0)

#: Type of the labels of user data that have too many classes for 8 bits.
MANY_CLASSES = pa.int32()


def required(**columns: pa.DataType) -> pa.Schema:
    """Return columns that are never null."""
    return pa.schema([pa.field(name, type_, nullable=False) for name, type_ in columns.items()])


def _absent(**columns: pa.DataType) -> pa.Schema:
    """Return nullable columns, which are null where a pair lacks the modality."""
    return pa.schema([pa.field(name, type_) for name, type_ in columns.items()])


#: One image of a corpus: row `row` (0-based) of the IDX file `file`.
IMAGES = required(
    id=pa.string(), split=pa.string(), label=pa.int8(), file=pa.string(), row=pa.int32()
)

#: One recording of a speech corpus. `digits` is the spoken string, one character per digit (`z` is
#: zero, `o` is oh); `file` is relative to the corpus root; `group` is man, woman, boy, girl, ...
RECORDINGS = required(
    id=pa.string(),
    corpus=pa.string(),
    split=pa.string(),
    speaker=pa.string(),
    group=pa.string(),
    digits=pa.string(),
    file=pa.string(),
)

#: A corpus file that is not used, with the reason.
SKIPPED = required(corpus=pa.string(), file=pa.string(), reason=pa.string())

#: The waveform of a recording, at the sampling rate of the run.
WAVES = required(id=pa.string(), wave=pa.list_(pa.int16()))

#: One spoken digit and its time span in a recording. `loglik` is the mean log-likelihood per frame;
#: `doubtful` is the reason why the boundaries may be wrong ('' for none).
SEGMENTS = required(
    recording=pa.string(),
    position=pa.int16(),
    digit=pa.string(),
    start_s=pa.float64(),
    end_s=pa.float64(),
    loglik=pa.float32(),
    doubtful=pa.string(),
)

#: The true time span of a digit, known for the demo's synthetic speech.
TRUTH = required(
    file=pa.string(),
    position=pa.int16(),
    digit=pa.string(),
    start_s=pa.float64(),
    end_s=pa.float64(),
)

#: The columns of an item that pairing uses.
ITEMS = required(id=pa.string(), split=pa.string(), label=pa.int8())

#: Features of one item of a modality. Pair tables refer to items by row number.
FEATURES = required(id=pa.string(), split=pa.string(), label=pa.int8(), x=VECTOR)

#: An item of a modality supplied by the user (`ima.datasets.user`). `label` and `split` are '' if
#: the user gives none; `noise` is True if the user marks the item as noise.
OWN_ITEMS = required(
    id=pa.string(), split=pa.string(), label=pa.string(), noise=pa.bool_(), x=VECTOR
)

#: The importance of an item of a modality supplied by the user, whether or not it is in a pair.
OWN_IMPORTANCES = required(modality=pa.string(), id=pa.string(), importance=pa.float32())

#: Features of synthetic noise; their row numbers continue those of the modality's FEATURES.
NOISE = required(id=pa.string(), x=VECTOR)

#: The importance network of a variant, rho and modality: the best of its restarts. The scores, the
#: mean importance and `share_noise` (share of items with importance below .5) are computed on test
#: pairs. `corr` (scale-free L_corr), `raw` (unscaled L_corr), `local` and `loss` (local + lambda
#: corr, whichever form was minimised) are computed on training pairs. `agreement` is the mean
#: Jaccard index between the training pairs whose item has an importance below .5 at this rho and at
#: each other rho; an item counts once for each of its pairs.
RHO_SWEEP = required(
    variant=pa.string(),
    rho=pa.float64(),
    modality=pa.string(),
    precision_noise=pa.float64(),
    recall_noise=pa.float64(),
    f1_noise=pa.float64(),
    f1_shuffled=pa.float64(),
    f1_important=pa.float64(),
    mean_importance=pa.float64(),
    share_noise=pa.float64(),
    corr=pa.float64(),
    raw=pa.float64(),
    local=pa.float64(),
    loss=pa.float64(),
    agreement=pa.float64(),
)

#: Scores of a noise detector on the test pairs of a problem of `ima.evaluation.noise_benchmark`.
NOISE_STUDY = required(
    noise_type=pa.string(),
    R=pa.float64(),
    seed=pa.int32(),
    modality=pa.string(),
    detector=pa.string(),
    precision_noise=pa.float64(),
    recall_noise=pa.float64(),
    f1_noise=pa.float64(),
)

#: The same for `ima.evaluation.rivals`, with the area under the ROC curve (NaN if all or no items
#: are noise) and the share of items that the detector calls noise.
RIVAL_STUDY = pa.schema(
    [*NOISE_STUDY, *required(auc_noise=pa.float64(), share_flagged=pa.float64())]
)

#: Retrieval with representations of a model trained on incomplete pairs
#: (`ima.evaluation.missing_modalities`). `share` is the share of pairs that lack an item, `absent`
#: how training handles them (learn, drop or impute), and `test` whether the test pairs are complete
#: or incomplete. The last two columns are the precision's error over items
#: (`ima.evaluation.item_errors.Clusters.error`).
MISSING_STUDY = pa.schema(
    [
        *required(
            share=pa.float64(),
            seed=pa.int32(),
            model=pa.string(),
            absent=pa.string(),
            representation=pa.string(),
            test=pa.string(),
            neighbours=pa.string(),
            k=pa.int32(),
            precision=pa.float64(),
        ),
        *_absent(se_items=pa.float64(), df_items=pa.float64()),
    ]
)

#: Scores of a reading (`ima.evaluation.readings.factors`): F1 of the noise class by modality;
#: Precision@K of IMA's joint representation weighted by importance, weighted by the true noise
#: labels and unweighted; and Precision@K of each baseline, null if the run does not train it.
READING_SCORES = (
    *("f1_image", "f1_speech", "weighted", "oracle", "unweighted"),
    *("jmvae", "mvae", "denoising"),
)

#: A block of readings: the level of each factor, the latent size, the seed and READING_SCORES.
READINGS = pa.schema(
    [
        *required(
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

#: t-SNE coordinates of test pairs in one view (a hidden layer or representation). `pair` is the row
#: of the pair table; `label` and `pair_type` are the pair's; `noise` is True if an item that the
#: view shows is noise.
EMBEDDINGS = required(
    view=pa.string(),
    pair=pa.int32(),
    label=pa.int8(),
    pair_type=pa.string(),
    noise=pa.bool_(),
    x=pa.float32(),
    y=pa.float32(),
)


def labelled(schema: pa.Schema, table: pa.Table | pa.Schema) -> pa.Schema:
    """Return a schema whose labels are as wide as those of a table: 8 bits, or MANY_CLASSES."""
    schema_of = table if isinstance(table, pa.Schema) else table.schema
    if schema_of.field("label").type != MANY_CLASSES:
        return schema
    at = schema.get_field_index("label")
    return schema.set(at, schema.field(at).with_type(MANY_CLASSES))


def pairs_schema(modalities: Iterable[str]) -> pa.Schema:
    """Return the schema of a pair table: one row number per modality, a label and a pair type.

    The row number is null if the pair lacks the modality (Section 3). `pair_type` is `clean`, or
    `<modality>_noise` if that modality is noise; several are joined by `+`.
    """
    items = _absent(**{f"item_{name}": pa.int32() for name in modalities})
    return pa.schema([*items, *required(label=pa.int8(), pair_type=pa.string())])


def representations_schema(modalities: Iterable[str]) -> pa.Schema:
    """Return the schema of the representations of a pair table, row for row.

    `z` is the importance-weighted joint representation, `z_unweighted` the one with all
    importances 1, `u_<m>` the representation of modality m and `y_<m>` its importance; the last
    two are null if the pair lacks the modality.
    """
    names = list(modalities)
    unimodal = {f"u_{name}": VECTOR for name in names}
    importances = {f"y_{name}": pa.float32() for name in names}
    return pa.schema(
        [*required(z=VECTOR, z_unweighted=VECTOR), *_absent(**unimodal, **importances)]
    )


def own_representations_schema(
    modalities: Iterable[str], concordance: bool = False, fusion: str = "importance"
) -> pa.Schema:
    """Return the schema of the representations written for pairs of user data.

    The columns are the split, the label as the user wrote it ('' for none), the pair type, and the
    item ids (null if the pair lacks the modality), followed by those of `representations_schema`.

    Args:
        modalities: their names.
        concordance: whether there is a column `c_<modality>` of concordance for each modality,
            null if the pair lacks it.
        fusion: anything but `importance` adds `z_<fusion>`, the joint representation weighted by
            it.
    """
    names = list(modalities)
    ids = {f"id_{name}": pa.string() for name in names}
    pair = required(split=pa.string(), label=pa.string(), pair_type=pa.string())
    more = [*_absent(**{f"c_{name}": pa.float32() for name in names})] if concordance else []
    more += [*required(**{f"z_{fusion}": VECTOR})] if fusion != "importance" else []
    return pa.schema([*pair, *_absent(**ids), *representations_schema(names), *more])
