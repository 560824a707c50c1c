"""
Smoothing an ECG
================

An electrocardiogram is a voltage with noise on it. A Savitzky-Golay filter takes the noise away
and leaves the peaks most of their height: around each sample it fits a polynomial to those
nearby, and takes its value there. Such a value is a fixed weighted sum of the samples, hence a
convolution.
"""

import matplotlib.pyplot as plt
import numpy as np
import pywt.data
from scipy import ndimage, signal

import fastconv

ecg = pywt.data.ecg().astype(float)
fit = signal.savgol_coeffs(15, polyorder=4)
mean = np.full(15, 1 / 15)

# %%
# ``"same"`` keeps the length, and ``boundary="symm"`` continues the recording by its mirror
# image, so that its ends are not drawn to zero.

smooth = fastconv.convolve(ecg, fit, "same", boundary="symm")
blurred = fastconv.convolve(ecg, mean, "same", boundary="symm")

# %%
# The usual ways: `scipy.ndimage` has the same continuation, under the name ``"reflect"``, and
# `scipy.signal` the same filter, which differs near the ends alone.

np.testing.assert_allclose(smooth, ndimage.convolve1d(ecg, fit, mode="reflect"), atol=1e-11)
np.testing.assert_allclose(smooth[7:-7], signal.savgol_filter(ecg, 15, 4)[7:-7], atol=1e-11)
print(f"highest peak: {ecg.max():.0f}; smoothed {smooth.max():.0f}, averaged {blurred.max():.0f}")

# %%
# A running mean of as many samples smooths better, and flattens the beat.

fig, axes = plt.subplots(figsize=(9, 4), layout="constrained")
axes.plot(ecg, color="0.8", label="recorded")
axes.plot(blurred, color="tab:orange", label="running mean of 15")
axes.plot(smooth, color="tab:blue", label="Savitzky-Golay, 15 samples, degree 4")
axes.set(xlim=(100, 350), xlabel="sample")
axes.legend()
plt.show()
