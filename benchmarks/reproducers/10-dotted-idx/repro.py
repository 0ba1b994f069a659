"""Source: tbennun/cudnn-training issue 13, sorki/python-mnist issue 7: unpacked MNIST is often called
train-images.idx3-ubyte."""

import struct
import tempfile
from pathlib import Path

import numpy as np

from hebbar import Experiment

f = Path(tempfile.mkdtemp())
rng = np.random.default_rng(0)
for part, n in (("train", 60), ("t10k", 20)):
    for name, a in (
        (f"{part}-images.idx3-ubyte", rng.integers(0, 256, (n, 4, 6), np.uint8)),
        (f"{part}-labels.idx1-ubyte", np.arange(n, dtype=np.uint8) % 10),
    ):
        (f / name).write_bytes(bytes((0, 0, 8, a.ndim)) + struct.pack(">" + "I" * a.ndim, *a.shape) + a.tobytes())
e = Experiment(
    {
        "network": {"layers": [24, 8, 10]},
        "rule": {"name": "il", "alpha_shifts": [2, 4], "init_scales": [0.5, 0.5]},
        "training": {"epochs": 1},
        "data": {"name": "idx", "path": str(f)},
    }
)
print(e.train())
