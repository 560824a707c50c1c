"""
Adding distributions without losing the tail
============================================

The distribution of a sum of independent numbers is the convolution of theirs. The price of a
share changes from day to day; if days were independent, how likely would it be to lose most of it
in 64 of them? Such a probability is tiny, and a plain FFT, whose error is spread evenly, buries
it.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cbook import get_sample_data
from scipy import signal

import fastconv

price = get_sample_data("goog.npz")["price_data"]["adj_close"]
STEP = 0.001
steps = np.rint(np.diff(np.log(price)) / STEP).astype(int)
day = np.bincount(steps - steps.min()) / steps.size
print(f"{steps.size:,} days, changes from {steps.min()} to {steps.max()} thousandths")

# %%
# Two days are the distribution convolved with itself, four days that with itself, and so on.


def days_64(convolve, day):
    for _ in range(6):
        day = convolve(day, day)
    return day


ours = days_64(fastconv.convolve, day)
change = STEP * (np.arange(ours.size) + 64 * steps.min())

# %%
# The usual ways. `numpy.convolve` sums products: slow, but all of them are positive, so that each
# sum is accurate by itself. In long doubles it is the judge here. `scipy.signal.convolve` turns
# to the FFT.

exact = days_64(np.convolve, day.astype(np.longdouble))
scipys = days_64(signal.convolve, day)

for least in (0.5, 1, 2, 3):
    tail = change <= -least
    left = np.exp(-least)
    print(
        f"left with {left:4.0%} or less: exact {exact[tail].sum():9.3g}, "
        f"fastconv {ours[tail].sum():9.3g}, scipy {scipys[tail].sum():9.3g}"
    )

# %%
# fastconv transforms as well, but what a transform would lose is found beforehand and summed
# directly (``accuracy="auto"``): each number is right to nine digits or more, however small.

possible = exact > 0
assert (ours[~possible] == 0).all()
np.testing.assert_allclose(ours[possible], exact[possible].astype(float), rtol=1e-9)
np.testing.assert_allclose(scipys, ours, rtol=0, atol=1e-15)
print(f"of scipy's {scipys.size:,} probabilities {np.count_nonzero(scipys < 0):,} are negative")

# %%

fig, axes = plt.subplots(figsize=(9, 4), layout="constrained")
axes.semilogy(change, np.where(scipys > 0, scipys, np.nan), ".", markersize=1, color="tab:orange")
axes.semilogy(change, np.where(possible, ours, np.nan), color="tab:blue")
axes.plot([], [], ".", color="tab:orange", label="scipy.signal.convolve, where positive")
axes.plot([], [], color="tab:blue", label="fastconv.convolve")
axes.set(xlabel="logarithm of what the price is multiplied by", ylabel="probability")
axes.set(xlim=(-4, 4), ylim=(1e-80, 1))
axes.legend()
plt.show()
