"""What a study of the analog macro offers: its rules, and the switches that have values of their own."""

__all__ = ["RULES", "SEVERITIES"]

RULES = {"il": "digits", "ipc": "digits_ipc", "backprop": "backprop"}
"""Rules of a study by name, and the preset whose constants, chosen on validation data of the digital tile, they
take."""

SEVERITIES: dict[str, tuple[float | bool | str, ...]] = {
    "device.g_min": (0.0, 2.5, 5.0, 10.0), "device.levels": (0, 256, 64, 16),
    "device.weight_range": (4.0, 1.0, 0.5, 0.25),
    "read.additive": (0.0, 0.25, 0.5, 1.0, 2.0), "read.proportional": (0.0, 0.05, 0.1, 0.2, 0.4),
    "read.flicker": (0.0, 0.0088, 0.03, 0.1), "read.drift": (0.0, 0.05, 0.1, 0.2),
    "update.device_spread": (0.0, 0.3, 0.6, 1.0), "update.pulse_spread": (0.0, 0.3, 1.0, 4.0),
    "update.asymmetry": (0.0, 0.05, 0.1, 0.2, 0.4), "update.soft_bounds": (0.0, 0.5, 1.0),
    "faults.stuck_on": (0.0, 0.01, 0.03, 0.1), "faults.stuck_off": (0.0, 0.03, 0.1, 0.3),
    "wires.word_resistance": (0.0, 1.0, 4.0, 16.0), "control.row_bits": (9, 8, 7, 6, 5),
    "converters.offset": (0.0, 0.5, 1.0, 2.0), "converters.gain": (0.0, 0.03, 0.1, 0.3),
    "converters.inl": (0.0, 0.5, 1.0, 2.0), "converters.noise": (0.0, 0.5, 1.0, 2.0)}
"""Values by switch, the mildest first."""
