"""What the tests of wires, netlists and reads in time share: an array, the letters of a netlist as numbers, its law."""

import shutil

import numpy as np
import pytest

from sim.analog.crossbar import Crossbar, drawn

needs_ngspice = pytest.mark.skipif(not shutil.which("ngspice"), reason="ngspice is not installed (Debian: ngspice)")


def crossbar(rows, columns, wires, seed=0, verb="TRN"):
    """Cells of 10 kOhm to 1 MOhm, one of each array not conducting, inputs of both signs."""
    rng, state = np.random.default_rng([seed, 1]), drawn(rows, columns, seed, 1e-6, 1e-4)
    state["g_plus"][0, -1] = state["g_minus"][-1, 0] = 0
    return Crossbar(state["g_plus"], state["g_minus"], rng.uniform(-0.2, 0.2, rows if verb == "TRN" else columns),
                    wires, verb)


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


def network(g, volts, verb, word, bit, driver, sense):
    """The currents of the sensed lines from the potentials of all nodes: a dense Laplacian, an ideal source behind
    every driver, 0 V behind every sense node. ``volts``: of the driven lines. No resistance may be 0."""
    rows, columns = g.shape
    word_end, bit_end = (sense, driver) if verb == "FWD" else (driver, sense)
    nodes = {}
    for side in ("word", "bit"):
        nodes |= {(side, i, j): len(nodes) + i * columns + j for i in range(rows) for j in range(columns)}
    size = len(nodes)
    law, sent = np.zeros((size, size)), np.zeros(size)
    held = {"word": volts if verb == "TRN" else np.zeros(rows), "bit": volts if verb == "FWD" else np.zeros(columns)}

    def joined(a, b, ohms):
        a, b = nodes[a], nodes[b]
        law[[a, b], [a, b]] += 1 / ohms
        law[[a, b], [b, a]] -= 1 / ohms

    def ended(a, potential, ohms):
        law[nodes[a], nodes[a]] += 1 / ohms
        sent[nodes[a]] += potential / ohms

    for i, j in np.ndindex(g.shape):
        joined(("word", i, j), ("bit", i, j), 1 / g[i, j])
        if j:
            joined(("word", i, j - 1), ("word", i, j), word)
        else:
            ended(("word", i, 0), held["word"][i], word_end + word)
        if i:
            joined(("bit", i - 1, j), ("bit", i, j), bit)
        else:
            ended(("bit", 0, j), held["bit"][j], bit_end + bit)
    potential = np.linalg.solve(law, sent)
    if verb == "FWD":
        return np.array([potential[nodes["word", i, 0]] for i in range(rows)]) / (word_end + word)
    return np.array([potential[nodes["bit", 0, j]] for j in range(columns)]) / (bit_end + bit)
