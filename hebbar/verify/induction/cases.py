"""Programs whose dispatches are proved, the same a cycle too fast, and what a proof that fails has to tell."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hebbar.compiler.config import Config, parse
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.isa import Op, Sweep, decode, encode
from sim.compare import described

from .dispatch import Dispatch
from .distances import BETWEEN
from .proof import Proof

__all__ = ["earliest", "gaps_of", "pair", "shorter", "small", "story"]

SMALL: dict[str, Any] = {
    "network": {"layers": [5, 4, 3]},
    "rule": {"name": "il", "steps": 2, "gamma": 0.5, "alpha_shifts": [3, 3], "init_scales": [0.5, 0.5],
             "schedule": "chained"},
    "machine": {"lanes": 4, "row_tiles": 2, "max_columns": 4, "weight_words": 16, "neuron_words": 4, "map_entries": 8,
                "blocks": 4, "program_words": 32, "functions": 3}}
"""A network of three layers on the least machine that holds it."""

FIRST = 9
"""The cycle of a path from reset in which the first sweep can be taken, when a program begins with it."""


def small() -> Config:
    """The small machine and its network."""
    return parse(SMALL, "the small machine")


def pair(gap: int) -> Program:
    """A program of two sweeps on the small machine: errors of the states which a step before them writes."""
    program, block = compile_config(small()), 0
    words = (encode(Op.SWEEP, block=block, flags=int(Sweep.STEP)), encode(Op.WAIT, gap=gap),
             encode(Op.SWEEP, block=block, flags=int(Sweep.ERR)), encode(Op.WAIT), encode(Op.HALT))
    return replace(program, words=words, entries={"train": 0})


def gaps_of(program: Program) -> Iterator[int]:
    """The addresses of WAITs with a gap."""
    for address, instruction in enumerate(map(decode, program.words)):
        if instruction.op is Op.WAIT and instruction.fields["gap"]:
            yield address


def shorter(program: Program, address: int) -> Program:
    """A program whose WAIT at an address has a gap that is a cycle shorter."""
    words, gap = list(program.words), decode(program.words[address]).fields["gap"]
    words[address] = encode(Op.WAIT, gap=gap - 1) if gap > 1 else encode(Op.LOOP, count=1, end=address + 1)
    return replace(program, words=tuple(words))


def earliest(harness: Dispatch) -> int:
    """A cycle of a path from reset before which no dispatch can violate a dependence: two sweeps are between."""
    least = min(max(paper[0], paper[1] + BETWEEN) for older, to in harness.paper.bounds.items()
                for newer, paper in to.items()
                if max(paper[0], paper[1] + BETWEEN) < harness.needs[older].get(newer, 0))
    return FIRST + least


def story(harness: Dispatch, proof: Proof) -> list[str]:
    """A path in sentences: the sweeps that are taken, and what the last of them violates."""
    program, lines = harness.paper.program, []
    since = {True: "after reset", False: "of a path from some state"}[proof.broken]
    for cycle, row in enumerate(proof.path, 1):
        if row["taken"]:
            sweep = described(program, decode(program.words[row["address"]]))
            lines.append(f"cycle {cycle} {since}: address {row['address']} {sweep} is taken.")
    last = proof.path[-1]
    if last["taken"] and last["marked"]:
        need = harness.paper.needs(last["older"], last["address"])
        lines.append(f"It is taken {last['age']} cycles after address {need.older}, and needs {need.cycles}: "
                     f"{need.why}.")
    return [*lines, *(f"Broken: {claim}." for claim in proof.claims)]
