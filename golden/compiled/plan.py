"""From a golden machine to the flat tables the compiled code reads, and what it cannot run."""

import numpy as np

from hebbar.compiler import Program
from hebbar.errors import BadInput
from hebbar.fences import learning_fences
from hebbar.isa import LOOP_REGISTERS, Op, Sweep, decode, illegal_sweep
from hebbar.memories import BLOCK, MAP, Mem, unpack

from ..machine import Machine
from ..tile import Plan
from .arrays import Ints, Limits, Tables

__all__ = ["limits", "tables", "unsupported"]

STREAMED = {Mem.ACTIVITY, Mem.STATE, Mem.ERROR}
EXACT_BITS = 53
"""The NumPy machine multiplies in float64; what does not fit has no definition."""


def tables(machine: Machine) -> Tables:
    """The program of ``machine``, decoded."""
    runs: dict[str, list[tuple[int, ...]]] = {"gathers": [], "feeds": [], "updates": []}
    blocks: list[tuple[int, ...]] = []
    row_at, start = [np.zeros(0, np.int64)], 0
    for plan in machine.plans:
        bounds = []
        for name, build in (("gathers", _gathers), ("feeds", _feeds), ("updates", _updates)):
            bounds.append(len(runs[name]))
            runs[name] += build(plan, machine.config.lanes)
            bounds.append(len(runs[name]))
        blocks.append((plan.rows.start, plan.count, plan.source.size, start, sum(r.size for r in row_at), *bounds,
                       plan.function))
        row_at.append(_row_at(machine, plan))
        start += plan.source.size
    f = machine.config.formats
    states = np.arange(f.state.lo, f.state.hi + 1)
    learning = learning_fences(machine.program)
    return Tables(
        code=_code(machine), blocks=np.array(blocks, np.int64).reshape(-1, 12),
        row_at=np.concatenate(row_at),
        **{name: np.array(found, np.int64).reshape(-1, 5) for name, found in runs.items()},
        functions=np.array([t(states) for t in machine.functions], np.int8).reshape(-1, states.size),
        derivatives=np.array([t(states) for t in machine.derivatives], np.int16).reshape(-1, states.size),
        learning=np.array([a in learning for a in range(len(machine.program.words))], np.int64))


def limits(machine: Machine) -> Limits:
    """Format limits and shifts of ``machine``."""
    f = machine.config.formats
    return Limits(f.state.lo, f.state.hi, f.error.lo, f.error.hi, f.feedback.lo, f.feedback.hi, f.weight.lo,
                  f.weight.hi, f.sum_shift, f.back_shift, f.derivative.frac, f.step_shift)


def _code(machine: Machine) -> Ints:
    """Instructions as rows (opcode, three operands)."""
    lanes, gains, code = machine.config.lanes, machine.program.gains, []
    for word in machine.program.words:
        instruction = decode(word)
        f = instruction.fields
        match instruction.op:
            case Op.SWEEP:
                operands = (f["flags"], f["block"], gains[f["gain"]])
            case Op.IN | Op.OUT:
                operands = (f["count"], f["address"] * lanes, f["memory"])
            case Op.LOOP:
                operands = (f["end"], f["count"], f["register"])
            case _:
                operands = (0, 0, 0)
        code.append((int(instruction.op), *operands))
    return np.array(code, np.int64).reshape(-1, 4)


def _row_at(machine: Machine, plan: Plan) -> Ints:
    """Where each row in use starts in weights stored as (P, words, C)."""
    words, tiles, lanes = machine.tile.weights.shape
    row = np.arange(plan.count)
    return (row % tiles * words + plan.base + row // tiles * plan.stride) * lanes


def _gathers(plan: Plan, lanes: int) -> list[tuple[int, ...]]:
    """Runs of lanes in use."""
    return _runs(plan, plan.used, lanes, lambda k: (int(plan.shift[k]),))


def _feeds(plan: Plan, lanes: int) -> list[tuple[int, ...]]:
    """Runs of whole columns with feedback."""
    return _runs(plan, plan.feedback, lanes, lambda k: (int(plan.fresh[k // lanes]),))


def _updates(plan: Plan, lanes: int) -> list[tuple[int, ...]]:
    """Runs of plastic lanes in use; others hold no activity, so they cannot change."""
    return _runs(plan, plan.used & plan.plastic, lanes, lambda k: (
        int(plan.rate[k]), int(plan.own is not None and plan.own[:, k // lanes * lanes:][:, :lanes].any())))


def _runs(plan: Plan, wanted: Ints, lanes: int, options) -> list[tuple[int, ...]]:
    """Columns as (lane, neuron, length, option, option), joined where nothing changes between them."""
    found: list[tuple[int, ...]] = []
    for k in range(0, plan.source.size, lanes):
        length = int(wanted[k:k + lanes].sum())
        own = (*options(k), 0, 0)[:2]
        if found:
            lane, neuron, before, *rest = found[-1]
            if (lane + before, neuron + before, tuple(rest)) == (k, int(plan.source[k]), own):
                found[-1] = (lane, neuron, before + length, *own)
                continue
        if length:
            found.append((k, int(plan.source[k]), length, *own))
    return found


def unsupported(program: Program) -> str:
    """Why the compiled machine refuses ``program``, as a sentence, or an empty string.

    Whatever ``hebbar.compiler`` produces is supported. Refused are hand-made programs that leave a
    memory, learn in overlapping rows or exceed what the NumPy machine computes exactly, and those it
    refuses as well.
    """
    try:
        for entry in program.inputs:
            _check_streams(program, entry)
        for address, word in enumerate(program.words):
            _check(program, address, word)
    except BadInput as error:
        return str(error)
    return ""


def _check_streams(program: Program, entry: str) -> None:
    for way in (program.inputs[entry], program.outputs[entry]):
        names = [t.population.name for t in way]
        if len(set(names)) < len(names):
            raise BadInput(f"entry {entry!r} streams a population twice a sample; use the NumPy machine.")
    wrong = [t for t in program.inputs[entry] if t.memory not in STREAMED]
    if wrong:
        raise BadInput(f"entry {entry!r} streams into memory {wrong[0].memory.name}; only activities, states and "
                       "errors can be samples.")


def _check(program: Program, address: int, word: int) -> None:
    """Raise BadInput when the instruction at ``address`` cannot run, whatever the data."""
    instruction, m = decode(word), program.machine
    f, where = instruction.fields, f"address {address}: {instruction}"
    match instruction.op:
        case Op.SWEEP:
            flags = Sweep(f["flags"])
            if why := illegal_sweep(flags):
                raise BadInput(f"{where} is illegal, {why}.")
            if f["block"] >= len(program.blocks):
                raise BadInput(f"{where} names a block that does not exist; there are {len(program.blocks)}.")
            if why := _misplaced(program, unpack(BLOCK, program.blocks[f["block"]]), flags):
                raise BadInput(f"{where} cannot run compiled: {why}.")
        case Op.LOOP if f["register"] > LOOP_REGISTERS or f["end"] <= address:
            raise BadInput(f"{where} has a register above {LOOP_REGISTERS} or ends before it starts.")
        case Op.IN | Op.OUT:
            memories = STREAMED | ({Mem.CLAMP} if instruction.op is Op.OUT else set())
            if f["memory"] not in memories or f["address"] * m.lanes + f["count"] > m.neuron_words * m.lanes:
                raise BadInput(f"{where} moves what is not in a streamed memory.")


def _misplaced(program: Program, b: dict[str, int], flags: Sweep) -> str:
    """What is wrong with a block descriptor for a sweep with ``flags``, or an empty string."""
    m = program.machine
    if (b["group_base"] + b["groups"]) * m.row_tiles > m.neuron_words * m.lanes or not b["groups"]:
        return "its rows leave the neuron memory"
    if not 1 <= b["tail"] <= m.row_tiles:
        return f"tail is {b['tail']}, outside 1..{m.row_tiles}"
    if b["function"] >= len(program.functions) >> m.formats.table_bits:
        return f"there is no function {b['function']}"
    return _unreadable(program, b, flags) if flags.weights else ""


def _unreadable(program: Program, b: dict[str, int], flags: Sweep) -> str:
    """What is wrong with the weights or the map of a block, or an empty string."""
    m, f = program.machine, program.machine.formats
    columns = [unpack(MAP, e) for e in program.maps[b["map_base"]:b["map_base"] + b["columns"]]]
    if len(columns) < b["columns"] or not columns:
        return "its columns leave the map"
    if any(c["source"] >= m.neuron_words or not 1 <= c["lanes"] <= m.lanes for c in columns):
        return "a map entry leaves the neuron memory"
    if b["weight_base"] + (b["groups"] - 1) * b["stride"] + b["columns"] > m.weight_words:
        return "it leaves the weight memory"
    if flags & Sweep.UPD and b["groups"] > 1 and b["stride"] < b["columns"]:
        return "it learns in rows that overlap"
    row = sum(c["lanes"] << m.weight_bits + m.activity_bits - 2 + c["shift"] for c in columns)
    back = b["groups"] * m.row_tiles << f.weight.bits + f.error.bits - 2
    return "a sum could leave the 53 bits that the NumPy machine is exact in" if max(row, back) >> EXACT_BITS else ""
