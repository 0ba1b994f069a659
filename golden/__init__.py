"""Golden models: what the hardware must compute, and the float reference it is held against."""

from hebbar.contract.places import settle

settle()  # before Numba, which many modules here compile with, looks for a place to keep machine code
