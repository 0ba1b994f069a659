"""Files of other programs that hold weights: state dicts of PyTorch and ONNX models. Nothing in them is run.

Both libraries are extras, imported only for who brings such a file.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hebbar.compiler.network import Network, Role
from hebbar.contract.errors import BadInput, MissingTool

from ..archive import Damaged, check_file

__all__ = ["FOREIGN"]

Arrays = dict[str, NDArray[Any]]

ACTIVATIONS = {"Relu": "relu", "Tanh": "tanh", "Sigmoid": "sigmoid", "LeakyRelu": "leaky", "Identity": "identity"}
"""Operators of ONNX by the activation of Hebbar that is the same function."""
LEAK = 0.125
"""The slope of 'leaky' below zero."""
PASSED = ("Flatten", "Identity", "Dropout", "Cast")
"""Operators that leave one sample's numbers as they are."""


def _torch(path: Path, network: Network) -> Arrays:
    """The tensors of a state dict, in its order. Python objects in the file are refused by PyTorch, not run."""
    try:
        import torch
    except ImportError:
        raise MissingTool(f"{path} needs PyTorch, which is not installed; save it with safetensors.torch.save_file, or "
                          "with numpy.savez, and load that.") from None
    try:
        check_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged file makes of the library
        raise BadInput(f"{path} is not a readable state dict of PyTorch ({str(error).splitlines()[0]}); save one with "
                       "torch.save(model.state_dict(), ..).") from None
    found = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(found, dict) or not all(hasattr(tensor, "detach") for tensor in found.values()):
        raise BadInput(f"{path} holds no state dict; save one with torch.save(model.state_dict(), ..).")
    return {str(key): tensor.detach().to(torch.float64).numpy() for key, tensor in found.items()}


def _onnx(path: Path, network: Network) -> Arrays:
    """The matrices and biases of a model of Gemm or MatMul and Add, as 'layer.weight' and 'layer.bias' with numbered
    layers. Raises BadInput, with the name of the node, for any other operator and for activations that are not those of
    the network's hidden populations."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError:
        raise MissingTool(f"{path} needs the package onnx, which is not installed: pip install "
                          "'hebbar[onnx]'.") from None
    try:
        check_file(path)
        graph = onnx.load(path, load_external_data=False).graph
        if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in graph.initializer):
            raise Damaged("its weights are in other files; save it as one")
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    except Exception as error:  # whatever a damaged file makes of the library
        raise BadInput(f"{path} is not a readable ONNX model ({str(error).splitlines()[0] or 'damaged'}); export it "
                       "again.") from None
    layers, functions = _walk(path, graph.node, constants)
    _check_activations(path, network, functions)
    return {f"{number}.{kind}": array for number, layer in enumerate(layers) for kind, array in layer.items()}


def _walk(path: Path, nodes: Any, constants: Arrays) -> tuple[list[Arrays], list[list[str]]]:
    """Layers in the order of the graph, and after each the activations that follow it."""
    layers: list[Arrays] = []
    functions: list[list[str]] = []
    before = None
    for node in nodes:
        name = f"{path}: node {node.name or node.output[0]!r} ({node.op_type})"
        if before is not None and before not in node.input:
            raise BadInput(f"{name} does not follow the node before it; only a chain of layers can be taken "
                             "over.")
        before, attributes = node.output[0], {a.name: a.f if a.type == 1 else a.i for a in node.attribute}
        given = [constants[i] for i in node.input if i in constants]
        if node.op_type == "Gemm" and given:
            layers.append(_gemm(name, given, attributes))
            functions.append([])
        elif node.op_type == "MatMul" and given and node.input[1] in constants:
            layers.append({"weight": given[0].T})
            functions.append([])
        elif node.op_type == "Add" and given and layers and "bias" not in layers[-1] and not functions[-1]:
            layers[-1]["bias"] = given[0].reshape(-1)
        elif node.op_type in ACTIVATIONS and layers and node.op_type not in PASSED:
            if node.op_type == "LeakyRelu" and attributes.get("alpha", 0.01) != LEAK:
                raise BadInput(f"{name} has slope {attributes.get('alpha', 0.01):g} below zero, and 'leaky' has "
                               f"{LEAK}; train it with that.")
            functions[-1].append(ACTIVATIONS[node.op_type])
        elif node.op_type not in PASSED:
            raise BadInput(f"{name} cannot be taken over; Gemm, MatMul with Add, {', '.join(ACTIVATIONS)} and Flatten "
                           "can.")
    return layers, functions


def _gemm(name: str, given: list[NDArray[Any]], attributes: dict[str, float]) -> Arrays:
    if attributes.get("alpha", 1.0) != 1 or attributes.get("beta", 1.0) != 1 or attributes.get("transA", 0):
        raise BadInput(f"{name} scales or turns its inputs; export the model without.")
    matrix = given[0] if attributes.get("transB", 0) else given[0].T
    return {"weight": matrix} | ({"bias": given[1].reshape(-1)} if len(given) > 1 else {})


def _check_activations(path: Path, network: Network, functions: list[list[str]]) -> None:
    """Raise BadInput unless the activations are those of the hidden populations, and none follows the last layer."""
    for number, (found, wanted) in enumerate(zip(functions, _wanted(network, len(functions)))):
        if found != ([] if wanted == "identity" else [wanted]):
            raise BadInput(f"{path}: layer {number} is followed by {' and '.join(found) or 'no activation'}, and its "
                           f"population has {wanted!r}; set network.activation to the same function.")


def _wanted(network: Network, count: int) -> Iterator[str]:
    hidden = [p.activation for p in network.populations if p.role is Role.HIDDEN]
    yield from hidden[:count - 1]
    yield "identity"


FOREIGN: dict[str, Callable[[Path, Network], Arrays]] = {".pt": _torch, ".pth": _torch, ".onnx": _onnx}
"""Readers by suffix of files that are read and not written."""
