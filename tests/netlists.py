"""What the tests of netlists and of reads in time share: an array, and the letters of a netlist as numbers."""

import shutil

import numpy as np
import pytest

from sim.crossbar import Crossbar, drawn

needs_ngspice = pytest.mark.skipif(not shutil.which("ngspice"), reason="ngspice is not installed (Debian: ngspice)")


def crossbar(rows, columns, wires, seed=0):
    """Cells of 10 kOhm to 1 MOhm, one of each array not conducting, inputs of both signs."""
    rng, state = np.random.default_rng([seed, 1]), drawn(rows, columns, seed, 1e-6, 1e-4)
    state["g_plus"][0, -1] = state["g_minus"][-1, 0] = 0
    return Crossbar(state["g_plus"], state["g_minus"], rng.uniform(-0.2, 0.2, rows), wires)


def circuit(text):
    """Resistors, capacitors and end voltages of sources, by name, from the letters of a netlist."""
    parts, sources = {}, {}
    for line in text.splitlines():
        words = line.split()
        if line.startswith(("R", "C")) and len(words) == 4:
            assert words[0] not in parts
            parts[words[0]] = (words[1], words[2], float(words[3]))
        elif line.startswith(("Vin_", "Vs_")):
            assert words[2] == "0" and words[0] not in sources
            sources[words[0]] = (words[1], float(words[-1].rstrip(")")))
    return parts, sources
