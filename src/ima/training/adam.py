"""Adam and AdamW without the import of PyTorch's compiler.

Methods of PyTorch's optimisers are marked as not to be compiled, and the mark imports the compiler
on their first call. That takes about as long as importing PyTorch itself, in each job.
"""

import inspect

import torch


def _unmarked(kind: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """Return a subclass of an optimiser with the same arithmetic and without the marks."""
    methods = {n: inspect.unwrap(getattr(kind, n)) for n in ("add_param_group", "zero_grad")}
    step = torch.no_grad()(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), {"__doc__": kind.__doc__, **methods, "step": step})


Adam = _unmarked(torch.optim.Adam)
AdamW = _unmarked(torch.optim.AdamW)
