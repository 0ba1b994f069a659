"""Source: hukkin/tomli issue 304 (UTF-8 BOM of a Windows editor), enjoy-digital/litex issue 1853 (locale decides the
encoding). exit 1 while wrong."""

import os
import pathlib
import subprocess
import sys
import tempfile

f = pathlib.Path(tempfile.mkdtemp()) / "net.toml"
text = """\
[[network.populations]]
name="größe"
size=4
role="input"
activity_frac=7
[[network.populations]]
name="aus"
size=2
role="target"
[[network.edges]]
source="größe"
target="aus"
[rule]
name="il"
"""
bad = 0
for raw, env in (
    (b"\xef\xbb\xbf" + text.encode(), {}),
    (text.encode(), {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}),
):
    f.write_bytes(raw)
    r = subprocess.run(
        [sys.executable, "-c", f"from hebbar.compiler.config import load; load({str(f)!r})"],
        env=os.environ | env,
        capture_output=True,
        text=True,
    )
    bad += r.returncode != 0
    print(env or "BOM", r.returncode, r.stderr.strip().splitlines()[-1:])
raise SystemExit(bad > 0)
