"""Technologies of other nodes: the entries of a base table, scaled as published, with entries of their own on top.

A file with ``base = "cmos45"`` gives node and supply and what it knows better; every entry that it does not give is
the base's, scaled by ``scaling``, and says so in its source. Wires keep their capacitance a millimetre: only the supply
counts.
"""

from typing import Any

from .scaling import Kind, Scaled, scaled_energy

__all__ = ["derived"]


def derived(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """The tables of ``base`` and ``own`` as one; ``own`` wins entry by entry."""
    node, supply = own["node_nm"], own["voltage_v"]
    entries = {name: _scaled(name, entry, node, supply) for name, entry in base["entries"].items()
               if name not in own.get("entries", {})}
    taken = {key: value for key, value in own.items() if key not in ("base", "entries")}
    return {"excluded": base["excluded"], **taken, "entries": entries | own.get("entries", {})}


def _scaled(name: str, entry: dict[str, Any], node: float, supply: float) -> dict[str, Any]:
    """One entry at another node and supply, its origin in its source."""
    made = [_at(name, value, entry, node, supply) for value in entry["value"]]
    doubts = [entry.get("unverified", ""), f"no figure of {node:g} nm: {made[0].how}"]
    return entry | {"value": [m.value for m in made], "node_nm": node, "voltage_v": supply, "kind": "predictive",
                    "source": f"{entry['source']}; {made[0].how}", "unverified": "; ".join(d for d in doubts if d)}


def _at(name: str, value: float, entry: dict[str, Any], node: float, supply: float) -> Scaled:
    old, volts = entry["node_nm"], entry["voltage_v"]
    if name.startswith("wire"):
        return Scaled(value * (supply / volts) ** 2, f"V squared from {volts:g} to {supply:g} V, as a wire's "
                      "capacitance a millimetre hardly changes with the node")
    kind = Kind.SRAM if name.startswith("sram") else Kind.LOGIC
    return scaled_energy(value, old, volts, node, supply, kind)
