"""Import of packages that are optional."""

from importlib import import_module
from typing import Any


def require(module: str, extra: str) -> Any:
    """Import a module of an extra of pyproject.toml.

    Raises:
        ImportError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = (error.name or module).partition(".")[0]
        do = f"Install it with pip install 'ima[{extra}]'."
        raise ImportError(f"{package} is missing. {do}") from error
