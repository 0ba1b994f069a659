"""The machine's buses through the fast shell: nothing here waits, every call simulates to its end."""

import ctypes
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.trace import Recorder
from hebbar.compiler.program import Program
from hebbar.contract.errors import Mismatch, TimedOut
from hebbar.contract.geometry import ports
from hebbar.contract.memories import Mem
from hebbar.contract.pins import pins
from hebbar.contract.registers import REGISTERS, Cause, Status

from ..host import Host
from ..macro import Macro, macro_of
from .bind import RECORDED
from .buffers import Buffers, joined, marks_of
from .library import ANSWER, WEIGHTS, open_library, storage
from .writes import WriteWatch

__all__ = ["ShellHost", "finish"]

BUS_LIMIT = 1000
SLICE = 200_000
"""Cycles a call simulates before Python looks at the clock: a fraction of a second."""
QUIET = 64
PATIENCE = 5_000_000
"""Cycles without a beat in or out after which a running machine is given up."""
RESET_CYCLES = 5
DONE, SLICED = 0, 1


def finish(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine on a host that never waits."""
    try:
        work.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("the fast shell never waits")


class ShellHost(Host):
    """Twin of ``sim.testbench.host.CocotbHost`` on a library of ``sim.shell.library``.

    ``progress`` is called with the beats the machine has taken of the packets queued for it,
    ``recorder`` gets every barrier, and ``writes`` watches the write ports when it is started.
    """

    def __init__(self, library: Path, program: Program) -> None:
        self._library, self._program = open_library(library), program
        self._handle = ctypes.c_void_p(self._library.shell_open())
        self._macro, self._failed = macro_of(program.machine), list[BaseException]()
        if self._macro:
            self._attach(self._macro)
        self._library.shell_reset(self._handle, RESET_CYCLES)
        self._queue: list[NDArray[np.uint32]] = []
        self._begun = np.empty(0, np.uint32)  # what is left of a packet when the machine halted in the middle of it
        self._received: deque[list[int]] = deque()
        self._partial: list[int] = []
        self._marks = marks_of(program)
        self._sizes = {m: ports(program.machine)[m].depth * ports(program.machine)[m].lanes for m in RECORDED}
        self._recorder: Recorder | None = None
        self.writes = WriteWatch(self._library, self._handle, program.machine)
        self._held, self._random = 0, 1
        self.progress: Callable[[int], None] | None = None

    def _attach(self, macro: Macro) -> None:
        """Let the macro answer at the pins; their addresses stay as long as the model."""
        known = pins(self._program.machine)
        addresses = (ctypes.c_void_p * len(known))()
        self._library.shell_pins(self._handle, addresses)
        views = {name: (ctypes.c_char * storage(width)).from_address(address)
                 for (name, width), address in zip(known.items(), addresses)}
        compare, size = views["compare"], storage(known["compare"])

        def read(name: str) -> int:
            return int.from_bytes(views[name].raw, "little")

        def answer() -> None:
            if not self._failed:
                try:
                    compare.raw = macro.answer(read("phase"), read).to_bytes(size, "little")
                except BaseException as error:  # it cannot pass through the simulator; _run raises it
                    self._failed.append(error)

        def weights(out: int) -> None:
            image = macro.weights().astype(np.int32)
            ctypes.memmove(out, image.ctypes.data, image.nbytes)

        self._callbacks = ANSWER(answer), WEIGHTS(weights)
        self._library.shell_macro(self._handle, *self._callbacks)

    @property
    def recorder(self) -> Recorder | None:
        """Who gets the barriers, also those met while a register is accessed; None: nobody."""
        return self._recorder

    @recorder.setter
    def recorder(self, recorder: Recorder | None) -> None:
        self._recorder = recorder
        self._library.shell_watch(self._handle, self._marks.ctypes.data if recorder is not None else None)

    def stall(self, chance: float, seed: int = 0) -> None:
        """Hold each stream back in a cycle with this probability from now on, drawn from ``seed``."""
        self._held, self._random = int(chance * (1 << 32)), seed * 0x9E3779B97F4A7C15 + 1 & (1 << 64) - 1

    def close(self) -> None:
        """Free the model."""
        self._library.shell_close(self._handle)

    @property
    def cycles(self) -> int:
        """Clock cycles simulated since the reset."""
        return int(self._library.shell_cycles(self._handle))

    async def write(self, address: int, value: int) -> int:
        return self._answered(self._library.shell_write(self._handle, address, value, BUS_LIMIT), address)

    async def read(self, address: int) -> tuple[int, int]:
        value = ctypes.c_uint32()
        response = self._library.shell_read(self._handle, address, ctypes.byref(value), BUS_LIMIT)
        return value.value, self._answered(response, address)

    def send(self, packet: Sequence[int] | NDArray[np.uint32]) -> None:
        self._queue.append(np.asarray(packet, np.uint32))

    async def sent(self) -> None:
        await self._run(until_halt=False)
        if Status(await self.get("status")) & Status.ABORTED:
            raise await self.refused()

    async def receive(self) -> list[int]:
        if not self._received:
            await self._run(until_halt=await self._is_running())
        if not self._received:
            cause, pc = await self.get("cause"), await self.get("pc")
            raise Mismatch(f"the machine halted at address {pc} with cause {Cause(cause).name} before it gave all its "
                           "outputs; look at the program at this address, or record a waveform.")
        return self._received.popleft()

    async def drain(self) -> None:
        self._queue = [self._begun] if len(self._begun) else []
        await self._run(until_halt=False)
        self._received.clear()

    async def halted(self) -> None:
        await self._run(until_halt=await self._is_running())

    def dump(self, memory: Mem) -> NDArray[np.int32]:
        """Every element of a recorded memory as it is now, in address order."""
        if self._macro and memory is Mem.WEIGHT:
            return self._macro.weights().astype(np.int32).ravel()
        out = np.empty(self._sizes[memory], np.int32)
        self._library.shell_dump(self._handle, RECORDED.index(memory), out.ctypes.data)
        return out

    def count_toggles(self, path: Path | None) -> None:
        """Count the transitions of every net in runs, as SAIF into ``path``, which the next call closes; None: no more.
        The library must be one with ``toggles``."""
        self._library.shell_toggles(self._handle, None if path is None else str(path).encode())

    def bare(self, packets: list[NDArray[np.uint32]], cycles: int) -> None:
        """Clock the machine and feed it, nothing else: the limit for ``benchmarks``."""
        beats, last = joined(packets)
        self._library.shell_bare(self._handle, beats.ctypes.data, last.ctypes.data, len(beats), cycles)

    async def _is_running(self) -> bool:
        return bool((await self.read(REGISTERS["status"].address))[0] & Status.RUNNING)

    async def _run(self, until_halt: bool) -> None:
        """Simulate until the machine halts, or until it has taken everything and is quiet."""
        beats, last = joined(self._queue)
        self._queue = []
        buffers = Buffers(self._sizes, self.recorder is not None)
        run = buffers.run(beats, last, self._marks)
        run.held, run.random = self._held, self._random
        last_seen, moved = self.cycles, -1
        while True:
            why = self._library.shell_run(self._handle, ctypes.byref(run), SLICE, until_halt, QUIET)
            if self._failed:
                raise self._failed[0]
            self._received += buffers.packets(run, self._partial)
            if self.recorder is not None:
                buffers.record(run, self.recorder)
            if self.progress:
                self.progress(run.input_taken)
            if run.moved != moved:
                last_seen, moved = self.cycles, run.moved
            elif self.cycles - last_seen > PATIENCE:
                raise TimedOut(f"the machine neither took nor gave a beat for {self.cycles - last_seen:,} cycles and "
                               "did not halt; look for an endless loop in its program, or record a waveform.")
            if why == DONE or (until_halt and why == SLICED and not await self._is_running()):
                break
        taken, self._random = run.input_taken, run.random
        if len(beats):  # or what a packet still lacks is what it was
            begun = 0 < taken < len(beats) and not last[taken - 1]
            self._begun = beats[taken:taken + 1 + int(np.argmax(last[taken:]))] if begun else beats[:0]

    @staticmethod
    def _answered(response: int, address: int) -> int:
        if response < 0:
            raise TimedOut(f"the machine did not answer an access to address 0x{address:03x} within "
                           f"{BUS_LIMIT} cycles; look at its bus in a waveform.")
        return response
