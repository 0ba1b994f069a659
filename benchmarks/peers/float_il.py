"""IL in the float32 engine, its first batch, as ``pcx_il.py`` does it in pcx: the same arguments, weights and answer.

    python float_il.py BATCHES.npz ACTIVATION STEPS GAMMA ALPHA WEIGHTS.npy

``BATCHES.npz``: x (batches, B, inputs), y (batches, B, outputs) and the first weights w0, w1, .. (rows, columns).
Writes the weights after the first batch to WEIGHTS.npy, one after the other, and says on standard output how much
processor time all that took since the process began.
"""

import math
import sys
import time

import numpy as np

from golden.reference.training import train_epoch
from hebbar.compiler.config import parse

BATCHES, ACTIVATION, STEPS, GAMMA, ALPHA, WEIGHTS = sys.argv[1:]


def main():
    given = np.load(BATCHES)
    first = [given[f"w{i}"] for i in range(len(given) - 2)]
    x, y = given["x"][0], given["y"][0]
    shifts = [-round(math.log2(float(ALPHA)))] * len(first)
    layers = [first[0].shape[1], *(len(w) for w in first)]
    config = parse({"network": {"layers": layers, "activation": ACTIVATION},
                    "rule": {"name": "il", "steps": int(STEPS), "gamma": float(GAMMA), "alpha_shifts": shifts,
                             "init_scales": [1.0] * len(first)},
                    "machine": {"lanes": 32, "row_tiles": 4, "weight_words": 8192, "neuron_words": 128,
                                "max_columns": 64}}, "float_il")
    network = config.build_network()
    weights = {(edge.source, edge.target): w for edge, w in zip(network.stored, first, strict=True)}
    learnt = train_epoch(network, weights, x, y, config.rule, range(len(x)), batch=len(x), dtype=np.float32)
    np.save(WEIGHTS, np.concatenate([w.ravel() for w in learnt.values()]))
    print(time.process_time(), flush=True)


if __name__ == "__main__":
    main()
