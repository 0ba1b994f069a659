"""Packages of the extra ``sweep``, which are imported when they are asked for."""

from importlib import import_module, util
from typing import Any

from hebbar.contract.errors import MissingTool

__all__ = ["installed", "needed"]


def needed(package: str, option: str) -> Any:
    """A package of the extra ``sweep``; raises MissingTool, which names the ``option`` that needs it and how to
    install it."""
    if not installed(package):
        raise MissingTool(f"{option} needs the package {package}, which is not installed: pip install "
                          "'hebbar[sweep]'.")
    return import_module(package)


def installed(package: str) -> bool:
    """Whether a package can be imported."""
    return util.find_spec(package) is not None
