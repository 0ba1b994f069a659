"""Golden models: what the hardware must compute, and the float reference it is held against."""
