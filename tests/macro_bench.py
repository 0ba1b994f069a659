"""A real-number model of the macro under Verilator: cycles of pins go in, comparisons and conductances come out."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hebbar.machine import MachineConfig
from hebbar.pins import Phase, cell_lanes, column_bits, pins, row_bits
from sim.macro import PINS, Macro
from sim.real_number import MACRO, model
from sim.toolchain import environment, verilator_command
from sim.verilator import WARNINGS

BENCH = """
module bench_{k} (output reg done);
  reg clk = 0;
  reg [{high}:0] cycles [0:{count}-1];
  reg [{high}:0] now = 0;
  wire [{compare}:0] compare;
  integer out;
  {name} macro (.clk(clk), {ports}, .macro_compare(compare));
  initial begin
    done = 0;
    $readmemh("{name}.hex", cycles);
    out = $fopen("{name}.txt", "w");
    for (int i = 0; i < {count}; i++) begin
      now = cycles[i];
      #1 $fwrite(out, "%h\\n", compare);
      if (now[{hold}:{hold}-3] == 0) for (int r = 0; r < {rows}; r++) $fwrite(out, "held %.12f\\n", macro.held_rows[r]);
      clk = 1;
      #1 clk = 0;
    end
    for (int i = 0; i < {cells}; i++) $fwrite(out, "pair %.12f %.12f\\n", macro.g_plus[i], macro.g_minus[i]);
    $fclose(out);
    done = 1;
  end
endmodule
"""
"""Drives the pins of one recording; strobed cycles alone. A cycle of phase IDLE writes the held rows down."""


@dataclass
class Recording:
    """Cycles of the golden macro with a random control before it: pins, answers, pairs at the end."""

    machine: MachineConfig

    def __post_init__(self):
        self.macro, self.widths = Macro(self.machine), pins(self.machine)
        self.cycles, self.answers = [], []

    def cycle(self, phase, **given):
        """One strobed cycle; pins that are not given hold anything."""
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
        """Successive approximation on ``count`` converters, as the control does it; returns the codes."""
        codes = [-(1 << bits - 1)] * count
        for b in range(bits - 1, -1, -1):
            above = self.cycle(phase, dac=packed([c + (1 << b) for c in codes], bits), **given)
            codes = [c + ((above >> i & 1) << b) for i, c in enumerate(codes)]
        return codes

    def forward(self, activity, bits):
        m = self.machine
        self.drive(Phase.COLUMNS, "column_drive", activity, bits)
        self.cycle(Phase.HOLD_ROWS)
        return [c for g in range(m.array_rows // m.row_tiles)
                for c in self.search(Phase.COMPARE_ROWS, m.row_tiles, row_bits(m), line=g)]

    def transposed(self, error):
        m = self.machine
        self.drive(Phase.ROWS, "row_drive", error, m.error_bits)
        self.cycle(Phase.HOLD_COLUMNS)
        return [c for k in range(m.array_stride)
                for c in self.search(Phase.COMPARE_COLUMNS, m.lanes, column_bits(m), line=k)]

    def step(self, error, activity, rate, enable):
        m = self.machine
        self.drive(Phase.STEP, "row_drive", error, m.error_bits)
        self.cycle(Phase.APPLY, amplitude=packed(activity.tolist(), m.activity_bits), rate=packed(rate.tolist(), 5),
                   enable=packed(enable.tolist(), 1))

    def pulses(self, rng):
        m = self.machine
        for phase in (Phase.UP, Phase.DOWN):
            for _ in range(m.analog.control.pulses):
                lines = {f"{side}_drive": packed((rng.random(n) < 0.5) << rng.integers(0, 2, n), 2)
                         for side, n in (("row", m.array_rows), ("column", m.array_columns))}
                self.cycle(phase, **lines)
        self.cycle(Phase.FINISH)

    def write(self, beat, codes, mask):
        self.cycle(Phase.WRITE, cell=beat, cell_mask=mask, cell_code=packed(codes.tolist(), self.machine.weight_bits))

    def read(self, beat):
        self.cycle(Phase.HOLD_CELLS, cell=beat)
        return self.search(Phase.COMPARE_CELLS, cell_lanes(self.machine), self.machine.weight_bits)

    def word(self, pin):
        """All pins of a cycle side by side, the first one highest."""
        value = 0
        for name, width in self.widths.items():
            if name != "compare":
                value = value << width | pin[name]
        return value


def packed(values, bits):
    """Numbers of ``bits`` bits side by side, the first one lowest."""
    return sum((int(v) & (1 << bits) - 1) << bits * i for i, v in enumerate(values))


def replay(recordings: list[Recording], folder: Path):
    """Run every recording on its model, all in one build; answers, held rows and pairs of each."""
    sources, text = ["bench.sv"], "`timescale 1ns/1ns\n"
    for k, recording in enumerate(recordings):
        name = f"macro_{k}"
        (folder / f"{name}.sv").write_text(model(recording.machine).replace(MACRO, name))
        width = sum(w for n, w in recording.widths.items() if n != "compare")
        digits = -(-width // 4)
        (folder / f"{name}.hex").write_text("".join(f"{recording.word(c):0{digits}x}\n" for c in recording.cycles))
        text += BENCH.format(k=k, name=name, high=width - 1, hold=width - 1, count=len(recording.cycles),
                             compare=recording.widths["compare"] - 1, rows=recording.machine.array_rows,
                             cells=recording.machine.array_rows * recording.machine.array_columns, ports=_ports(recording))
        sources.append(f"{name}.sv")
    benches = "".join(f"  bench_{k} b{k} (done[{k}]);\n" for k in range(len(recordings)))
    text += f"module bench;\n  wire [{len(recordings) - 1}:0] done;\n{benches}  initial begin wait (&done); $finish; end\nendmodule\n"
    (folder / "bench.sv").write_text(text)
    command = [verilator_command(), "--binary", "-j", "2", "-CFLAGS", "-std=c++20 -fcoroutines", *WARNINGS, "--top-module", "bench", *sources]
    for job in (command, ["obj_dir/Vbench"]):
        answer = subprocess.run(job, cwd=folder, env=environment("-O1"), capture_output=True, text=True)
        assert answer.returncode == 0, answer.stderr[-3000:]
    return [_result(folder / f"macro_{k}.txt") for k in range(len(recordings))]


def _ports(recording):
    """Slices of the word of a cycle, the first pin highest."""
    places, at = [], sum(w for n, w in recording.widths.items() if n != "compare")
    for name, width in recording.widths.items():
        if name != "compare":
            at -= width
            places.append(f".{PINS}{name}(now[{at + width - 1}:{at}])")
    return ", ".join(places)


def _result(path):
    lines = [line.split() for line in path.read_text().splitlines()]
    answers = [int(words[0], 16) for words in lines if len(words) == 1]
    held = np.array([float(words[1]) for words in lines if words[0] == "held"])
    return answers, held, np.array([words[1:] for words in lines if words[0] == "pair"], float).T
