"""Weights in files: bit for bit out and in, and a sentence for every file that cannot be used."""

import io
import json
import struct
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pytest
from helpers import graph, layered

from golden.archive import read_npz
from golden.image import from_image, to_image
from golden.learning.weights import checked_image, load_image, load_meta, load_weights, save_weights
from golden.machine import Machine
from golden.reference.state import absent
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import BadInput, HebbarWarning
from sim.host import load as load_host
from sim.shell.host import finish
from sim.simulate import load_weights as simulate_weights

SUFFIXES = (".npz", ".safetensors")


def program_of(bits: int = 16, frac: int = 13):
    """A graph with uneven sizes, a skip edge and a self edge on narrow or wide weights."""
    return compile_config(graph(
        [("in", 5, "input", "identity", 7), ("h", 6, "hidden", "leaky", 5), ("out", 3, "target", "identity", 5)],
        [("in", "h"), ("h", "h", {"zero_diagonal": True}), ("h", "out"), ("in", "out")],
        weight_bits=bits, weight_frac=frac, row_sum_bits=50, feedback_sum_bits=50))


def with_elements():
    """A masked block, an identity beside weights, and an edge that shares."""
    return compile_config(graph(
        [("in", 8, "input", "identity", 7), ("h", 8, "hidden", "leaky", 5), ("k", 8, "hidden", "leaky", 5),
         ("out", 3, "target", "identity", 5)],
        [("in", "h", {"mask": ("10", "11")}), ("h", "k"), ("h", "k", {"identity": True, "plastic": False}),
         ("k", "out"), ("in", "k", {"shares": "h:k"})]))


def every_code(program, seed=0):
    """An image with random codes of the whole range wherever a weight may be, zero elsewhere."""
    f = program.machine.formats.weight
    shape = (program.machine.weight_words, program.machine.row_tiles, program.machine.lanes)
    network, full = program.layout.network, {}
    for e in network.stored:
        gone = absent(network, e)
        kept = np.ones((network.by_name[e.target].size, network.by_name[e.source].size)) if gone is None else ~gone
        full[e.source, e.target] = kept / f.scale
    used = to_image(program.layout, full)
    codes = np.random.default_rng(seed).integers(f.lo, f.hi + 1, shape)
    codes.flat[np.flatnonzero(used)[:2]] = f.lo, f.hi
    return codes * used


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("bits, frac", [(16, 13), (6, 5), (24, 18), (24, 11)])
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
                       (("in", "h"), ("hold 1 at (0, 4), where the mask or the zero diagonal of the edge leaves no "
                                     "weight"))):
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
    assert set(written["__metadata__"]) == {"config", "sha256"} and content[8 + size:] == raw


def test_half_precision_is_read_right(tmp_path):
    """Without it a file from a graphics card, of half the size, would be refused or read as other numbers."""
    matrix = np.array([[0.5, -1.25, 2.0 ** -14]], np.float16)
    (tmp_path / "w.safetensors").write_bytes(safe({"a:b": ("F16", [1, 3], 6)}, matrix.astype("<f2").tobytes()))
    assert np.array_equal(load_weights(tmp_path / "w.safetensors")["a", "b"], [[0.5, -1.25, 2.0 ** -14]])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_cut_and_every_flipped_byte_is_refused_or_reads_the_same(tmp_path, suffix):
    """Without it a bit that a disk or a copy changed would be a changed network, in silence."""
    path, matrices = tmp_path / f"w{suffix}", {("a", "b"): np.array([[0.5, -0.25]]), ("b", "c"): np.array([[0.125]])}
    save_weights(path, matrices, {"config": "mine"})
    good, refused = path.read_bytes(), 0
    spoilt = [good[:n] for n in range(0, len(good), 9)] + [good[:n] + bytes([good[n] ^ 1 << n % 8]) + good[n + 1:]
                                                           for n in range(len(good))]
    for raw in spoilt:
        path.write_bytes(raw)
        try:
            found = load_weights(path)
        except BadInput as error:
            refused += 1
            assert str(error).endswith(".") and str(path) in str(error), error
        else:
            assert set(found) == set(matrices) and all(np.array_equal(found[k], m) for k, m in matrices.items())
    assert refused > 0.9 * len(spoilt) if suffix == ".safetensors" else refused > 0.7 * len(spoilt)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_changed_weights_do_not_pass_for_those_that_were_saved(tmp_path, suffix):
    """Without it the checksum of an archive, made anew by whoever changed it, would be all there is."""
    path = tmp_path / f"w{suffix}"
    save_weights(path, {("a", "b"): np.array([[0.5, -0.25]])})
    if suffix == ".npz":
        with np.load(path) as data:
            arrays = {name: data[name] for name in data.files}
        np.savez(path, **arrays | {"a:b": np.array([[0.5, 0.25]])})
    else:
        raw = path.read_bytes()
        path.write_bytes(raw.replace(np.float64(-0.25).tobytes(), np.float64(0.25).tobytes()))
    with pytest.raises(BadInput, match="other weights than the hash in it says"):
        load_weights(path)


def test_an_archive_that_unpacks_to_more_than_it_may_is_refused(tmp_path):
    """Without it some thousand bytes could fill the memory; what is refused is not unpacked first."""
    zipped(tmp_path / "w.npz", *((f"a:{i}.npy", member("(1000, 125)", data=bytes(10**6))) for i in range(3)))
    assert (tmp_path / "w.npz").stat().st_size < 10**5
    assert set(read_npz(tmp_path / "w.npz", "file", most=4 * 10**6)) == {"a:0", "a:1", "a:2"}
    with pytest.raises(BadInput, match="says it holds 3,000,384 bytes, more than the 2,000,000 that are read"):
        read_npz(tmp_path / "w.npz", "file", most=2 * 10**6)


def test_a_file_without_a_hash_is_read_and_said(tmp_path):
    """Without it the files of other programs would be refused, or pass for checked."""
    program = compile_config(layered([4, 3, 2]))
    weights = {"x0:x1": np.ones((3, 4)), "x1:x2": np.ones((2, 3))}
    np.savez(tmp_path / "w.npz", **weights)
    with pytest.warns(HebbarWarning, match="w.npz says no hash"):
        image = load_image(program.layout, tmp_path / "w.npz")
    assert np.array_equal(from_image(program.layout, image)["x0", "x1"], np.ones((3, 4)))


def safe(tensors, data: bytes, twice: bool = False) -> bytes:
    """A safetensors file from its description: name, type, shape and bytes of each tensor."""
    entries, at = [], 0
    for name, (dtype, shape, size) in tensors.items():
        for _ in range(1 + twice):
            entries.append(f'{json.dumps(name)}: ' + json.dumps({"dtype": dtype, "shape": shape, "data_offsets":
                                                                 [at, at + size]}))
            at += size
    header = ("{" + ", ".join(entries) + "}").encode()
    return struct.pack("<Q", len(header)) + header + data


def member(shape: str, dtype: str = "<f8", data: bytes = b"") -> bytes:
    """One array of an .npz from its description: what its header says, and what follows."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def zipped(path, *members) -> None:
    """An archive of (name, bytes), compressed."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # about names that are there twice
        for name, content in members:
            archive.writestr(name, content)


def bad_files(folder):
    """Files that cannot be weights, by the words that must be in the sentence."""
    np.savez(folder / "dash.npz", **{"a-b": np.ones((1, 1))})
    np.savez(folder / "half.npz", **{"a:": np.ones((1, 1))})
    np.savez(folder / "nan.npz", **{"a:b": np.array([[0, np.nan]])})
    np.savez(folder / "flat.npz", **{"a:b": np.ones(3)})
    np.savez(folder / "complex.npz", **{"a:b": np.ones((1, 1), complex)})
    np.savez(folder / "object.npz", **{"a:b": np.array([[{}]], object)})
    zipped(folder / "huge.npz", ("a:b.npy", member("(100000, 100000)")))
    zipped(folder / "twice.npz", *2 * [("a:b.npy", member("(1, 1)", data=bytes(8)))])
    zipped(folder / "negative.npz", ("a:b.npy", member("(-1, -1)", data=bytes(8))))
    zipped(folder / "python.npz", ("a:b.npy", member("(1,)", "|O", b"cos\nsystem\n(S'false'\ntR.")))
    zipped(folder / "readme.npz", ("readme.txt", b"some words"))
    (folder / "text.npz").write_text("weights")
    (folder / "empty.npz").touch()
    buffer = io.BytesIO()
    np.save(buffer, np.ones((2, 2)))
    (folder / "single.npz").write_bytes(buffer.getvalue())
    (folder / "text.safetensors").write_text("weights and more weights")
    (folder / "folder.safetensors").mkdir()
    from safetensors.numpy import save_file
    save_file({"a:b": np.ones((1, 1), np.int8)}, folder / "small.safetensors")
    (folder / "bf16.safetensors").write_bytes(safe({"a:b": ("BF16", [1, 1], 2)}, bytes(2)))
    (folder / "twice.safetensors").write_bytes(safe({"a:b": ("F32", [1, 1], 4)}, bytes(8), twice=True))
    (folder / "huge.safetensors").write_bytes(struct.pack("<Q", 75 << 30) + b"{}")
    save_file({"a": np.ones((1, 1))}, folder / "plain.safetensors")
    return {"dash.npz": "key 'a-b' names no edge", "half.npz": "key 'a:' names no edge",
            "nan.npz": "holds nan at (0, 1)", "flat.npz": "shape (3,)",
            "complex.npz": "holds complex128", "object.npz": "'a:b' holds objects, not numbers",
            "huge.npz": "says it holds 80,000,000,000 bytes of shape (100000, 100000) and has 0",
            "twice.npz": "holds 'a:b' twice",
            "negative.npz": "of shape (-1, -1)", "python.npz": "'a:b' holds objects, not numbers",
            "readme.npz": "not a readable .npz", "huge.safetensors": "its header has 80,530,636,800 bytes",
            "twice.safetensors": "holds 'a:b' twice", "bf16.safetensors": "'a:b' holds BF16; give numbers of F16, F32",
            "text.npz": "not a readable .npz", "empty.npz": "not a readable .npz", "single.npz": "one array",
            "text.safetensors": "not a readable .safetensors", "folder.safetensors": "not a readable .safetensors",
            "none.npz": "not a readable .npz", "none.safetensors": "not a readable .safetensors",
            "small.safetensors": "holds I8", "plain.safetensors": "key 'a' names no edge", "w.pt": "suffix '.pt'",
            "w": "suffix ''"}


def test_every_bad_file_is_a_sentence(tmp_path):
    """Without it a user would meet a stack trace, or train on NaN."""
    for name, words in bad_files(tmp_path).items():
        with pytest.raises(BadInput) as caught:
            load_weights(tmp_path / name)
        assert words in str(caught.value) and str(tmp_path / name) in str(caught.value), caught.value
        assert str(caught.value).endswith(".") and "pickle" not in str(caught.value), caught.value


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
    code = "import sys, golden.learning.weights, sim.simulate; print('safetensors' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_a_preset_has_its_seeded_weights_back(tmp_path):
    """Without it the path of `hebbar simulate --weights` could be broken while its parts work."""
    from golden.session import initial_image

    program = compile_config(load("tiny"))
    image = initial_image(program)
    save_weights(tmp_path / "w.safetensors", from_image(program.layout, image))
    assert np.array_equal(simulate_weights(program, tmp_path / "w.safetensors"), image)


@pytest.mark.parametrize("options, at, value, words", [
    ({"zero_diagonal": True}, (2, 2), 0.5, "zero diagonal of the edge leaves no weight"),
    ({"positive": True}, (0, 1), -0.5, "the edge is positive; give 0 or more")])
def test_weights_that_learning_would_keep_but_no_edge_may_have_are_refused(options, at, value, words):
    """Learning leaves a diagonal alone and clips below zero only where it changes something."""
    program = compile_config(graph([("a", 4, "input", "identity", 7), ("h", 4, "hidden", "leaky", 5)],
                                   [("a", "h"), ("h", "h", options)]))
    weights = {("a", "h"): np.zeros((4, 4)), ("h", "h"): np.zeros((4, 4))}
    weights["h", "h"][at] = value
    with pytest.raises(BadInput, match=words):
        checked_image(program.layout, weights, "here")
    weights["h", "h"][at] = 0.0
    assert not checked_image(program.layout, weights, "here").any()


@pytest.mark.parametrize("change", [lambda w: w + 32768, lambda w: w - 32769, lambda w: w[:-1],
                                    lambda w: w.astype(float)])
def test_no_memory_takes_codes_of_another_width(change):
    """The golden machine would compute with them, a memory of the RTL would keep their low bits."""
    program = program_of()
    image = np.zeros((program.machine.weight_words, program.machine.row_tiles, program.machine.lanes), np.int64)
    machine = Machine(program)
    machine.load(image)
    with pytest.raises(BadInput, match="a weight image holds"):
        machine.load(change(image))
    with pytest.raises(BadInput, match="a weight image holds"):
        finish(load_host(None, program, change(image)))
