"""Fields of instruction and table words on Amaranth values, and which of them a SWEEP may have."""

from amaranth.hdl import Cat, Const, Value

from hebbar.contract.isa import Field, Sweep
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import BLOCK

__all__ = ["field", "asks", "illegal", "descriptor", "fits", "room", "span"]


def field(word: Value, f: Field) -> Value:
    """The bits of a declared field."""
    return word[f.lsb:f.lsb + f.width]


def asks(flags: Value, wanted: Sweep) -> Value:
    """Whether any of the ``wanted`` flags is set; for one of them the bit itself."""
    bits = [flags[i] for i in range(len(flags)) if wanted & 1 << i]
    return bits[0] if len(bits) == 1 else Cat(bits).any()


def illegal(flags: Value, machine: MachineConfig) -> Value:
    """The machine's reading of ``hebbar.contract.isa.illegal_sweep``."""
    both = Sweep.ERR | Sweep.STEP | Sweep.TRN | Sweep.UPD
    refused = {"own": Const(0), "shared": asks(flags, Sweep.TRN) & asks(flags, Sweep.UPD),
               "none": asks(flags, Sweep.UPD)}[machine.updates]
    return (refused | flags[machine.sweep_flags:].any() | (flags & Sweep.INIT).any() & ~(flags & Sweep.ERR).any()
            | (flags & Sweep.DELTA).any() & (flags & both).any())


def descriptor(block: Value) -> dict[str, Value]:
    """The fields of a block descriptor by name."""
    return {name: field(block, f) for name, f in BLOCK.items()}


def span(b: dict[str, Value]) -> Value:
    """Weight words from the first row group of a descriptor to its last."""
    return (b["groups"] - 1) * b["stride"]


def room(b: dict[str, Value], machine: MachineConfig) -> Value:
    """The largest span with which the weights of a descriptor lie in the memory of ``machine``."""
    return machine.weight_words - b["columns"] - b["weight_base"]


def fits(b: dict[str, Value], weights: Value, machine: MachineConfig) -> Value:
    """True when the rows of a descriptor lie in the neuron space of ``machine``, its rows are no longer
    than the tile takes, its function exists and, for a sweep with ``weights``, so does its map."""
    return (((b["map_base"] + b["columns"] <= machine.map_entries) | ~weights) & (b["function"] < machine.functions)
            & (b["columns"] != 0) & (b["columns"] <= machine.max_columns)
            & (b["groups"] != 0) & (b["last_rows"] != 0) & (b["last_rows"] <= machine.row_tiles)
            & (b["group_base"] + b["groups"] <= machine.groups))
