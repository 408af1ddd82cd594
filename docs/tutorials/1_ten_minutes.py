# %% [markdown]
# # IMA in ten minutes
#
# Each of 1,797 handwritten digits (8 x 8 pixels, part of scikit-learn) is cut into two modalities,
# its left and its right half. A tenth of the right halves is replaced by noise. IMA learns a joint
# representation of the halves and, without labels, which halves are noise.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from ima import IMA
from ima.estimator import MIXTURE
from ima.evaluation.metrics import noise_scores, precision_at_k
from ima.models.autoencoder import Stage1

rng = np.random.default_rng(0)
digits = load_digits()
images = digits.images / 16  # (1797, 8, 8), in [0, 1]
halves = {"left": images[:, :, :4].reshape(-1, 32), "right": images[:, :, 4:].reshape(-1, 32)}
is_noise = rng.random(len(images)) < 0.1
halves["right"][is_noise] = rng.random((is_noise.sum(), 32))

fitted = {m: x[:1000] for m, x in halves.items()}
new = {m: x[1000:] for m, x in halves.items()}  # 797 digits that no model sees
new_noise, new_labels = is_noise[1000:], digits.target[1000:]

# %% [markdown]
# ## Fit
# Row i of each matrix belongs to sample i. `IMA(latent=10).fit(fitted)` would do; the settings
# below shorten the training, so that this page is made in seconds.

# %%
model = IMA(
    latent=10,
    stage1=Stage1(epochs=40, batch_size=128, learning_rate=3e-3),
    stage2=replace(MIXTURE, folds=3, steps=100),
)
model.fit(fitted)
figure = model.plot_history()

# %% [markdown]
# Stage 1 trains the autoencoder (left). Stage 2 trains the importance networks (right): it stops
# where networks that have not seen an item judge it best.

# %% [markdown]
# ## Importances
# The importance of an item, in [0, 1], is the probability that it is informative about its partner.
# Here are the importances of the digits that were not used for fitting:

# %%
y = model.importance(new)
figure = model.plot_importance(new)

# %%
found = noise_scores(y["right"], new_noise)
print(f"mean importance of noise {y['right'][new_noise].mean():.2f}")
print(f"mean importance of right halves {y['right'][~new_noise].mean():.2f}")
print(f"F1 of noise {found['f1_noise']:.2f}")

# %% tags=["hide"]
assert y["right"][new_noise].mean() < 0.2 and y["right"][~new_noise].mean() > 0.9
assert found["f1_noise"] > 0.85 and y["left"].mean() > 0.95

# %% [markdown]
# Noise has a low importance, digits a high one. No label was used: what gives the noise away is
# that it says nothing about the left half. The least important right halves of all:

# %%
least = np.argsort(y["right"])[:8]
figure, axes = plt.subplots(2, 8, figsize=(8, 2.6), layout="constrained")
for axis, i in zip(axes.flat, [*least, *np.argsort(-y["right"])[:8]], strict=True):
    axis.imshow(new["right"][i].reshape(8, 4), cmap="gray_r", vmin=0, vmax=1)
    axis.set_title(f"{y['right'][i]:.2f}", fontsize="small")
    axis.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("least")
_ = axes[1, 0].set_ylabel("most")
# %% [markdown]
# ## The joint representation
# `transform` returns z, the mean of the halves' latents weighted by importance. Precision@10 is the
# fraction of a digit's 10 nearest neighbours that show the same digit.

# %%
z = model.transform(new)  # (797, 10)
equal = model.transform(new, weights="equal")


def p10(z, rows):
    """Return Precision@10, averaged over the rows."""
    return precision_at_k(z, new_labels, [10])[10][rows].mean()


for name, rows in {"all": new_noise >= 0, "right half is noise": new_noise}.items():
    print(f"{name}: weighted {p10(z, rows):.3f}, unweighted {p10(equal, rows):.3f}")

# %% tags=["hide"]
assert p10(z, new_noise) > p10(equal, new_noise) + 0.05

# %% [markdown]
# Where the right half is noise, the weights leave the representation to the left half.

# %% [markdown]
# ## A missing modality
# Any subset of the modalities will do. A row of NaN is an item that a sample lacks.

# %%
alone = model.transform({"left": new["left"]})
partly = {"left": new["left"], "right": np.where(new_noise[:, None], np.nan, new["right"])}
print(f"left half alone {p10(alone, ~new_noise):.3f}, both {p10(z, ~new_noise):.3f}")
print("importance of a missing item", model.importance(partly)["right"][new_noise].max())

# %% tags=["hide"]
assert p10(alone, ~new_noise) < p10(z, ~new_noise)
assert model.importance(partly)["right"][new_noise].max() == 0

# %% [markdown]
# ## Generate one modality from the other
# `predict` generates a modality from the others of each sample. It returns the mean prediction, so
# details that the left half does not determine are blurred ([generation](../generation.md)).

# %%
drawn = model.predict(new, to="right")  # (797, 32); the right halves in `new` are not used
shown = np.flatnonzero(~new_noise)[:10]
figure, axes = plt.subplots(2, 10, figsize=(8, 2), layout="constrained")
for axis, i in zip(axes.T, shown, strict=True):
    for place, right in zip(axis, (new["right"][i], drawn[i]), strict=True):
        whole = np.hstack([new["left"][i].reshape(8, 4), right.reshape(8, 4)])
        place.imshow(whole, cmap="gray_r", vmin=0, vmax=1)
        place.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("digit")
_ = axes[1, 0].set_ylabel("drawn")
# %%
clean = {m: of[~new_noise] for m, of in new.items()}
print(f"R^2 of halves predicted from the other half: {model.score(clean):.2f}")

# %% [markdown]
# Next: [your own three modalities](2_own_modalities.py), or
# [all that `IMA` can do](../library.md).
