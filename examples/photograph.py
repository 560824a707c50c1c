"""
Blurring and edge-finding in a photograph
=========================================

A picture's kernel is a little window of weights. One of positive weights that fall off from its
middle blurs; one that takes the left from the right finds edges.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import signal
from skimage import data

import fastconv

camera = data.camera().astype(np.int32)

# %%
# A Gaussian of standard deviation 4. It is the outer product of a column and a row, which is
# found out, and taken in two passes where that is faster.

x = np.arange(-12, 13)
gauss = np.exp(-(x**2) / (2 * 4**2))
window = np.outer(gauss, gauss) / gauss.sum() ** 2

blurred = fastconv.convolve2d(camera, window, "same", boundary="symm")

# %%
# Sobel's two windows: the slope along one axis, smoothed along the other. Pixels are integers and
# so is the window, so that the result is exact, whatever the method.

slope = np.outer([1, 2, 1], [1, 0, -1])
across = fastconv.convolve2d(camera, slope, "same", boundary="symm")
down = fastconv.convolve2d(camera, slope.T, "same", boundary="symm")
edges = np.hypot(across, down)

# %%
# The usual way is the same call of `scipy.signal`.

np.testing.assert_allclose(
    blurred, signal.convolve2d(camera, window, "same", boundary="symm"), atol=1e-10
)
np.testing.assert_array_equal(across, signal.convolve2d(camera, slope, "same", boundary="symm"))
print(f"steepest edge: {edges.max():.0f}, of {4 * 255} that black beside white would have")

# %%

fig, panels = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
titles = ("photograph", "blurred", "edges")
for axes, title, picture in zip(panels, titles, (camera, blurred, edges), strict=True):
    axes.imshow(picture, cmap="gray")
    axes.set_title(title)
    axes.set_axis_off()
plt.show()
