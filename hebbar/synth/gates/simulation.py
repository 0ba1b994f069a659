"""A mapped netlist cycle by cycle, without delays: one function of Python in the order of the gates.

There are no glitches in it: what a gate does between two clock edges counts once. Registers begin at zero.
"""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

import numpy as np

from hebbar.contract.errors import BadInput

from .activity import Waves
from .expression import python
from .netlist import CONSTANTS, Instance, Netlist

__all__ = ["in_order", "simulate"]


def simulate(netlist: Netlist, stimulus: Mapping[str, Sequence[int]]) -> Waves:
    """Every net over the cycles of a stimulus: for each input port its value, as a number, in every cycle."""
    ports = {name: nets for name, nets in netlist.inputs.items() if nets != (netlist.clock,)}
    lengths = {len(values) for values in stimulus.values()}
    if missing := set(ports) - set(stimulus):
        raise BadInput(f"the stimulus of {netlist.top} has no port {min(missing)}; give all of its inputs.")
    if len(lengths) != 1 or min(lengths) < 2:
        raise BadInput(f"the stimulus of {netlist.top} has ports of {sorted(lengths)} cycles; give two or more, the "
                       "same for all.")
    inputs = [net for nets in ports.values() for net in nets]
    bits = [[(value >> i) & 1 for value in stimulus[name]] for name, nets in ports.items() for i in range(len(nets))]
    order = [net for net in netlist.nets if net != netlist.clock]
    rows: list[bytes] = []
    space: dict[str, object] = {}
    exec(_source(netlist, inputs, order), space)
    space["run"](zip(*bits, strict=True), rows.append)  # type: ignore[operator]
    table = np.frombuffer(b"".join(rows), np.uint8).reshape(-1, len(order)).T.copy()
    return Waves(dict(zip(order, table, strict=True)), lengths.pop(), netlist.clock)


def _source(netlist: Netlist, inputs: list[str], order: list[str]) -> str:
    """The function ``run``: for each tuple of input bits one call of ``put`` with the values of all nets."""
    of = {net: f"n{i}" for i, net in enumerate(order)} | {net: str(v) for net, v in CONSTANTS.items()}
    of[netlist.clock] = "1"
    registers = [i for i in netlist.instances if i.cell.flip_flop]
    lines = ["def run(stimulus, put):", *(f"  {of[net]} = 0" for net in order)]
    lines += [f"  q{k} = 0" for k in range(len(registers))]
    lines += ["  for values in stimulus:", f"    [{', '.join(of[net] for net in inputs)}] = values"]
    for k, register in enumerate(registers):
        lines += _outputs(register, of, f"q{k}")
    for gate in in_order(netlist):
        lines += _outputs(gate, of)
    lines.append(f"    put(bytes([{', '.join(of[net] for net in order)}]))")
    lines += [f"    q{k} = {_next(register, of, f'q{k}')}" for k, register in enumerate(registers)]
    return "\n".join(lines)


def _outputs(instance: Instance, of: Mapping[str, str], state: str = "") -> list[str]:
    """The assignments of the outputs of a cell; ``state`` is the register's."""
    pins = {pin: of[net] for pin, net in instance.nets.items()}
    if instance.cell.flip_flop:
        true, inverse = instance.cell.flip_flop.names
        pins |= {true: state, inverse: f"(1 ^ {state})"}
    return [f"    {pins[name]} = {python(pin.function).format(**pins)}"
            for name, pin in instance.cell.pins.items() if pin.output]


def _next(register: Instance, of: Mapping[str, str], state: str) -> str:
    held = register.cell.flip_flop
    assert held, register.name
    pins = {pin: of[net] for pin, net in register.nets.items()}
    pins |= {held.names[0]: state, held.names[1]: f"(1 ^ {state})"}
    text = python(held.next_state).format(**pins)
    for how, sign in ((held.clear, "& (1 ^ {})"), (held.preset, "| {}")):
        if how:
            text = f"({text}) " + sign.format(f"({python(how).format(**pins)})")
    return text


def in_order(netlist: Netlist) -> list[Instance]:
    """The gates, every one after those that drive it."""
    gates = {i.name: i for i in netlist.instances if not i.cell.flip_flop}
    drivers = {i.nets[pin]: i.name for i in gates.values() for pin, p in i.cell.pins.items() if p.output}
    needs = {i.name: {drivers[net] for pin, net in i.nets.items()
                      if not i.cell.pins[pin].output and net in drivers} for i in gates.values()}
    try:
        return [gates[name] for name in TopologicalSorter(needs).static_order()]
    except CycleError as error:
        raise BadInput(f"{netlist.top} has a loop of gates through {error.args[1][0]}.") from None
