"""The C header of what stands in the words that a driver moves: packets, memories, instructions, descriptors."""

from collections.abc import Iterator, Mapping

from hebbar.contract.counters import MEANINGS
from hebbar.contract.geometry import ports
from hebbar.contract.isa import FIELDS, SUMMARY, Field, Into, Mode, Op, flag_meanings
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import BLOCK, HEADER, MAP, TABLE, Mem
from hebbar.contract.register_fields import CAUSES
from hebbar.contract.registers import COUNTER_BASE
from hw.verilog import TOP

__all__ = ["header"]

P = TOP.upper()
GUARD = f"{P}_FORMATS_H"
FUNCTIONS = f"""\
/* Put a value into a field of an entry, an instruction or the first beat of a packet, and get it out again. Words of
 * 32 bits lie lowest first; no field goes over the end of one. */
static inline void {TOP}_put(uint32_t *words, uint32_t lsb, uint32_t mask, uint32_t value)
{{
    words[lsb / 32u] = (words[lsb / 32u] & ~(mask << lsb % 32u)) | (value & mask) << lsb % 32u;
}}

static inline uint32_t {TOP}_get(const uint32_t *words, uint32_t lsb, uint32_t mask)
{{
    return words[lsb / 32u] >> lsb % 32u & mask;
}}

/* First beat of a packet: write (read = 0) or read (read = 1) `beats` beats of a memory. The second is the address. */
static inline uint32_t {TOP}_packet(enum {TOP}_memory memory, uint32_t beats, uint32_t read)
{{
    uint32_t word = 0;
    {TOP}_put(&word, {P}_PACKET_BEATS_LSB, {P}_PACKET_BEATS_MASK, beats);
    {TOP}_put(&word, {P}_PACKET_MEMORY_LSB, {P}_PACKET_MEMORY_MASK, (uint32_t)memory);
    {TOP}_put(&word, {P}_PACKET_READ_LSB, {P}_PACKET_READ_MASK, read);
    return word;
}}
"""


def header(machine: MachineConfig, version: str) -> str:
    """The whole header of a machine; ``version``: of Hebbar, for its first line."""
    parts = [f"/* Words of programs, descriptors and packets of {TOP}, written by Hebbar {version}. Apache-2.0. */\n",
             f"#ifndef {GUARD}\n#define {GUARD}\n", f'#include "{TOP}_registers.h"\n',
             *_machine(machine), *_program(), FUNCTIONS, "#endif\n"]
    return "\n".join(parts)


def _machine(machine: MachineConfig) -> Iterator[str]:
    yield _enum("cause", {c.name: (int(c), meaning) for c, meaning in CAUSES.items()}, "What CAUSE says.")
    yield _enum("memory", {m.name: (int(m), "") for m in Mem}, "Memory numbers in packets; IN and OUT reach the first.")
    yield _block("Depth in words and 32-bit beats a word of every memory.",
                 {f"{mem.name}_{what}": (f"{number}u", "") for mem, port in ports(machine).items()
                  for what, number in (("DEPTH", port.depth), ("BEATS", port.beats_per_word))})
    if not machine.counters:
        yield "/* This machine has no counters; their addresses and LATCH answer with an error. */\n"
        return
    yield _block("Counters: 64 bits each, the low half first, from here on in this order.",
                 {"COUNTER_BASE": (f"0x{COUNTER_BASE:03x}u", "")})
    yield _enum("counter", {name.upper(): (i, meaning) for i, (name, meaning) in enumerate(MEANINGS.items())}, "")
    yield _block("", {"COUNTERS": (f"{len(MEANINGS)}u", "")})


def _program() -> Iterator[str]:
    yield _enum("op", {op.name: (int(op), SUMMARY[op]) for op in Op}, "Opcodes, in the highest bits of an instruction.")
    yield _layout("OP", {"code": Field(28, 4, "which instruction")}, "Its place.")
    for op, fields in ((op, fields) for op, fields in FIELDS.items() if fields):
        yield _layout(op.name, fields, f"Fields of {op.name}.")
    yield _block("Flags of SWEEP.", {f"FLAG_{flag.name}": (f"0x{int(flag):04x}u", meaning)
                                     for flag, meaning in flag_meanings().items()})
    for name, kind in (("mode", Mode), ("into", Into)):
        yield _enum(name, {member.name: (int(member), "") for member in kind}, f"Field {name} of SEPARATE.")
    for name, layout, what in (("PACKET", HEADER, "the first beat of a packet"), ("BLOCK", BLOCK, "a block descriptor"),
                               ("MAP", MAP, "a map entry"), ("TABLE", TABLE, "an entry of FUNCTION or DERIVATIVE")):
        yield _layout(name, layout, f"Fields of {what}.")


def _block(title: str, values: Mapping[str, tuple[str, str]]) -> str:
    lines = [f"/* {title} */"] if title else []
    lines += [f"#define {P}_{name} {value}{_comment(meaning)}" for name, (value, meaning) in values.items()]
    return "\n".join([*lines, ""])


def _layout(name: str, fields: Mapping[str, Field], title: str) -> str:
    return _block(title, {f"{name}_{field.upper()}_{what}": value for field, place in fields.items()
                          for what, value in (("LSB", (f"{place.lsb}u", place.meaning)),
                                              ("MASK", (f"0x{(1 << place.width) - 1:x}u", "")))})


def _enum(name: str, values: Mapping[str, tuple[int, str]], title: str) -> str:
    lines = [f"/* {title} */"] if title else []
    lines += [f"enum {TOP}_{name} {{"]
    last = list(values)[-1]
    lines += [f"    {P}_{name.upper()}_{member} = {value}{'' if member == last else ','}{_comment(meaning)}"
              for member, (value, meaning) in values.items()]
    return "\n".join([*lines, "};", ""])


def _comment(meaning: str) -> str:
    return f" /* {meaning} */" if meaning else ""
