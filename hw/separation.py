"""The separation unit: softmax or max of the predictions of a population, one neuron a cycle."""

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hebbar.contract.exponentials import (
    BETA_BITS,
    DISTANCE_BITS,
    INDEX_BITS,
    OCTAVES,
    POWER_FRAC,
    POWERS,
    RECIPROCAL_BITS,
    RECIPROCAL_FRAC,
    SeparationTiming,
)
from hebbar.contract.isa import FIELDS, Into, Mode, Op
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import BLOCK

from .fixed import named, pipe, round_half_up, saturate
from .tile import GroupWrite, Shapes

__all__ = ["Separation", "command"]

POWER_BITS = POWER_FRAC + 1


def command(machine: MachineConfig) -> data.StructLayout:
    """What a SEPARATE asks for: so many rows from the first of a row group on."""
    fields = FIELDS[Op.SEPARATE]
    return data.StructLayout({"mode": fields["mode"].width, "into": fields["into"].width,
                              "group": BLOCK["group_base"].width, "rows": max(1, machine.separation.bit_length())})


class Separation(wiring.Component):
    """``p_r = exp(beta s_r) / sum exp(beta s_r)``, or 1 at the first largest s_r and 0 elsewhere.

    The arithmetic is that of ``hebbar.contract.exponentials``; p has the fraction bits of a state. The results:

        e  = sat(x - p)      DIFFERENCE
        e  = sat(p)          ERROR
        x  = sat(p)          STATE, rows clamped or not

    Passes over the rows: ``find`` the largest sum, ``weigh`` them (SOFTMAX), ``share`` the whole among
    them; between the last two ``divide`` takes the reciprocal of the sum of powers. Cycles:
    ``hebbar.contract.exponentials.SeparationTiming``. Throughput: one population at a time.

    Parameters
    ----------
    machine : MachineConfig
        Formats, W rows of a word and ``separation``, the most rows of a population.

    Attributes
    ----------
    start : Signal(1), in
        Begin, in a cycle without ``busy``.
    command : Signal(command(machine)), in
        What is asked for, beside ``start``.
    beta : Signal(BETA_BITS), in
        The BETA register.
    busy : Signal(1), out
        A population is under way.
    done : Signal(1), out
        The last result is written in this cycle.
    group : Signal(14), out
        The word that is read from the base and state memories.
    base, state : Signal(Shapes.bases), Signal(Shapes.states), in
        What they hold, a cycle later.
    write_state : GroupWrite(Shapes.states), out
        A result to the state memory.
    write_error : GroupWrite(Shapes.error_words), out
        A result to the error memory.
    rows : Signal(1), out
        A row gets its result in this cycle.
    sat_error, sat_state : Signal(1), out
        And it is clipped.
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.timing, s = machine, SeparationTiming(), Shapes(machine)
        super().__init__({
            "start": In(1), "command": In(command(machine)), "beta": In(BETA_BITS), "busy": Out(1), "done": Out(1),
            "group": Out(BLOCK["group_base"].width), "base": In(s.bases), "state": In(s.states),
            "write_state": Out(GroupWrite(s.states)), "write_error": Out(GroupWrite(s.error_words)),
            "rows": Out(1), "sat_error": Out(1), "sat_state": Out(1)})

    def elaborate(self, platform):
        m, f = Module(), self.machine.formats
        self._command = Signal(command(self.machine))
        self._best = Signal(signed(f.row_sum.bits))
        self._total = Signal(POWER_BITS + self.machine.separation.bit_length())
        self._reciprocal = Signal(RECIPROCAL_BITS)
        passes = self._passes(m)
        self._read(m, passes)
        self._find(m)
        power = self._weigh(m)
        m.submodules.powers = powers = Memory(shape=POWER_BITS, depth=self.machine.separation, init=[])
        writer, reader = powers.write_port(), powers.read_port()
        weighed = self.timing.weigh
        m.d.comb += [writer.addr.eq(self._at[weighed]), writer.data.eq(power),
                     writer.en.eq(self._on["weigh"][weighed]), reader.addr.eq(self._at[0])]
        with m.If(writer.en):
            m.d.sync += self._total.eq(self._total + power)
        self._divide(m, passes["divide"])
        self._share(m, reader.data)
        return m

    def _passes(self, m: Module) -> dict[str, Value]:
        """Walk through the passes; returns which of them it is in, by name. ``_step`` counts from the
        first cycle of each: the row whose address is out, until there are no more."""
        t, rows = self.timing, self._command.rows
        self._step = Signal(range(self.machine.separation + max(t.find, t.weigh, t.share, RECIPROCAL_BITS)))
        ends = {"find": rows + t.find, "weigh": rows + t.weigh, "divide": Const(RECIPROCAL_BITS),
                "share": rows + t.share}
        # A pass ends when its last row has left the pipeline, not when it is addressed: the next pass needs the result.
        after = {"find": "share", "weigh": "divide", "divide": "share", "share": "idle"}
        with m.FSM() as fsm:
            with m.State("idle"):
                with m.If(self.start):
                    m.d.sync += [self._command.eq(self.command), self._total.eq(0)]
                    m.next = "find"
            for name, end in ends.items():
                with m.State(name):
                    m.d.sync += self._step.eq(self._step + 1)
                    with m.If(self._step + 1 == end):
                        m.d.sync += self._step.eq(0)
                        m.next = after[name]
                        if name == "find":
                            with m.If(self._command.mode == Mode.SOFTMAX):
                                m.next = "weigh"
            m.d.comb += [self.busy.eq(~fsm.ongoing("idle")),
                         self.done.eq(fsm.ongoing("share") & (self._step + 1 == ends["share"]))]
        return {name: fsm.ongoing(name) for name in ends}

    def _read(self, m: Module, passes: dict[str, Value]) -> None:
        """Row ``_at[0]`` is addressed; ``_sum`` and ``_x`` are of row ``_at[2]``."""
        latest, rows = self.timing.weigh, self._command.rows
        self._at = pipe(m, self._step, latest, "at")
        self._on = {name: pipe(m, on & (self._step < rows), latest, name, reset=True) for name, on in passes.items()
                    if name != "divide"}
        # The memories answer a cycle late with a word; the row's lane of it is registered before it is used.
        m.d.comb += self.group.eq(self._place(self._step)[0])
        lane = self._place(self._at[1])[1]
        self._sum, self._x = (pipe(m, word[lane], 1, name)[1]
                              for name, word in (("sum", self.base), ("x", self.state)))

    def _place(self, row: Value) -> tuple[Value, Value]:
        """The word and the lane of a row, counted from the first row group of the population."""
        m, group = self.machine, self._command.group
        lane_bits = (m.pass_rows - 1).bit_length()
        if not lane_bits:
            return group + row, Const(0, 1)
        if m.parts > 1:
            row = row + (group[:m.part_bits] << lane_bits - m.part_bits)
            group = group >> m.part_bits
        return group + (row >> lane_bits), row[:lane_bits]

    def _find(self, m: Module) -> None:
        """Keep the largest sum and where it was first."""
        at = self._at[self.timing.find]
        self._where = Signal(at.shape())
        with m.If(self._on["find"][self.timing.find] & ((at == 0) | (self._sum > self._best))):
            m.d.sync += [self._best.eq(self._sum), self._where.eq(at)]

    def _weigh(self, m: Module) -> Value:
        """The power of row ``_at[weigh]``."""
        f, top = self.machine.formats, (1 << DISTANCE_BITS) - 1
        exact = named(m, round_half_up(self._best - self._sum, f.sum_shift), "exact_distance")
        distance = Signal(DISTANCE_BITS)
        product = Signal(DISTANCE_BITS + BETA_BITS)
        m.d.sync += [distance.eq(Mux(exact > top, top, exact)), product.eq(distance * self.beta)]
        exponent = named(m, round_half_up(product, f.state.frac), "exponent")
        octave = pipe(m, exponent[INDEX_BITS:], 1, "octave")[1]
        m.submodules.exponentials = table = Memory(shape=POWER_BITS, depth=1 << INDEX_BITS, init=POWERS)
        port = table.read_port()
        m.d.comb += port.addr.eq(exponent[:INDEX_BITS])
        return named(m, Mux(octave >= OCTAVES, 0, port.data >> octave[:OCTAVES.bit_length()]), "power")

    def _divide(self, m: Module, dividing: Value) -> None:
        """A bit of ``floor(2**RECIPROCAL_FRAC / _total)`` a cycle. The sum is 2**POWER_FRAC or more, so only the
        last RECIPROCAL_BITS bits can be other than zero; what the places before them leave is known."""
        rest = Signal(len(self._total))
        twice = rest << 1
        bit = named(m, twice >= self._total, "bit")
        with m.If(self.start):
            m.d.sync += rest.eq(1 << RECIPROCAL_FRAC - RECIPROCAL_BITS)
        with m.Elif(dividing):
            m.d.sync += [rest.eq(Mux(bit, twice - self._total, twice)),
                         self._reciprocal.eq(self._reciprocal << 1 | bit)]

    def _share(self, m: Module, power: Value) -> None:
        """Shares and states of row ``_at[2]`` into what is written for row ``_at[share]``."""
        f, command = self.machine.formats, self._command
        at, on = self._at, self._on["share"]
        share = Signal(f.state.frac + 1)
        end = self.timing.share
        product = pipe(m, power * self._reciprocal, 1, "product")[1]
        m.d.comb += share.eq(Mux(command.mode == Mode.MAX, (at[2] == self._where) << f.state.frac,
                                 round_half_up(product, RECIPROCAL_FRAC - f.state.frac)))
        wide = named(m, Mux(command.into == Into.DIFFERENCE, self._x - share, share), "written")
        word, lane = self._place(at[end])
        lane = 1 << lane if self.machine.pass_rows > 1 else Const(1)
        for name, format, chosen in (("state", f.state, command.into == Into.STATE),
                                     ("error", f.error, command.into != Into.STATE)):
            value, clips = saturate(m, wide, format, f"written_{name}")
            value, clips = pipe(m, value, 1, f"new_{name}")[1], pipe(m, clips, 1, f"clips_{name}")[1]
            write = getattr(self, f"write_{name}")
            m.d.comb += [write.group.eq(word), write.mask.eq(Mux(on[end] & chosen, lane, 0)),
                         *(write.data[p].eq(value) for p in range(self.machine.pass_rows)),
                         getattr(self, f"sat_{name}").eq(on[end] & chosen & clips)]
        m.d.comb += self.rows.eq(on[end])
