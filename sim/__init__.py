"""Running the machine: every tool, back end and test bench, and nothing they are compared with."""
