"""Who can write a weight: UPD and the host, and nothing else, by Pyverilog's dataflow.

Held at 0 are the bit UPD of every instruction the sequencer sees and the tile's host write. If then no
reachable state (``Dataflow.settle``) lets a write path of the weights do anything, every write needs
one of the two. That either of them alone opens the paths shows that the question was not empty.
"""

from dataclasses import dataclass
from typing import Any

from hebbar.contract.isa import FIELDS, Op, Sweep
from hebbar.contract.machine import MachineConfig
from hebbar.contract.tiles import Weights

from .dataflow import Dataflow
from .design import Design, plain
from .expressions import Node, branches
from .ternary import Bits

__all__ = ["Paths", "open_paths", "paths", "statements"]

_WORD, _HOST = "hebbar.sequencer.word", "hebbar.tile.host__write"
_UPD = 1 << FIELDS[Op.SWEEP]["flags"].lsb + Sweep.UPD.bit_length() - 1


@dataclass(frozen=True)
class Paths:
    """The write paths of the weights that can act, as names of memory or registers."""

    neither: list[str]
    upd: list[str]
    host: list[str]


def _weights(machine: MachineConfig) -> list[str]:
    return [f"hebbar.tile.{place}" for place in machine.kind.weight_places(machine)]


def paths(machine: MachineConfig, flow: Dataflow) -> Paths:
    """The paths open with UPD and host at 0, with UPD alone, and with the host alone."""
    names = _weights(machine)
    neither, upd, host = ({_WORD: _UPD, _HOST: 1}, {_HOST: 1}, {_WORD: _UPD})
    return Paths(*(open_paths(machine, flow, names, zeros) for zeros in (neither, upd, host)))


def open_paths(machine: MachineConfig, flow: Dataflow, names: list[str], zeros: dict[str, int]) -> list[str]:
    """The ``names`` that something can write while ``zeros`` are held at 0; all that do not exist."""
    there = [name for name in names if name in flow.drivers]
    split = "hebbar.tile.fsm_state" if machine.kind.array else ""
    state = flow.settle(there, zeros, split)
    return [name for name in names if name not in there
            or not all(_idle(flow, d.tree, name, state) for d in flow.drivers[name])]


def _idle(flow: Dataflow, node: Node | None, name: str, state: dict[str, Bits]) -> bool:
    """Whether an assignment to ``name`` leaves it as it is."""
    if node is None:
        return True
    if (ways := branches(node, state)) is not None:
        return all(_idle(flow, way, name, state) for way in ways)
    inner = flow.behind(node.name)
    return node.name == name or (inner is not None and _idle(flow, inner, name, state))


def statements(design: Design, machine: MachineConfig, flow: Dataflow) -> tuple[int, int]:
    """Write statements of the weight memory in the Verilog, and those that Pyverilog kept."""
    if machine.kind.weights is Weights.REGISTERS:
        count = len(_weights(machine))
        return count, sum(len(flow.drivers.get(name, [])) for name in _weights(machine))
    module = design.at("hebbar.tile.weights")
    found = [n for p in module.processes for n in _targets(p)] if module else []
    return found.count("memory"), len(flow.drivers.get("hebbar.tile.weights.memory", []))


def _targets(node: Any) -> list[str]:
    """The root names of all clocked assignments below a node."""
    if type(node).__name__ == "NonblockingSubstitution":
        left = node.left.var
        while type(left).__name__ != "Identifier":
            left = left.var
        return [plain(left.name)]
    return [name for child in node.children() for name in _targets(child)]
