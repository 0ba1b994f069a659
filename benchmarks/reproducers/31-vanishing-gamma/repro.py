"""GAIN has 7 fraction bits: gamma .0039 becomes 0 and .004 becomes .0078 without a word, while the float machine uses
the number as given. Right: refused or said, and "float" uses what the machine uses (or names the difference). exit 1
while wrong."""

from hebbar import Experiment
from hebbar.contract.errors import BadInput

wrong = 0
for gamma in (0.004, 0.0039, 0.001):
    try:
        e = Experiment(
            {
                "network": {"layers": [6, 5, 3]},
                "rule": {"alpha_shifts": [0, 2], "init_scales": [1.0, 1.0], "gamma": gamma, "steps": 8},
            }
        )
        used = e.program.gains[0] / 128
        print(gamma, "runs as", used)
        wrong += abs(used - gamma) > 0.05 * gamma
    except BadInput as error:
        print("refused:", error)
raise SystemExit(wrong > 0)
