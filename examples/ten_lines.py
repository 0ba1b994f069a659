# %% [markdown]
# # Hebbar in ten lines
#
# Train a predictive-coding network in the arithmetic of the accelerator, prove that the RTL does the
# same bit for bit, count its cycles, write its Verilog. `python examples/ten_lines.py` runs the same
# lines as a script.
#
# An experiment starts from a preset (`digits_ipc`, `tiny`, `array`, ..), a TOML file or a dictionary. The
# backend `verilator` compiles the exported Verilog; `pysim` needs no tools and is slow.
# %% script
import sys

# %%
from hebbar import Experiment

PRESET, EPOCHS, BACKEND = "digits_ipc", 3, "verilator"
# %% [markdown]
# ## The ten lines
#
# Sections of the configuration are keywords: here the training is cut to a few epochs. (Another
# learning rule needs other constants: compare the presets `digits`, `digits_ipc` and `digits_zil`.)
# `train` runs the golden machine, bit-exact fixed point, and `cosimulate` runs 20 training samples from
# the trained weights on the RTL and on the golden machine and compares every state, error, activity
# and weight.
# %%
e = Experiment(PRESET, training={"epochs": EPOCHS})
curve = e.train()
check = e.cosimulate(samples=20, backend=BACKEND)
print(f"accuracy on held-out samples: {100 * curve.accuracy[-1]:.1f} %")
print(f"{check.mismatches} mismatches in {check.words} words, {check.updates} weight changes among them")
print(e.cycles())
print("wrote", e.verilog("out/hebbar.v"), "and", e.save_weights("out/weights.safetensors"))
# %% [markdown]
# ## What the answers mean
#
# `curve.accuracy` has one entry an epoch. `check.first` names the first difference: sample, operation,
# signal and both values; it is `None` when there is none. `e.cycles()` is exact for the RTL, by cause,
# beside the least that the same multipliers would need. The weights are real numbers by edge:
# %%
for (source, target), matrix in e.weights.items():
    print(f"{source} to {target}: {matrix.shape}, from {matrix.min():.3f} to {matrix.max():.3f}")
print("the first predictions:", e.predict(e.data.test.inputs_float[:10]), "labels:", e.data.test.labels[:10])
# %% script
sys.exit(check.first)
