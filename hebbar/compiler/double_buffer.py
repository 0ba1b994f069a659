"""A second place for inputs: the next sample moves in while the sample before it still reads its own.

An input that nothing predicts is written by INs and read by sweeps alone, the last of which are those that learn from
it. Where the machine has room its samples take turns between two places in the memory of activities: its own, and one
behind the last word of the network. What one sample does in the second place is what another one does in the first,
with another address in its INs and another descriptor in its SWEEPs, whose map names the other words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hebbar.contract.access_times import WORDS
from hebbar.contract.isa import MOVES, Op, Sweep, decode, encode
from hebbar.contract.memories import BLOCK, MAP, Mem, pack, unpack

from .network import Role
from .nodes import Loop, Node, mapped, parsed

if TYPE_CHECKING:
    from .blocks import Place
    from .program import Program

__all__ = ["Doubled", "doubled"]


@dataclass(frozen=True)
class Doubled:
    """A program with the descriptors of second places behind its own, and its words between the places; a program that
    uses none is as it was.

    ``plain``: without them; ``swaps``: what a SWEEP or IN in one place is in the other.
    """

    plain: Program
    program: Program
    swaps: dict[int, int] = field(default_factory=dict)

    def other(self, nodes: Iterable[Node]) -> tuple[Node, ...]:
        """What the sample does that takes turns with one."""
        return mapped(lambda word: self.swaps.get(word, word), nodes)

    def moves(self, node: Node) -> bool:
        """Whether a node is an IN that has another place."""
        return isinstance(node, int) and node in self.swaps and decode(node).op is Op.IN

    def kept(self, program: Program) -> Program:
        """A program without second places where nothing in it is in one."""
        own = set(self.plain.words)
        used = any(second in program.words for first, second in self.swaps.items() if first in own)
        return program if used else replace(program, blocks=self.plain.blocks, maps=self.plain.maps, second={})


def doubled(program: Program) -> Doubled:
    """A program with a second place for as many inputs as the machine has room for."""
    layout, machine = program.layout, program.machine
    free = max(place.word + place.words for place in layout.places.values())
    second: dict[str, int] = {}
    for population in layout.network.with_role(Role.INPUT):
        place = layout.places[population.name]
        if free + place.words <= machine.neuron_words and _may_move(program, place):
            second[population.name] = free
            free += place.words
    shifts = {word: second[name] - layout.places[name].word for name in second
              for word in _words(layout.places[name])}
    maps, blocks, twins = list(program.maps), list(program.blocks), dict[int, int]()
    for number in _read(program):
        entries = [_moved(program, number, entry, shifts) for entry in _entries(program, number)]
        if entries == _entries(program, number):
            continue
        base = next((at for at in range(len(program.maps), len(maps)) if maps[at:at + len(entries)] == entries),
                    len(maps))
        maps += entries if base == len(maps) else ()
        twins[number] = len(blocks)
        blocks.append(pack(BLOCK, f"block {number}", **unpack(BLOCK, program.blocks[number]) | {"map_base": base}))
    if not second or len(blocks) > machine.blocks or len(maps) > machine.map_entries:
        return Doubled(program, program)
    pairs = [pair for pair in _pairs(program, shifts, twins) if pair[0] != pair[1]]
    whole = replace(program, blocks=tuple(blocks), maps=tuple(maps), second=second)
    return Doubled(program, whole, dict(pairs) | {there: here for here, there in pairs})


def _pairs(program: Program, shifts: dict[int, int], twins: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Every instruction that has to do with inputs that have a second place, and what it is there."""
    for word in set(program.words):
        instruction = decode(word)
        fields = instruction.fields
        if instruction.op is Op.SWEEP and Sweep(fields["flags"]).weights:
            yield word, encode(Op.SWEEP, **fields | {"block": twins.get(fields["block"], fields["block"])})
        elif instruction.op is Op.IN:
            yield word, encode(Op.IN, **fields | {"address": fields["address"] + shifts.get(fields["address"], 0)})


def _read(program: Program) -> list[int]:
    """The blocks whose columns some sweep reads."""
    sweeps = [code.fields for code in map(decode, program.words) if code.op is Op.SWEEP]
    return sorted({fields["block"] for fields in sweeps if Sweep(fields["flags"]).weights})


def _words(place: Place) -> range:
    return range(place.word, place.word + place.words)


def _entries(program: Program, number: int) -> list[int]:
    """The map entries of a block, packed."""
    block = unpack(BLOCK, program.blocks[number])
    return list(program.maps[block["map_base"]:block["map_base"] + block["columns"]])


def _rows(program: Program, number: int) -> range:
    """The neuron words of the rows of a block."""
    block, machine = unpack(BLOCK, program.blocks[number]), program.machine
    first, groups = block["group_base"] * machine.row_tiles, block["groups"]
    return range(first // machine.lanes, -(-(first + groups * machine.row_tiles) // machine.lanes))


def _sources(program: Program, number: int, entry: int) -> set[int]:
    """The neuron words that a map entry of a block names."""
    column = unpack(MAP, entry)
    rows = (0,) if column["lanes"] else _rows(program, number)
    return {(row + column["source"]) % WORDS for row in rows}


def _moved(program: Program, number: int, entry: int, shifts: dict[int, int]) -> int:
    """A map entry of a block that names the second places of its sources, where they have any."""
    column = unpack(MAP, entry)
    shift = shifts.get(min(_sources(program, number, entry)), 0)
    return pack(MAP, "map", **column | {"source": (column["source"] + shift) % WORDS})


def _may_move(program: Program, place: Place) -> bool:
    """Whether an input is written by one IN in the beginning of every sample and by nothing else, and all that reads
    it comes after that, and only reads it."""
    words = set(_words(place))
    if not program.layout.fixed(place.population.name):
        return False
    if any(words & set(_rows(program, number)) for number in range(len(program.blocks))):
        return False
    for number in _read(program):
        for entry in _entries(program, number):
            sources = _sources(program, number, entry)
            if words & sources and (sources - words or unpack(MAP, entry)["feedback"]):
                return False
    return all(_begins(program, start, place) for start in program.entries.values())


def _begins(program: Program, start: int, place: Place) -> bool:
    """Whether the IN of a population comes before all else that has to do with it in an entry, outside of loops but
    for that over the samples."""
    stop = next(at for at in range(start, len(program.words)) if decode(program.words[at]).op is Op.HALT)
    reached = [word for word in program.words[start:stop] if _reaches(program, word, place)]
    loops = [node for node in parsed(program.words, start, stop) if isinstance(node, Loop)]
    if not reached or len(loops) != 1:
        return not reached
    first = decode(reached[0])
    whole = {"address": place.word, "count": place.population.size, "memory": Mem.ACTIVITY}
    return (first.op is Op.IN and first.fields.items() >= whole.items() and reached[0] in loops[0].body
            and all(decode(word).op is Op.SWEEP for word in reached[1:]))


def _reaches(program: Program, word: int, place: Place) -> bool:
    """Whether an instruction has to do with the words of a population."""
    instruction, words = decode(word), set(_words(place))
    fields = instruction.fields
    if instruction.op in MOVES:
        count = -(-fields["count"] // program.machine.lanes)
        return bool(words & set(range(fields["address"], fields["address"] + count)))
    return instruction.op is Op.SWEEP and Sweep(fields["flags"]).weights and any(
        words & _sources(program, fields["block"], entry) for entry in _entries(program, fields["block"]))
