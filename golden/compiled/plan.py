"""Flat tables of a golden machine, which the compiled code reads."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.barriers import learning_barriers
from hebbar.contract.exponentials import POWERS
from hebbar.contract.isa import MOVES, Op, decode

from ..machine import Machine
from ..tile import Plan
from .arrays import END, RUN, Ints, Limits, Tables
from .feedback_runs import feedback_runs

__all__ = ["limits", "tables"]

Run = tuple[int, ...]
"""Start, first neuron, length and what else its kind says."""


def tables(machine: Machine) -> Tables:
    """The program of ``machine``, decoded."""
    runs: list[Run] = []
    blocks: list[Run] = []
    row_at, buffer, placed = [np.zeros(0, np.int64)], 0, 0
    for plan in machine.plans:
        lanes, bounds = _Lanes(plan, machine.config.lanes), [len(runs)]
        for kind in lanes.kinds():
            runs += [(*run, *[0] * (RUN - len(run))) for run in _joined(kind)]
            bounds.append(len(runs))
        blocks.append((plan.rows.start, plan.count, plan.valid.size, lanes.span, buffer, placed, plan.function,
                       plan.precision, plan.align, *bounds))
        row_at.append(_row_at(machine, plan, lanes.first))
        buffer, placed = buffer + lanes.span, placed + plan.valid.size
    f = machine.config.formats
    states = np.arange(f.state.lo, f.state.hi + 1)
    learning = learning_barriers(machine.program)
    return Tables(
        code=_code(machine), blocks=np.array(blocks, np.int64).reshape(-1, END + 1),
        row_at=np.concatenate(row_at), runs=np.array(runs, np.int64).reshape(-1, RUN),
        functions=np.array([t(states) for t in machine.functions], np.int8).reshape(-1, states.size),
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
        step_shift=f.step_shift, state_frac=f.state.frac, one=machine.tile.one, beta=program.beta,
        tolerance=program.tolerance, summing=any(decode(word).op is Op.EXIT for word in program.words))


class _Lanes:
    """The runs of a plan. A lane counts from the ``first`` stored column; ``span``: up to the last one,
    an identity column between two stored ones included, whose lanes hold no activity."""

    def __init__(self, plan: Plan, lanes: int) -> None:
        self._plan, self._lanes = plan, lanes
        at = np.arange(plan.columns)[plan.stored][:plan.source.size // lanes]
        self.first = int(at[0]) if at.size else 0
        self.span = (int(at[-1]) + 1 - self.first) * lanes if at.size else 0
        self._at = (at - self.first) * lanes

    def kinds(self) -> list[list[Run]]:
        """Runs by kind, in the order of ``golden.compiled.arrays``."""
        feeds, across, clears = feedback_runs(self._plan, self._lanes, self._at)
        return [self._gathers(), feeds, self._updates(), self._identities(), across, clears]

    def _gathers(self) -> list[Run]:
        return [(*run, int(self._plan.shift[k])) for k, run in self._columns(self._plan.used)]

    def _updates(self) -> list[Run]:
        """Plastic lanes in use; others hold no activity, so that they can change in positive columns alone."""
        p = self._plan
        diagonal = p.self_connection
        any_row: NDArray[np.bool_] = np.zeros(p.source.size, bool) if diagonal is None else np.any(diagonal, axis=0)
        return [(*run, int(p.rate[k]), int(any_row[k:k + self._lanes].any()), int(p.positive[k]))
                for k, run in self._columns((p.used | p.positive) & p.plastic)]

    def _columns(self, wanted: Ints) -> Iterator[tuple[int, Run]]:
        """First lane in the plan, and run, of every column with ``wanted`` lanes."""
        for i, at in enumerate(self._at):
            k = i * self._lanes
            if length := int(wanted[k:k + self._lanes].sum()):
                yield k, (int(at), int(self._plan.source[k]), length)

    def _identities(self) -> list[Run]:
        """Rows that identity columns join to neurons."""
        return [(r, int(column.neurons[r]), 1, column.shift)
                for column in self._plan.identities for r in range(self._plan.count)]


def _joined(runs: Iterable[Run]) -> list[Run]:
    """Runs between which nothing changes are joined into one."""
    found: list[Run] = []
    for run in runs:
        if found:
            start, neuron, length, *rest = found[-1]
            if (start + length, neuron + length, rest) == (run[0], run[1], [*run[3:]]):
                found[-1] = (start, neuron, length + run[2], *rest)
                continue
        found.append(run)
    return found


def _code(machine: Machine) -> Ints:
    """Instructions as rows (opcode, three operands)."""
    lanes, gains, code = machine.config.lanes, machine.program.gains, []
    for word in machine.program.words:
        instruction = decode(word)
        f = instruction.fields
        match instruction.op:
            case Op.SWEEP:
                operands = (f["flags"], f["block"], gains[f["gain"]])
            case _ if instruction.op in MOVES:
                operands = (f["count"], f["address"] * lanes, f["memory"])
            case Op.LOOP:
                operands = (f["end"], f["count"], f["register"])
            case Op.SEPARATE:
                operands = (f["mode"], f["block"], f["into"])
            case Op.EXIT:
                operands = (f["end"], f["arm"], 0)
            case _:
                operands = (0, 0, 0)
        code.append((int(instruction.op), *operands))
    return np.array(code, np.int64).reshape(-1, 4)


def _row_at(machine: Machine, plan: Plan, first: int) -> Ints:
    """Where the stored columns of each row start in weights stored as (P, words, C)."""
    words, tiles, lanes = machine.tile.weights.shape
    row = np.arange(plan.valid.size)
    return (row % tiles * words + plan.base + first + row // tiles * plan.stride) * lanes
