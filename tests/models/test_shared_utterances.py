"""Shared encoders of utterances: draws by hand, a planted class, and shuffled partners."""

import pytest
import torch

from ima.models.ima import Modality
from ima.models.shared_utterances import DRAWS, TOKENS, Tokens, fit_utterances
from ima.training.loop import Training

LAYERS = {m: Modality(3, 16, "sse") for m in ("verbal", "acoustic")}


def small():
    x = {"verbal": torch.tensor([[1.0], [2.0], [4.0]]), "acoustic": torch.tensor([[10.0], [20.0]])}
    rows = {"verbal": torch.tensor([0, 1, 2, 2]), "acoustic": torch.tensor([0, 0, 1, 1])}
    return Tokens(x, rows, torch.tensor([0, 0, 1, 2]))


def test_means_of_all_tokens():
    means = small().means()
    assert means["verbal"].squeeze(1).tolist() == [1.5, 4, 4]
    assert means["acoustic"].squeeze(1).tolist() == [10, 20, 20]


def test_draws_are_of_the_utterance_and_of_each_modality_alone():
    drawn = small().drawn(torch.Generator().manual_seed(0))
    verbal, acoustic = (drawn[m].reshape(DRAWS, 3).T for m in ("verbal", "acoustic"))
    possible = {(TOKENS + n) / TOKENS for n in range(TOKENS + 1)}  # n of TOKENS are a 2, others a 1
    assert set(verbal[0].tolist()) <= possible and len(set(verbal[0].tolist())) > 1
    assert set(verbal[1:].flatten().tolist()) == {4}
    assert set(acoustic[0].tolist()) == {10} and set(acoustic[1:].flatten().tolist()) == {20}


def test_draws_have_the_mean_of_the_utterance():
    tokens = small()._replace(utterance=torch.zeros(4, dtype=torch.int64))
    draws = torch.cat([tokens.drawn(torch.Generator().manual_seed(n))["verbal"] for n in range(99)])
    # Values 1, 2, 4, 4: mean 11/4, variance 27/16; of a mean of TOKENS, a TOKENS-th of it.
    error = (27 / 16 / TOKENS / len(draws)) ** 0.5
    assert draws.mean().item() == pytest.approx(11 / 4, abs=4 * error)


def test_part_numbers_utterances_anew():
    part = small().part(torch.tensor([2, 0]))
    assert part.utterance.tolist() == [0, 0, 1]
    assert part.rows["verbal"].tolist() == [0, 1, 2]
    assert part.means()["acoustic"].squeeze(1).tolist() == [10, 20]


def planted(count, seed, shuffled=False):
    """Return utterances of 5 tokens whose class, of two, moves one of the values of each token."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.randint(2, (count,), generator=generator)
    of = torch.arange(count).repeat_interleave(5)
    x = {m: torch.randn(len(of), 3, generator=generator) for m in LAYERS}
    x["verbal"][:, 0] += 2 * label[of]
    partner = label[torch.randperm(count, generator=generator)] if shuffled else label
    x["acoustic"][:, 1] += 2 * partner[of]
    return Tokens(x, dict.fromkeys(LAYERS, torch.arange(len(of))), of), label


def separation(shuffled):
    """Return by how many standard deviations the classes differ in the verbal latents."""
    (train, label), (held, _) = (planted(n, n, shuffled) for n in (300, 60))
    settings = Training(epochs=4, batch_size=64, learning_rate=5e-3)
    encoders, history = fit_utterances(LAYERS, 1, train, held, settings, 0)
    g = encoders.encode(train.means())["verbal"].detach().squeeze(1)
    spread = torch.stack([g[label == c].std() for c in (0, 1)]).mean()
    means = [g[label == c].mean() for c in (0, 1)]
    return abs(means[0] - means[1]).item() / spread.item(), history


def test_what_partners_share_is_kept():
    found, history = separation(shuffled=False)
    # The class moves a mean of 5 tokens by 2 sqrt(5) = 4.5 of its standard deviations.
    assert found > 3
    assert history[-1]["validation"] < history[0]["validation"]


def test_random_partners_teach_nothing():
    assert separation(shuffled=True)[0] < 3
