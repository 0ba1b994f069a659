"""The Verilated machine behind a thin C interface: training-length runs of the RTL from Python."""
