"""The format that weights in a file were learned in: a machine of another one would round them in silence."""

from collections.abc import Mapping
from pathlib import Path

from hebbar.compiler.layout import Layout
from hebbar.contract.errors import BadInput
from hebbar.contract.machine import MachineConfig

__all__ = ["check_format", "format_meta"]


def format_meta(machine: MachineConfig) -> dict[str, str]:
    """What a file says of the format of its weights, by the keys of ``[machine]``."""
    f = machine.formats.weight
    return {"weight_bits": str(f.bits), "weight_frac": str(f.frac)}


def check_format(layout: Layout, path: Path, meta: Mapping[str, str]) -> None:
    """Raise BadInput when the weights in ``path`` were learned in another format; other programs say none."""
    for key, value in format_meta(layout.machine).items():
        if meta.get(key, value) != value:
            raise BadInput(f"{path} holds weights of another build, with machine.{key} {meta[key]}, and this machine "
                           f"has {value}; use its configuration, or round them on purpose: set_weights(load_weights("
                           "path)) of hebbar.Experiment and golden.learning.weights.")
