"""The sequencer, compiled: a whole run in one call. ``golden.sequencer`` and ``golden.machine`` define it.

``walk`` follows the control flow alone, ``execute`` does the work. Numba keeps both on disk and looks
only at the time stamp of the file a function stands in; the ``stamp`` they close over makes it look
at everything else they were compiled from.
"""

from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from hebbar import contract
from hebbar.contract.isa import LOOP_DEPTH, Op, Sweep
from hebbar.contract.memories import UNIT_PRECISION, Mem

from .arrays import ALIGN, FIRST, FUNCTION, PRECISION, ROWS, TOP
from .energy_sum import add_energy, leaves
from .held import turn
from .jit import entry, part
from .lines import codes, sense_columns, sense_rows, watch
from .neuron import activate, compare, feedback, fire, integrate, operand, settle, step, weigh
from .pulses import change
from .separation import separate
from .tile import feed_back, forward, gather, update
from .written import note_separation, note_sweep

__all__ = ["LOST", "MISFIT", "OK", "execute", "walk"]

OK, LOST, MISFIT = range(3)
DEPTH = LOOP_DEPTH
HALT, SWEEP, IN, OUT, LOOP, NEXT, WAIT, SEPARATE, EXIT, BREAK = map(int, (
    Op.HALT, Op.SWEEP, Op.IN, Op.OUT, Op.LOOP, Op.NEXT, Op.WAIT, Op.SEPARATE, Op.EXIT, Op.BREAK))
FWD, BASE, HOIST, ERR, INIT = map(int, (Sweep.FWD, Sweep.BASE, Sweep.HOIST, Sweep.ERR, Sweep.INIT))
TRN, UPD, STEP, DELTA, ACT = map(int, (Sweep.TRN, Sweep.UPD, Sweep.STEP, Sweep.DELTA, Sweep.ACT))
GATE, POST, NEG, FIRE, INTEGRATE = map(int, (Sweep.GATE, Sweep.POST, Sweep.NEG, Sweep.FIRE, Sweep.INTEGRATE))
RECORDED = 3
"""Memories in a record: activity, state and error."""
ACTIVITY, ERROR, UNIT = int(Mem.ACTIVITY), int(Mem.ERROR), int(UNIT_PRECISION)


@part
def advance(code, at, stack, depth, registers):
    """The next address and loop depth, at an EXIT that stays; address -1 where the sequencer would refuse."""
    if code[at, 0] == LOOP:
        count = registers[code[at, 3] - 1] if code[at, 3] else code[at, 2]
        if depth == DEPTH:
            return -1, depth
        if count == 0:
            return code[at, 1], depth
        stack[depth, 0], stack[depth, 1] = at + 1, count
        return at + 1, depth + 1
    if code[at, 0] == NEXT:
        if depth == 0:
            return -1, depth
        stack[depth - 1, 1] -= 1
        if stack[depth - 1, 1]:
            return stack[depth - 1, 0], depth
        return at + 1, depth - 1
    if code[at, 0] == BREAK:
        if depth == 0:
            return -1, depth
        if code[at, 2] or stack[depth - 1, 1] == 1:
            return code[at, 1], depth - 1
        stack[depth - 1, 1] -= code[at, 3]
    return at + 1, depth


@part
def sweep(tables, memory, limits, crossbar, flags, block, gain, shift):
    """One SWEEP, its flags in the order FWD, ERR, STEP or DELTA, ACT, FIRE, TRN, UPD."""
    plan = tables.blocks[block]
    row, rows, function, size = plan[FIRST], plan[ROWS], plan[FUNCTION], 0
    if flags & (FWD | UPD):
        size = gather(tables, plan, memory)
    if flags & FWD:
        if crossbar is None:
            forward(tables, plan, memory, limits, size * -limits.weight_lo <= TOP)
        else:
            sense_rows(crossbar, plan, crossbar.windows[block], memory)
        if flags & BASE:
            for r in range(np.uint64(rows)):
                memory.sums[r] += memory.base[np.uint64(row) + r]
    elif flags & BASE:
        move(memory.base, row, memory.sums, 0, rows)
    elif flags & (ERR | HOIST | GATE):
        for r in range(np.uint64(rows)):
            memory.sums[r] = 0
    if flags & HOIST:
        move(memory.sums, 0, memory.base, row, rows)
    if flags & ERR:
        if flags & INTEGRATE:
            integrate(memory, limits, row, rows, flags, plan[PRECISION])
        elif flags & GATE or plan[PRECISION] != UNIT:
            weigh(memory, limits, row, rows, flags, plan[PRECISION])
        else:
            compare(memory, limits, row, rows, flags & INIT)
        if limits.summing:
            add_energy(memory, row, rows)
    values, at = memory.values[ERROR], row
    if flags & (POST | NEG):
        operand(memory, limits, row, rows, plan[ALIGN], flags)
        values, at = memory.operand, 0
    if flags & (STEP | DELTA):
        feedback(tables, memory, limits, function, row, rows, flags)
    if flags & DELTA:
        settle(memory, limits, row, rows)
    if flags & STEP:
        step(memory, limits, row, rows, gain, shift)
    if flags & ACT:
        activate(tables, memory, limits, function, row, rows)
    if flags & FIRE:
        fire(memory, limits, row, rows)
    if flags & TRN:
        if crossbar is None:
            feed_back(tables, plan, memory, limits, values, at)
        else:
            sense_columns(tables, crossbar, plan, crossbar.windows[block], memory, values, at)
    if flags & UPD:
        if crossbar is None:
            update(tables, plan, memory, limits, values, at)
        else:
            change(tables, crossbar, plan, crossbar.windows[block], memory, values, at)


@part
def move(source, start, target, to, count):
    """Copy ``count`` codes."""
    i, k = np.uint64(start), np.uint64(to)
    for j in range(np.uint64(count)):
        target[k + j] = source[i + j]


@part
def forget(memory):
    """Held activities have changed: what is listed of them is no longer known."""
    for i in range(len(memory.listed)):
        memory.listed[i, 0] = -1


@part
def note(record, barrier, learnt, at, learning, memory, limits, crossbar):
    """Record a barrier, and after an UPD the weights in the order of the image."""
    record.pc[barrier] = at
    neurons = memory.values.shape[1]
    for m in range(RECORDED):
        move(memory.values[m], 0, record.rows[barrier], m * neurons, neurons)
    if learning:
        record.at[learnt] = barrier
        words, tiles, lanes = record.shape
        if crossbar is not None:
            codes(crossbar, limits, record.weights, learnt, record.shape)
            return
        for word in range(words):
            for p in range(tiles):
                move(memory.weights, (p * words + word) * lanes, record.weights[learnt], (word * tiles + p) * lanes,
                     lanes)


def _sources() -> int:
    """A check sum of all sources that end up in the compiled code."""
    shared = Path(contract.__file__).parent
    physics = Path(__file__).parents[1] / "analog"
    files = [*sorted(Path(__file__).parent.glob("*.py")), *(physics / f"{name}.py" for name in (
        "hashing", "laws", "limits", "stepping")), *(shared / f"{name}.py" for name in (
        "isa", "memories", "exponentials", "pulses", "registers", "analog", "write_hash"))]
    return crc32(b"".join(file.read_bytes() for file in files))


def _build(stamp: int) -> Any:
    """``walk`` and ``execute``, compiled anew whenever ``stamp`` is another one."""

    @entry
    def walk(start, registers, tables, streams, visits):
        """Control flow alone, no EXIT leaving: counts the visits of every address in ``visits``.

        Returns (fault, address, transfers out): LOST where the sequencer would refuse, MISFIT where a
        transfer differs from what is streamed.
        """
        _ = stamp
        stack, depth, at, code = streams.stack, 0, start, tables.code
        moved, samples = streams.moved, len(streams.given)
        while 0 <= at < len(code):
            visits[at] += 1
            op = code[at, 0]
            if op == HALT:
                return OK, at, moved[1]
            if op == IN or op == OUT:
                plan = streams.ins if op == IN else streams.outs
                k, count = moved[op - IN], len(plan)
                if k >= count * samples or code[at, 1] != plan[k % count, 0] or code[at, 3] != plan[k % count, 2]:
                    return MISFIT, at, moved[1]
                moved[op - IN] += 1
            at, depth = advance(code, at, stack, depth, registers)
        return LOST, at, moved[1]

    @entry
    def execute(start, registers, tables, limits, memory, streams, record, tally, crossbar, written):
        """Run from ``start`` to HALT; ``walk`` has shown that every step of it is legal. ``crossbar``: None where the
        weights are digital, which Numba compiles by itself."""
        _ = stamp
        stack, depth, at, code = streams.stack, 0, start, tables.code
        came = went = barrier = learnt = decided = 0
        if crossbar is None:
            turn(tables, memory, record.shape, False)
        else:
            watch(crossbar)
        while True:
            op, x, y, z = code[at, 0], code[at, 1], code[at, 2], code[at, 3]
            tally.visits[at] += 1
            if op == SWEEP:
                sweep(tables, memory, limits, crossbar, x, y, z, code[at, 4])
                if written.on:
                    note_sweep(tables, memory, written, x, tables.blocks[y], y)
            elif op == IN:
                k, n = came // len(streams.ins), came % len(streams.ins)
                move(streams.given[k], streams.ins[n, 1], memory.values[z], y, x)
                if z == ACTIVITY:
                    forget(memory)
                came += 1
            elif op == OUT:
                k, n = went // len(streams.outs), went % len(streams.outs)
                move(memory.values[z], y, streams.taken[k], streams.outs[n, 1], x)
                went += 1
            elif op == SEPARATE:
                separate(tables, memory, limits, tables.blocks[y], x, z)
                if written.on:
                    note_separation(memory, written, tables.blocks[y], z)
            elif op == EXIT:
                left = leaves(memory, y, limits.tolerance)
                if not y:
                    tally.decisions[decided] = left
                    decided += 1
                if left:
                    at, depth = x, depth - 1
                    continue
            elif op == HALT or (op == WAIT and not x):
                if crossbar is None and (op == HALT or (record.on and tables.learning[at])):
                    turn(tables, memory, record.shape, True)
                if record.on:
                    note(record, barrier, learnt, at, tables.learning[at], memory, limits, crossbar)
                    barrier, learnt = barrier + 1, learnt + tables.learning[at]
                if op == HALT:
                    tally.used[0], tally.used[1], tally.used[2] = decided, barrier, learnt
                    return
            at, depth = advance(code, at, stack, depth, registers)

    return walk, execute


walk, execute = _build(_sources())
