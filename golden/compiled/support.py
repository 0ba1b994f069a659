"""What the compiled code cannot run, found before it does: it checks no bounds."""

from hebbar.compiler.program import Program
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import LOOP_REGISTERS, MOVES, Into, Op, Sweep, decode, illegal_sweep
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import BLOCK, MAP, Mem, unpack
from hebbar.contract.pins import column_bits, row_bits

from ..analog.converters import TABLED
from ..analog.exactness import inexact
from .flow import check_exits

__all__ = ["unsupported"]

STREAMED = {Mem.ACTIVITY, Mem.STATE, Mem.ERROR, Mem.CLAMP}
EXACT_BITS = 53
"""The NumPy machine multiplies in float64; what does not fit has no definition."""
WORDS = 1 << MAP["source"].width
"""Neuron words, modulo which an identity column counts."""


def unsupported(program: Program) -> str:
    """Why the compiled machine refuses ``program``, as a sentence, or an empty string.

    Whatever ``hebbar.compiler.program`` produces is supported. Refused are hand-made programs that leave a
    memory, learn in overlapping rows, exceed what the NumPy machine computes exactly or leave loops
    in a way that ``golden.compiled.flow`` names, those that the NumPy machine refuses as well, and analog
    macros whose physics is not compiled (``_uncompiled``).
    """
    if program.machine.kind.macro and (why := _uncompiled(program.machine)):
        return f"{why}; use the NumPy machine."
    try:
        for entry in program.inputs:
            _check_streams(program, entry)
        for address, word in enumerate(program.words):
            _check(program, address, word)
        check_exits(program)
    except BadInput as error:
        return str(error)
    return ""


def _uncompiled(machine: MachineConfig) -> str:
    """What of an analog macro is not compiled, or an empty string: wires, behind which one changed cell changes what
    reads see of all, a nonlinearity without a table, and sums that float64 does not hold exactly."""
    a = machine.analog
    if a.wires.model != "off":
        return f"machine.analog.wires.model is {a.wires.model!r}, and wires are not compiled"
    if a.converters.inl and max(row_bits(machine), column_bits(machine)) > TABLED:
        return (f"machine.analog.converters.inl is {a.converters.inl:g} of converters of {row_bits(machine)} and "
                f"{column_bits(machine)} bits, and nonlinearity is compiled up to {TABLED}")
    why = inexact(machine)
    return f"with the formats of machine and what machine.analog adds {why}" if why else ""


def _check_streams(program: Program, entry: str) -> None:
    for way in (program.inputs[entry], program.outputs[entry]):
        names = [t.key for t in way]
        if len(set(names)) < len(names):
            raise BadInput(f"entry {entry!r} streams a population twice a sample; use the NumPy machine.")
    wrong = [t for t in program.inputs[entry] if t.memory not in STREAMED]
    if wrong:
        raise BadInput(f"entry {entry!r} streams into memory {wrong[0].memory.name}; only activities, states, errors "
                       "and clamp masks can be samples.")


def _check(program: Program, address: int, word: int) -> None:
    """Raise BadInput when the instruction at ``address`` cannot run, whatever the data."""
    instruction, m = decode(word), program.machine
    f, where = instruction.fields, f"address {address}: {instruction}"
    match instruction.op:
        case Op.SWEEP:
            flags = Sweep(f["flags"])
            if why := illegal_sweep(flags, m.integral, m.updates):
                raise BadInput(f"{where} is illegal, {why}.")
            if why := _misplaced(program, f["block"]) or _unswept(program, f["block"], flags):
                raise BadInput(f"{where} cannot run compiled: {why}.")
        case Op.SEPARATE:
            if why := _misplaced(program, f["block"]) or _inseparable(program, f["block"], f["into"]):
                raise BadInput(f"{where} cannot run compiled: {why}.")
        case Op.EXIT if not m.energy:
            raise BadInput(f"{where} needs the energy unit; set machine.energy to true.")
        case Op.LOOP if f["register"] > LOOP_REGISTERS or f["end"] <= address:
            raise BadInput(f"{where} has a register above {LOOP_REGISTERS} or ends before it starts.")
        case Op.BREAK if f["end"] <= address:
            raise BadInput(f"{where} leaves a loop for an address before it.")
        case _ if instruction.op in MOVES:
            if f["memory"] not in STREAMED or f["address"] * m.lanes + f["count"] > m.neuron_words * m.lanes:
                raise BadInput(f"{where} moves what is not in a streamed memory.")


def _misplaced(program: Program, block: int) -> str:
    """What is wrong with the rows of a block, or an empty string."""
    if block >= len(program.blocks):
        return f"it names a block that does not exist; there are {len(program.blocks)}"
    m, b = program.machine, unpack(BLOCK, program.blocks[block])
    if (b["group_base"] + b["groups"]) * m.row_tiles > m.neuron_words * m.lanes or not b["groups"]:
        return "its rows leave the neuron memory"
    if not 1 <= b["last_rows"] <= m.row_tiles:
        return f"last_rows is {b['last_rows']}, outside 1..{m.row_tiles}"
    return ""


def _inseparable(program: Program, block: int, into: int) -> str:
    m, b = program.machine, unpack(BLOCK, program.blocks[block])
    rows = (b["groups"] - 1) * m.row_tiles + b["last_rows"]
    if rows > m.separation:
        return f"it has {rows} rows and machine.separation is {m.separation}"
    return "" if into in list(Into) else f"there is no destination {into}"


def _unswept(program: Program, block: int, flags: Sweep) -> str:
    """What is wrong with a block for a sweep with ``flags``, or an empty string."""
    b, columns = program.descriptor(block)
    if b["function"] >= len(program.functions) >> program.machine.formats.table_bits:
        return f"there is no function {b['function']}"
    if not flags.weights:
        return ""
    if len(columns) < b["columns"] or not columns:
        return "its columns leave the map"
    return _astray(program, b, columns) or _unreadable(program, b, columns, flags)


def _astray(program: Program, b: dict[str, int], columns: list[dict[str, int]]) -> str:
    """What is wrong with the sources of a block, or an empty string."""
    m = program.machine
    rows = {row // m.lanes for row in range(b["group_base"] * m.row_tiles,
                                            (b["group_base"] + b["groups"]) * m.row_tiles)}
    for c in columns:
        words = [c["source"]] if c["lanes"] else [(row + c["source"]) % WORDS for row in rows]
        if (max(words) >= m.neuron_words and (c["lanes"] or _identities(program))) or c["lanes"] > m.lanes:
            return "a map entry leaves the neuron memory"
    return ""


def _unreadable(program: Program, b: dict[str, int], columns: list[dict[str, int]], flags: Sweep) -> str:
    """What is wrong with the weights of a block, or an empty string."""
    m, f = program.machine, program.machine.formats
    if m.kind.macro and (why := _beyond_lines(program, b, columns)):
        return why
    stored = [k for k, c in enumerate(columns) if c["lanes"] or not _identities(program)]
    if not stored:
        return ""
    if b["weight_base"] + (b["groups"] - 1) * b["stride"] + stored[-1] >= m.weight_words:
        return "it leaves the weight memory"
    if flags & Sweep.UPD and b["groups"] > 1 and b["stride"] <= stored[-1] - stored[0]:
        return "it learns in rows that overlap"
    if any(m.activity_bits + c["shift"] > 16 for c in columns):
        return "activities shifted into line leave 16 bits"
    row = sum(c["lanes"] << m.weight_bits + m.activity_bits - 2 + c["shift"] for c in columns)
    back = b["groups"] * m.row_tiles << f.weight.bits + f.error.bits - 2
    return "a sum could leave the 53 bits that the NumPy machine is exact in" if max(row, back) >> EXACT_BITS else ""


def _beyond_lines(program: Program, b: dict[str, int], columns: list[dict[str, int]]) -> str:
    """What is wrong with the lines of a block of an analog macro, or an empty string."""
    m = program.machine
    group, column = divmod(b["weight_base"], m.array_stride)
    if (group + b["groups"]) * m.row_tiles > m.array_rows or column + len(columns) > m.array_stride:
        return "it leaves the lines of the crossbar"
    if any(c["shift"] > m.analog.control.align for c in columns):
        return f"activities are shifted by more than machine.analog.control.align, {m.analog.control.align}"
    return ""


def _identities(program: Program) -> bool:
    """Whether the tile has identity columns; without them they do nothing."""
    return program.machine.kind.identities
