"""Backends, one a module; ``sim.backends.registry`` lists them and says what a module defines."""
