"""
Many sensors, one filter or several
===================================

Four electrodes on a head, recorded side by side: an array with a column for each. A filter for
all of them is one call with ``axis``; several filters for all of them are one call, too.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cbook import get_sample_data
from scipy import signal

import fastconv

with get_sample_data("eeg.dat") as file:
    eeg = np.frombuffer(file.read()).reshape(800, 4)
RATE = 80  # Hz: ten seconds, as in matplotlib's own example

# %%
# A low-pass along the columns. Nothing is transposed or copied.

low = signal.firwin(41, 4, fs=RATE)
slow = fastconv.convolve(eeg, low, "same", axis=0)

# %%
# The usual ways: a loop, or `scipy.signal.fftconvolve` with the kernel shaped as a column.

for channel in range(4):
    np.testing.assert_allclose(
        slow[:, channel], np.convolve(eeg[:, channel], low, "same"), atol=1e-12
    )
np.testing.assert_allclose(
    slow, signal.fftconvolve(eeg, low[:, np.newaxis], "same", axes=0), atol=1e-12
)

# %%
# The bands that are told apart in an EEG, each by a filter of its own: a *bank*, which lies on
# the same axis. Its other axes broadcast with those of the recording: (4 bands, 41 taps, 1) with
# (800 samples, 4 channels) gives (4 bands, 800 samples, 4 channels).

bands = {"delta": (0.5, 4), "theta": (4, 8), "alpha": (8, 13), "beta": (13, 30)}
bank = np.array([signal.firwin(41, edges, fs=RATE, pass_zero=False) for edges in bands.values()])
parts = fastconv.convolve(eeg, bank[:, :, np.newaxis], "same", axis=-2)
print(eeg.shape, "by a bank of", bank.shape, "gives", parts.shape)

looped = np.array(
    [[np.convolve(channel, taps, "same") for channel in eeg.T] for taps in bank]
).swapaxes(1, 2)
np.testing.assert_allclose(parts, looped, atol=1e-12)

# %%

fig, panels = plt.subplots(2, 2, figsize=(9, 5), sharex=True, layout="constrained")
seconds = np.arange(800) / RATE
for axes, (name, (low_hz, high_hz)), part in zip(panels.flat, bands.items(), parts, strict=True):
    axes.plot(seconds, part + 5 * np.arange(4), linewidth=0.8)
    axes.set(title=f"{name}, {low_hz:g} to {high_hz:g} Hz", yticks=[])
for axes in panels[1]:
    axes.set_xlabel("seconds")
plt.show()
