"""Source: hukkin/tomli issue 304 (UTF-8 BOM of a Windows editor), enjoy-digital/litex issue 1853 (locale decides the encoding). exit 1 while wrong."""

import os, pathlib, subprocess, sys, tempfile

f = pathlib.Path(tempfile.mkdtemp()) / "net.toml"
text = '[[network.populations]]\nname="größe"\nsize=4\nrole="input"\nactivity_frac=7\n[[network.populations]]\nname="aus"\nsize=2\nrole="target"\n[[network.edges]]\nsource="größe"\ntarget="aus"\n[rule]\nname="il"\n'
bad = 0
for raw, env in (
    (b"\xef\xbb\xbf" + text.encode(), {}),
    (text.encode(), {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}),
):
    f.write_bytes(raw)
    r = subprocess.run(
        [sys.executable, "-c", f"from hebbar.config import load; load({str(f)!r})"],
        env=os.environ | env,
        capture_output=True,
        text=True,
    )
    bad += r.returncode != 0
    print(env or "BOM", r.returncode, r.stderr.strip().splitlines()[-1:])
raise SystemExit(bad > 0)
