"""The tile contract: what the machine sees of an array of weights, however it is built.

The sequencer hands over sweeps; the tile hands rows to the neuron unit, takes their errors back,
adds into the back sums of the sources, and keeps the weights. Two implementations have this
signature: ``hw.row_engine`` and ``hw.array_macro``.
"""

from amaranth.hdl import Cat, Mux, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hebbar.isa import Sweep
from hebbar.machine import MachineConfig
from hebbar.memories import BLOCK, MAP
from hebbar.registers import RATES

from .bank import HostPort

__all__ = ["Shapes", "TileSignature", "live_rows", "mac_count"]


class Shapes:
    """The shapes that the blocks of one machine exchange."""

    def __init__(self, machine: MachineConfig) -> None:
        f, tiles, lanes = machine.formats, machine.row_tiles, machine.lanes
        self.map = data.StructLayout({n: unsigned(x.width) for n, x in MAP.items()})
        self.sums = data.ArrayLayout(signed(f.row_sum.bits), tiles)
        self.errors = data.ArrayLayout(signed(f.error.bits), tiles)
        self.states = data.ArrayLayout(signed(f.state.bits), tiles)
        self.activities = data.ArrayLayout(signed(f.activity.bits), lanes)
        self.backs = data.ArrayLayout(signed(f.back_sum.bits), lanes)
        self.columns = data.ArrayLayout(data.StructLayout(
            {"activity": self.activities, "entry": self.map, "rate": 5, "own": signed(20)}), machine.array_stride)
        self.line_errors = data.ArrayLayout(self.errors, machine.array_rows // tiles)
        self.command = data.StructLayout(
            {"flags": len(Sweep), "gain": 2, **{n: x.width for n, x in BLOCK.items()}})
        self.tag = data.StructLayout(
            {"flags": len(Sweep), "gain": 2, **{n: BLOCK[n].width for n in ("function", "precision", "align")},
             "group": BLOCK["group_base"].width, "live": tiles, "first": 1})


class TileSignature(wiring.Signature):
    """Ports of a tile.

    * ``sweep``: commands, ready/valid. ``idle``: nothing is in flight inside the tile.
    * ``map_address``/``map``, ``activity_address``/``activity``: memory reads, one cycle latency.
    * ``early_group``, then one cycle later ``row_valid`` with ``row`` (tag) and ``sums``.
    * ``error``: what TRN and UPD take for a row, one cycle after ``row_valid``.
    * ``back_*``: add ``back_sums`` to word ``back_word`` (``back_fresh``: replace it).
    * ``rates``: update shifts. Counts of this cycle: ``issue`` (weights are visited), ``slot`` (a
      row without weights), ``set`` (flag set of the sweep), ``mac_*``, ``reads``, ``writes``,
      ``saturated``.
    * ``host``: the weight memory on the stream.
    """

    def __init__(self, machine: MachineConfig) -> None:
        s = Shapes(machine)
        super().__init__({
            "sweep": In(wiring.Signature({
                "payload": Out(s.command), "valid": Out(1), "ready": In(1)})),
            "idle": Out(1),
            "map_address": Out(MAP["source"].width), "map": In(s.map),
            "activity_address": Out(MAP["source"].width), "activity": In(s.activities),
            "early_group": Out(BLOCK["group_base"].width),
            "row_valid": Out(1), "row": Out(s.tag), "sums": Out(s.sums),
            "error": In(s.errors),
            "back_valid": Out(1), "back_word": Out(MAP["source"].width), "back_fresh": Out(1),
            "back_sums": Out(s.backs),
            "rates": In(data.ArrayLayout(5, RATES)),
            "issue": Out(1), "slot": Out(1), "set": Out(4),
            "mac_fwd": Out(20), "mac_trn": Out(20), "mac_upd": Out(20), "reads": Out(20),
            "writes": Out(20), "saturated": Out(20),
            "host": In(HostPort())})


def live_rows(tail: Value, last_group: Value, tiles: int) -> Value:
    """Mask of the rows in use of a row group: all of them, in the last group ``tail``."""
    return Cat(~last_group | (tail > i) for i in range(tiles))


def mac_count(rows: Value, lanes: Value, enable: Value) -> Value:
    """Useful weights of a word: rows in use times lanes in use, zero unless enabled."""
    return Mux(enable, rows * lanes, 0)
