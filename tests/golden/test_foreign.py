"""Weights of other programs: the machine answers what their layers compute, or the sentence names the layer."""

import sys
import types
from itertools import pairwise

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from golden.learning.foreign import is_foreign
from golden.learning.weights import load_image
from hebbar import Experiment
from hebbar.contract.errors import BadInput, MissingTool

SIZES = (6, 5, 4, 3)
pytestmark = pytest.mark.filterwarnings("ignore:.*says no hash of its weights")


def experiment(bias=True, sizes=SIZES, activation="relu"):
    return Experiment({"network": {"layers": list(sizes), "activation": activation, "bias": bias}, "rule": {
        "alpha_shifts": [4] * (len(sizes) - 1), "init_scales": [0.5] * (len(sizes) - 1)},
        "machine": {"lanes": 4, "weight_words": 64, "neuron_words": 16}})


def layers(sizes=SIZES, bias=True, seed=0):
    """Matrices (outputs, inputs) and biases (outputs,) that are codes of the machine."""
    rng = np.random.default_rng(seed)
    code = lambda *shape: rng.integers(-2**12, 2**12, shape) / 2**13  # noqa: E731 - short, and used below alone
    return [(code(b, a), code(b) if bias else None) for a, b in pairwise(sizes)]


def computed(stack, x, activation=lambda x: np.maximum(x, 0)):
    """The perceptron in float64."""
    for i, (matrix, bias) in enumerate(stack):
        x = x @ matrix.T + (0 if bias is None else bias)
        x = activation(x) if i < len(stack) - 1 else x
    return x


def agrees(path, stack, bias=True):
    """Whether the machine with the weights of a file holds those of ``stack`` and answers as it does."""
    e, inputs = experiment(bias), np.random.default_rng(1).integers(0, 128, (50, SIZES[0])) / 128
    e.load_weights(path)
    for i, (matrix, one) in enumerate(stack):
        assert np.array_equal(e.weights[f"x{i}", f"x{i + 1}"], matrix)
        if bias:
            assert np.array_equal(e.weights["one", f"x{i + 1}"][:, 0], 0 * matrix[:, 0] if one is None else one)
    return np.abs(e.outputs(inputs) - computed(stack, inputs)).max() < 0.1  # activities are rounded to 1/32


NAMINGS = {
    "torch Sequential": lambda i, n: (f"{2 * i}.weight", f"{2 * i}.bias", False),
    "torch module": lambda i, n: (f"fc{i + 9}.weight", f"fc{i + 9}.bias", False),
    "torch words": lambda i, n: (f"{('out', 'of', 'it')[i]}.weight", f"{('out', 'of', 'it')[i]}.bias", False),
    "pcx": lambda i, n: (f".layers[{i}].nn.weight", f".layers[{i}].nn.bias", False),
    "pcx values": lambda i, n: (f".layers[{i}].nn.weight.value", f".layers[{i}].nn.bias.value", False),
    "flax": lambda i, n: (f"params/Dense_{i}/kernel", f"params/Dense_{i}/bias", True),
    "FabricPC": lambda i, n: (f".nodes['h{i + 1}'].weights['h{i}->h{i + 1}:in']", f".nodes['h{i + 1}'].biases['b']",
                              True)}


@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("bias_shape", [(-1,), (1, -1)])
def test_layers_of_other_programs_compute_the_same(tmp_path, naming, bias_shape):
    """Without it a matrix could be turned, layers change places, or a bias be lost."""
    stack, arrays = layers(), {}
    for i, (matrix, bias) in reversed(list(enumerate(stack))):
        weight, name, turned = NAMINGS[naming](i, 0)
        arrays[name], arrays[weight] = bias.reshape(bias_shape), matrix.T if turned else matrix
    assert is_foreign(arrays)
    np.savez(tmp_path / "w.npz", **arrays)
    assert agrees(tmp_path / "w.npz", stack)


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_a_bias_that_is_not_there_is_zero(tmp_path, suffix):
    """Without it a network with biases could not take layers without, or keep its own."""
    import safetensors.numpy

    stack = layers(bias=False)
    arrays = {f"{i}.weight": np.ascontiguousarray(m) for i, (m, _) in enumerate(stack)}
    path = tmp_path / f"w.{suffix}"
    np.savez(path, **arrays) if suffix == "npz" else safetensors.numpy.save_file(arrays, path)
    assert agrees(path, stack) and agrees(path, stack, bias=False)


@pytest.mark.parametrize("change, words", [
    (lambda a: a | {"1.weight": np.zeros((3, 3, 3))}, r"layer '1' has weights of shape \(3, 3, 3\); only fully"),
    (lambda a: a | {"1.weight": np.zeros((4, 6))}, r"layer '1' has weights of shape \(4, 6\), and layer 1 .* \(4, 5\)"),
    (lambda a: a | {"1.bias": np.zeros(5)}, r"layer '1' has a bias of shape \(5,\) for 4 outputs"),
    (lambda a: a | {"3.weight": np.zeros((2, 3))}, r"holds 4 layers \('0', '1', '2', '3'\), and the network has 3"),
    (lambda a: a | {"norm.bias": np.zeros(4)}, "layer 'norm' has a bias and no weights"),
    (lambda a: a | {"1.kernel": np.zeros((5, 4))}, "layer '1' has several arrays of its weight"),
    (lambda a: a | {"1.weight": np.full((4, 5), 99.0)}, "'x1' to 'x2' hold 99"),
    (lambda a: a | {"1.weight": np.full((4, 5), np.nan)}, "nan"),
    (lambda a: a | {"1.running_mean": np.zeros(4)}, "names no edge")])
def test_what_cannot_be_taken_over_is_a_sentence_with_the_layer(tmp_path, change, words):
    """Without it other weights than those of the file would run, or the sentence would not say where."""
    arrays = {f"{i}.{kind}": a for i, pair in enumerate(layers()) for kind, a in zip(("weight", "bias"), pair)}
    np.savez(tmp_path / "w.npz", **change(arrays))
    e = experiment()
    before = e.image.copy()
    with pytest.raises(BadInput, match=words):
        e.load_weights(tmp_path / "w.npz")
    assert np.array_equal(e.image, before)


def test_a_bias_needs_a_constant_and_layers_a_chain(tmp_path):
    """Without it biases would be dropped, or layers fall on edges that nobody named."""
    arrays = {f"{i}.{kind}": a for i, pair in enumerate(layers()) for kind, a in zip(("weight", "bias"), pair)}
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(BadInput, match="layer '0' has a bias, and nothing feeds one to population 'x1'"):
        experiment(bias=False).load_weights(tmp_path / "w.npz")
    with pytest.raises(BadInput, match="the network is no chain"):
        Experiment("graph").load_weights(tmp_path / "w.npz")
    square = np.ones((4, 4))
    np.savez(tmp_path / "v.npz", **{"z.weight": np.ones((4, 5)), "q.weight": square, "r.weight": square})
    with pytest.raises(BadInput, match="number the layers in their order"):
        experiment(sizes=(5, 4, 4, 4)).load_weights(tmp_path / "v.npz")


def model(stack, form="Gemm", function="Relu", **attributes):
    """An ONNX model of the layers."""
    nodes, constants, last = [helper.make_node("Flatten", ["in"], ["v"])], [], "v"
    for i, (matrix, bias) in enumerate(stack):
        out = f"y{i}"
        weight = matrix if form == "Gemm" else matrix.T
        constants += [numpy_helper.from_array(weight, f"w{i}"), numpy_helper.from_array(bias, f"b{i}")]
        if form == "Gemm":
            nodes.append(helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [out], name=f"g{i}", transB=1))
        else:
            nodes += [helper.make_node("MatMul", [last, f"w{i}"], [f"m{i}"]),
                      helper.make_node("Add", [f"m{i}", f"b{i}"], [out])]
        if i < len(stack) - 1:
            nodes.append(helper.make_node(function, [out], [f"a{i}"], name=f"f{i}", **attributes))
        last = f"a{i}"
    ends = [helper.make_tensor_value_info(n, TensorProto.DOUBLE, ["n", size])
            for n, size in (("in", SIZES[0]), (f"y{len(stack) - 1}", SIZES[-1]))]
    return helper.make_model(helper.make_graph(nodes, "mlp", ends[:1], ends[1:], constants))


@pytest.mark.parametrize("form", ["Gemm", "MatMul"])
def test_an_onnx_model_computes_the_same(tmp_path, form):
    """Without it a matrix of MatMul, which is turned against one of Gemm, or a bias could be lost."""
    stack = layers()
    onnx.save(model(stack, form), tmp_path / "m.onnx")
    assert agrees(tmp_path / "m.onnx", stack)


@pytest.mark.parametrize("how, words", [
    ({"function": "Softplus"}, r"node 'f0' \(Softplus\) cannot be taken over"),
    ({"function": "Tanh"}, "layer 0 is followed by tanh, and its population has 'relu'"),
    ({"function": "LeakyRelu", "alpha": 0.2}, r"node 'f0' \(LeakyRelu\) has slope 0.2")])
def test_an_onnx_model_of_other_operators_is_a_sentence(tmp_path, how, words):
    """Without it the machine would run another function than the model."""
    onnx.save(model(layers(), **how), tmp_path / "m.onnx")
    with pytest.raises(BadInput, match=words):
        experiment().load_weights(tmp_path / "m.onnx")


def test_damaged_files_and_missing_libraries_are_sentences(tmp_path, monkeypatch):
    """Without it a stack trace of a library that the user never called."""
    layout = experiment().program.layout
    for name in ("m.onnx", "w.pt"):
        (tmp_path / name).write_bytes(b"\x08\xff\xff\xff" * 20)
    with pytest.raises(BadInput, match="not a readable ONNX model"):
        load_image(layout, tmp_path / "m.onnx")
    with pytest.raises(BadInput, match="no such file"):
        load_image(layout, tmp_path / "none.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    for name, words in (("m.onnx", r"hebbar\[onnx\]"), ("w.pt", "safetensors.torch.save_file")):
        with pytest.raises(MissingTool, match=words):
            load_image(layout, tmp_path / name)
    with pytest.raises(BadInput, match=r"suffix '\.pt'"):
        experiment().save_weights(tmp_path / "new.pt")


def test_a_state_dict_is_loaded_without_running_what_is_in_it(tmp_path, monkeypatch):
    """Without it a file of weights could run a program: PyTorch is asked to refuse anything but tensors."""
    stack, asked = layers(), []

    class Tensor:
        def __init__(self, array):
            self.array = array

        def detach(self):
            return self

        def to(self, _):
            return self

        def numpy(self):
            return self.array

    def load_file(path, **options):
        asked.append(options)
        return {"state_dict": {f"{i}.{kind}": Tensor(a) for i, pair in enumerate(stack)
                               for kind, a in zip(("weight", "bias"), pair)}}

    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(load=load_file, float64=None))
    (tmp_path / "w.pt").write_bytes(b"x")
    assert agrees(tmp_path / "w.pt", stack) and all(options["weights_only"] is True for options in asked)
