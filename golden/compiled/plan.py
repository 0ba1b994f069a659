"""Flat tables of a golden machine, which the compiled code reads."""

import numpy as np

from hebbar.compiler.barriers import learning_barriers
from hebbar.contract.exponentials import POWERS
from hebbar.contract.isa import MOVES, Op, decode

from ..machine import Machine
from ..tile import Plan
from .arrays import END, RUN, Ints, Limits, Tables
from .hashes import learnt_runs
from .panels import Held
from .runs import Lanes, Run, joined

__all__ = ["limits", "tables"]

def tables(machine: Machine) -> Tables:
    """The program of ``machine``, decoded."""
    runs: list[Run] = []
    blocks: list[Run] = []
    row_at, buffer, placed = [np.zeros(0, np.int64)], 0, 0
    held = Held(machine)
    learnt: list[Run] = []
    learnt_at = [0]
    for plan in machine.plans:
        lanes, bounds = Lanes(plan, machine.config.lanes, held), [len(runs)]
        for kind in (*lanes.kinds(), held.numbered(plan, joined(lanes.sources()))):
            runs += [(*run, *[0] * (RUN - len(run))) for run in joined(kind)]
            bounds.append(len(runs))
        blocks.append((plan.rows.start, plan.count, plan.valid.size, lanes.span, buffer, placed, plan.function,
                       plan.precision, plan.align, *held.place(plan), *bounds))
        row_at.append(_row_at(machine, plan, lanes.first))
        learnt += learnt_runs(machine, plan, held)
        learnt_at.append(len(learnt))
        buffer, placed = buffer + lanes.span, placed + plan.valid.size
    f = machine.config.formats
    states = np.roll(np.arange(f.state.lo, f.state.hi + 1), f.state.lo)  # from 0 on, as their bits count
    learning = learning_barriers(machine.program)
    return Tables(
        code=_code(machine), blocks=np.array(blocks, np.int64).reshape(-1, END + 1),
        row_at=np.concatenate(row_at), runs=np.array(runs, np.int64).reshape(-1, RUN),
        panels=held.panels(), lists=np.array(held.lists, np.int64).reshape(-1, 4),
        learnt=np.array(learnt, np.int64).reshape(-1, 4), learnt_at=np.array(learnt_at, np.int64),
        functions=np.array([t(states) for t in machine.functions], np.int16).reshape(-1, states.size),
        derivatives=np.array([t(states) for t in machine.derivatives], np.int16).reshape(-1, states.size),
        powers=np.array(POWERS, np.int64),
        learning=np.array([a in learning for a in range(len(machine.program.words))], np.int64))


def limits(machine: Machine) -> Limits:
    """Format limits, shifts and registers of ``machine``."""
    f, program = machine.config.formats, machine.program
    finer = max(f.feedback_sum.frac, f.row_sum.frac)
    return Limits(
        f.state.lo, f.state.hi, f.error.lo, f.error.hi, f.feedback.lo, f.feedback.hi, f.weight.lo, f.weight.hi,
        sum_shift=f.sum_shift, back_shift=f.back_shift, back_lift=finer - f.feedback_sum.frac,
        row_lift=finer - f.row_sum.frac, gate_shift=finer - f.feedback.frac, derivative_frac=f.derivative.frac,
        step_shift=f.step_shift, state_frac=f.state.frac, least_short=max(8, f.activity.bits),
        one=machine.tile.one, beta=program.beta,
        tolerance=program.tolerance, summing=any(decode(word).op is Op.EXIT for word in program.words))


def _code(machine: Machine) -> Ints:
    """Instructions as rows (opcode, up to four operands)."""
    lanes, gains, code, shift = machine.config.lanes, machine.program.gains, [], machine.config.formats.step_shift
    for word in machine.program.words:
        instruction = decode(word)
        f = instruction.fields
        operands: tuple[int, ...]
        match instruction.op:
            case Op.SWEEP:
                operands = (f["flags"], f["block"], *_odd(gains[f["gain"]], shift))
            case _ if instruction.op in MOVES:
                operands = (f["count"], f["address"] * lanes, f["memory"])
            case Op.LOOP:
                operands = (f["end"], f["count"], f["register"])
            case Op.SEPARATE:
                operands = (f["mode"], f["block"], f["into"])
            case Op.EXIT:
                operands = (f["end"], f["arm"], 0)
            case Op.BREAK:
                operands = (f["end"], f["always"], f["counts"])
            case Op.WAIT:
                operands = (f["gap"], 0, 0)
            case _:
                operands = (0, 0, 0)
        code.append((int(instruction.op), *operands, *[0] * (4 - len(operands))))
    return np.array(code, np.int64).reshape(-1, 5)


def _odd(gain: int, shift: int) -> tuple[int, int]:
    """A gain and the shift after it, halved together as long as nothing is lost."""
    while gain and gain % 2 == 0 and shift:
        gain, shift = gain // 2, shift - 1
    return gain, shift


def _row_at(machine: Machine, plan: Plan, first: int) -> Ints:
    """Where the stored columns of each row start in weights stored as (P, words, C)."""
    words, tiles, lanes = machine.tile.weights.shape
    row = np.arange(plan.valid.size)
    return (row % tiles * words + plan.base + first + row // tiles * plan.stride) * lanes
