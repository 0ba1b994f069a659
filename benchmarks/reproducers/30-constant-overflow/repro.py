"""The activity of the constant population is 1 << activity_frac, unchecked: with bias and hidden_frac = 7 it is 128 in
8 bits. The Verilog is exported without a word; RTL and golden machine then learn with opposite signs. Right: refused by
the compiler with the key and the fix, before anything is built. exit 1 while wrong."""

from hebbar import Experiment
from hebbar.contract.errors import BadInput

wrong = 0
for net, machine in (
    ({"layers": [4, 4, 2], "bias": True, "hidden_frac": 7}, {}),
    ({"layers": [4, 4, 2], "bias": True}, {"activity_bits": 6}),
    ({"layers": [4, 4, 2], "bias": True}, {"activity_bits": 5}),
):
    try:
        e = Experiment(
            {"network": net, "rule": {"alpha_shifts": [2, 2], "init_scales": [1.0, 1.0]}, "machine": machine}
        )
        print(net, machine, "compiled, constants", e.program.constants)
        wrong += 1
    except BadInput as error:
        print("refused:", error)
raise SystemExit(wrong > 0)
