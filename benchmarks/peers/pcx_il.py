"""IL in pcx, a long-lived process that ``hebbar bench scale --part peers`` sets beside the float engines.

    python pcx_il.py BATCHES.npz ACTIVATION STEPS GAMMA ALPHA WEIGHTS.npy

``BATCHES.npz``: x (batches, B, inputs), y (batches, B, outputs) and the first weights w0, w1, .. (rows, columns).
Learns the first batch, writes the weights to WEIGHTS.npy, one after the other, and says on standard output how much
processor time all that took since the process began. Then answers each number n on standard input by learning n
batches, with their processor seconds.

pcx (github.com/liukidar/pcx, pip install pcx) after its own examples: the whole step compiled, plain gradient descent
on states and weights, energies summed over the batch, layers without bias.
"""

import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pcx
import pcx.functional as pxf
import pcx.nn as pxnn
import pcx.predictive_coding as pxc
import pcx.utils as pxu

BATCHES, ACTIVATION, STEPS, GAMMA, ALPHA, WEIGHTS = sys.argv[1:]
ACTIVE = {"tanh": jnp.tanh, "relu": jax.nn.relu}[ACTIVATION]
HIDDEN = pxc.VodeParam | pxc.VodeParam.Cache


class Net(pxc.EnergyModule):
    """Value nodes behind each layer; the last ones are held at the target."""

    def __init__(self, weights):
        super().__init__()
        self.layers = [pxnn.Linear(w.shape[1], w.shape[0], bias=False) for w in weights]
        for layer, w in zip(self.layers, weights):
            layer.nn.weight.set(jnp.asarray(w, jnp.float32))
        self.vodes = [pxc.Vode() for _ in weights]
        self.vodes[-1].h.frozen = True

    def __call__(self, x, y):
        h = self.vodes[0](self.layers[0](x))
        for layer, vode in zip(self.layers[1:], self.vodes[1:]):
            h = vode(layer(ACTIVE(h)))
        if y is not None:
            self.vodes[-1].set("h", y)
        return self.vodes[-1].get("u")


@pxf.vmap(pxu.M(HIDDEN).to((None, 0)), in_axes=(0, 0), out_axes=0)
def forward(x, y, *, model):
    return model(x, y)


@pxf.vmap(pxu.M(HIDDEN).to((None, 0)), in_axes=(0,), out_axes=(None, 0), axis_name="batch")
def energy(x, *, model):
    answer = model(x, None)
    return jax.lax.psum(model.energy(), "batch"), answer


@pxf.jit(static_argnums=0)
def learn(steps, x, y, *, model, by_weight, by_state):
    model.train()
    with pxu.step(model, pxc.STATUS.INIT, clear_params=pxc.VodeParam.Cache):
        forward(x, y, model=model)
    by_state.init(pxu.M_hasnot(pxc.VodeParam, frozen=True)(model))
    for _ in range(steps):
        with pxu.step(model, clear_params=pxc.VodeParam.Cache):
            free = pxu.M_hasnot(pxc.VodeParam, frozen=True).to([False, True])
            _, slope = pxf.value_and_grad(free, has_aux=True)(energy)(x, model=model)
        by_state.step(model, slope["model"])
    by_state.clear()
    with pxu.step(model, clear_params=pxc.VodeParam.Cache):
        weights = pxu.M(pxnn.LayerParam).to([False, True])
        _, slope = pxf.value_and_grad(weights, has_aux=True)(energy)(x, model=model)
    by_weight.step(model, slope["model"])


def main():
    pcx.RKG.seed(0)
    given = np.load(BATCHES)
    model = Net([given[f"w{i}"] for i in range(len(given) - 2)])
    by_weight = pxu.Optim(lambda: optax.sgd(float(ALPHA)), pxu.M(pxnn.LayerParam)(model))
    by_state = pxu.Optim(lambda: optax.sgd(float(GAMMA)))
    batches = [(jnp.asarray(x), jnp.asarray(y)) for x, y in zip(given["x"], given["y"])]

    def run(count):
        for i in range(count):
            x, y = batches[i % len(batches)]
            learn(int(STEPS), x, y, model=model, by_weight=by_weight, by_state=by_state)
        return [np.asarray(layer.nn.weight.get()) for layer in model.layers]  # which waits for them

    np.save(WEIGHTS, np.concatenate([w.ravel() for w in run(1)]))
    print(time.process_time(), flush=True)
    for line in sys.stdin:
        began = time.process_time()
        run(int(line))
        print(time.process_time() - began, flush=True)


if __name__ == "__main__":
    main()
