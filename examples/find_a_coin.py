"""
Finding a coin among others
===========================

A *matched filter* looks for a known shape: it slides the shape over the picture and multiplies,
and where the shape is, every product is large. That is a correlation: the kernel is not flipped.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import signal
from skimage import data
from skimage.feature import match_template

import fastconv

coins = data.coins().astype(float)
coin = coins[165:220, 190:242]  # in the third row the fourth

# %%
# The photograph that is searched was spoilt by noise, stronger than the coin's own relief.

rng = np.random.default_rng(0)
noisy = coins + rng.normal(scale=60, size=coins.shape)

# %%
# A bright place makes large products, too. So the coin's mean is taken off, and each sum is
# divided by the contrast of what lies under the window: how far its pixels are from their mean.
# Sums over the window are convolutions with ones. What remains is a number between -1 and 1.

shape = coin - coin.mean()
ones = np.ones(coin.shape)
products = fastconv.correlate2d(noisy, shape, "valid")
sums = fastconv.convolve2d(noisy, ones, "valid")
squares = fastconv.convolve2d(noisy**2, ones, "valid")
contrast = np.sqrt(squares - sums**2 / ones.size)
score = products / (contrast * np.linalg.norm(shape))

top, left = np.unravel_index(score.argmax(), score.shape)
print(f"best match at row {top}, column {left}: {score.max():.2f}")
assert (top, left) == (165, 190)

# %%
# The usual ways: `scipy.signal` for the products, scikit-image for the whole search.

usual = signal.correlate(noisy, shape, "valid")
np.testing.assert_allclose(products, usual, atol=1e-9 * abs(usual).max())
np.testing.assert_allclose(score, match_template(noisy, coin), atol=1e-9)

# %%

fig, panels = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained", width_ratios=(1, 4, 4))
panels[0].imshow(coin, cmap="gray")
panels[0].set_title("sought")
panels[1].imshow(noisy, cmap="gray")
panels[1].add_patch(
    plt.Rectangle((left, top), *coin.shape[::-1], fill=False, color="tab:orange", linewidth=2)
)
panels[1].set_title("found")
panels[2].imshow(score, cmap="magma")
panels[2].set_title("score of the window that begins there")
for axes in panels:
    axes.set_axis_off()
plt.show()
