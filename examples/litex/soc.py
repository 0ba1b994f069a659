"""A LiteX system: VexRiscv, the machine of a kit on AXI4-Lite, and a DMA for each of its streams. The processor trains
the kit's samples with the kit's own driver and compares the weights.

    pip install 'hebbar[litex]'
    hebbar verilog tiny --out kit
    python soc.py kit                # builds the system, runs it in LiteX's Verilator simulator; prints PASS
    python ulx3s.py kit              # the same system as a bitstream for a board

LiteX's simulator is a C program that needs the headers of json-c and libevent (Debian: apt-get install -y libjson-c-dev
libevent-dev zlib1g-dev) and `verilator` on PATH. Nothing of Hebbar is imported: this file and its neighbours are yours.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from litex.build.generic_platform import Pins, Subsignal
from litex.build.io import CRG
from litex.build.sim import SimPlatform
from litex.build.sim.config import SimConfig
from litex.gen import LiteXModule
from litex.soc.cores.dma import WishboneDMAReader, WishboneDMAWriter
from litex.soc.integration.export import get_csr_header
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCCore
from litex.soc.interconnect import axi, wishbone
from litex.soc.interconnect.csr import CSRStatus, CSRStorage
from migen import ClockSignal, Instance, ResetSignal, Signal

HERE = Path(__file__).parent
BASE = 0x90000000
"""Where the registers of the machine are: in the region that VexRiscv does not cache."""
ROM, RAM = 0x40000, 0x10000
TRIPLE = ("-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+i", "-mabi=ilp32")
IO = [("sys_clk", 0, Pins(1)), ("sys_rst", 0, Pins(1)),
      ("serial", 0, Subsignal("source_valid", Pins(1)), Subsignal("source_ready", Pins(1)),
       Subsignal("source_data", Pins(8)), Subsignal("sink_valid", Pins(1)), Subsignal("sink_ready", Pins(1)),
       Subsignal("sink_data", Pins(8)))]


class Machine(LiteXModule):
    """The machine with its DMAs. CSRs: ``reset``; ``reader`` and ``writer`` as LiteX has them; ``pending``: beats that
    the reader has fetched and the machine has not taken."""

    def __init__(self, platform, kit, top):
        self.registers = axi.AXILiteInterface(data_width=32, address_width=32)
        self.reader = WishboneDMAReader(wishbone.Interface(data_width=32), endianness="big", with_csr=True)
        self.writer = WishboneDMAWriter(wishbone.Interface(data_width=32), endianness="big", with_csr=True)
        self._reset = CSRStorage(description="1 holds the machine in reset")
        self._pending = CSRStatus(description="1 while the reader has beats for the machine")
        lite, source, sink = self.registers, self.reader.source, self.writer.sink
        self.comb += self._pending.status.eq(source.valid)
        ports = {"i_clk": ClockSignal(), "i_rst": ResetSignal() | self._reset.storage,
                 "i_s_axis_tvalid": source.valid, "i_s_axis_tdata": source.data, "i_s_axis_tlast": source.last,
                 "o_s_axis_tready": source.ready, "o_m_axis_tvalid": sink.valid, "o_m_axis_tdata": sink.data,
                 "o_m_axis_tlast": sink.last, "i_m_axis_tready": sink.ready,
                 "o_barrier": Signal(), "o_barrier_pc": Signal(13)}
        for channel, payload, side in (("aw", "addr prot", "i"), ("w", "data strb", "i"), ("b", "resp", "o"),
                                       ("ar", "addr prot", "i"), ("r", "data resp", "o")):
            bus = getattr(lite, channel)
            other = "io".replace(side, "")
            ports |= {f"{side}_s_axil_{channel}valid": bus.valid, f"{other}_s_axil_{channel}ready": bus.ready}
            for name in payload.split():
                value = 0 if name == "prot" else getattr(bus, name)
                ports[f"{side}_s_axil_{channel}{name}"] = value[:12] if name == "addr" else value
        self.specials += Instance(top, **ports)
        platform.add_source(str(kit / f"{top}.v"))


class System(SoCCore):
    """Processor, memories, a serial port, the machine; ``clocks`` has the clock domain ``sys`` of ``hertz``, ``uart``
    is what LiteX calls ``uart_name`` and takes with it."""

    def __init__(self, platform, clocks, hertz, kit, top, **uart):
        self.crg = clocks
        super().__init__(platform, clk_freq=int(hertz), cpu_type="vexriscv", cpu_variant="minimal",
                         integrated_rom_size=ROM, integrated_sram_size=RAM,
                         ident="Hebbar", with_timer=False, **uart)
        self.machine = Machine(platform, kit, top)
        self.bus.add_slave("machine", self.machine.registers, SoCRegion(origin=BASE, size=0x1000, cached=False))
        self.bus.add_master("reader", self.machine.reader.bus)
        self.bus.add_master("writer", self.machine.writer.bus)

    def load(self, kit, top, folder):
        """Compile the program against the addresses of this system, and put it into the ROM, which is cut to it."""
        self.finalize()
        csr = get_csr_header(self.csr_regions, self.constants, with_access_functions=False)
        self.init_rom("rom", firmware(kit, top, folder, csr))


def top_of(kit):
    """The name that a kit's machine and files have."""
    return json.loads((kit / "kit.json").read_text())["top"]


def firmware(kit, top, folder, csr):
    """Compile the kit's driver and program for the processor; the words of its ROM."""
    (folder / "csr.h").write_text(csr)
    sources = [HERE / "start.S", HERE / "board.c", *(kit / f"{top}_{name}.c" for name in ("driver", "kit", "main"))]
    command = [sys.executable, "-m", "ziglang", "cc", *TRIPLE, "-std=c99", "-Os", "-Wall", "-Wextra", "-ffreestanding",
               "-fno-builtin", f"-I{folder}", f"-I{HERE}", f"-I{kit}", f"-DMACHINE_BASE={BASE:#x}u",
               f'-DDRIVER="{top}_driver.h"', f"-T{HERE / 'link.ld'}", "-o", folder / "program.elf", *sources]
    subprocess.run(list(map(str, command)), check=True)
    subprocess.run([sys.executable, "-m", "ziglang", "objcopy", "-O", "binary", folder / "program.elf",
                    folder / "program.bin"], check=True)
    image = (folder / "program.bin").read_bytes()
    image += bytes(-len(image) % 4)
    return [int.from_bytes(image[i:i + 4], "little") for i in range(0, len(image), 4)]


def arguments(text):
    """What every system of a kit is told: the kit, and where the system is built."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kit", type=Path, help="the folder of hebbar verilog")
    parser.add_argument("--build", type=Path, default=Path("build"), help="where the system is built")
    return parser


def main():
    """Make the system and the program in it, and run it."""
    options = arguments(__doc__).parse_args()
    kit, folder = options.kit.resolve(), options.build.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    platform, top = SimPlatform("SIM", IO), top_of(kit)
    system = System(platform, CRG(platform.request("sys_clk")), 1e6, kit, top, uart_name="sim")
    platform.add_debug(system)  # its CSR ends the simulation
    system.load(kit, top, folder)
    config = SimConfig(default_clk="sys_clk")
    config.add_module("serial2console", "serial")
    system.build(build_dir=str(folder / "gateware"), sim_config=config, interactive=False, opt_level="O1")


if __name__ == "__main__":
    main()
