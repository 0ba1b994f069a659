"""A network and data of one's own: the graph in own_network.toml learns to tell three kinds of waves.

    python examples/own_network.py [--samples 750] [--epochs 6] [--backend verilator]
"""

from pathlib import Path

import numpy as np

from hebbar import Experiment
from hebbar.contract.console import Reporter
from hebbar.studies.example import Backend, Epochs, Samples, run

CONFIG = Path(__file__).with_name("own_network.toml")


def waves(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy sines, squares and triangles of any phase: inputs (count, 16) in -1..1, labels (count,)."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, count)
    phase = (np.arange(16) / 16 + rng.random((count, 1))) % 1
    kinds = np.stack([np.sin(2 * np.pi * phase), np.sign(0.5 - phase), 1 - 4 * np.abs(phase - 0.5)])
    noise = 0.05 * rng.standard_normal((count, 16))
    return np.clip(0.8 * kinds[labels, np.arange(count)] + noise, -1, 1), labels


def main(samples: Samples = 750, epochs: Epochs = 6, backend: Backend = "verilator") -> str | None:
    """Train in fixed point and in float64, compare with the RTL; the first difference, or None."""
    # Started beside the folder examples, this is the file that the configuration names from its own folder, so that
    # `hebbar run examples/own_network.toml` finds it too. Without a file: e.fit(inputs, labels).
    Path("out").mkdir(exist_ok=True)
    inputs, labels = waves(samples)
    np.savez("out/waves.npz", inputs=inputs, labels=labels)

    e = Experiment(CONFIG, training={"epochs": epochs}, data={"path": "out/waves.npz"})
    fixed, floating = e.train(Reporter()), e.train_float()
    print(f"held-out accuracy: fixed point {100 * fixed.accuracy[-1]:.1f} %, float64 "
          f"{100 * floating.accuracy[-1]:.1f} %")

    check = e.cosimulate(samples=5, backend=backend, reporter=Reporter())
    print(f"{check.mismatches} mismatches in {check.words} words, {check.updates} weight changes among them")
    print(e.cycles())
    return check.first


if __name__ == "__main__":
    run(main)
