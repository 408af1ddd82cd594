# %% [markdown]
# # Your own three modalities
#
# Three tables about the same people, one row per person: blood values, gait and voice. Here they
# are synthetic, so the truth is known: fifteen people have no gait recorded, about a tenth of the
# voice recordings are of something else, and the gait of 40 people is filed under another person.
# Which ones?

# %%
from dataclasses import replace

import numpy as np
import pandas as pd

from ima import IMA
from ima.estimator import MIXTURE
from ima.models.autoencoder import Stage1

rng = np.random.default_rng(0)
people = pd.Index([f"p{i:03d}" for i in range(600)], name="person")
condition = rng.normal(size=(600, 4))  # what the three modalities share


def measured(prefix, width):
    """Return a table of `width` values that depend on the condition, plus noise."""
    values = condition @ rng.normal(size=(4, width)) + rng.normal(size=(600, width))
    return pd.DataFrame(values, people, [f"{prefix}_{i}" for i in range(width)])


tables = {"blood": measured("b", 12), "gait": measured("g", 20), "voice": measured("v", 30)}
tables["gait"] = tables["gait"].drop(people[:15])
wrong = rng.random(600) < 0.1
tables["voice"][wrong] = rng.normal(0, tables["voice"].to_numpy().std(), (wrong.sum(), 30))
swapped = rng.choice(np.arange(15, 600), 40, replace=False)
tables["gait"].loc[people[swapped]] = tables["gait"].loc[people[np.roll(swapped, 1)]].to_numpy()
tables["voice"].iloc[:3, :5]

# %% [markdown]
# ## One row per person in each table
# Tables must have the same index, because row i of each is sample i. `reindex` gives all tables the
# same row order and fills the rows of people who lack a modality with NaN, by which IMA recognises
# a missing item.

# %%
x = {name: table.reindex(people) for name, table in tables.items()}
{name: int(table.isna().all(axis=1).sum()) for name, table in x.items()}

# %% [markdown]
# Columns need no scaling: each is standardized, and results are in the units of the data. For
# counts, one-hot columns or values in [0, 1], name the modality's loss in `layers`
# ([losses](../library.md)). The settings shorten the training for this page: the default takes 400
# steps in stage 2. With 100, it would detect 39 of the 72 wrong rows here.

# %%
model = IMA(
    latent=10,
    stage1=Stage1(epochs=40, batch_size=64, learning_rate=3e-3),
    stage2=replace(MIXTURE, folds=3, steps=250),
).fit(x)

# %% [markdown]
# ## Which items do not fit?
# First, the mean importance of each modality. It is close to 1 if nothing is wrong; a modality that
# shares nothing with the others would have 0 for all its items.

# %%
y = pd.DataFrame(model.importance(x), people)
y[x["gait"].notna().all(axis=1)].mean().round(2)

# %%
suspect = y.index[y["voice"] < 0.5]
hits = int(wrong[people.get_indexer(suspect)].sum())
print(f"{len(suspect)} voices have an importance below .5; {hits} of the {wrong.sum()} wrong ones")

# %% tags=["hide"]
assert hits > 0.5 * wrong.sum() and hits > 0.8 * len(suspect)
assert y["blood"].mean() > 0.9 and (y["gait"].iloc[:15] == 0).all()

# %% [markdown]
# Check these recordings by hand, the lowest first:

# %%
y["voice"].sort_values().head(5)

# %% [markdown]
# ## Is an item in the wrong row?
# Importance looks at the item alone. A good recording that is filed under the wrong person looks
# like any other; only the row as a whole shows it. This is what the *concordance* measures. `fit`
# keeps one value for each row, computed by models that were not trained on that row.

# %%
kind = pd.Series("right person", people)
kind.iloc[swapped] = "wrong person"
both = pd.DataFrame({"importance": y["gait"], "concordance": model.concordance_["gait"]})
means = both[x["gait"].notna().all(axis=1)].groupby(kind).mean()
means.round(2)

# %% tags=["hide"]
assert means.importance["wrong person"] > 0.9 and means.concordance["wrong person"] < 0.6
assert means.concordance["right person"] > 0.9

# %% [markdown]
# ## Use the result
# The representation of people, including those who lack a modality, and of new people from any of
# the modalities:

# %%
z = pd.DataFrame(model.transform(x), people)
one = model.transform({"blood": x["blood"].iloc[:1]})
z.shape, one.shape

# %% [markdown]
# `model.save("people.safetensors")` keeps the model, and `IMA.load` reads it. [The
# command](../command.md) and [the workflow on your own data](../own_data.md) do the same with
# files, and report whether the importances can be trusted.
