"""Source: pytorch/pytorch issue 12013. Right: (0, size) and (0,). exit 1 while wrong."""

import numpy as np

from hebbar import Experiment

e = Experiment("tiny")
n, m = (p.size for p in e._ends)
x = np.zeros((0, n))
print(e.outputs(x).shape, e.run("predict", {"x0": x})["x2"].shape)
ok = e.outputs(x).shape == (0, m)
print(e.predict(x))
raise SystemExit(not ok)
