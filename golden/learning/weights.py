"""Weights by edge in files, for exchange with other programs: ``.npz`` and ``.safetensors``.

Both hold one matrix under the key ``source:target`` for every edge with weights of its own, shape
(target size, source size), zero where its mask leaves none, in real numbers and not in codes. A code has
at most 24 bits, which float32 and float64 hold exactly, so the weights of a machine come back bit for bit.
A file says the hash of all it holds, which is checked; files of other programs, which may name layers
(``golden.learning.foreign``), say none.
"""

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbar.compiler.layout import Layout
from hebbar.compiler.network import Edge, Network
from hebbar.contract.errors import BadInput, HebbarWarning, MissingTool
from hebbar.contract.files import whole
from hebbar.contract.suggest import suggest

from ..analog.limits import beyond_cells
from ..archive import HASH, Damaged, check_file, digest, read_npz
from ..fixed import Ints
from ..given import numbers
from ..image import EdgeWeights, to_image
from ..reference.state import absent
from .foreign import by_edge, is_foreign
from .foreign_files import FOREIGN
from .weight_format import check_format

__all__ = ["save_weights", "load_weights", "load_meta", "load_image", "checked_image"]

Arrays = dict[str, NDArray[Any]]
Meta = dict[str, str]

SAFE = ("F16", "F32", "F64")
"""Types of safetensors that NumPy holds as they are."""
MOST_HEADER = 100 << 20
"""Bytes; what the library of safetensors allows."""
META = "meta"
"""The one key of an ``.npz`` that is no edge: what the file says about itself, as JSON."""


def save_weights(path: Path, weights: EdgeWeights, meta: Mapping[str, str] | None = None) -> None:
    """Write ``weights``, whole or not at all; the suffix of ``path`` chooses the format.

    float32 stays float32, everything else becomes float64. ``meta``: what the reader should know,
    by convention the name of the configuration under ``config``. Raises BadInput for another
    suffix, a matrix that is no finite matrix, and a population name with a colon in front.
    """
    path = Path(path)
    write, arrays = _format(path)[1], {}
    for (source, target), matrix in weights.items():
        if ":" in source:
            raise BadInput(f"{path}: population {source!r} has a colon in its name, which separates "
                           "source and target in a file of weights; rename it.")
        key = f"{source}:{target}"
        arrays[key] = np.ascontiguousarray(_matrix(path, key, np.asarray(matrix)))
    said = {str(k): str(v) for k, v in (meta or {}).items()}
    with whole(path) as partial:
        write(partial, arrays, said | {HASH: digest(arrays, said)})


def load_weights(path: Path) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Real weights by (source, target), float64, shape (target size, source size).

    Raises BadInput for another suffix, a file that is not readable, a key without a colon and
    anything but finite real matrices.
    """
    return _by_edge(Path(path), _read(Path(path))[0])


def _by_edge(path: Path, arrays: Arrays) -> dict[tuple[str, str], NDArray[np.float64]]:
    weights = {}
    for key, matrix in arrays.items():
        source, colon, target = key.partition(":")
        if not (source and colon and target):
            raise BadInput(f"{path}: key {key!r} names no edge; call it 'source:target', the names of "
                           "two populations.")
        weights[source, target] = _matrix(path, key, matrix).astype(np.float64)
    return weights


def load_meta(path: Path) -> Meta:
    """What the file says about itself but for its hash; empty when it says nothing."""
    return {} if path.suffix in FOREIGN else {key: said for key, said in _read(Path(path))[1].items() if key != HASH}


def checked_image(layout: Layout, weights: EdgeWeights, where: str) -> Ints:
    """Weights of ``where`` (a file, say) as the weight image of a machine: (weight words, P, C).

    Raises BadInput when an edge is missing, unknown or of another shape, or a weight is not finite, where its edge
    has none, below zero where it is positive, or outside the weight format: clipping would make another network of it.
    Warns of weights that the cells of an analog macro cannot hold, which noise of programming leaves there as well.
    """
    if not isinstance(weights, Mapping):
        raise BadInput(f"{where}: weights are a {type(weights).__name__}; give a dictionary of matrices by (source, "
                       "target).")
    edges = {(e.source, e.target): e for e in layout.network.stored}
    for key in weights:
        if key not in edges:
            named = isinstance(key, tuple) and all(isinstance(name, str) for name in key)
            name = repr(":".join(key) if named else key)
            raise BadInput(f"{where}: {name} is no edge of this network with weights of its own"
                           f"{suggest(name, [':'.join(edge) for edge in edges])}.")
    weights = {key: _real(f"{where}: weights {key[0]!r} to {key[1]!r}", matrix) for key, matrix in weights.items()}
    try:
        image = to_image(layout, weights)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None
    for key, matrix in weights.items():
        place = f"{where}: weights {key[0]!r} to {key[1]!r}"
        _in_range(layout, place, matrix)
        _allowed(layout.network, edges[key], place, matrix)
    if layout.machine.kind.macro and (count := beyond_cells(layout.machine, image)):
        warnings.warn(f"{where}: {count} weights are beyond machine.analog.device.weight_range "
                      f"({layout.machine.analog.device.weight_range:g}) and will be programmed at its end; raise it.",
                      HebbarWarning, stacklevel=3)
    return image


def _real(name: str, matrix: ArrayLike) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):  # of numbers wider than float64: infinity is refused
        return numbers(name, matrix).astype(np.float64)


def load_image(layout: Layout, path: Path) -> Ints:
    """The weights in a file as the weight image of a machine; raises BadInput when they do not fit or were learned in
    another format. Warns of a file without a hash, in which damage cannot be seen."""
    if path.suffix in FOREIGN:
        return checked_image(layout, by_edge(str(path), layout, FOREIGN[path.suffix](path, layout.network)), str(path))
    arrays, meta = _read(path)
    check_format(layout, path, meta)
    weights = by_edge(str(path), layout, arrays) if is_foreign(arrays) else _by_edge(path, arrays)
    image = checked_image(layout, weights, str(path))
    if HASH not in meta:
        warnings.warn(f"{path} says no hash of its weights, so that damage to it would not be seen; save_weights "
                      "writes one.", HebbarWarning, stacklevel=3)
    return image


def _in_range(layout: Layout, where: str, matrix: NDArray[np.float64]) -> None:
    """Raise BadInput for the first weight that rounds to no code of the weight format."""
    f = layout.machine.formats.weight
    codes = np.floor(matrix * f.scale + 0.5)
    wrong = np.argwhere((codes < f.lo) | (codes > f.hi))
    if len(wrong):
        at = tuple(int(i) for i in wrong[0])
        raise BadInput(f"{where} hold {matrix[at]:g} at {at}, outside {f.lo / f.scale:g}.."
                       f"{f.hi / f.scale:g} of {f}; scale or clip them, or lower machine.weight_frac.")


def _allowed(network: Network, edge: Edge, where: str, matrix: NDArray[Any]) -> None:
    """Raise BadInput for the first weight that an edge cannot have."""
    gone = absent(network, edge)
    left_out = "where the mask or the zero diagonal of the edge leaves no weight; clear it"
    for wrong, why in ((gone is not None and gone & (matrix != 0), left_out),
                       (edge.positive and matrix < 0, "and the edge is positive; give 0 or more")):
        places = np.argwhere(wrong)
        if np.ndim(wrong) and len(places):
            at = tuple(int(i) for i in places[0])
            raise BadInput(f"{where} hold {matrix[at]:g} at {at}, {why}.")


def _matrix(path: Path, key: str, matrix: NDArray[Any]) -> NDArray[Any]:
    """``matrix`` as float32 or float64; raises BadInput unless it is finite, real and 2-D."""
    if matrix.dtype.kind not in "fiu":
        raise BadInput(f"{path}: {key!r} holds {matrix.dtype}; give real numbers (float32 or float64).")
    if matrix.ndim != 2:
        raise BadInput(f"{path}: {key!r} has shape {matrix.shape}; give (target size, source size).")
    if not np.isfinite(matrix).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(matrix))[0])
        raise BadInput(f"{path}: {key!r} holds {matrix[at]} at {at}; give finite numbers.")
    return matrix if matrix.dtype == np.float32 else matrix.astype(np.float64)


def _format(path: Path) -> tuple[Callable[[Path], tuple[Arrays, Meta]], Callable[[Path, Arrays, Meta], None]]:
    """Reader and writer for the suffix of ``path``."""
    formats = {".npz": (_read_npz, _write_npz), ".safetensors": (_read_safetensors, _write_safetensors)}
    if path.suffix not in formats:
        raise BadInput(f"{path}: weights cannot be in a file with suffix {path.suffix!r}"
                       f"{suggest(path.suffix, formats)}.")
    return formats[path.suffix]


def _read(path: Path) -> tuple[Arrays, Meta]:
    arrays, meta = _format(path)[0](path)
    if HASH in meta and meta[HASH] != digest(arrays, meta):
        raise BadInput(f"{path} holds other weights than the hash in it says; it was damaged or changed, fetch or save "
                       "it again.")
    return arrays, meta


def _read_npz(path: Path) -> tuple[Arrays, Meta]:
    arrays = read_npz(path, ".npz file of weights")
    try:
        meta = json.loads(str(arrays.pop(META, "{}")))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: {META} is no JSON ({error}); leave it out.") from None
    if not isinstance(meta, dict):
        raise BadInput(f"{path}: {META} is no JSON object; leave it out.")
    return arrays, {key: str(value) for key, value in meta.items()}


def _write_npz(path: Path, arrays: Arrays, meta: Meta) -> None:
    with open(path, "wb") as file:  # given a name, NumPy would append .npz to it
        np.savez(file, **{META: np.array(json.dumps(meta))}, **arrays)  # type: ignore[arg-type]


def _read_safetensors(path: Path) -> tuple[Arrays, Meta]:
    library = _safetensors()
    try:
        check_file(path)
        _check_keys(path)
        with library.safe_open(path, framework="numpy") as data:
            types = {key: data.get_slice(key).get_dtype() for key in data.keys()}  # noqa: SIM118 - no mapping, and no iterator
            wrong = next((key for key, dtype in types.items() if dtype not in SAFE), None)
            if wrong is None:
                return {key: data.get_tensor(key) for key in types}, dict(data.metadata() or {})
    except Exception as error:  # whatever a damaged file makes of the library
        raise BadInput(f"{path} is not a readable .safetensors file of weights ({error}).") from None
    raise BadInput(f"{path}: {wrong!r} holds {types[wrong]}; give numbers of {', '.join(SAFE)}.")


def _check_keys(path: Path) -> None:
    """Raise Damaged where the header names a key twice: of such a pair one would be lost in silence."""
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise Damaged(f"it holds {next(n for n in names if names.count(n) > 1)!r} twice")
        return dict(pairs)

    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > MOST_HEADER:
            raise Damaged(f"it says its header has {size:,} bytes")
        json.loads(file.read(size), object_pairs_hook=once)


def _write_safetensors(path: Path, arrays: Arrays, meta: Meta) -> None:
    raw = _safetensors().numpy.save(arrays, metadata=meta)
    end = 8 + int.from_bytes(raw[:8], "little")
    # The library puts the header's keys in an order of chance: sorted, the same weights are the same bytes.
    header = json.dumps(json.loads(raw[8:end]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(len(header).to_bytes(8, "little") + header + raw[end:])


def _safetensors() -> ModuleType:
    """The library, imported only for who uses this format."""
    try:
        import safetensors.numpy
    except ImportError:
        raise MissingTool("safetensors is not installed: pip install safetensors, or use .npz.") from None
    return safetensors
