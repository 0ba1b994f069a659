"""The analog crossbar: its wires, devices and converters in float64."""
