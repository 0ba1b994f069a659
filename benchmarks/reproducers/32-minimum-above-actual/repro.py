"""The published minimum of cycles must not exceed what the machine issues, for every preset and entry that trains.
exit 1 while wrong."""

from pathlib import Path

import hebbar
from hebbar import Experiment

wrong = 0
for preset in sorted(p.stem for p in (Path(hebbar.__file__).parent / "presets").glob("*.toml")):
    c = Experiment(preset).cycles()
    if c.minimum > c.issue + 1e-9:
        print(preset, "issues", c.issue, "and claims a minimum of", c.minimum)
        wrong += 1
raise SystemExit(wrong > 0)
