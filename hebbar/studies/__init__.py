"""Figures beside their targets, one module an area."""
