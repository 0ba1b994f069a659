"""Golden against RTL, word for word; the first difference in words a person can use."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.trace import Trace
from hebbar.compiler.program import Program
from hebbar.contract.counters import HOST, UNCOUNTED
from hebbar.contract.effects import Access, Resource, effects
from hebbar.contract.isa import Instruction, Into, Mode, Op, Sweep, decode
from hebbar.contract.memories import BLOCK, unpack

__all__ = ["Difference", "Comparison", "compare", "counted", "described", "differences", "named", "nonzero_updates",
           "uncounted"]

RECORDED = {"state": Resource.STATE, "error": Resource.ERROR, "activity": Resource.ACTIVITY, "weights": Resource.WEIGHT}
"""What the signals of a trace are."""


@dataclass(frozen=True)
class Difference:
    """One word that differs: where, when, and what each side says."""

    sample: int
    operation: str
    signal: str
    golden: int | str
    rtl: int | str

    def __str__(self) -> str:
        where = f"sample {self.sample}, {self.operation}" if self.sample >= 0 else self.operation
        return (f"first difference: {where}: {self.signal} is "
                f"{self.golden} in the golden model and {self.rtl} in the RTL.")


@dataclass(frozen=True)
class Comparison:
    """Words compared and mismatches by signal; ``first`` is None when everything agrees."""

    words: dict[str, int]
    mismatches: dict[str, int]
    first: Difference | None

    @property
    def total_words(self) -> int:
        return sum(self.words.values())

    @property
    def total_mismatches(self) -> int:
        return sum(self.mismatches.values())


def compare(program: Program, golden: Trace, rtl: Trace) -> Comparison:
    """Compare every recorded word, output and program-determined counter."""
    words: dict[str, int] = {}
    wrong: dict[str, int] = {}
    firsts: list[tuple[int, int, Difference]] = []
    reader = _Reader(program, golden)
    for order, name in enumerate(("pc", "state", "error", "activity", "weights", "final")):
        a, b = getattr(golden, name), getattr(rtl, name)
        words[name] = int(a.size)
        wrong[name], at = differences(a, b)
        if at is not None:
            barrier = _barrier(golden, rtl, name, at[0])
            firsts.append((barrier, order, reader.difference(name, at, barrier, a, b)))
    for name, a in golden.outputs.items():
        words[f"output {name}"] = int(a.size)
        wrong[f"output {name}"], at = differences(a, rtl.outputs.get(name, a[:0]))
        if at is not None:
            firsts.append((len(golden.pc), 8, _output(name, at, a, rtl.outputs.get(name))))
    if program.machine.counters:
        counters = [n for n in golden.counters if n not in HOST]
        words["counters"] = len(counters)
        bad = [n for n in counters if golden.counters[n] != rtl.counters.get(n)]
        wrong["counters"] = len(bad)
        firsts += [(len(golden.pc), 9, Difference(
            -1, "at the end", f"counter {n}", golden.counters[n], rtl.counters.get(n, -1)))
            for n in bad[:1]]
    first = min(firsts, key=lambda f: f[:2])[2] if firsts else None
    return Comparison(words, wrong, first)


def counted(program: Program, golden: Trace, rtl: Trace) -> dict[str, int]:
    """The counters of a run: the RTL's; of a machine without them the golden machine's, the host's left out."""
    if program.machine.counters:
        return rtl.counters
    return {name: count for name, count in golden.counters.items() if name not in HOST}


def uncounted(program: Program) -> tuple[str, ...]:
    """The sentence that a run of a machine without counters must say."""
    return () if program.machine.counters else (f"{UNCOUNTED[0].upper()}{UNCOUNTED[1:]}.",)


def _barrier(golden: Trace, rtl: Trace, name: str, index: int) -> int:
    """The barrier at which entry ``index`` of a signal was recorded, on either side when one has fewer."""
    if name == "weights":
        longer = max(golden.weight_barrier, rtl.weight_barrier, key=len)
        return int(longer[index])
    return len(golden.pc) if name == "final" else index


def nonzero_updates(trace: Trace, initial: NDArray[np.int64]) -> int:
    """Weights that changed, summed over all recorded updates: how much there was to compare."""
    images = np.concatenate([np.asarray(initial, np.int32)[None], trace.weights])
    return int(sum(np.count_nonzero(a != b) for a, b in itertools.pairwise(images)))


def differences(a: NDArray[Any], b: NDArray[Any]) -> tuple[int, tuple[int, ...] | None]:
    """Number of differing words and the index of the first; missing words differ."""
    common = min(len(a), len(b))
    missing = (abs(len(a) - len(b)) * int(np.prod(a.shape[1:]))) if a.ndim else 0
    if a.shape[1:] != b.shape[1:]:
        return max(a.size, b.size), (0,) * a.ndim
    unequal = a[:common] != b[:common]
    count = int(np.count_nonzero(unequal)) + missing
    if not count:
        return 0, None
    if not unequal.any():
        return count, (common, *(0,) * (a.ndim - 1))
    return count, tuple(int(i) for i in np.unravel_index(int(unequal.argmax()), unequal.shape))


def _value(array: NDArray[Any] | None, at: tuple[int, ...]) -> int:
    return int(array[at]) if array is not None and at[0] < len(array) else -1


def _output(name: str, at: tuple[int, ...], a: NDArray[Any], b: NDArray[Any] | None) -> Difference:
    return Difference(at[0], "output stream", f"output {name}[{at[1]}]", _value(a, at),
                      _value(b, at))


class _Reader:
    """Names memory words and the micro-operation that wrote them."""

    def __init__(self, program: Program, golden: Trace) -> None:
        self._program = program
        self._code = [decode(w) for w in program.words]
        self._pc = golden.pc
        starts = golden.pc == golden.pc[0] if len(golden.pc) else golden.pc
        self._sample = np.cumsum(starts) - 1

    def difference(self, name: str, at: tuple[int, ...], barrier: int, a: NDArray[Any],
                   b: NDArray[Any]) -> Difference:
        """The difference at index ``at`` of signal ``name``, seen at ``barrier``."""
        inside = barrier < len(self._pc)
        sample = int(self._sample[barrier]) if inside else -1
        population, signal = named(self._program, name, at)
        operation = self._operation(barrier, name, population) if inside else "at the end"
        return Difference(sample, operation, signal, _value(a, at), _value(b, at))

    def _operation(self, barrier: int, name: str, population: str) -> str:
        """The instruction before the barrier that writes this signal, else the barrier itself."""
        pc = int(self._pc[barrier])
        for address in range(pc, -1, -1):
            code = self._code[address]
            if address < pc and code.barrier:
                break
            if _writes(code, name) and _destination(self._program, code, name) in ("", population):
                return f"address {address} {described(self._program, code)}"
        return f"address {pc} {self._code[pc]}"


def named(program: Program, name: str, at: tuple[int, ...]) -> tuple[str, str]:
    """Population and a name such as ``error of x1[13]`` for the word at index ``at`` of a signal."""
    if name == "pc":
        return "", "the address of the barrier"
    lanes = program.machine.lanes
    if name in ("weights", "final"):
        return _weight(program, at[1:] if name == "weights" else at)
    for p in program.layout.places.values():
        i = at[1] - p.word * lanes
        if 0 <= i < p.population.size:
            return p.population.name, f"{name} of {p.population.name}[{i}]"
    for where, word in program.second.items() if name == "activity" else ():
        i = at[1] - word * lanes
        if 0 <= i < program.layout.places[where].population.size:
            return where, f"{name} of {where}[{i}] in its second place"
    return "", f"{name} of unused neuron {at[1]}"


def _weight(program: Program, at: tuple[int, ...]) -> tuple[str, str]:
    word, tile, lane = at
    for block in program.layout.blocks.values():
        group, place = divmod(word - block.base, max(block.stride, 1))
        column = block.lead + place
        if 0 <= group < block.groups and column < len(block.columns) and block.columns[column].lanes:
            source = block.columns[column]
            row = block.first + group * program.machine.row_tiles + tile
            return block.owner, (f"weight {source.edge.source}[{source.offset + lane}] to "
                                 f"{block.name}[{row}]")
    return "", f"unused weight word {word} tile {tile} lane {lane}"


def described(program: Program, code: Instruction) -> str:
    """An instruction in words, the population of its rows by name."""
    to, fields = _destination(program, code), code.fields
    if code.op is Op.SEPARATE:
        return f"SEPARATE {to} {Mode(fields['mode']).name} into {Into(fields['into']).name}"
    if code.op is Op.SWEEP:
        return f"SWEEP {to} " + "|".join(f.name or "" for f in Sweep(fields["flags"]))
    return str(code)


def _destination(program: Program, code: Instruction, name: str = "") -> str:
    """The population of an instruction's rows; for weights that of the block they belong to."""
    if "block" not in code.fields:
        return ""
    b, layout = unpack(BLOCK, program.blocks[code.fields["block"]]), program.layout
    if name == "weights":
        return next((k.owner for k in layout.blocks.values()
                     if k.base - k.lead <= b["weight_base"] < k.base + k.stride * k.groups), "")
    return next((n for n, p in layout.places.items() if p.group <= b["group_base"] < p.group + p.groups), "")


def _writes(code: Instruction, name: str) -> bool:
    """Whether an instruction with a block writes what a signal of the trace shows."""
    return code.op in (Op.SWEEP, Op.SEPARATE) and any(
        e.resource is RECORDED.get(name) and e.access is not Access.READ for e in effects(code.op, code.fields))
