"""What the exported Verilog is made of, read by Pyverilog and held against the configuration."""

from .checks import Check, check

__all__ = ["Check", "check"]
