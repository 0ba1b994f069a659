"""What the configuration promises of the Verilog, written down here a second time.

Widths, depths and names come from the contract in ``hebbar`` (and the AXI standards), never from
``hw``: what the hardware is compared with must not be computed by the hardware.
"""

from collections import Counter

from hebbar.compiler.cycles import RowTiming
from hebbar.contract.counters import CAUSES, COUNTERS, ISSUE_SETS, UNATTENDED
from hebbar.contract.exponentials import BETA_BITS, DISTANCE_BITS, INDEX_BITS, POWER_FRAC, POWERS, RECIPROCAL_BITS
from hebbar.contract.fifos import FINEST, row_bits, tag_bits, word_bits
from hebbar.contract.geometry import ports
from hebbar.contract.isa import LOOP_DEPTH
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import BLOCK, READ_PORTS, Mem, Port
from hebbar.contract.registers import ADDRESS_BITS, COUNTER_BASE, REGISTERS, Access, Control, counter_address
from hebbar.contract.tiles import Weights
from sim.macro import PINS

__all__ = ["TOP", "constants", "memories", "multipliers", "readable", "registers", "top_ports", "tree", "written"]

TOP = "hebbar"
STATES = 6
"""Words of the neuron unit's delay: a state waits 7 cycles for its step."""
LOW_HALF = 17
"""Bits of the lower of the two halves in which the neuron unit multiplies."""
_IN = {"clk": 1, "rst": 1,
       "s_axil_awaddr": ADDRESS_BITS, "s_axil_awprot": 3, "s_axil_awvalid": 1, "s_axil_wdata": 32,
       "s_axil_wstrb": 4, "s_axil_wvalid": 1, "s_axil_bready": 1, "s_axil_araddr": ADDRESS_BITS,
       "s_axil_arprot": 3, "s_axil_arvalid": 1, "s_axil_rready": 1,
       "s_axis_tdata": 32, "s_axis_tvalid": 1, "s_axis_tlast": 1, "m_axis_tready": 1}
_OUT = {"s_axil_awready": 1, "s_axil_wready": 1, "s_axil_bresp": 2, "s_axil_bvalid": 1, "s_axil_arready": 1,
        "s_axil_rdata": 32, "s_axil_rresp": 2, "s_axil_rvalid": 1,
        "s_axis_tready": 1, "m_axis_tdata": 32, "m_axis_tvalid": 1, "m_axis_tlast": 1, "barrier": 1, "barrier_pc": 13}
_UNITS = ("bus", "streamer", "sequencer", "tile", "neuron", "feedback_sums")
_BANKS = (Mem.ACTIVITY, Mem.STATE, Mem.ERROR, Mem.CLAMP, Mem.PROGRAM, Mem.BLOCK, Mem.MAP)
_TABLES = (Mem.FUNCTION, Mem.DERIVATIVE)


def tree(machine: MachineConfig) -> set[str]:
    """The path of every instance, each there once: one module an instance."""
    paths = {TOP, *(f"{TOP}.{unit}" for unit in _UNITS), f"{TOP}.base_memory"}
    paths |= {f"{TOP}.sequencer.{part}" for part in ("fetch", "descriptor", "loops", "watchdog")}
    paths.add(f"{TOP}.streamer.check")
    paths.add(f"{TOP}.neuron.states")
    paths |= {f"{TOP}.{mem.name.lower()}_memory" for mem in _BANKS}
    for mem in _TABLES:
        paths |= {f"{TOP}.{mem.name.lower()}_table", f"{TOP}.{mem.name.lower()}_table.bank"}
    optional = (("separation", machine.separation), ("energy_sum", machine.energy),
                ("integral_memory", machine.integral),
                *((unit, machine.counters) for unit in ("counters", "counters.sets", "counters.causes")))
    paths |= {f"{TOP}.{unit}" for unit, built in optional
              if built}
    if machine.kind.macro and machine.analog.control.update == "stochastic":
        paths |= {f"{TOP}.tile.drivers.{lines}_pulses" for lines in ("row", "column")}
    return paths | {f"{TOP}.tile.{part}" for part in machine.kind.parts}


def top_ports(machine: MachineConfig) -> dict[str, tuple[str, int]]:
    """Direction and width of every port of the top module; an analog macro adds its pins, else they are the same for
    every configuration."""
    return {name: ("input", width) for name, width in _IN.items()} | \
        {name: ("output", width) for name, width in _OUT.items()} | \
        {PINS + name: ("input" if name == "compare" else "output", width)
         for name, width in machine.kind.pins(machine).items()}


def memories(machine: MachineConfig) -> dict[str, tuple[int, int]]:
    """Words and bits of every memory by the path of its instance, with its name where that has several."""
    def size(port: Port) -> tuple[int, int]:
        return port.depth, port.lanes * port.bits

    known, m = ports(machine), machine
    sizes = {f"{TOP}.{mem.name.lower()}_memory": size(known[mem]) for mem in _BANKS}
    for mem in _TABLES:
        bank, copies = f"{TOP}.{mem.name.lower()}_table.bank", range(1, -(-m.pass_rows // READ_PORTS))
        sizes |= dict.fromkeys([f"{bank}.memory", *(f"{bank}.copy_{n}" for n in copies)] if copies else [bank],
                               size(known[mem]))
    sizes[f"{TOP}.base_memory"] = m.row_words, m.pass_rows * m.row_sum_bits
    sizes[f"{TOP}.sequencer.loops"] = LOOP_DEPTH, 13 + 32  # address and rounds
    sizes[f"{TOP}.neuron.states"] = STATES, m.pass_rows * m.state_bits
    sizes |= {f"{TOP}.feedback_sums.{copy}_memory": (m.neuron_words, m.lanes * m.feedback_sum_bits)
              for copy in ("sums", "shown")}
    if m.counters:
        sizes[f"{TOP}.counters"] = 2 << (len(COUNTERS) - 1).bit_length(), 64
        sizes |= {f"{TOP}.counters.{tally}.{half}": (len(names), UNATTENDED.bit_length())
                  for tally, names in (("sets", ISSUE_SETS), ("causes", CAUSES)) for half in ("first", "second")}
    if m.integral:
        sizes[f"{TOP}.integral_memory"] = size(known[Mem.ERROR])
    if m.separation:
        sizes[f"{TOP}.separation.powers"] = m.separation, POWER_FRAC + 1
        sizes[f"{TOP}.separation.exponentials"] = 1 << INDEX_BITS, POWER_FRAC + 1
    if m.kind.weights is not Weights.MEMORY:
        return sizes
    timing = RowTiming(m)
    sizes[f"{TOP}.tile.tags"] = timing.sum_latency - 1, tag_bits(m)
    return sizes | {f"{TOP}.tile.weights": size(known[Mem.WEIGHT]),
                    f"{TOP}.tile.words.words_memory": (timing.fifo_depth + 1, word_bits(m) - 1),
                    f"{TOP}.tile.words.ends_memory": (timing.fifo_depth + 1, 1),
                    f"{TOP}.tile.errors": (timing.error_depth, row_bits(m))}


def constants(machine: MachineConfig) -> dict[str, int]:
    """Every word of the memories that nothing writes, by path and index."""
    return {f"{TOP}.separation.exponentials[{i}]": power for i, power in enumerate(POWERS) if machine.separation}


def multipliers(machine: MachineConfig) -> dict[str, Counter[tuple[int, int]]]:
    """Multipliers of two variables by instance: how many of which operand widths, the wider first.

    An unsigned operand beside a signed one takes a bit more.
    """
    m, f = machine, machine.formats
    drive = max(f.derivative.bits + f.feedback.bits, f.error.bits + f.derivative.frac) + 1
    found = {
        "neuron": Counter(m.pass_rows * (_halves(f.feedback.bits, f.derivative.bits, signed=True)
                                         + _halves(drive, f.gain.bits - 1, signed=False))),
        "sequencer.descriptor": Counter({_pair(BLOCK["groups"].width + 1, BLOCK["stride"].width + 1): 1})}
    for mem in _TABLES:
        found[f"{mem.name.lower()}_table"] = Counter({_pair(16, max(1, f.table_frac) + 1): m.pass_rows})
    if m.separation:
        found["separation"] = Counter({_pair(DISTANCE_BITS, BETA_BITS): 1}) + \
            Counter({_pair(POWER_FRAC + 1, RECIPROCAL_BITS): 1})
    if m.energy:
        found["energy_sum"] = Counter({_pair(f.error.bits, f.error.bits): m.pass_rows})
    return {f"{TOP}.{name}": n for name, n in (found | _tile(machine)).items()}


def _tile(machine: MachineConfig) -> dict[str, Counter[tuple[int, int]]]:
    """Three a lane: FWD, TRN and UPD of every weight visited in a cycle, and no third one where UPD shares TRN's or
    is not there; and the counting of useful ones. An analog macro multiplies by itself."""
    m, f = machine, machine.formats
    cells = m.row_tiles * m.lanes * (m.weight_words if m.kind.array else 1)
    three = Counter({_pair(f.weight.bits, f.activity.bits): cells})
    learns = f.activity.bits + (0 if m.kind.array else FINEST)
    second = max(f.weight.bits, learns) if m.updates == "shared" else f.weight.bits
    three += Counter({_pair(second, f.error.bits): cells})
    if m.updates == "own":
        three += Counter({_pair(f.error.bits, learns): cells})
    if m.kind.array:
        counted = {"tile": Counter({(20, 20): 3})}
        return counted if m.kind.macro else counted | {"tile.crossbar": three}
    rows = m.pass_rows.bit_length()  # the number of W bits
    return {"tile": three + Counter({_pair(rows, m.lanes.bit_length()): 2})}


def _halves(wide: int, narrow: int, *, signed: bool) -> list[tuple[int, int]]:
    """Multipliers of the halves of a signed operand, of which the lower is unsigned, and another operand."""
    low = min(LOW_HALF, wide - 1)
    return [_pair(low + signed, narrow), _pair(wide - low, narrow + (not signed))]


def _pair(a: int, b: int) -> tuple[int, int]:
    return max(a, b), min(a, b)


def registers() -> dict[str, tuple[int, int]]:
    """Bits and reset value of every register that holds what the host wrote."""
    narrow = {"control": len(Control), "beta": BETA_BITS, "gain": 8, "rate": 5}
    return {name: (narrow.get(name.rstrip("0123456789"), 32), r.reset)
            for name, r in REGISTERS.items() if r.access is not Access.READ}


def written() -> dict[str, set[int]]:
    """The byte address at which each of them is written."""
    return {name: {REGISTERS[name].address} for name in registers()}


def readable() -> dict[int, str]:
    """Every readable byte address but those of counters, which are a memory, with what it shows: a register or
    'status word'."""
    counters = range(COUNTER_BASE, counter_address(len(COUNTERS)))
    return {r.address: name if r.access is Access.READ_WRITE else "status word"
            for name, r in REGISTERS.items() if r.access is not Access.COMMAND and r.address not in counters}
