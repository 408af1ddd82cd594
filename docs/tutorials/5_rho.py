# %% [markdown]
# # What rho does and how to choose it
#
# rho is the expected proportion of important items of a modality. The default objective of
# `ima.IMA`, `mixture`, estimates it. The paper's objective and `ima+` need it, and this page shows
# how much it matters there.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits

from ima.evaluation.rho_sweep import sweep
from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.checkpoints import modalities_of
from ima.models.ima import Autoencoder
from ima.models.importance import Stage2

rng = np.random.default_rng(0)
images = load_digits().images / 16
halves = {"left": images[:, :, :4].reshape(-1, 32), "right": images[:, :, 4:].reshape(-1, 32)}
is_noise = {m: np.zeros(len(images), bool) for m in halves}
is_noise["right"] = rng.random(len(images)) < 0.1  # so 90 % of the right halves are informative
halves["right"][is_noise["right"]] = rng.random((is_noise["right"].sum(), 32))
x = {m: torch.tensor(of, dtype=torch.float32) for m, of in halves.items()}

# %% [markdown]
# ## Stage 1, once
# rho plays no part in training the autoencoder, so one autoencoder serves all values of rho.
# `held_out` are pairs on which it is not trained; `ima+` learns importances from these.

# %%
train, held_out, test = (
    {m: torch.arange(*rows) for m in x} for rows in ((0, 800), (800, 1300), (1300, 1797))
)
torch.manual_seed(0)
autoencoder = Autoencoder(modalities_of(x, {m: {"loss": "bce"} for m in x}), latent=10)
settings = Stage1(epochs=40, batch_size=128, learning_rate=3e-3)
_ = fit_autoencoder(autoencoder, x, train, settings, seed=0, validation=held_out)

# %% [markdown]
# ## Stage 2 for each rho
# The loss of `ima+` and of the paper has the term KL(mean y || rho): the mean importance is pulled
# towards rho, and the correlation term decides *which* items give way.

# %%
grid = [0.1, 0.3, 0.5, 0.8, 0.9]
noise_of = {m: of[1300:] for m, of in is_noise.items()}
found = {}
for objective in ("ima+", "paper"):
    stage2 = Stage2(objective, restarts=1)
    arguments = (x, train, test, noise_of, held_out, grid, 100, stage2, 0)
    table = sweep(objective, autoencoder, *arguments).to_pandas()
    found[objective] = table[table["modality"] == "right"].set_index("rho")

ours, paper = found["ima+"], found["paper"]

figure, axes = plt.subplots(1, 2, figsize=(7, 3), layout="constrained")
for objective, of in found.items():
    axes[0].plot(of.index, of["mean_importance"], "o-", label=objective)
    axes[1].plot(of.index, of["f1_noise"], "o-", label=objective)
axes[0].plot([0, 1], [0, 1], ":", color="gray")
axes[0].set(xlabel="rho", ylabel="mean importance, right halves")
axes[1].set(xlabel="rho", ylabel="F1 of noise", ylim=(-0.05, 1.05))
_ = axes[0].legend()

# %% tags=["hide"]
assert (ours["f1_noise"][[0.3, 0.5, 0.8]] > 0.85).all() and ours["f1_noise"][0.9] < 0.8
assert paper["f1_noise"].max() < 0.7 and (paper["f1_noise"][[0.8, 0.9]] < 0.3).all()

# %% [markdown]
# * **`ima+`** gives noise the low importances for a wide range of rho: a wrong rho costs little,
#   because the correlation term holds the mean importance near the true proportion. A rho near 1 is
#   the exception: there, KL asks for fewer unimportant items than there are.
# * **The paper's objective** follows rho more closely. With a small rho it gives up digits as well
#   as noise; with a large one it keeps the noise. In [the open run](../results/open.md), too, rho
#   decides whether it detects anything.
#
# ## Choosing rho without labels
# F1 requires knowing the noise, so it cannot be used to choose rho. Nor can the loss, which is
# lowest where rho demands nothing. Instead, take the rho whose set of unimportant *training* items
# agrees best with those of the other values of rho (mean Jaccard index): a set that hardly depends
# on rho reflects the data.

# %%
chosen = ours["agreement"].idxmax()
ours[["loss", "agreement", "f1_noise"]].round(3)

# %%
print(f"lowest loss at rho {ours['loss'].idxmin()}, best agreement at rho {chosen}")
print(f"F1 there: {ours['f1_noise'][ours['loss'].idxmin()]:.2f} and {ours['f1_noise'][chosen]:.2f}")

# %% tags=["hide"]
assert ours["loss"].idxmin() == 0.9 and ours["f1_noise"][chosen] > 0.85

# %% [markdown]
# The workflow does this for each modality (`results/tables/rho.csv`, `sweep` in
# [the config](../config.md)); [importance](../importance.md), section 8, has the result on the open
# corpora.
#
# ## Which to use
# * Your own data: leave rho alone. `IMA()` estimates it, as in [the first
#   tutorial](1_ten_minutes.py).
# * `ima+`: the choice by agreement, or .8, which was good enough on the digits of this project.
# * The paper's method: its rho (.8 and .3), or a sweep, and look at the result before you use it.
