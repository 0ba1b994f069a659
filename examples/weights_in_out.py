"""Weights out and in: save and load them, and take over weights that were trained in NumPy.

    python examples/weights_in_out.py [--epochs 3]
"""

import numpy as np

from hebbar import Experiment
from hebbar.studies.example import Epochs, run


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x >= 0, x, x / 8)


def main(epochs: Epochs = 3) -> str | None:
    """Bring weights out, in and from elsewhere; what went wrong, or None."""
    # Out of one experiment, into a fresh one: the same predictions, bit for bit.
    trained = Experiment("tiny", training={"epochs": epochs})
    trained.train()
    path = trained.save_weights("out/tiny.safetensors")
    fresh = Experiment("tiny")
    fresh.load_weights(path)
    inputs, labels = trained.data.test.inputs_float, trained.data.test.labels
    same = np.array_equal(fresh.outputs(inputs), trained.outputs(inputs))
    print(f"{path}: outputs of the fresh experiment are {'the same' if same else 'DIFFERENT'}, "
          f"accuracy {100 * np.mean(fresh.predict(inputs) == labels):.1f} %")

    # From elsewhere: the same layers, trained by backpropagation in NumPy. From PyTorch it would be
    #   safetensors.torch.save_file({"x0:x1": first.weight, "x1:x2": second.weight}, "w.safetensors")
    data = trained.data.train
    w1, w2 = Experiment("tiny").weights.values()
    for sample in np.random.default_rng(0).integers(0, len(data), epochs * len(data)):
        x, target = data.inputs_float[sample], np.eye(10)[data.labels[sample]]
        hidden = w1 @ x
        error = target - w2 @ leaky(hidden)
        back = (w2.T @ error) * np.where(hidden >= 0, 1, 1 / 8)
        w2 += 0.1 * np.outer(error, leaky(hidden))
        w1 += 0.1 * np.outer(back, x)

    fresh.set_weights({("x0", "x1"): w1, ("x1", "x2"): w2})
    in_numpy, on_machine = (leaky(inputs @ w1.T) @ w2.T).argmax(axis=1), fresh.predict(inputs)
    agree = np.mean(in_numpy == on_machine)
    print(f"trained in NumPy: accuracy {100 * np.mean(in_numpy == labels):.1f} % in float64, "
          f"{100 * np.mean(on_machine == labels):.1f} % on the machine; {100 * agree:.1f} % of answers agree")
    return None if same and agree > 0.95 else "The weights did not arrive: outputs differ."


if __name__ == "__main__":
    run(main)
