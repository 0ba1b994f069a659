"""What an estimate contains of a machine whose products are physics."""

from golden.training import data_of, initial_image
from hebbar.compiler import compile_config
from hebbar.config import load
from sim.backends import golden
from sim.energy import estimate, load_technology
from sim.experiment import replay_job


def test_an_analog_macro_is_left_out_and_named():
    """Its products are physics that no table of digital arithmetic prices; all else is priced as for the array.
    Without it the multipliers of a machine that has none would be charged."""
    found = {}
    for tile in ("array", "analog"):
        program = compile_config(load("array").replace(machine={"tile": tile, "analog": {"control": {"align": 2}}}))
        job = replay_job(program, data_of(program), initial_image(program), 5)
        found[tile] = estimate(program, golden.run(job).counters, 5, load_technology("cmos45"),
                               registers=lambda m: {"bus": 10})
    rows = {tile: {r.component: r.count for r in e.rows if "register" not in r.component} for tile, e in found.items()}
    dropped = set(rows["array"]) - set(rows["analog"])
    assert {name.split()[0] for name in dropped} == {"FWD", "TRN", "UPD"} and len(dropped) == 6
    assert rows["analog"] == {name: count for name, count in rows["array"].items() if name not in dropped}
    assert "analog macro" in found["analog"].left_out[0] and found["array"].left_out == \
        found["array"].technology.excluded
