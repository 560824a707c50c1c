"""
Finding heartbeats
==================

One beat, cut out of a recording, finds the others: the recording is correlated with it, and peaks
where they are alike. The recording is of integers, so that the correlation is exact.
"""

import matplotlib.pyplot as plt
import numpy as np
import pywt.data
from scipy import signal

import fastconv

ecg = pywt.data.ecg()
beat = ecg[150:250]
beat = beat - beat.mean().round().astype(beat.dtype)

# %%
# ``"valid"`` gives a number for every place where the beat fits in whole; the largest are where
# the recording is like it.

match = fastconv.correlate(ecg, beat, "valid")
beats, _ = signal.find_peaks(match, height=match.max() / 2, distance=100)
print("beats begin at", beats, "and are", np.diff(beats), "samples apart")
assert beats[0] == 150
assert len(beats) == 3

# %%
# The usual way, to the last bit:

np.testing.assert_array_equal(match, np.correlate(ecg, beat, "valid"))

# %%
# How long is a period? The recording knows it without a beat cut out: correlated with itself, it
# is most alike after one. ``max_lag`` computes the lags that may be one, and no others.

calm = ecg - ecg.mean()
alike = fastconv.correlate(calm, calm, max_lag=450)[450:]
period = 200 + alike[200:].argmax()
full = np.correlate(calm, calm, "full")[ecg.size - 1 :]
np.testing.assert_allclose(alike, full[:451], atol=1e-9 * alike[0])
print("period:", period, "samples")

# %%

fig, (above, below) = plt.subplots(2, 1, figsize=(9, 5), layout="constrained")
above.plot(ecg, color="0.7")
for start in beats:
    above.plot(range(start, start + beat.size), ecg[start : start + beat.size], color="tab:blue")
above.set_title("the recording, and the beats in it")
below.plot(alike, color="tab:orange")
below.axvline(period, color="0.5", linestyle=":")
below.set(title="the recording correlated with itself", xlabel="lag")
plt.show()
