"""The sections of a kit as files: hex for $readmemh, C arrays, one binary, and a manifest that names them all."""

import struct
from pathlib import Path
from typing import Any

import numpy as np

from hebbar import __version__
from hebbar.compiler.program import Program, Transfer
from hebbar.contract.files import output_folder, whole, write_json, write_text
from hebbar.contract.registers import VERSION, identity, registers
from hw.verilog import TOP

from ..packets import transfer_beats
from .contents import Kit, Section

__all__ = ["MAGIC", "hex_file", "write_binary", "write_hex", "write_manifest"]

MAGIC = b"HEBK"
FORMAT = 1
RECORD = struct.Struct("<24sIII")
"""The record of a section in the binary: name, padded with zeros; offset in bytes; rows; words a row."""
HEAD = struct.Struct("<4sIII")
"""The head of the binary: magic, version of this format, version of the register map, number of sections."""


def hex_file(section: Section) -> str:
    """Where the words of a section are, relative to the kit."""
    return f"data/{section.name}.hex"


def write_hex(kit: Kit, folder: Path) -> list[Path]:
    """A file for every section, one word of eight hexadecimal digits a line, as $readmemh takes it."""
    output_folder(folder / "data")
    paths = []
    for section in kit.sections():
        paths.append(folder / hex_file(section))
        write_text(paths[-1], "".join(f"{word:08x}\n" for word in section.words.ravel().tolist()))
    return paths


def write_binary(kit: Kit, path: Path) -> Path:
    """All sections in one little-endian file: head, a record for each section, their words."""
    sections = list(kit.sections())
    offset = HEAD.size + RECORD.size * len(sections)
    head = HEAD.pack(MAGIC, FORMAT, VERSION, len(sections))
    for section in sections:
        head += RECORD.pack(section.name.encode(), offset, *section.words.shape)
        offset += 4 * section.words.size
    with whole(path) as partial:
        partial.write_bytes(head + b"".join(s.words.astype(np.dtype("<u4")).tobytes() for s in sections))
    return path


def write_manifest(kit: Kit, path: Path, top: str = TOP) -> Path:
    """JSON that says what every section is, where it lies, and which registers a run sets."""
    offset, sections = HEAD.size + RECORD.size * sum(1 for _ in kit.sections()), []
    for section in kit.sections():
        rows, words = section.words.shape
        sections.append({"name": section.name, "meaning": section.meaning, "rows": rows, "words_a_row": words,
                         "hex": hex_file(section), "c": f"{top}_kit_{section.name}", "binary_offset": offset})
        offset += 4 * section.words.size
    write_json(path, {
        "format": FORMAT, "top": top, "generator": f"Hebbar {__version__}", "configuration": kit.program.config.name,
        "binary": f"{top}_kit.bin",
        "registers": {name: register.address for name, register in registers(kit.program.machine).items()},
        "identity": identity(kit.program.machine), "answer_beats": _answers(kit.program),
        "streams": {entry: {"in": _stream(kit.program, kit.program.inputs[entry]),
                            "out": _stream(kit.program, kit.program.outputs[entry])} for entry in kit.program.entries},
        "entries": kit.program.entries, "settings": kit.settings, "rates": kit.rates, "samples_missing": kit.missing,
        "check": [{"entry": part.entry, "samples": len(part.samples)} for part in kit.parts],
        "sections": sections, "layout": _layout(kit)})
    return path


def _answers(program: Program) -> dict[str, int]:
    return {entry: sum(transfer_beats(program, outputs).values()) for entry, outputs in program.outputs.items()}


def _stream(program: Program, transfers: tuple[Transfer, ...]) -> list[dict[str, Any]]:
    """What the packet of a sample is made of, in its order."""
    beats = transfer_beats(program, transfers)
    return [{"population": t.population.name, "memory": t.memory.name, "neurons": t.population.size,
             "beats": beats[t.key]} for t in transfers]


def _layout(kit: Kit) -> list[dict[str, Any]]:
    """Where every population lies in the neuron words."""
    return [{"population": name, "first_neuron_word": place.word, "neurons": place.population.size}
            for name, place in kit.program.layout.places.items()]
