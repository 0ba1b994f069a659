"""Studies: a file, or a package, for each, with what is measured, drawn and printed; ``registry`` names their areas."""
