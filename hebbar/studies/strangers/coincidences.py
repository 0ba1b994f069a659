"""START beside a packet: whatever their order, both are carried out whole or START is refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from hebbar.contract.isa import Op as Code, encode
from hebbar.contract.memories import HEADER, Mem, pack
from hebbar.contract.registers import REGISTERS, Cause, Control, Status

from .tape import Op, Tape

__all__ = ["Coincidence", "coincidences", "verdict"]

OLD, NEW, SAMPLE = [5, 6, 7, 8], [11, 12, 13, 14], [3, 2, 23, 24]
"""Contents of the error memory before and after a packet, and a sample; as a packet a sample is one cut short."""

LOAD = [pack(HEADER, "packet", memory=Mem.ERROR, read=0, beats=4), 0, *NEW]
READ = [pack(HEADER, "packet", memory=Mem.ERROR, read=1, beats=4), 0]
PACKETS = {"load": LOAD, "read": READ, "sample": SAMPLE, "header with TLAST": LOAD[:1]}
PROGRAM = [encode(op, memory=Mem.STATE, count=4, last=1) for op in (Code.IN, Code.OUT)] + [encode(Code.HALT)]
LARGEST_OFFSET = 30
"""Cycles on both sides of a packet."""


@dataclass(frozen=True)
class Coincidence:
    """A packet, and a START that is offered ``offset`` cycles after it, its word ``skew`` cycles after its address.

    The packet comes at ``pace`` beats a cycle.
    """

    kind: str
    offset: int
    skew: int
    pace: float
    packet = property(lambda self: PACKETS[self.kind])
    last = property(lambda self: [0] * (len(self.packet) - 1) + [1])

    @property
    def near(self) -> bool:
        """False where START is long before the packet or long after a good one, so that nothing excuses a refusal."""
        good = self.kind in ("load", "read") and self.pace == 1
        return self.offset > -LARGEST_OFFSET and not (good and self.offset == LARGEST_OFFSET)


class Machine(Protocol):
    """A machine on which a START can meet a packet."""

    def reset(self) -> None: ...
    def play(self, tape: Tape) -> bool: ...
    def look(self, register: str) -> int: ...
    def meet(self, coincidence: Coincidence) -> int: ...


def coincidences(quick: bool) -> Iterator[Coincidence]:
    """All coincidences; ``quick``: one skew and one pace."""
    for kind in PACKETS:
        for offset in range(-LARGEST_OFFSET, LARGEST_OFFSET + 1):
            for skew in (0,) if quick else (-3, -1, 0, 1, 4):
                for pace in (1.0,) if quick else (1.0, 0.7, 0.3):
                    yield Coincidence(kind, offset, skew, pace)


def _write(tape: Tape, register: str, value: int) -> None:
    tape.note(Op.WRITE, REGISTERS[register].address, value)


def _find(tape: Tape, **registers: int) -> None:
    for name, value in registers.items():
        tape.note(Op.READ, REGISTERS[name].address, value)


def _loaded() -> Tape:
    """A machine with the program and the old contents, that was started from nothing."""
    tape = Tape()
    for memory, payload in ((Mem.PROGRAM, PROGRAM), (Mem.ERROR, OLD)):
        tape.send([pack(HEADER, "packet", memory=memory, read=0, beats=len(payload)), 0, *payload])
    tape.note(Op.SENT)
    _write(tape, "entry", 0)
    _find(tape, status=0, cause=Cause.NONE)
    return tape


def _runs(tape: Tape, start: bool) -> None:
    """The program takes a sample and gives it back."""
    if start:
        _write(tape, "control", Control.START)
    tape.send(SAMPLE)
    tape.note(Op.EXPECT, *SAMPLE)
    tape.note(Op.HALTED)
    _find(tape, status=0, cause=Cause.DONE)


def verdict(machine: Machine, coincidence: Coincidence) -> str:
    """What is wrong with a coincidence, or an empty string."""
    machine.reset()
    if not machine.play(_loaded()):
        return "the machine cannot be loaded"
    response = machine.meet(coincidence)
    if response not in (0, 2):
        return "START is not answered"
    status, cause = Status(machine.look("status")), Cause(machine.look("cause"))
    started, tape = response == 0, Tape()
    if not started and (status & Status.RUNNING or not coincidence.near):
        return f"START is refused; status {status!r}"
    if status & Status.RUNNING:
        what = _waiting(tape, coincidence)
    elif started:
        what = _taken(tape, coincidence)
    else:
        what = _refused(tape, coincidence)
    return "" if machine.play(tape) else f"{what}, but not so; status {status!r}, cause {cause.name}"


def _contents(tape: Tape, beats: list[int]) -> None:
    tape.memory(Mem.ERROR, beats)
    _find(tape, cause=Cause.DONE)


def _waiting(tape: Tape, coincidence: Coincidence) -> str:
    """The packet was whole before the program began, which waits for its sample."""
    if coincidence.kind == "read":
        tape.note(Op.EXPECT, *OLD)
    _runs(tape, start=False)
    _contents(tape, NEW if coincidence.kind == "load" else OLD)
    return "the packet was carried out, then START"


def _taken(tape: Tape, coincidence: Coincidence) -> str:
    """The program ran first: the packet was its sample, a good or a wrong one, and reached nothing else."""
    if coincidence.kind == "sample":
        tape.note(Op.EXPECT, *SAMPLE)
        _find(tape, status=0, cause=Cause.DONE)
    else:
        _ended(tape)
    _runs(tape, start=True)
    _contents(tape, OLD)
    return "the program took the packet"


def _refused(tape: Tape, coincidence: Coincidence) -> str:
    """Nothing ran; the packet was carried out, or is wrong and reported."""
    if coincidence.kind in ("load", "read"):
        _find(tape, status=0, cause=Cause.NONE)
        if coincidence.kind == "read":
            tape.note(Op.EXPECT, *OLD)
    else:
        _ended(tape)
    _runs(tape, start=True)
    _contents(tape, NEW if coincidence.kind == "load" else OLD)
    return "START was refused and the packet carried out"


def _ended(tape: Tape) -> None:
    """A fault of the stream, and CLEAR."""
    _find(tape, cause=Cause.STREAM)
    _write(tape, "control", Control.CLEAR)
