"""Adam without the compiler: the same bytes, and no compiler."""

import subprocess
import sys

import pytest
import torch

from ima.training import adam

FEW_IMPORTS = """
import sys
import torch
from ima.models import stages
from ima.training.adam import Adam

weight = torch.nn.Parameter(torch.ones(2))
optimizer = Adam([weight], lr=0.1, fused=True)
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3)
optimizer.zero_grad(set_to_none=True)
weight.square().sum().backward()
optimizer.step()
cosine.step()
assert weight.tolist() != [1, 1]
print(*[name for name in ("sklearn", "pandas", "scipy", "torch._dynamo") if name in sys.modules])
"""


def trained(kind: type[torch.optim.Optimizer], **settings) -> bytes:
    """Return the weights of a small network after some steps."""
    torch.manual_seed(0)
    model = torch.nn.Linear(5, 3)
    x = torch.randn(40, 5)
    optimizer = kind(model.parameters(), lr=0.1, **settings)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    for batch in x.split(8):
        optimizer.zero_grad(set_to_none=True)
        model(batch).square().sum().backward()
        optimizer.step()
        cosine.step()
    return b"".join(value.detach().numpy().tobytes() for value in model.parameters())


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_same_bytes_as_pytorch(name):
    settings = {"fused": True} if name == "Adam" else {"weight_decay": 0.1}
    own = trained(getattr(adam, name), **settings)
    assert own == trained(getattr(torch.optim, name), **settings)
    assert own != trained(getattr(torch.optim, name), **settings | {"betas": (0.5, 0.9)})


def test_training_imports_neither_compiler_nor_other_libraries():
    done = subprocess.run(
        [sys.executable, "-c", FEW_IMPORTS], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
