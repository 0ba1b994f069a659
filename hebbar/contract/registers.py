"""The register map: one table read by the bus, the host driver, the tests and the manual.

All registers are 32 bits wide. Reading an address that is not in the table, writing one that cannot
be written, or an unaligned access answers SLVERR and changes nothing. While the machine runs only
``control`` and ``watchdog`` can be written; a write to any other register answers SLVERR and changes
nothing. Accesses are whole aligned words (wstrb selects bytes). A register has the bits that mean
something; what is written above them is dropped, and they read as zero.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from hashlib import sha256
from typing import TYPE_CHECKING

from . import timing
from .access_times import access_times
from .counters import COUNTERS, MEANINGS
from .effects import EFFECTS
from .exponentials import BETA_BITS
from .isa import GAINS, LOOP_REGISTERS, Sweep
from .memories import BLOCK, MAP
from .tiles import TILES

if TYPE_CHECKING:
    from .machine import MachineConfig

__all__ = ["Access", "Register", "REGISTERS", "Control", "Status", "Cause", "Built", "LIVE", "ADDRESS_BITS",
           "COUNTER_BASE", "COUNTERS_WAIT", "GAIN_BITS", "IDENTITY", "VERSION", "RATES", "MAX_RATE", "TOLERANCE_BITS",
           "ENERGY_BITS", "build", "built", "counter_address", "identity", "registers"]

LIVE = frozenset({"control", "watchdog"})
"""What the host may write while the machine runs; the rest is locked."""

ADDRESS_BITS = 12
IDENTITY = 0x48454242
VERSION = 0x00000301
RATES = 16
GAIN_BITS = 8
MAX_RATE = 31
TOLERANCE_BITS = 32
ENERGY_BITS = 48
"""Width of the unsigned sum of e squared that TOLERANCE judges; larger sums stay at its largest."""
COUNTER_BASE = 0x200
COUNTERS_WAIT = 2 * len(COUNTERS) + 16
"""Cycles by which START, LATCH and a read of a counter may be answered later than another access: a round of additions,
which takes two a counter and four more, and before and after it a read of a counter of six."""


class Access(IntEnum):
    """What the host may do with a register."""

    READ = 0
    READ_WRITE = 1
    COMMAND = 2


class Control(IntFlag):
    """Bits of CONTROL; writing a one acts, CONTROL reads as an error.

    A write is carried out whole or answers SLVERR and does nothing. SLVERR answers more than one of START, STOP and
    CLEAR in a write; START while the machine runs, is aborted (STATUS) or moves a packet, also one whose header is
    taken in the cycle in which START is decided; CLEAR while the machine runs. STOP is always accepted. LATCH may
    stand beside any, where there are counters; beside START it latches what they were before. START, LATCH and a read
    of a counter may be answered later than other accesses, by up to 90 cycles.
    """

    START = 1 << 0
    STOP = 1 << 1
    CLEAR = 1 << 2
    LATCH = 1 << 3


class Status(IntFlag):
    """Bits of STATUS. ABORTED: after STOP or a fault; input is discarded and START refused until CLEAR."""

    RUNNING = 1 << 0
    STREAMING = 1 << 1
    FAULT = 1 << 2
    ABORTED = 1 << 3


class Built(IntFlag):
    """Bits of GEOMETRY from bit 24 on: what was built. Without COUNTERS their addresses and LATCH answer SLVERR;
    without UPDATES a SWEEP with UPD is illegal, with SHARED one with TRN and UPD."""

    COUNTERS = 1 << 0
    SEPARATION = 1 << 1
    ENERGY = 1 << 2
    UPDATES = 1 << 3
    SHARED = 1 << 4


class Cause(IntEnum):
    """Why the machine is halted. A fault is anything from ILLEGAL_OP on; CLEAR resets it. STOP of a halted machine
    leaves the cause of the halt."""

    NONE = 0
    DONE = 1
    STOPPED = 2
    ILLEGAL_OP = 3
    ILLEGAL_SWEEP = 4
    ILLEGAL_BLOCK = 5
    LOOP = 6
    ADDRESS = 7
    STREAM = 8
    RANGE = 9
    WATCHDOG = 10


@dataclass(frozen=True)
class Register:
    """One register: byte address, access, meaning, bits from bit 0 that it has, and reset value."""

    address: int
    access: Access
    meaning: str
    bits: int = 32
    reset: int = 0


def _table() -> dict[str, Register]:
    r, rw = Access.READ, Access.READ_WRITE
    tiles = ", ".join(f"{kind.code} {kind.name}" for kind in TILES.values())
    table = {
        "identity": Register(0x000, r, "0x48454242, 'HEBB'"),
        "version": Register(0x004, r, "version of this map, major in bits 31:8"),
        "geometry": Register(0x008, r, f"lanes 7:0, row tiles 15:8, tile 23:16 ({tiles}), what was built 31:24"),
        "weight_words": Register(0x00C, r, "depth of the weight memory in words of P x C weights"),
        "neuron_words": Register(0x010, r, "depth of the neuron space in words of C neurons"),
        "max_columns": Register(0x014, r, "most words in a row"),
        "build": Register(0x018, r, "hash of the machine's configuration, its timing and the version of this map"),
        "control": Register(0x040, Access.COMMAND, "start, stop, clear an abort, latch counters",
                            len(Control)),
        "status": Register(0x044, r, "running, streaming, fault, aborted"),
        "cause": Register(0x048, r, "why the machine is halted"),
        "pc": Register(0x04C, r, "address of the current or the last instruction"),
        "entry": Register(0x050, rw, "address at which START begins"),
        "watchdog": Register(0x054, rw, "halt after so many cycles without progress; 0: never"),
        "tolerance": Register(0x058, rw, "EXIT leaves when the sum of e squared, in squared codes, fell by less",
                              TOLERANCE_BITS),
        "beta": Register(0x05C, rw, "SEPARATE: beta log2(e), unsigned with 8 fraction bits", BETA_BITS),
    }
    for i in range(LOOP_REGISTERS):
        table[f"loop{i}"] = Register(0x060 + 4 * i, rw, "loop count")
    for i in range(GAINS):
        table[f"gain{i}"] = Register(0x070 + 4 * i, rw, "gamma, unsigned with 7 fraction bits", GAIN_BITS)
    for i in range(RATES):
        table[f"rate{i}"] = Register(0x080 + 4 * i, rw, "right shift of e a in UPD, 0..31", MAX_RATE.bit_length())
    for i, (name, meaning) in enumerate(MEANINGS.items()):
        for half, (word, which) in enumerate((("lo", "low"), ("hi", "high"))):
            table[f"{name}_{word}"] = Register(counter_address(i) + 4 * half, r,
                                               f"{which} half of the counter {name} at the last LATCH: {meaning}")
    return table


def counter_address(index: int) -> int:
    """Byte address of the low half of a counter by its place in COUNTERS."""
    return COUNTER_BASE + 8 * index


REGISTERS: dict[str, Register] = _table()


def registers(m: "MachineConfig") -> dict[str, Register]:
    """The registers of a machine, by name: all of them, but without counters none of theirs."""
    return {name: r for name, r in REGISTERS.items() if m.counters or r.address < COUNTER_BASE}


def built(m: "MachineConfig") -> Built:
    """What GEOMETRY says was built."""
    there = {Built.COUNTERS: m.counters, Built.SEPARATION: m.separation > 0, Built.ENERGY: m.energy,
             Built.UPDATES: m.updates != "none", Built.SHARED: m.updates == "shared"}
    return Built(sum(bit for bit, is_there in there.items() if is_there))


def _accesses(m: "MachineConfig") -> list[tuple[int, ...]]:
    """Slots, and the first and last cycle of every access of two row groups of two columns: flag by flag, and with the
    flags that an access needs together."""
    block = dict.fromkeys(BLOCK, 0) | {"columns": 2, "groups": 2, "stride": 2, "last_rows": 1}
    entries = [dict.fromkeys(MAP, 0) | {"source": k, "lanes": 1, "feedback": 1, "plastic": 1} for k in range(2)]
    tile = m.kind.timing(m)
    sweeps = [*Sweep, *(effect.flags | effect.given for effect in EFFECTS)]
    return [(tile.sweep(0, block, flags), *(cycle for t in access_times(tile, block, entries, flags)
                                            for cycle in (t.first, t.last))) for flags in sweeps]


def build(m: "MachineConfig") -> int:
    """32 bits that tell a build from another one: a program, its tables and its weights are for one build. Gaps of a
    chained program hold for one table of access times, so its rows are among them."""
    latencies = {name: value for name, value in vars(timing).items() if name.isupper() and isinstance(value, int)}
    # Keys that say nothing of this machine are left out, so that builds of before there were such keys are the same.
    unsaid = {"analog": m.kind.macro, "neuron_rows": m.neuron_rows}
    said = m.model_dump_json(exclude={name for name, value in unsaid.items() if not value})
    everything = f"{VERSION} {sorted(latencies.items())} {_accesses(m)} {said}"
    return int.from_bytes(sha256(everything.encode()).digest()[:4], "big")


def identity(m: "MachineConfig") -> dict[str, int]:
    """What the registers read that tell one machine from another, by name."""
    return {"identity": IDENTITY, "version": VERSION,
            "geometry": m.lanes | m.row_tiles << 8 | m.kind.code << 16 | built(m) << 24,
            "weight_words": m.weight_words, "neuron_words": m.neuron_words, "max_columns": m.max_columns,
            "build": build(m)}
