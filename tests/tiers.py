"""Which tests are fast, need a tool, or are slow: one table for the marks that ``conftest.py`` sets.

A file is in one tier; a test that needs another one carries that mark itself. Fast files were chosen by processor time,
half a minute for all of them, among those that build nothing, compile nothing and start no other program.
"""

from pathlib import Path

__all__ = ["FAST", "TIERS", "TOOL", "tier"]

TIERS = ("fast", "slow", "tool")
FAST = frozenset({
    "test_analog_config", "test_architecture", "test_config", "test_console", "test_datasets", "test_effects",
    "test_graphs", "test_idx", "test_planted_list", "test_record", "test_reference_batch", "test_reference_behaviour",
    "test_reference_covpcn", "test_reference_direct_feedback", "test_reference_divergence", "test_reference_elements",
    "test_reference_forward_forward", "test_reference_hopfield", "test_reference_reverse",
    "test_reference_reward_bases", "test_reference_theorems", "test_rule_needs",
    "test_sample_files", "test_style", "test_version", "test_workload"})
"""Contract, configuration, compiler, files and the float reference."""
TOOL = frozenset({
    "test_abort_proof", "test_area_budget", "test_choose_gamma", "test_cosim", "test_counter_agreement",
    "test_defects", "test_equivalence", "test_every_abort", "test_examples", "test_gate_energy", "test_icarus",
    "test_induction", "test_integrator", "test_kit", "test_kit_cocotb", "test_kit_driver", "test_kit_fusesoc",
    "test_kit_pynq", "test_litex", "test_more_examples", "test_package", "test_preset_commands", "test_random_bus",
    "test_real_number_model", "test_report", "test_shell", "test_site", "test_spice", "test_structure",
    "test_synth", "test_toggles", "test_toolchain", "test_training", "test_tutorial",
    "test_ulx3s"})
"""Verilator and a C++ compiler, Icarus, Yosys, ngspice, nextpnr, Sphinx; so does every test that takes ``models``."""


def tier(path: Path, fixtures: frozenset[str] = frozenset()) -> str:
    """The tier of the tests in a file that take these fixtures."""
    if path.stem in FAST:
        return "fast"
    return "tool" if path.stem in TOOL or "models" in fixtures else "slow"
