"""bind.h: where the memories of one machine, their write ports and its pins are in the Verilated model."""

from hebbar.contract.effects import Resource
from hebbar.contract.geometry import ports
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import Mem
from hebbar.contract.tiles import Weights
from hebbar.contract.write_hash import FACTOR, STEP
from hw.verilog import CLEARING, EXIT, PORT, TOP, written

from ..macro import PINS

__all__ = ["MEMORIES", "RECORDED", "bind", "geometry"]

RECORDED = (Mem.STATE, Mem.ERROR, Mem.ACTIVITY, Mem.WEIGHT)
"""Memories the shell records at barriers, in the order of its own enumeration."""
MEMORIES = (Resource.STATE, Resource.ERROR, Resource.ACTIVITY, Resource.WEIGHT, Resource.BASE, Resource.INTEGRAL)
"""All memories that it knows, in that order."""


def bind(machine: MachineConfig) -> str:
    """The text of bind.h."""
    return "\n".join(["// Generated for one machine by sim/shell/bind.py.", *_memories(machine), *_ports(machine),
                      *_pins(machine), ""])


def _memories(machine: MachineConfig) -> list[str]:
    lines, most = ["inline void bind(const Vtop___024root& r, Memory* m) {"], 0
    for i, resource in enumerate(MEMORIES):
        lanes, bits, depth = geometry(machine, resource)
        if resource is Resource.WEIGHT and machine.kind.weights is not Weights.MEMORY:
            places = [_path(f"tile.{place}") for place in machine.kind.weight_places(machine)]
            lines += [f"    m[{i}].one({place});" for place in places]
            lines += [f"    m[{i}].lanes = 1, m[{i}].bits = {bits};"] if places else []
        elif place := written(machine).get(resource):
            lines.append(f"    m[{i}].all({_path(place + '.memory')}, {depth});")
            lines.append(f"    m[{i}].lanes = {lanes}, m[{i}].bits = {bits};")
            most = max(most, lanes)
    port = ports(machine)[Mem.WEIGHT]
    return [*lines, "}", f"constexpr size_t WEIGHTS = {port.depth * port.lanes};",
            f"constexpr unsigned MOST_LANES = {most};", f"constexpr uint32_t FACTOR = {FACTOR}u, STEP = {STEP}u;"]


def geometry(machine: MachineConfig, resource: Resource) -> tuple[int, int, int]:
    """Elements of a word of a memory, bits of an element, words."""
    if resource is Resource.BASE:
        return machine.pass_rows, machine.row_sum_bits, machine.row_words
    port = ports(machine)[Mem.ERROR if resource is Resource.INTEGRAL else Mem[resource.name]]
    return port.lanes, port.bits, port.depth


def _ports(machine: MachineConfig) -> list[str]:
    """Who writes at the next clock edge: ``take(memory, mask, address)`` for each port that the host does not have."""
    lines = ["template <class Take> inline void writing(const Vtop___024root& r, Take take) {"]
    for resource, place in written(machine).items():
        host, mask, address = (_path(f"{place}.{signal}") for signal in PORT)
        host = _path(CLEARING) if resource in (Resource.BASE, Resource.INTEGRAL) else host
        lines.append(f"    if (!{host}) take({MEMORIES.index(resource)}, {mask}, {address});")
    lines += ["}", "template <class Take> inline void decided(const Vtop___024root& r, Take take) {"]
    if machine.energy:
        leaves, arms, left = (_path(signal) for signal in EXIT)
        lines.append(f"    if ({leaves} && !{arms}) take({left});")
    return [*lines, "}"]


def _path(place: str) -> str:
    """What Verilator calls a signal below the top: it keeps two underlines in a row for itself."""
    return "r." + f"{TOP}.{place}".replace("__", "___05F").replace(".", "__DOT__")


def _pins(machine: MachineConfig) -> list[str]:
    """The part about the pins of an analog macro."""
    if not machine.kind.macro:
        return ["inline bool strobed(const Vtop&) { return false; }", "inline void pins(Vtop*, const void**) {}"]
    lines = [f"    out[{i}] = &t->{PINS}{name};" for i, name in enumerate(machine.kind.pins(machine))]
    return [f"inline bool strobed(const Vtop& t) {{ return t.{PINS}strobe; }}",
            "inline void pins(Vtop* t, const void** out) {", *lines, "}"]
