"""The instruction set: one table read by the assembler, both machines, the tests and the manual.

An instruction is one 32-bit word, the opcode in the top four bits. ``SWEEP`` is the only instruction that touches
weights: it visits every word of a block once and does what its flags ask, in the order FWD, ERR, STEP, TRN, UPD, where
TRN and UPD use the weights as they were read.

The energy of EXIT is 1/2 sum e^2 over the rows that ERR has compared since the last EXIT or START. Errors of a
population with precision pi are e = pi (x - mu), so that its part is 1/2 pi^2 (x - mu)^2, pi times what it is in the
energy of the network: the two agree where every precision is 1 (log2 0).

INTEGRATE makes of the error a proportional-integral controller: the integral l is a second state word a neuron, in
PC-ALM the Lagrange multiplier of x = mu. It stands still where x is at an end of its format: an error that no step can
lower would otherwise wind it up without end.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from functools import lru_cache
from types import MappingProxyType

from .errors import BadInput

__all__ = ["Op", "Sweep", "Mode", "Into", "WEIGHT_FLAGS", "OPERAND_FLAGS", "ISSUE_FLAGS", "Field", "FIELDS", "MOVES",
           "SUMMARY", "flag_meanings", "Instruction", "encode", "decode", "illegal_sweep", "UPDATES", "LOOP_DEPTH",
           "LOOP_REGISTERS", "GAINS"]

LOOP_DEPTH = 4
"""How deep loops may nest."""
LOOP_REGISTERS = 4
"""How many registers hold the count of a loop."""
GAINS = 4
"""How many registers hold a gain, the gamma of STEP."""


class Op(IntEnum):
    """Opcodes, bits 31:28 of a word."""

    HALT = 0
    SWEEP = 1
    IN = 2
    OUT = 3
    LOOP = 4
    NEXT = 5
    WAIT = 6
    SEPARATE = 7
    EXIT = 8
    BREAK = 9


class Sweep(IntFlag):
    """Flags of a SWEEP over a block with destination rows r and source columns k.

    =========  ==================================================================================
    FWD        s_r = sum_k w_rk a_k, exact
    BASE       s_r starts from base_r instead of zero
    HOIST      base_r := s_r
    ERR        e_r := sat(pi (x_r - round(s_r))); without it e_r is read from the error memory
    INIT       rows not clamped take x_r := sat(round(s_r)) before ERR
    TRN        back_k += w_rk e_r, for columns with feedback
    UPD        w_rk := sat(w_rk + round(e_r a_k >> rate_k)), for plastic columns
    STEP       rows not clamped take x_r := sat(x_r + round(gamma (f'(x_r) back_r - e_r)))
    BACK       STEP and DELTA see back_r; without it they see zero
    DELTA      e_r := sat(round(f'(x_r) back_r)) (backprop), written to the error memory
    ACT        a_r := f(x_r), after STEP
    GATE       s_r joins the feedback instead of the prediction: ERR sees mu = 0, STEP and DELTA back_r + s_r
    POST       TRN and UPD take the activity a_r from before this sweep, aligned to e, instead of e_r
    NEG        TRN and UPD take the negative of that
    FIRE       rows not clamped take x_r := 0 where x_r >= 1, after ACT has seen it
    INTEGRATE  beside ERR: l_r := sat(l_r + e_r), e_r := sat(l_r + e_r); adds 0 where x_r ends; INIT: from l_r = 0
    =========  ==================================================================================
    """

    FWD = 1 << 0
    BASE = 1 << 1
    HOIST = 1 << 2
    ERR = 1 << 3
    INIT = 1 << 4
    TRN = 1 << 5
    UPD = 1 << 6
    STEP = 1 << 7
    BACK = 1 << 8
    DELTA = 1 << 9
    ACT = 1 << 10
    GATE = 1 << 11
    POST = 1 << 12
    NEG = 1 << 13
    FIRE = 1 << 14
    INTEGRATE = 1 << 15

    @property
    def weights(self) -> bool:
        """True when the sweep has to read weights at all."""
        return bool(self & WEIGHT_FLAGS)


def flag_meanings() -> dict[Sweep, str]:
    """What each flag does, from the table in the docstring of Sweep."""
    lines = (line.strip().partition(" ") for line in (Sweep.__doc__ or "").splitlines())
    found = {name: meaning.strip() for name, _, meaning in lines if name in Sweep.__members__}
    for flag in Sweep:
        if not found.get(flag.name or ""):
            raise BadInput(f"the docstring of Sweep says nothing about {flag.name}; add a line to its table.")
    return {flag: found[flag.name or ""] for flag in Sweep}


class Mode(IntEnum):
    """What SEPARATE makes of the bases s of a population: p_r = exp(beta s_r) / sum, or 1 at the first largest."""

    SOFTMAX = 0
    MAX = 1


class Into(IntEnum):
    """Where SEPARATE puts p: into e as x - p (a categorical error), into e as it is, or into x."""

    DIFFERENCE = 0
    ERROR = 1
    STATE = 2


WEIGHT_FLAGS = Sweep.FWD | Sweep.TRN | Sweep.UPD
"""The flags that read weights."""

OPERAND_FLAGS = Sweep.TRN | Sweep.UPD
"""The flags that take the operand of a row: its error, or with POST its activity."""

ISSUE_FLAGS = (Sweep.FWD, Sweep.ERR, Sweep.TRN, Sweep.UPD)
"""The flags that slots are counted by, bit 0 of the flag set first."""


@dataclass(frozen=True)
class Field:
    """One field of an instruction or a table entry: ``width`` bits from bit ``lsb``."""

    lsb: int
    width: int
    meaning: str

    def put(self, value: int, where: str = "field") -> int:
        """Place ``value``; raises BadInput when it does not fit."""
        if not 0 <= value < 1 << self.width:
            raise BadInput(f"{where} is {value}, which does not fit its {self.width} bits "
                           f"(0..{(1 << self.width) - 1}).")
        return int(value) << self.lsb

    def get(self, word: int) -> int:
        """Extract the field of ``word``."""
        return word >> self.lsb & ((1 << self.width) - 1)


_TRANSFER = {
    "address": Field(0, 12, "first word of the population, in words of C neurons"),
    "count": Field(12, 12, "neurons to move"),
    "memory": Field(24, 3, "0 activity, 1 state, 2 error, 3 clamp"),
    "last": Field(27, 1, "the last beat must carry (IN) or carries (OUT) TLAST"),
}
_BEHIND = Field(0, 12, "address after the matching NEXT")

FIELDS: dict[Op, dict[str, Field]] = {
    Op.HALT: {},
    Op.SWEEP: {"flags": Field(0, 16, "what to do, see the flags"), "block": Field(16, 10, "which block descriptor"),
               "gain": Field(26, 2, "which GAIN register holds gamma")},
    Op.IN: _TRANSFER, Op.OUT: _TRANSFER,
    Op.LOOP: {"end": Field(0, 12, "address after the matching NEXT, taken when the count is zero"),
              "count": Field(12, 12, "iterations, when register is 0"),
              "register": Field(24, 3, "0 immediate, else LOOP register number plus one")},
    Op.NEXT: {},
    Op.WAIT: {"gap": Field(0, 8, "0 drain; else the next SWEEP or IN waits so many cycles in which the tile is free"),
              "input": Field(8, 1, "1: wait for the end of an IN that goes on beside sweeps")},
    Op.SEPARATE: {"mode": Field(0, 1, "0 softmax, 1 max"), "into": Field(1, 2, "0 e := x - p, 1 e := p, 2 x := p"),
                  "block": Field(16, 10, "which block descriptor; its rows are the population")},
    Op.EXIT: {"end": _BEHIND, "arm": Field(12, 1, "1: only remember the energy, before the loop")},
    Op.BREAK: {"end": Field(0, 12, "address behind the loop at which it goes on then"),
               "always": Field(12, 1, "1: in every round, not in the last one alone"),
               "counts": Field(13, 1, "1: where it does not leave, it ends a round and goes on behind itself")},
}
"""The fields of each instruction by name."""

MOVES = frozenset(op for op, fields in FIELDS.items() if fields is _TRANSFER)
"""The instructions that move neurons into a memory or, OUT, from one."""

SUMMARY: dict[Op, str] = {
    Op.HALT: "drain, then stop with cause DONE",
    Op.SWEEP: "visit a block once and do what the flags say; sweeps overlap",
    Op.IN: "drain, then move neurons from the input stream into a memory; behind a gap, go on beside it",
    Op.OUT: "drain, then move neurons from a memory to the output stream",
    Op.LOOP: f"repeat the body up to the matching NEXT; {LOOP_DEPTH} levels",
    Op.NEXT: "end of a loop body",
    Op.WAIT: "drain, so that the next instruction sees every result; with a gap, hold back the next SWEEP or IN alone",
    Op.SEPARATE: "drain, then softmax or max of the bases of a population; needs the separation unit",
    Op.EXIT: "drain, then leave the innermost loop unless the energy fell by TOLERANCE; needs the energy unit",
    Op.BREAK: "leave the innermost loop in its last round, or in any; else it may end the round",
}
"""What each instruction does, as one phrase."""


@dataclass(frozen=True)
class Instruction:
    """A decoded word: the opcode and its fields by name."""

    op: Op
    fields: MappingProxyType[str, int]

    @property
    def barrier(self) -> bool:
        """Whether nothing is in flight behind it and traces are compared there: HALT, and a WAIT that drains."""
        return self.op is Op.HALT or (self.op is Op.WAIT and not self.fields["gap"])

    def __str__(self) -> str:
        if self.op is Op.SWEEP:
            names = "|".join(f.name or "" for f in Sweep(self.fields["flags"]))
            return f"SWEEP block {self.fields['block']} {names or '-'} gain {self.fields['gain']}"
        return " ".join([self.op.name, *(f"{k} {v}" for k, v in self.fields.items())])


def encode(op: Op, **values: int) -> int:
    """Assemble one instruction; every field of the table defaults to zero.

    Raises BadInput for a field the instruction does not have or a value that does not fit.
    """
    unknown = set(values) - set(FIELDS[op])
    if unknown:
        raise BadInput(f"{op.name} has no field {min(unknown)!r}; it has "
                       f"{', '.join(FIELDS[op]) or 'none'}.")
    word = int(op) << 28
    for name, field in FIELDS[op].items():
        word |= field.put(values.get(name, 0), f"{op.name} {name}")
    return word


@lru_cache(maxsize=1 << 14)  # orders of a program are compared by the thousand, all of the same few words
def decode(word: int) -> Instruction:
    """Disassemble one word; raises BadInput for an unknown opcode."""
    number = word >> 28 & 15
    if number not in list(Op):
        raise BadInput(f"word 0x{word:08x} has opcode {number}, which no instruction has.")
    op = Op(number)
    return Instruction(op, MappingProxyType({name: field.get(word) for name, field in FIELDS[op].items()}))


UPDATES = {"own": "UPD has a multiplier a lane of its own", "shared": "it shares that of TRN, and no sweep has both",
           "none": "the machine does not learn: no UPD, no entry that trains"}
"""How a machine multiplies for UPD, by the name in ``machine.updates``."""


def illegal_sweep(flags: Sweep, integral: bool = False, updates: str = "own") -> str:
    """Why a flag set is illegal, or an empty string. The machine halts on an illegal one. ``integral``: the machine has
    the memory that INTEGRATE needs; ``updates``: what ``machine.updates`` says."""
    if updates == "none" and flags & Sweep.UPD:
        return "the machine has no UPD (machine.updates is 'none')"
    if updates == "shared" and flags & Sweep.TRN and flags & Sweep.UPD:
        return "TRN and UPD share a multiplier (machine.updates is 'shared')"
    if flags & Sweep.INIT and not flags & Sweep.ERR:
        return "INIT needs ERR"
    if flags & Sweep.DELTA and flags & (Sweep.ERR | Sweep.STEP | Sweep.TRN | Sweep.UPD):
        return "DELTA excludes ERR, STEP, TRN and UPD"
    if flags & Sweep.INTEGRATE and not integral:
        return "INTEGRATE needs the memory of integrals; set machine.integral to true"
    return ""
