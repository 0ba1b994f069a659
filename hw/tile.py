"""The tile contract: what the machine sees of an array of weights, however it is built.

The sequencer hands over sweeps; the tile hands rows to the neuron unit, takes their errors back,
adds into the feedback sums of the sources, and keeps the weights. Two implementations have this
signature: ``hw.row_engine`` and ``hw.array_macro``.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.fifos import entry_bits, group_bits
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import BLOCK, MAP
from hebbar.contract.registers import RATES

from .bank import Bank, HostPort

__all__ = ["Shapes", "GroupWrite", "TileSignature", "write_rows", "write_part", "rows_in_use", "mac_count",
           "part_of_word", "word_of"]


class Shapes:
    """The shapes that the blocks of one machine exchange."""

    def __init__(self, machine: MachineConfig) -> None:
        f, tiles, lanes, rows = machine.formats, machine.row_tiles, machine.lanes, machine.pass_rows
        self.map = data.StructLayout({n: unsigned(x.width) for n, x in MAP.items()})
        self.entry = data.StructLayout({n: unsigned(entry_bits(machine)[n]) for n in MAP})
        self.sums = data.ArrayLayout(signed(f.row_sum.bits), tiles)
        self.errors = data.ArrayLayout(signed(f.error.bits), tiles)
        self.bases = data.ArrayLayout(signed(f.row_sum.bits), rows)
        self.error_words = data.ArrayLayout(signed(f.error.bits), rows)
        self.states = data.ArrayLayout(signed(f.state.bits), rows)
        self.activities = data.ArrayLayout(signed(f.activity.bits), lanes)
        self.backs = data.ArrayLayout(signed(f.feedback_sum.bits), lanes)
        self.row_activities = data.ArrayLayout(signed(f.activity.bits), rows)
        self.derivatives = data.ArrayLayout(signed(f.derivative.bits), rows)
        self.columns = data.ArrayLayout(data.StructLayout(
            {"activity": self.activities, "entry": self.map, "rate": 5, "self_connection": signed(20)}),
            machine.array_stride)
        self.line_errors = data.ArrayLayout(self.errors, machine.array_rows // tiles)
        # A row engine visits one word a cycle, a macro every weight it has.
        self.work = unsigned(machine.kind.cells.bit_length()) if machine.kind.array else range(tiles * lanes + 1)
        self.command = data.StructLayout(
            {"flags": machine.sweep_flags, "gain": 2, **{n: x.width for n, x in BLOCK.items()}})
        self.tag = data.StructLayout(
            {"flags": machine.sweep_flags, "gain": 2, **{n: BLOCK[n].width for n in ("function", "precision", "align")},
             "group": group_bits(machine), "valid_rows": rows, "first": 1})


class GroupWrite(wiring.Signature):
    """A write of one value a row.

    Parameters
    ----------
    values : ArrayLayout
        One value for each of the W rows of a word.

    Members
    -------
    group : Out(14)
        The word.
    mask : Out(W)
        Which of its rows are written, at the clock edge.
    data : Out(self.values)
        Their new values.
    """

    def __init__(self, values: data.ArrayLayout) -> None:
        self.values = values
        super().__init__({"group": Out(BLOCK["group_base"].width), "mask": Out(values.length), "data": Out(values)})


class TileSignature(wiring.Signature):
    """Ports of a tile.

    Parameters
    ----------
    machine : MachineConfig
        Formats, P row tiles, C lanes.

    Members
    -------
    sweep : In(stream.Signature(Shapes.command))
        The next sweep: flags, gain and block descriptor.
    idle : Out(1)
        Nothing is in flight inside the tile.
    map_address, activity_address : Out(12)
        The map entry and the word of activities that are read.
    map, activity : In(Shapes.map), In(Shapes.activities)
        Both, a cycle after their address.
    early_group : Out(14)
        The row group whose sums may leave two cycles later: its base is read.
    row_valid : Out(1)
        ``row`` and ``sums`` are those of a row group, two cycles after its ``early_group``.
    row : Out(Shapes.tag)
        Flags and descriptor, the number of the row group and which of its rows are in use.
    sums : Out(Shapes.sums)
        Its row sums.
    error_valid : In(1)
        ``error_row`` and ``error`` are those of a row group, ERROR_LATENCY cycles after its ``row_valid``.
    error_row : In(Shapes.tag)
        What ``row`` was.
    error : In(Shapes.errors)
        What TRN and UPD take for it.
    early_word : Out(12)
        The word that the feedback sums of the next cycle are added to: it is read.
    back_valid : Out(1)
        ``feedback_sums`` are added to that word.
    feedback_overwrite : Out(1)
        They replace it.
    feedback_sums : Out(Shapes.backs)
        A sum over the rows for each of its C neurons.
    rates : In(ArrayLayout(5, RATES))
        Shifts of the update; a map entry names one.
    issue, slot : Out(1)
        A cycle of a sweep that visits weights, and of one that does not.
    set : Out(4)
        Which of ``hebbar.contract.isa.ISSUE_FLAGS`` the sweep has.
    mac_fwd, mac_trn, mac_upd : Out(Shapes.work)
        Useful products; what is counted comes up to two cycles after the work.
    reads, writes : Out(Shapes.work)
        Useful weights that are read and written in this cycle.
    saturated : Out(Shapes.work)
        Weights that were clipped.
    host : In(HostPort())
        The weight memory on the stream.
    """

    def __init__(self, machine: MachineConfig) -> None:
        s = Shapes(machine)
        super().__init__({
            "sweep": In(stream.Signature(s.command)),
            "idle": Out(1),
            "map_address": Out(MAP["source"].width), "map": In(s.map),
            "activity_address": Out(MAP["source"].width), "activity": In(s.activities),
            "early_group": Out(BLOCK["group_base"].width),
            "row_valid": Out(1), "row": Out(s.tag), "sums": Out(s.sums),
            "error_valid": In(1), "error_row": In(s.tag), "error": In(s.errors),
            "early_word": Out(MAP["source"].width), "back_valid": Out(1), "feedback_overwrite": Out(1),
            "feedback_sums": Out(s.backs),
            "rates": In(data.ArrayLayout(5, RATES)),
            "issue": Out(1), "slot": Out(1), "set": Out(4),
            **{name: Out(s.work) for name in ("mac_fwd", "mac_trn", "mac_upd", "reads", "writes", "saturated")},
            "host": In(HostPort())})


def write_rows(bank: Bank, write: wiring.PureInterface, tiles: int) -> list:
    """A GroupWrite to a memory whose words have W rows."""
    return [bank.write_address.eq(write.group), bank.write_mask.eq(write.mask), bank.write_data.eq(write.data),
            *_first(bank, write, tiles)]


def write_part(m: Module, bank: Bank, write: wiring.PureInterface, tiles: int) -> None:
    """A GroupWrite to a memory whose words have C lanes: the W rows are a part of one."""
    rows, lanes = len(write.mask), len(bank.write_mask)
    part_bits = (lanes // rows - 1).bit_length()
    part = Signal(max(1, part_bits))
    m.d.comb += [part.eq(write.group[:part_bits]), bank.write_address.eq(write.group >> part_bits),
                 *_first(bank, write, tiles)]
    for lane in range(lanes):
        m.d.comb += [bank.write_data[lane].eq(write.data[lane % rows]),
                     bank.write_mask[lane].eq(write.mask[lane % rows] & (part == lane // rows))]


def _first(bank: Bank, write: wiring.PureInterface, tiles: int) -> list:
    """The unit has a memory before the host, where they take turns. Whichever groups of P rows among W are written, the
    first row of each is in use."""
    return [bank.writes.eq(write.mask[::tiles].any())] if bank.beside and bank.writable else []


def rows_in_use(last_rows: Value, last_group: Value, tiles: int) -> Value:
    """Mask of the rows in use of a row group: all of them, in the last group ``last_rows``."""
    return Cat(~last_group | (last_rows > i) for i in range(tiles))


def mac_count(rows: Value, lanes: Value, enable: Value) -> Value:
    """Useful weights of a word: rows in use times lanes in use, zero unless enabled."""
    return Mux(enable, rows * lanes, 0)


def word_of(group: Value, machine: MachineConfig) -> Value:
    """The word of W rows that a row group is a part of."""
    return group >> machine.part_bits if machine.parts > 1 else group


def part_of_word(m: Module, word: data.View, group: Value, row: int, tiles: int, name: str) -> Value:
    """The element of row ``row`` of a group in the word of C neurons that holds the group."""
    lanes = len(word)
    if tiles == lanes:
        return word[row]
    picked = Signal(word[row].shape(), name=f"{name}_picked")
    with m.Switch(group[:(lanes // tiles - 1).bit_length()]):
        for part in range(lanes // tiles):
            with m.Case(part):
                m.d.comb += picked.eq(word[part * tiles + row])
    return picked
