"""Adiabatic superconducting logic (AQFP): a netlist as gates of three branches, splitters and balancing buffers."""
