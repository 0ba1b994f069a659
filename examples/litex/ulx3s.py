"""The system of soc.py as a bitstream for the board ULX3S with an ECP5-85F. At power-up, and again for each byte on the
serial port of its USB socket, the board trains the kit's samples, compares the weights and prints PASS (115200 baud).

    pip install 'hebbar[litex,synth]'
    hebbar verilog tiny --out kit
    hebbar synth tiny --out synth                             # what the core takes alone
    python ulx3s.py kit --synth synth/result.json             # build/ulx3s.bit, and both beside each other
    openFPGALoader -b ulx3s build/ulx3s.bit                   # until the next power-up

Ends with 0 and a bitstream, with 1 and none where the clock is not met, with 3 where a program is missing. Nothing of
Hebbar is imported: this file and its neighbours are yours.
"""

import sys
from pathlib import Path

import bitstream
from litex.build.generic_platform import IOStandard, Pins
from litex.gen import LiteXModule
from litex.soc.cores.clock import ECP5PLL
from litex_boards.platforms.radiona_ulx3s import Platform
from migen import ClockDomain, Signal
from soc import System, arguments, top_of

NAME = "ulx3s"
DEVICE = ("--85k", "--package", "CABGA381", "--speed", "6")
# The platform has another pin of the ESP32, its enable, under the name wifi_gpio0; this is that of the board's own file
# (github.com/emard/ulx3s, doc/constraints/ulx3s_v20.lpf).
ESP32 = [("esp32_gpio0", 0, Pins("L2"), IOStandard("LVCMOS33"))]
CRYSTAL = 25e6
"""Hertz of the oscillator on the board."""


class Clocks(LiteXModule):
    """The clock of the system from the crystal by a PLL; the button FIRE 1 holds all of it in reset."""

    def __init__(self, platform, hertz):
        self.rst = Signal()
        self.cd_sys = ClockDomain()
        self.pll = ECP5PLL()
        self.comb += self.pll.reset.eq(platform.request("rst") | self.rst)
        self.pll.register_clkin(platform.request("clk25"), CRYSTAL)
        self.pll.create_clkout(self.cd_sys, hertz)
        self.comb += platform.request("esp32_gpio0").eq(1)  # else the board's ESP32 may load a bitstream of its own


def main():
    """Write the system as Verilog with its pins, make the bitstream of it, and say what it takes."""
    parser = arguments(__doc__)
    parser.add_argument("--clock", type=float, default=50.0, help="MHz of the system, 10 to 200; a PLL makes it of 25")
    parser.add_argument("--baud", type=int, default=115200, help="of the serial port")
    parser.add_argument("--seed", type=int, default=1, help="of placing")
    parser.add_argument("--synth", type=Path, help="the record of hebbar synth on the same configuration")
    parser.add_argument("--verilog", action="store_true", help="stop at the Verilog and the pins")
    options = parser.parse_args()
    if not 10 <= options.clock <= 200:
        parser.error(f"--clock is {options.clock:g} MHz; the system takes 10 to 200.")
    kit, folder = options.kit.resolve(), options.build.resolve()
    alone = bitstream.recorded(options.synth) if options.synth else {}
    folder.mkdir(parents=True, exist_ok=True)
    platform, hertz = Platform("LFE5U-85F"), 1e6 * options.clock
    platform.add_extension(ESP32)
    system = System(platform, Clocks(platform, hertz), hertz, kit, top_of(kit), uart_name="serial",
                    uart_baudrate=options.baud)
    system.load(kit, top_of(kit), folder)
    system.build(build_dir=str(folder), build_name=NAME, run=False)
    sources = [Path(source[0]) for source in platform.sources]  # LiteX has put the system itself among them
    if options.verilog:
        print(*sources, folder / f"{NAME}.lpf", sep="\n")
        return 0
    return bitstream.build(NAME, sources, DEVICE, folder, alone, options.seed)


if __name__ == "__main__":
    sys.exit(main())
