"""What a careful host does with a machine, and what the golden machine says it must see, as words for
random_bus.cpp."""

from collections import deque
from collections.abc import Mapping, Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from golden.session import Session
from golden.trace import Job, Trace
from hebbar.compiler.program import Program
from hebbar.contract.counters import HOST
from hebbar.contract.geometry import ports
from hebbar.contract.memories import HEADER, Mem, pack
from hebbar.contract.registers import REGISTERS, Cause, identity
from sim import host as driver, packets as packing
from sim.shell.host import finish

__all__ = ["Op", "Tape", "two_samples"]


class Op(IntEnum):
    """Twin of ``enum Op`` in random_bus.cpp. An operation is Op, the number of its words, and these."""

    WRITE = 0
    SEND = 1
    SENT = 2
    EXPECT = 3
    HALTED = 4
    READ = 5


class Tape(driver.Host):
    """A host that only notes what is asked of it; ``receive`` and ``read`` answer what they ``expect`` and ``know``."""

    def __init__(self) -> None:
        self.words: list[int] = []
        self.expect: deque[list[int]] = deque()
        self.know: dict[int, int] = {}

    def note(self, op: Op, *words: int) -> None:
        """One operation."""
        self.words += [int(op), len(words), *(int(w) & 0xFFFFFFFF for w in words)]

    async def write(self, address: int, value: int) -> int:
        self.note(Op.WRITE, address, value)
        return 0

    async def read(self, address: int) -> tuple[int, int]:
        if address in self.know:
            self.note(Op.READ, address, self.know[address])
        return self.know.get(address, 0), 0

    def send(self, packet: Sequence[int] | NDArray[np.uint32]) -> None:
        self.note(Op.SEND, *packet)

    async def sent(self) -> None:
        self.note(Op.SENT)

    async def receive(self) -> list[int]:
        packet = self.expect.popleft()
        self.note(Op.EXPECT, *packet)
        return packet

    async def drain(self) -> None:
        self.note(Op.SENT)

    async def halted(self) -> None:
        self.note(Op.HALTED)

    def memory(self, mem: Mem, beats: Sequence[int], word: int = 0) -> None:
        """Read a memory and find these beats in it."""
        self.send([pack(HEADER, "packet", memory=mem, read=1, beats=len(beats)), word])
        self.note(Op.EXPECT, *beats)

    def load(self, program: Program, weights: NDArray[np.int64]) -> None:
        """Find the machine that the program was compiled for, and load it."""
        self.know = {REGISTERS[name].address: value for name, value in identity(program.machine).items()}
        finish(driver.load(self, program, weights))

    def run(self, job: Job, trace: Trace) -> None:
        """Run a job and find what the golden machine made of it: outputs, counters and memories."""
        program, table = job.program, ports(job.program.machine)
        self.expect = deque(_outputs(program, job.entry, trace.outputs, job.count))
        self.know = {REGISTERS["cause"].address: int(Cause.DONE), REGISTERS["pc"].address: int(trace.pc[-1])}
        for name, value in trace.counters.items():
            if name not in HOST:
                self.know |= {REGISTERS[f"{name}_lo"].address: value & 0xFFFFFFFF,
                              REGISTERS[f"{name}_hi"].address: value >> 32}
        finish(driver.run(self, job))
        for mem, values in ((Mem.WEIGHT, trace.final), (Mem.STATE, trace.state[-1]), (Mem.ERROR, trace.error[-1]),
                            (Mem.ACTIVITY, trace.activity[-1])):
            self.memory(mem, packing.beats(values.astype(np.int64), table[mem]))


def _outputs(program: Program, entry: str, outputs: Mapping[str, NDArray[np.int64]], count: int) -> list[list[int]]:
    """One packet a sample."""
    table, transfers = ports(program.machine), program.outputs[entry]
    return [[beat for t in transfers for beat in packing.beats(outputs[t.key][i], table[t.memory])]
            for i in range(count if transfers else 0)]


def two_samples(program: Program, weights: NDArray[np.int64], jobs: Sequence[Job]) -> Tape:
    """Load everything and run jobs one after the other, each on what the last one left."""
    machine, tape = Session(program, weights, "numpy"), Tape()
    finish(tape.set("watchdog", 0))
    tape.load(program, weights)
    for job in jobs:
        tape.run(job, machine.run(job))
    return tape
