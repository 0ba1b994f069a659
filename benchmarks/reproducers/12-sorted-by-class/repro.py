"""Source: keras-team/keras issue 8346 (the held-out tail is a class nobody trained on). Right: a warning or refusal."""

import warnings

import numpy as np
from sklearn.datasets import load_digits

from hebbar import Experiment

X, y = load_digits(return_X_y=True)
o = np.argsort(y, kind="stable")
e = Experiment("digits", training={"epochs": 2}, data={"split": "last360"})
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    try:
        c = e.fit(X[o] / 16, y[o])
    except Exception as error:
        print("refused:", error)
        raise SystemExit(0) from None
print(
    c.accuracy,
    "trained on",
    set(e.data.train.labels.tolist()),
    "asked",
    set(e.data.test.labels.tolist()),
    "said:",
    [str(w.message) for w in said],
)
raise SystemExit(
    not said
)  # wrong while neither refused nor said (a warning, or a remark on the curve: then change this line)
