"""IL against backprop, both in fixed point on one machine, where prospective configuration is said to win."""
