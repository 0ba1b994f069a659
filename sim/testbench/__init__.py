"""cocotb testbenches of the exported machine; copy these for a changed design."""
