"""Encoders and decoders that the user gives as torch modules, or names.

All other code sees items as vectors (B, D); the user's modules see them in their shape.
"""

import importlib
import importlib.util
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ima.utils.errors import InputError

if TYPE_CHECKING:
    from ima.models.ima import Modality

#: The parts of a modality that may be modules of the user.
PARTS = ("encoder", "decoder")
#: Number of items that a module is given at once outside of training, which bounds the memory.
ITEMS = 1024
#: Number of items of zeros by which the shape of the output is checked.
TRIED = 3


def network(given: nn.Module | str, shape: tuple[int, ...], latent: int, where: str) -> nn.Module:
    """Return a module as given, or a new one by the class or function that is named.

    Args:
        given: a module; or `FILE.py:NAME`, or `MODULE:NAME` for an installed Python module. NAME is
            called with `shape` and `latent`.
        shape: shape of one item.
        latent: L, the latent size.
        where: name of the module in errors.

    Raises:
        InputError: the name does not lead to a module, for any reason.
    """
    if isinstance(given, nn.Module):
        return given
    place, _, name = given.rpartition(":")
    try:
        module = getattr(_imported(place), name)(shape, latent)
    except Exception as error:  # whatever the user's code raises
        module = f"{type(error).__name__}: {error}"
    if isinstance(module, nn.Module):
        return module
    raise InputError(
        where,
        expected="FILE.py:NAME or MODULE:NAME of a class or function that makes a torch.nn.Module "
        "of an item's shape and the latent size",
        found=f"{given}, which gives {module}",
    )


def refuse_modules(modalities: Mapping[str, "Modality"], method: str) -> None:
    """Check that no modality has modules of the user, which other methods than IMA cannot use.

    Raises:
        InputError: one has.
    """
    for name, modality in modalities.items():
        if any(getattr(modality, part) is not None for part in PARTS):
            raise InputError(
                f"layers['{name}']",
                expected=f"no {' or '.join(PARTS)} of your own",
                found="one",
                do=f"{method} needs other outputs, such as variances.",
            )


def _imported(place: str) -> object:
    """Import a Python file, or a module by its name."""
    if not place.endswith(".py"):
        return importlib.import_module(place)
    spec = importlib.util.spec_from_file_location(Path(place).stem, place)
    if spec is None or spec.loader is None:
        raise ImportError(f"{place} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Own(nn.Module):
    """A copy of a user's module, which maps vectors to vectors as encoders and decoders do.

    The copy starts from the weights of the module as given, in each fold and each call of `fit`.

    Args:
        module: maps items (B, *given) to (B, *returned) or to (B, D), where D is their product. It
            must accept items of zeros, which stand for missing ones.
        given: shape of one item of the input.
        returned: shape of one item of the output.
        where: name of the module in errors.

    Raises:
        InputError: the module does not map items of zeros in this way.
    """

    def __init__(
        self, module: nn.Module, given: tuple[int, ...], returned: tuple[int, ...], where: str
    ):
        super().__init__()
        self.module = deepcopy(module).cpu()
        self.given, self.width = given, torch.Size(returned).numel()
        shapes = [*dict.fromkeys(((TRIED, *returned), (TRIED, self.width)))]
        found = self._tried()
        if found not in shapes:
            raise InputError(
                where,
                expected=f"a module that maps {(TRIED, *given)} to {' or '.join(map(str, shapes))}",
                found=found,
            )

    @torch.no_grad()
    def _tried(self) -> object:
        """Return the shape of what the module returns for zeros, or what else happens."""
        self.module.eval()
        try:
            out = self.module(torch.zeros(TRIED, *self.given))
        except Exception as error:  # whatever the user's code raises
            return f"{type(error).__name__}: {error}"
        finally:
            self.module.train()
        return tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__

    def forward(self, x: Tensor) -> Tensor:
        """Map vectors (..., D) to vectors (..., W)."""
        items = x.reshape(-1, *self.given)
        if self.training or torch.is_grad_enabled():
            out = self.module(items)
        else:
            out = torch.cat([self.module(part) for part in items.split(ITEMS)])
        return out.reshape(*x.shape[:-1], self.width)
