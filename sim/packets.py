"""What a host sends: memories and samples as stream packets, settings as register values.

The host driver (``sim.host``) sends these packets and ``sim.kit`` writes them into files, so the two cannot differ.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from golden.image import checked_codes
from hebbar.compiler.program import Program, Transfer
from hebbar.contract.geometry import ports
from hebbar.contract.memories import HEADER, Mem, Port, pack
from hebbar.contract.registers import MAX_RATE

__all__ = ["beats", "clamp_packet", "load_packets", "packets", "rates", "read_packet", "settings", "transfer_beats",
           "words", "write_packet"]


def beats(values: NDArray[np.int64], port: Port) -> list[int]:
    """Elements (flat, lowest lane first) as stream beats; the last beat is padded with zeros."""
    return _packed(np.asarray(values, np.int64).reshape(1, -1), port)[0].tolist()


def packets(program: Program, entry: str, samples: Mapping[str, NDArray[np.int64]]) -> NDArray[np.uint32]:
    """One packet a sample, shape (samples, beats): what the transfers of the entry ask for."""
    table = ports(program.machine)
    return np.hstack([_packed(np.asarray(samples[t.key], np.int64), table[t.memory])
                      for t in program.inputs[entry]])


def _packed(rows: NDArray[np.int64], port: Port) -> NDArray[np.uint32]:
    """Rows of elements as rows of beats."""
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % port.lanes_per_beat)))
    mask = (1 << port.element_bits) - 1
    shifts = np.arange(port.lanes_per_beat) * port.element_bits
    parts = (padded.reshape(len(rows), -1, port.lanes_per_beat) & mask) << shifts
    return parts.sum(2).astype(np.uint32)


def words(stream: list[int], port: Port) -> NDArray[np.int64]:
    """Stream beats as elements, the inverse of ``beats``."""
    shifts = np.arange(port.lanes_per_beat) * port.element_bits
    flat = (np.array(stream, np.int64)[:, None] >> shifts & ((1 << port.element_bits) - 1)).ravel()
    sign = 1 << (port.element_bits - 1)
    return (flat ^ sign) - sign if port.signed else flat


def transfer_beats(program: Program, transfers: Sequence[Transfer]) -> dict[str, int]:
    """Beats that each of ``transfers`` takes in the packet of a sample, by key."""
    table = ports(program.machine)
    return {t.key: -(-t.population.size // table[t.memory].lanes_per_beat) for t in transfers}


def write_packet(memory: Mem, address: int, payload: list[int]) -> list[int]:
    """A packet that writes ``payload`` from word ``address`` on."""
    header = pack(HEADER, "packet", beats=len(payload), memory=memory, read=0)
    return [header, address, *payload]


def read_packet(program: Program, memory: Mem) -> list[int]:
    """A packet that asks for a whole memory."""
    port = ports(program.machine)[memory]
    return [pack(HEADER, "packet", beats=port.depth * port.beats_per_word, memory=memory, read=1), 0]


def load_packets(program: Program, weights: NDArray[np.int64],
                 rows: Mapping[Mem, NDArray[np.int64]] = {}) -> dict[Mem, list[int]]:
    """The packet for every memory that a program needs: instructions, descriptors, tables, weights, neurons.

    ``rows``: elements by neuron address for STATE, ERROR and ACTIVITY instead of the initial ones. Raises BadInput for
    weights outside their format.
    """
    table, neurons = ports(program.machine), program.machine.neuron_words * program.machine.lanes
    images = {
        Mem.PROGRAM: list(program.words),
        Mem.BLOCK: [b >> 32 * i & 0xFFFFFFFF for b in program.blocks for i in range(4)],
        Mem.MAP: list(program.maps), Mem.FUNCTION: list(program.functions), Mem.DERIVATIVE: list(program.derivatives),
        Mem.WEIGHT: beats(checked_codes(program.machine, weights), table[Mem.WEIGHT])}
    images |= {mem: beats(np.zeros(neurons, np.int64), table[mem]) for mem in (Mem.STATE, Mem.ERROR)}
    activity = np.zeros(neurons, np.int64)
    for name, code in program.constants.items():
        activity[program.layout.places[name].word * program.machine.lanes] = code
    images[Mem.ACTIVITY] = beats(activity, table[Mem.ACTIVITY])
    images |= {mem: beats(values, table[mem]) for mem, values in rows.items()}
    return {memory: write_packet(memory, 0, payload) for memory, payload in images.items() if payload}


def clamp_packet(program: Program, entry: str) -> list[int]:
    """The packet that sets the clamp masks with which ``entry`` starts."""
    clamp = np.zeros(program.machine.neuron_words * program.machine.lanes, np.int64)
    for name in program.clamped(entry):
        start = program.layout.places[name].word * program.machine.lanes
        clamp[start:start + program.layout.places[name].population.size] = 1
    return write_packet(Mem.CLAMP, 0, beats(clamp, ports(program.machine)[Mem.CLAMP]))


def settings(program: Program) -> dict[str, int]:
    """Values of the registers that are written once, after the memories."""
    gains = {f"gain{i}": gain for i, gain in enumerate(program.gains)}
    return gains | {"tolerance": program.tolerance, "beta": program.beta}


def rates(program: Program, halvings: int = 0) -> dict[str, int]:
    """Values of the RATE registers that the program uses, every alpha halved so often."""
    return {f"rate{i}": min(rate + halvings, MAX_RATE) for i, rate in enumerate(program.rates)}
