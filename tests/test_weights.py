"""Weights in files: bit for bit out and in, and a sentence for every file that cannot be used."""

import io
import json
import struct
import subprocess
import sys

import numpy as np
import pytest
from helpers import graph, layered

from golden.image import from_image, to_image
from golden.weights import checked_image, load_image, load_meta, load_weights, save_weights
from hebbar.compiler import compile_config
from hebbar.config import load
from hebbar.errors import BadInput
from sim.simulate import load_weights as simulate_weights

SUFFIXES = (".npz", ".safetensors")


def program_of(bits: int = 16, frac: int = 13):
    """A graph with uneven sizes, a skip edge and a self edge on narrow or wide weights."""
    return compile_config(graph(
        [("in", 5, "input", "identity", 7), ("h", 6, "hidden", "leaky", 5), ("out", 3, "target", "identity", 5)],
        [("in", "h"), ("h", "h", {"zero_diagonal": True}), ("h", "out"), ("in", "out")],
        weight_bits=bits, weight_frac=frac, row_sum_bits=50, back_sum_bits=50))


def with_elements():
    """A masked block, an identity beside weights, and an edge that shares."""
    return compile_config(graph(
        [("in", 8, "input", "identity", 7), ("h", 8, "hidden", "leaky", 5), ("k", 8, "hidden", "leaky", 5),
         ("out", 3, "target", "identity", 5)],
        [("in", "h", {"mask": ("10", "11")}), ("h", "k"), ("h", "k", {"identity": True, "plastic": False}),
         ("k", "out"), ("in", "k", {"shares": "h:k"})]))


def every_code(program, seed=0):
    """An image with random codes of the whole range wherever a weight is, zero elsewhere."""
    f = program.machine.formats.weight
    shape = (program.machine.weight_words, program.machine.row_tiles, program.machine.lanes)
    used = to_image(program.layout, {key: np.full(matrix.shape, 1 / f.scale) for key, matrix in from_image(
        program.layout, np.zeros(shape, np.int64)).items()})
    codes = np.random.default_rng(seed).integers(f.lo, f.hi + 1, shape)
    codes.flat[np.flatnonzero(used)[:2]] = f.lo, f.hi
    return codes * used


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("bits", "frac"), [(16, 13), (6, 5), (24, 18), (24, 11)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_codes_come_back_bit_for_bit(tmp_path, suffix, bits, frac, dtype):
    """Without it a network loaded again would be another one, by an LSB here and there."""
    program = program_of(bits, frac)
    image, path = every_code(program), tmp_path / f"w{suffix}"
    assert np.count_nonzero(image) > 50
    save_weights(path, {k: m.astype(dtype) for k, m in from_image(program.layout, image).items()})
    assert np.array_equal(load_image(program.layout, path), image)
    assert np.array_equal(simulate_weights(program, path), image)
    assert all(m.dtype == np.float64 for m in load_weights(path).values())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_only_edges_with_weights_of_their_own_are_in_a_file(tmp_path, suffix):
    """Without it an identity would be written as a matrix that no machine stores, or a hole as weights."""
    program, path = with_elements(), tmp_path / f"w{suffix}"
    image = every_code(program)
    save_weights(path, from_image(program.layout, image))
    weights = load_weights(path)
    assert set(weights) == {("in", "h"), ("h", "k"), ("k", "out")}
    assert not weights["in", "h"][:4, 4:].any() and (weights["in", "h"] != 0).sum() > 40
    assert np.array_equal(load_image(program.layout, path), image)
    for key, words in ((("in", "k"), "'in:k' is no edge of this network with weights of its own"),
                       (("in", "h"), "hold 1 at (0, 4), where the mask of the edge leaves no weight")):
        with pytest.raises(BadInput) as caught:
            checked_image(program.layout, weights | {key: np.ones((8, 8))}, "mine.npz")
        assert words in str(caught.value) and str(caught.value).startswith("mine.npz: ")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_matrices_keep_their_orientation(tmp_path, suffix):
    """Without it a transposed or non-contiguous matrix would be stored in the order of its memory."""
    matrix = np.arange(12.0).reshape(3, 4)
    save_weights(tmp_path / f"w{suffix}", {("a", "b"): matrix, ("b", "a"): matrix.T, ("a", "c"): matrix[:, ::-1]},
                 {"config": "mine"})
    back = load_weights(tmp_path / f"w{suffix}")
    assert np.array_equal(back["a", "b"], matrix) and np.array_equal(back["b", "a"], matrix.T)
    assert np.array_equal(back["a", "c"], matrix[:, ::-1]) and len(back) == 3
    assert load_meta(tmp_path / f"w{suffix}") == {"config": "mine"}
    assert list(tmp_path.iterdir()) == [tmp_path / f"w{suffix}"]


def test_the_files_are_what_other_programs_write(tmp_path):
    """Without it only Hebbar could read its own files."""
    matrix = np.array([[0.5, -1.0, 2.0]])
    np.savez(tmp_path / "w.npz", **{"a:b": matrix})
    raw = matrix.astype("<f4").tobytes()
    header = json.dumps({"a:b": {"dtype": "F32", "shape": [1, 3], "data_offsets": [0, len(raw)]}}).encode()
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + raw)
    for suffix in SUFFIXES:
        assert np.array_equal(load_weights(tmp_path / f"w{suffix}")["a", "b"], matrix)
        assert load_meta(tmp_path / f"w{suffix}") == {}
    save_weights(tmp_path / "v.safetensors", {("a", "b"): matrix.astype(np.float32)}, {"config": "digits"})
    content = (tmp_path / "v.safetensors").read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    written = json.loads(content[8:8 + size])
    assert written["a:b"]["dtype"] == "F32" and written["a:b"]["shape"] == [1, 3]
    assert written["__metadata__"] == {"config": "digits"} and content[8 + size:] == raw


def bad_files(folder):
    """Files that cannot be weights, by the words that must be in the sentence."""
    np.savez(folder / "dash.npz", **{"a-b": np.ones((1, 1))})
    np.savez(folder / "half.npz", **{"a:": np.ones((1, 1))})
    np.savez(folder / "nan.npz", **{"a:b": np.array([[0, np.nan]])})
    np.savez(folder / "flat.npz", **{"a:b": np.ones(3)})
    np.savez(folder / "complex.npz", **{"a:b": np.ones((1, 1), complex)})
    np.savez(folder / "object.npz", **{"a:b": np.array([[{}]], object)})
    (folder / "text.npz").write_text("weights")
    (folder / "empty.npz").touch()
    buffer = io.BytesIO()
    np.save(buffer, np.ones((2, 2)))
    (folder / "single.npz").write_bytes(buffer.getvalue())
    (folder / "text.safetensors").write_text("weights and more weights")
    (folder / "folder.safetensors").mkdir()
    from safetensors.numpy import save_file
    save_file({"a:b": np.ones((1, 1), np.float16)}, folder / "half.safetensors")
    save_file({"a": np.ones((1, 1))}, folder / "plain.safetensors")
    return {"dash.npz": "key 'a-b' names no edge", "half.npz": "key 'a:' names no edge",
            "nan.npz": "holds nan at (0, 1)", "flat.npz": "shape (3,)",
            "complex.npz": "holds complex128", "object.npz": "not a readable .npz",
            "text.npz": "not a readable .npz", "empty.npz": "not a readable .npz", "single.npz": "one array",
            "text.safetensors": "not a readable .safetensors", "folder.safetensors": "not a readable .safetensors",
            "none.npz": "not a readable .npz", "none.safetensors": "not a readable .safetensors",
            "half.safetensors": "holds F16", "plain.safetensors": "key 'a' names no edge", "w.pt": "suffix '.pt'",
            "w": "suffix ''"}


def test_every_bad_file_is_a_sentence(tmp_path):
    """Without it a user would meet a stack trace, or train on NaN."""
    for name, words in bad_files(tmp_path).items():
        with pytest.raises(BadInput) as caught:
            load_weights(tmp_path / name)
        assert words in str(caught.value) and str(tmp_path / name) in str(caught.value), caught.value
        assert str(caught.value).endswith("."), caught.value


def test_weights_that_do_not_fit_are_refused():
    """Without it weights of another network would be cut, filled up with zeros or clipped."""
    layout = compile_config(layered([4, 3, 2])).layout
    good = {("x0", "x1"): np.zeros((3, 4)), ("x1", "x2"): np.zeros((2, 3))}
    top = layout.machine.formats.weight.hi / layout.machine.formats.weight.scale
    spoilt = {
        "no weights for edge 'x1' to 'x2'": {("x0", "x1"): np.zeros((3, 4))},
        "have shape (4, 3); this configuration needs (3, 4)": good | {("x0", "x1"): np.zeros((4, 3))},
        "'x0:x2' is no edge of this network": good | {("x0", "x2"): np.zeros((2, 4))},
        "hold 4 at (1, 2), outside -4..": good | {("x1", "x2"): np.array([[0, 0, -4.0], [0, 0, 4.0]])},
        "holds inf": good | {("x1", "x2"): np.full((2, 3), np.inf)}}
    for words, weights in spoilt.items():
        with pytest.raises(BadInput) as caught:
            checked_image(layout, weights, "mine.npz")
        assert words in str(caught.value) and str(caught.value).startswith("mine.npz: "), caught.value
    ends = good | {("x1", "x2"): np.array([[0, 0, -4.0], [0, 0, top]])}
    assert np.array_equal(from_image(layout, checked_image(layout, ends, ""))["x1", "x2"], ends["x1", "x2"])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failed_save_leaves_the_old_file(tmp_path, suffix):
    """Without it a run that was cut off could leave half a file under the right name."""
    path = tmp_path / f"w{suffix}"
    save_weights(path, {("a", "b"): np.ones((1, 1))})
    before = path.read_bytes()
    for weights, words in (({("a", "b"): np.array([[np.nan]])}, "holds nan"), ({("a", "b"): np.ones(2)}, "shape"),
                           ({("a:b", "c"): np.ones((1, 1))}, "colon"), ({("a", "b"): np.array([["x"]])}, "holds <U1")):
        with pytest.raises(BadInput, match=words):
            save_weights(path, weights)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_saving_twice_gives_the_same_bytes(tmp_path):
    """Without it a hash over a file of weights would say nothing."""
    for suffix in SUFFIXES:
        for name in "ab":
            save_weights(tmp_path / f"{name}{suffix}", {("x", "y"): np.ones((2, 2))}, {"config": "c"})
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_safetensors_is_loaded_only_by_who_uses_it():
    """Without it every command would need and load one more library."""
    code = "import sys, golden.weights, sim.simulate; print('safetensors' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_a_preset_has_its_seeded_weights_back(tmp_path):
    """Without it the path of `hebbar simulate --weights` could be broken while its parts work."""
    from golden.training import initial_image

    program = compile_config(load("tiny"))
    image = initial_image(program)
    save_weights(tmp_path / "w.safetensors", from_image(program.layout, image))
    assert np.array_equal(simulate_weights(program, tmp_path / "w.safetensors"), image)
