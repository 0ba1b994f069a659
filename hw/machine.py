"""The machine: sequencer, tile, neuron unit, memories and buses put together."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from hebbar.contract.beside import BESIDE
from hebbar.contract.counters import CAUSES
from hebbar.contract.geometry import ports
from hebbar.contract.isa import GAINS, LOOP_REGISTERS
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import Mem, Port
from hebbar.contract.registers import IDENTITY, RATES, VERSION, Control, Status, build, built
from hebbar.contract.tiles import classes

from .analog_macro import macro_ports
from .bank import Bank
from .bus import AXI_LITE, Bus
from .counters import Counters
from .energy_sum import EnergySum
from .feedback_sums import FeedbackSums
from .fixed import named, pipe
from .neuron import Neuron
from .separation import Separation
from .sequencer import Sequencer
from .streamer import AXI_STREAM, Streamer
from .table import Table
from .tile import Shapes, word_of, write_part, write_rows

__all__ = ["Machine", "TILES"]

TILES: dict[str, type[wiring.Component]] = classes("hw")
"""The class of each kind of ``hebbar.contract.tiles``."""


class Machine(wiring.Component):
    """The accelerator of one configuration.

    Latency and throughput of a program: ``hebbar.compiler.cycles``. With an analog macro its pins are ports too.

    Parameters
    ----------
    machine : MachineConfig
        Formats, sizes, the kind of the tile and which of the units there are.

    Attributes
    ----------
    s_axil_* : see hw.bus.Bus
    s_axis_* : see hw.streamer.Streamer
    m_axis_* : see hw.streamer.Streamer
    barrier : Signal(1), out
        Flips where nothing is in flight, after a WAIT or HALT: every memory must equal the golden model.
    barrier_pc : Signal(13), out
        The address of that instruction.
    macro_* : see hebbar.contract.pins.pins
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine = machine
        super().__init__(AXI_LITE | AXI_STREAM | {"barrier": Out(1), "barrier_pc": Out(13)} | macro_ports(machine))

    def elaborate(self, platform):
        m, config, known = Module(), self.machine, ports(self.machine)
        self._separates, self._separated, self._clearing = (
            Signal(name=name) for name in ("separates", "separated", "clearing"))
        m.submodules.bus = self.bus = Bus(config.counters)
        m.submodules.streamer = self.streamer = Streamer(config)
        m.submodules.sequencer = self.sequencer = Sequencer(config)
        m.submodules.tile = self.tile = TILES[config.tile](config)
        m.submodules.neuron = self.neuron = Neuron(config)
        m.submodules.feedback_sums = self.feedback_sums = FeedbackSums(config)
        # Where a word has several row groups, one of them is read while another is written.
        rows, exact, wide = (Mem.STATE, Mem.ERROR), config.parts > 1, config.pass_rows
        self.banks = {mem: Bank(known[mem], 1, exact and mem in rows, writable=mem in rows, beside=mem in BESIDE)
                      for mem in (*rows, Mem.CLAMP, Mem.PROGRAM, Mem.BLOCK, Mem.MAP)}
        # POST reads rows of a word while ACT writes others of it.
        self.banks[Mem.ACTIVITY] = Bank(known[Mem.ACTIVITY], readers=2, exact=True, beside=True)
        for mem, bank in self.banks.items():
            m.submodules[f"{mem.name.lower()}_memory"] = bank
        bases = Port(config.row_words, wide, config.row_sum_bits, 1, True)
        m.submodules.base_memory = self.base = Bank(bases, exact=exact)
        self.function = Table(config.formats, config.formats.activity, known[Mem.FUNCTION], wide)
        self.derivative = Table(config.formats, config.formats.derivative, known[Mem.DERIVATIVE], wide)
        m.submodules.function_table, m.submodules.derivative_table = self.function, self.derivative
        self._outer(m)
        self._control(m)
        self._host(m)
        self._rows(m)
        self._neuron_writes(m)
        self._clear(m, [self.base, *(self._integrals(m) if config.integral else ())])
        # An error and a state can be clipped in two stages, so of two groups of rows in a cycle.
        most = {"steps": 1, "activations": 1, "sat_error": 2, "sat_state": 2, "sat_feedback": 1}
        self._rows_counted = {n: getattr(self.neuron, n)[:(k * wide).bit_length()] for n, k in most.items()}
        for wanted, part in ((config.separation, self._separation), (config.energy, self._energy),
                             (config.counters, self._count)):
            if wanted:
                part(m)
        return m

    def _outer(self, m: Module) -> None:
        for unit, wires in ((self.bus, AXI_LITE), (self.streamer, AXI_STREAM), (self.tile, macro_ports(self.machine))):
            for name, member in wires.items():
                inner, outer = getattr(unit, name), getattr(self, name)
                m.d.comb += inner.eq(outer) if member.flow is In else outer.eq(inner)
        m.d.comb += [self.barrier.eq(self.sequencer.barrier), self.barrier_pc.eq(self.sequencer.barrier_pc)]

    def _control(self, m: Module) -> None:
        """Registers, program and descriptors, sweeps to the tile."""
        bus, seq, config = self.bus, self.sequencer, self.machine
        command = {c: (bus.control & c).any() for c in Control}
        m.d.comb += [
            bus.identity.eq(IDENTITY), bus.version.eq(VERSION),
            bus.geometry.eq(Cat(Const(config.lanes, 8), Const(config.row_tiles, 8), Const(config.kind.code, 8),
                                Const(built(config), 8))),
            bus.weight_words.eq(config.weight_words), bus.neuron_words.eq(config.neuron_words),
            bus.max_columns.eq(config.max_columns), bus.build.eq(build(config)),
            bus.status.eq(Mux(seq.running, Status.RUNNING, 0)
                          | Mux(self.streamer.active, Status.STREAMING, 0)
                          | Mux(seq.fault, Status.FAULT, 0) | Mux(seq.aborted, Status.ABORTED, 0)),
            bus.cause.eq(seq.cause), bus.pc.eq(seq.pc), bus.locked.eq(seq.running),
            bus.startable.eq(~seq.running & ~seq.aborted & self.streamer.free),
            seq.start.eq(command[Control.START]), seq.stop.eq(command[Control.STOP]),
            seq.clear.eq(command[Control.CLEAR]), seq.entry.eq(bus.entry), seq.watchdog.eq(bus.watchdog),
            *(seq.loops[i].eq(getattr(bus, f"loop{i}")) for i in range(LOOP_REGISTERS)),
            *(self.neuron.gains[i].eq(getattr(bus, f"gain{i}")) for i in range(GAINS)),
            *(self.tile.rates[i].eq(getattr(bus, f"rate{i}")) for i in range(RATES))]
        program, block = self.banks[Mem.PROGRAM], self.banks[Mem.BLOCK]
        m.d.comb += [
            program.read_address[0].eq(seq.program_address), seq.word.eq(program.read_data[0]),
            block.read_address[0].eq(seq.block_address), seq.block.eq(block.read_data[0].as_value()),
            seq.hold.eq(self._clearing),
            seq.idle.eq(self.tile.idle & ~self.neuron.busy & ~self._separates & ~self._clearing),
            seq.progress.eq(self.tile.issue | self.tile.slot | self._clearing | self.streamer.moving | self._separates)]
        connect(m, seq.sweep, self.tile.sweep)

    def _host(self, m: Module) -> None:
        """Every memory on the stream, one of them selected."""
        seq, streamer = self.sequencer, self.streamer
        m.d.comb += [
            # A packet offered beside START is already the program's.
            streamer.running.eq(seq.running | seq.start), streamer.aborted.eq(seq.aborted),
            streamer.transfer.eq(seq.transfer), streamer.transfer_out.eq(seq.transfer_out),
            streamer.transfer_word.eq(seq.transfer_word), seq.transfer_done.eq(streamer.done),
            seq.transfer_fault.eq(streamer.fault), seq.leftover.eq(streamer.leftover),
            # No other memory has a beat with several neurons of an IN.
            self.banks[Mem.ACTIVITY].host.padding.eq(streamer.host.padding)]
        hosts = {mem: bank.host for mem, bank in self.banks.items()} | {
            Mem.WEIGHT: self.tile.host, Mem.FUNCTION: self.function.host, Mem.DERIVATIVE: self.derivative.host}
        with m.Switch(streamer.memory):
            for mem, host in hosts.items():
                m.d.comb += [getattr(host, n).eq(getattr(streamer.host, n))
                             for n in ("address", "sub", "write", "read", "beat")]
                # A beat comes late in a cycle, three behind its name. What packets alone reach waits for none of them.
                if mem > Mem.CLAMP:
                    m.d.sync += host.select.eq(Cat(streamer.memory, streamer.running) == mem)
                else:
                    chosen = pipe(m, streamer.memory == mem, 1, f"{mem.name.lower()}_named")[1]
                    m.d.comb += host.select.eq(streamer.host.select & chosen)
                with m.Case(mem):
                    m.d.comb += [streamer.host.ready.eq(host.ready), streamer.host.read_beat.eq(host.read_beat)]

    def _rows(self, m: Module) -> None:
        """Tile and neuron unit: what each reads, and rows and errors between them."""
        tile, neuron, banks = self.tile, self.neuron, self.banks
        m.d.comb += [
            banks[Mem.MAP].read_address[0].eq(tile.map_address),
            tile.map.eq(banks[Mem.MAP].read_data[0].as_value()),
            banks[Mem.ACTIVITY].read_address[0].eq(tile.activity_address),
            tile.activity.eq(banks[Mem.ACTIVITY].read_data[0]),
            neuron.row_valid.eq(tile.row_valid), neuron.row.eq(tile.row), neuron.sums.eq(tile.sums),
            tile.error_valid.eq(neuron.error_valid), tile.error_row.eq(neuron.error_row), tile.error.eq(neuron.error),
            self.base.read_address[0].eq(word_of(tile.early_group, self.machine)),
            banks[Mem.STATE].read_address[0].eq(neuron.state_group), neuron.state.eq(banks[Mem.STATE].read_data[0]),
            banks[Mem.CLAMP].read_address[0].eq(neuron.state_group), neuron.clamp.eq(banks[Mem.CLAMP].read_data[0]),
            banks[Mem.ERROR].read_address[0].eq(neuron.error_group), neuron.old_error.eq(banks[Mem.ERROR].read_data[0]),
            banks[Mem.ACTIVITY].read_address[1].eq(neuron.neuron_word),
            neuron.old_activity.eq(banks[Mem.ACTIVITY].read_data[1]),
            self.feedback_sums.valid.eq(tile.back_valid), self.feedback_sums.early_word.eq(tile.early_word),
            self.feedback_sums.overwrite.eq(tile.feedback_overwrite), self.feedback_sums.sums.eq(tile.feedback_sums),
            self.feedback_sums.read_word.eq(neuron.neuron_word), neuron.back.eq(self.feedback_sums.read_data)]
        # A block RAM takes half a cycle to answer and a base is added to a sum at once: a register between them.
        base = Signal(Shapes(self.machine).bases, name="base_read", reset_less=True)
        m.d.sync += base.eq(self.base.read_data[0])
        m.d.comb += neuron.base.eq(base)
        for table, name in ((self.function, "function"), (self.derivative, "derivative")):
            m.d.comb += [table.function.eq(getattr(neuron, f"{name}_table")), getattr(neuron, name).eq(table.out),
                         table.state.eq(getattr(neuron, f"{name}_state"))]

    def _neuron_writes(self, m: Module) -> None:
        neuron = self.neuron
        for bank, write in ((self.banks[Mem.STATE], neuron.write_state), (self.base, neuron.write_base),
                            (self.banks[Mem.ERROR], neuron.write_error)):
            m.d.comb += write_rows(bank, write, self.machine.row_tiles)
        write_part(m, self.banks[Mem.ACTIVITY], neuron.write_activity, self.machine.row_tiles)

    def _integrals(self, m: Module) -> list[Bank]:
        """The memory of integrals, a second state word a neuron."""
        m.submodules.integral_memory = self.integral = bank = Bank(self.banks[Mem.ERROR].port, exact=self.base.exact)
        m.d.comb += [bank.read_address[0].eq(self.neuron.error_group), self.neuron.old_integral.eq(bank.read_data[0]),
                     *write_rows(bank, self.neuron.write_integral, self.machine.row_tiles)]
        return [bank]

    def _clear(self, m: Module, banks: list[Bank]) -> None:
        """A program begins with base, integrals and feedback sums of zero: START walks over them, a word a cycle."""
        rows, words, backs = self.machine.row_words, self.machine.neuron_words, self.feedback_sums
        place = Signal(range(rows))
        with m.If(self.sequencer.start):
            m.d.sync += [self._clearing.eq(1), place.eq(0)]
            m.d.comb += backs.early_word.eq(0)
        with m.Elif(self._clearing):
            m.d.sync += [self._clearing.eq(place != rows - 1), place.eq(place + 1)]
            m.d.comb += [
                *([b.write_address.eq(place), b.write_mask.eq(-1), b.write_data.as_value().eq(0)] for b in banks),
                backs.early_word.eq(place + 1), backs.valid.eq(place < words), backs.overwrite.eq(1), backs.clear.eq(1)]

    def _separation(self, m: Module) -> None:
        """The separation unit: while it works, it has base, state and error memories to itself."""
        seq, state, error = self.sequencer, self.banks[Mem.STATE], self.banks[Mem.ERROR]
        m.submodules.separation = self.separation = unit = Separation(self.machine)
        m.d.comb += [
            unit.start.eq(seq.separate), unit.command.eq(seq.population), seq.separated.eq(unit.done),
            unit.beta.eq(self.bus.beta), unit.base.eq(self.base.read_data[0]),
            unit.state.eq(state.read_data[0]), self._separates.eq(unit.busy), self._separated.eq(unit.rows)]
        with m.If(unit.busy):
            m.d.comb += [bank.read_address[0].eq(unit.group) for bank in (self.base, state)]
            for bank, write in ((state, unit.write_state), (error, unit.write_error)):
                m.d.comb += write_rows(bank, write, self.machine.row_tiles)
        for name in ("sat_error", "sat_state"):
            self._rows_counted[name] = self._rows_counted[name] + getattr(unit, name)

    def _energy(self, m: Module) -> None:
        """The energy sum, fed by the errors that ERR writes."""
        seq, write = self.sequencer, self.neuron.write_error
        m.submodules.energy_sum = self.energy_sum = unit = EnergySum(self.machine)
        m.d.comb += [
            unit.mask.eq(Mux(self.neuron.compares, write.mask, 0)), unit.errors.eq(write.data),
            unit.exit.eq(seq.exit), unit.arm.eq(seq.arm), seq.leave.eq(unit.leave),
            unit.tolerance.eq(self.bus.tolerance), unit.clear.eq(seq.start)]

    def _count(self, m: Module) -> None:
        """Every running cycle belongs to exactly one of the cycle counters."""
        tile, seq, streamer, bus = self.tile, self.sequencer, self.streamer, self.bus
        busy = named(m, tile.issue | tile.slot, "tile_busy")
        moving = seq.streaming & streamer.moving
        stalls = {"stall_in": streamer.stall_in, "stall_out": streamer.stall_out}
        rest = named(m, seq.running & ~busy & ~seq.draining, "neither_busy_nor_draining")
        values = {
            "mac_fwd": tile.mac_fwd, "mac_trn": tile.mac_trn, "mac_upd": tile.mac_upd,
            "weight_reads": tile.reads, "weight_writes": tile.writes, **self._rows_counted,
            "separations": self._separated, "exits": seq.left, "sat_weight": tile.saturated}
        causes = {
            "issue": tile.issue, "bubbles": tile.slot, "drain": seq.draining & ~busy, "stream": rest & moving,
            "separate": rest & seq.separating, "control": rest & ~seq.streaming & ~seq.separating,
            **{name: rest & seq.streaming & stall for name, stall in stalls.items()}}
        m.submodules.counters = self.counters = unit = Counters({name: len(value) for name, value in values.items()})
        m.d.comb += [*(unit.add[name].eq(value) for name, value in values.items()),
                     unit.visits.eq(busy), unit.set.eq(tile.set), unit.causes.eq(Cat(causes[name] for name in CAUSES)),
                     unit.latch.eq((bus.control & Control.LATCH).any()), unit.clear.eq(seq.start),
                     bus.counting.eq(unit.counting), unit.read.eq(bus.counter_read), unit.index.eq(bus.counter_index),
                     bus.counter.eq(unit.value), bus.counter_ready.eq(unit.ready)]
