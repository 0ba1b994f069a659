"""Source: sandialabs/cross-sim issue 18 (end resistances stay with the lines when the other lines are driven).
One bit line drives every word line through one cell each; g = 8192 codes. exit 1 while wrong."""

import numpy as np

from golden.analog.array import AnalogArray
from hebbar import Experiment

bad = 0
for driver, sense in ((5000, 0), (0, 5000)):
    e = Experiment("digits_analog", machine={"analog": {"wires": {"model": "exact", "driver": driver, "sense": sense}}})
    a = AnalogArray(e.config.machine)
    R, N = a.cells.pair.shape[1:]
    w = np.zeros((R, N), np.int64)
    w[:, 3] = 8192
    a.load(w)
    g = 8192 * a.cells.unit * 1e-6
    x = np.zeros(N, np.int64)
    x[3] = 100
    fwd = a.forward(x)[0] / 100 / 8192  # FWD drives bit lines, senses word lines
    trn = a.transposed(np.full(R, 100))[3] / 100 / 8192 / R  # TRN drives word lines, senses bit lines
    want_fwd, want_trn = 1 / (1 + driver * R * g + sense * g), 1 / (1 + driver * g + sense * R * g)
    for name, got, want in (("fwd", fwd, want_fwd), ("trn", trn, want_trn)):
        wrong = abs(got - want) > 1e-3
        bad += wrong
        print(driver, sense, name, f"got {got:.4f} Kirchhoff {want:.4f}", "WRONG" if wrong else "ok")
raise SystemExit(int(bad > 0))  # a NumPy bool is no exit code
