"""Backends: ``run(job) -> Trace`` on the golden machine, Amaranth's simulator and Verilator."""
