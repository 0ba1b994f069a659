"""Synthesis: what a technology makes of the machine, in cells, area and time."""
