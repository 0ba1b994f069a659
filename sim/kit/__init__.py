"""The kit: everything a chip needs to run a program, as files that need no Python."""
