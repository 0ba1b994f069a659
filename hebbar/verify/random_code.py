"""Random legal instructions and descriptors, drawn from the instruction table alone.

They reach what the compiler never emits: any flags over any rows, words shared by neighbours, identity columns
anywhere. WAITs are where ``hebbar.compiler.schedule`` asks for them, neuron by neuron instead of by population.
"""

from dataclasses import dataclass, field
from random import Random

from hebbar.contract.access_times import WORDS
from hebbar.contract.effects import EFFECTS, Access, Resource, Where
from hebbar.contract.isa import GAINS, LOOP_DEPTH, LOOP_REGISTERS, Into, Op, Sweep, decode, encode, illegal_sweep
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import BLOCK, MAP, UNIT_PRECISION, Mem, pack, unpack
from hebbar.contract.registers import RATES

__all__ = ["Blocks", "Writer"]

Places = set[tuple[Resource, int]]
"""Resources and addresses."""
KINDS = {"sweep": 12, "separate": 2, "exit": 2, "break": 1, "move": 2, "loop": 2, "wait": 1}
"""How often each is drawn, relative to the others."""
LEAVES = (encode(Op.EXIT), encode(Op.BREAK), encode(Op.BREAK, always=1), encode(Op.BREAK, counts=1))
"""What leaves a loop, before it is known where that ends."""


@dataclass
class Blocks:
    """Draws descriptors and their maps; knows what a sweep over one of them reads and writes."""

    machine: MachineConfig
    rng: Random
    words: list[int] = field(default_factory=list)
    maps: list[int] = field(default_factory=list)

    def draw(self, rows: int, columns: int) -> None:
        """Rows anywhere, in the middle of words too; on the row engine their weights anywhere and spaced."""
        m, rng = self.machine, self.rng
        groups = -(-rows // m.row_tiles)
        base, stride = self._weights(groups, columns)
        group_base = rng.randrange(m.groups - groups + 1)
        self.words.append(pack(
            BLOCK, "block", weight_base=base, stride=stride, map_base=len(self.maps), columns=columns,
            function=rng.randrange(m.functions), precision=rng.choice([UNIT_PRECISION, rng.randrange(16)]),
            align=rng.choice([0, 3, 5, 15]), group_base=group_base, groups=groups,
            last_rows=rows - (groups - 1) * m.row_tiles))
        spread = [(group_base + g) * m.row_tiles // m.lanes for g in (0, groups - 1)]
        self.maps += [self._column(*spread) for _ in range(columns)]

    def _weights(self, groups: int, columns: int) -> tuple[int, int]:
        """Weight base and stride of a block, which on an array follow its cells."""
        m, rng = self.machine, self.rng
        if m.kind.array:
            row = rng.randrange(m.weight_words // m.array_stride - groups + 1)
            return row * m.array_stride + rng.randrange(m.array_stride - columns + 1), m.array_stride
        stride = columns + rng.choice([0, 0, 1])
        return rng.randrange(m.weight_words - (groups - 1) * stride - columns + 1), stride

    def _column(self, first: int, last: int) -> int:
        """A map entry, every fourth an identity column from a word that all rows have."""
        m, rng = self.machine, self.rng
        identity, source = rng.random() < 0.25, rng.randrange(m.neuron_words)
        if identity:
            source = (rng.randrange(m.neuron_words - last + first) - first) % WORDS
        return pack(MAP, "map", source=source, lanes=0 if identity else rng.randint(1, m.lanes),
                    shift=rng.choice([0, 0, 2, 7]), rate=rng.randrange(RATES), feedback=rng.random() < 0.8,
                    overwrite=rng.random() < 0.3, plastic=rng.random() < 0.8, diagonal=rng.randrange(2),
                    positive=rng.random() < 0.3)

    def accesses(self, number: int, flags: Sweep) -> tuple[Places, Places]:
        """What a sweep reads and writes, by ``hebbar.contract.effects``, neuron by neuron, word by word."""
        m, b = self.machine, unpack(BLOCK, self.words[number])
        columns = [unpack(MAP, e) for e in self.maps[b["map_base"]:b["map_base"] + b["columns"]]]
        rows = range(b["group_base"] * m.row_tiles, (b["group_base"] + b["groups"]) * m.row_tiles)
        words = {w for c in columns for w in ([c["source"]] if c["lanes"] else
                                              [(r // m.lanes + c["source"]) % WORDS for r in rows])}
        places = {Where.ROWS: set(rows), Where.SOURCES: {w * m.lanes + i for w in words for i in range(m.lanes)},
                  Where.BLOCK: {b["weight_base"] + g * b["stride"] + k
                                for g in range(b["groups"]) for k in range(b["columns"])}}
        reads, writes = Places(), Places()
        for effect in EFFECTS:
            if effect.happens(flags):
                accesses = reads if effect.access is Access.READ else writes
                accesses |= {(effect.resource, at) for at in places[effect.where]}
        return reads, writes

    def defined(self, number: int, flags: Sweep) -> bool:
        """False when a row would see what another row of the same sweep writes."""
        reads, writes = self.accesses(number, flags & ~Sweep.POST)  # which reads the activity of its own row
        return not {t for t in reads & writes if t[0] in (Resource.ACTIVITY, Resource.FEEDBACK)}


@dataclass
class Writer:
    """Lays down random instructions.

    ``inputs`` and ``outputs``: memory and count of the transfers in the order in which they happen.
    ``operations``: SWEEP, SEPARATE, EXIT, IN and OUT that run at least once when no EXIT or BREAK leaves. ``reads``
    and ``writes`` of the sweeps that nothing has waited for.
    """

    blocks: Blocks
    rng: Random
    words: list[int] = field(default_factory=list)
    inputs: list[tuple[Mem, int]] = field(default_factory=list)
    outputs: list[tuple[Mem, int]] = field(default_factory=list)
    operations: int = 0
    reads: Places = field(default_factory=set)
    writes: Places = field(default_factory=set)

    def wait(self) -> None:
        self.drained(encode(Op.WAIT), 0)

    def drained(self, word: int, operations: int = 1) -> None:
        """An instruction that waits for all earlier ones by itself."""
        self.words.append(word)
        self.operations += operations
        self.reads, self.writes = set(), set()

    def sweep(self) -> None:
        """A legal set of flags on any block, a WAIT before it where it needs one."""
        while True:
            number, flags = self.rng.randrange(len(self.blocks.words)), Sweep(self.rng.getrandbits(len(Sweep)))
            built = self.blocks.machine
            if not illegal_sweep(flags, built.integral, built.updates) and self.blocks.defined(number, flags):
                break
        reads, writes = self.blocks.accesses(number, flags)
        if reads & self.writes or writes & self.reads or {t for t in writes
                                                          if t[0] is not Resource.FEEDBACK} & self.writes:
            self.wait()
        self.words.append(encode(Op.SWEEP, block=number, flags=int(flags), gain=self.rng.randrange(GAINS)))
        self.operations += 1
        self.reads, self.writes = self.reads | reads, self.writes | writes

    def separate(self) -> None:
        self.drained(encode(Op.SEPARATE, block=self.rng.randrange(len(self.blocks.words)), mode=self.rng.randrange(2),
                            into=self.rng.randrange(len(Into))))

    def transfer(self, op: Op, last: bool = False) -> None:
        """IN or OUT of a few words; IN moves whole beats of activities, or padding would count as neurons."""
        m, rng = self.blocks.machine, self.rng
        memory, at = Mem(rng.randrange(4)), rng.randrange(m.neuron_words)
        count = rng.randint(1, min(m.neuron_words - at, 3) * m.lanes)
        count = -(-count // 4) * 4 if op is Op.IN and memory is Mem.ACTIVITY else count
        self.drained(encode(op, address=at, count=count, memory=memory, last=int(last)))
        (self.inputs if op is Op.IN else self.outputs).append((memory, count))

    def loop(self, depth: int, moves: bool) -> None:
        """None, one or more rounds, by a count or by a register that is zero; with transfers or with EXITs, as
        those would make their number depend on the data, or BREAKs."""
        register = self.rng.choice([0, 0, 0, 0, 0, self.rng.randint(2, LOOP_REGISTERS)])
        count, moves = 0 if register else self.rng.choice([0, 1, 2, 2, 3, 3]), moves and self.rng.random() < 0.5
        if self.writes:
            self.wait()
        at, marks, drawn = len(self.words), (len(self.inputs), len(self.outputs)), self.operations
        self.words.append(0)
        self.body(self.rng.randint(1, 5), depth + 1, moves)
        self.close(at, count, register)
        for moved, mark in zip((self.inputs, self.outputs), marks, strict=True):
            moved[mark:] = moved[mark:] * count
        self.operations = self.operations if count else drawn

    def close(self, at: int, count: int, register: int) -> None:
        """NEXT for the LOOP at ``at``, whose EXITs and BREAKs get its end."""
        if self.writes:
            self.wait()
        self.words.append(encode(Op.NEXT))
        end = len(self.words)
        self.words[at:] = [_to(w, end) if w in LEAVES else w for w in self.words[at:]]
        self.words[at] = encode(Op.LOOP, end=end, count=count, register=register)

    def body(self, length: int, depth: int, moves: bool) -> None:
        """``length`` of them, nested ones not counted; ``depth`` loops are around them."""
        for _ in range(length):
            kind = self.rng.choices(tuple(KINDS), tuple(KINDS.values()))[0]
            if kind == "separate":
                self.separate()
            elif kind == "exit":
                leaves = depth > 1 and not moves and self.rng.random() < 0.7
                self.drained(encode(Op.EXIT) if leaves else encode(Op.EXIT, arm=1))
            elif kind == "break" and depth > 1 and not moves:
                if self.writes:
                    self.wait()
                self.words.append(self.rng.choice(LEAVES[1:]))
            elif kind == "move" and moves:
                self.transfer(self.rng.choice([Op.IN, Op.OUT]))
            elif kind == "loop" and depth < LOOP_DEPTH:
                self.loop(depth, moves)
            elif kind == "wait":
                self.wait()
            else:
                self.sweep()

    def write(self, length: int) -> None:
        """Everything, for any number of samples; before the first IN a host may still be busy with START."""
        self.words.append(0)
        self.transfer(Op.IN)
        self.body(length, 1, True)
        for op in (Op.IN, Op.OUT):
            self.transfer(op, last=True)
        self.close(0, 0, 1)
        self.drained(encode(Op.HALT), 0)


def _to(word: int, end: int) -> int:
    """An instruction that leaves a loop, with the address that it leaves it for."""
    instruction = decode(word)
    return encode(instruction.op, **instruction.fields | {"end": end})
