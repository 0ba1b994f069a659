"""Write the table of presets in docs/systems.md: machine, cycles and energy as `hebbar energy PRESET` finds them.

    python scripts/systems_table.py             writes it (a minute)
    python scripts/systems_table.py --check     compares every machine and the energies of a few presets
"""

import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # document this checkout, whichever Hebbar is installed

from hebbar.compiler.config import Config, load, preset_names  # noqa: E402
from hebbar.compiler.program import compile_config  # noqa: E402
from hebbar.contract.console import Reporter  # noqa: E402
from hebbar.contract.files import temporary_folder, write_text  # noqa: E402
from hebbar.contract.machine import MachineConfig  # noqa: E402
from hebbar.energy.run import estimate_run  # noqa: E402
from hebbar.studies.strangers.presets import write_images  # noqa: E402

PAGE = ROOT / "docs" / "systems.md"
BEGIN, END = "<!-- presets -->\n", "<!-- /presets -->"
HEAD = ("| preset | machine | tile | lanes | weights | neurons | units | nJ a sample: low, typical, high |\n"
        "|---|---|---|---|---|---|---|---|\n")
SAMPLES = 100
"""What ``hebbar energy`` takes."""
TOLERANCE = 0.05
"""The tolerance of an energy: a few registers more or less are no reason for a new table."""
CHECKED = ("tiny", "digits", "hopfield", "reward_bases")


def machine(m: MachineConfig) -> str:
    """A name for a machine: the beginning of the SHA-256 of its configuration."""
    return sha256(m.model_dump_json().encode()).hexdigest()[:8]


def columns(config: Config) -> tuple[str, ...]:
    """All columns but the energy."""
    m = config.machine
    units = ", ".join(["separation"] * bool(m.separation) + ["energy"] * m.energy + ["integral"] * m.integral) or "-"
    return (f"`{machine(m)}`", m.tile, f"{m.row_tiles} x {m.lanes}", f"{m.weight_words * m.row_tiles * m.lanes:,}",
            f"{m.neuron_words * m.lanes:,}", units)


def energy(config: Config) -> str:
    """The energy of the digital part; an analog macro is left out of it, so that there is none."""
    if config.machine.kind.macro:
        return "-"
    with temporary_folder() as folder:  # the counts are those of the program, whatever the images are
        if config.data.name == "idx":
            config = config.replace(data={"path": str(write_images(folder, train=SAMPLES))})
        found = estimate_run(config, SAMPLES, "cmos45", Reporter(quiet=True)).sample
    return ", ".join(f"{pj / 1000:,.1f}" for pj in (found.low, found.typical, found.high))


def row(preset: str, measured: str | None = None) -> str:
    """A line of the table; ``measured``: the energy, None to estimate it."""
    config = load(preset)
    compile_config(config)
    cells = (f"`{preset}`", *columns(config), energy(config) if measured is None else measured)
    return f"| {' | '.join(cells)} |\n"


def parts(text: str) -> tuple[str, list[str], str]:
    """The page before the table, its rows, and the page after it."""
    head, rest = text.split(BEGIN)
    table, tail = rest.split(END)
    return head, table.removeprefix(HEAD).splitlines(keepends=True), tail


def same(found: str, wanted: str) -> bool:
    """Whether two rows say the same: energies within TOLERANCE, all else to the letter."""
    (one, first), (other, second) = ((line.split("|")[:-2], line.split("|")[-2:-1]) for line in (found, wanted))
    numbers = [[float(word.replace(",", "")) for word in "".join(cell).split(", ") if word.strip(" -")]
               for cell in (first, second)]
    return one == other and len(numbers[0]) == len(numbers[1]) and all(
        abs(a - b) <= TOLERANCE * b for a, b in zip(*numbers))


def main() -> int:
    """0 when the table is up to date (or was written), 1 when --check finds another."""
    head, rows, tail = parts(PAGE.read_text())
    if "--check" not in sys.argv[1:]:
        write_text(PAGE, head + BEGIN + HEAD + "".join(row(p) for p in preset_names()) + END + tail)
        return 0
    recorded = {line.split("|")[1].strip(" `"): line.split("|")[-2].strip() for line in rows}
    wanted = [row(p, None if p in CHECKED else recorded.get(p, "")) for p in preset_names()]
    for found, line in zip([*rows, *[""] * len(wanted)], wanted):
        if not same(found, line):
            print(f"docs/systems.md says {found.strip() or 'nothing'} and it is {line.strip()}; run python "
                  "scripts/systems_table.py.", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
