"""
Products of polynomials and of big integers
===========================================

The coefficients of a product of polynomials are the convolution of theirs. Integers are
polynomials, too: in their digits, at the base. Both want every unit right, and get it: integers
are exact in every method.
"""

import matplotlib.pyplot as plt
import numpy as np
import pywt.data
from scipy import signal

import fastconv

# %%
# In how many ways can a sum be paid?
# ------------------------------------
#
# With two-cent coins alone there is one way for each even sum: 1 + x^2 + x^4 + ... The product of
# such a series for each coin counts the ways for all of them together, as the coefficients of
# x^sum.

CENTS = 10_000
ways = np.array([1])
usual = np.array([1.0])
for coin in (1, 2, 5, 10, 20, 50, 100, 200):
    series = (np.arange(CENTS + 1) % coin == 0).astype(int)
    ways = fastconv.convolve(ways, series)[: CENTS + 1]
    usual = signal.fftconvolve(usual, series)[: CENTS + 1]
print(f"2 euro in {ways[200]:,} ways, 100 euro in {ways[10_000]:,}")

# %%
# Counted coin by coin, in Python's integers. A plain FFT in floating point, rounded, is off from
# where its error passes one half.

counted = [1] + [0] * CENTS
for coin in (1, 2, 5, 10, 20, 50, 100, 200):
    for cents in range(coin, CENTS + 1):
        counted[cents] += counted[cents - coin]
assert ways.tolist() == counted
off = np.rint(usual).astype(int) - ways
print(f"by scipy.signal.fftconvolve: {np.count_nonzero(off):,} of {off.size:,} wrong")

# %%
# How often do four pixels add up to a grey?
# ------------------------------------------
#
# How many pixels of a photograph have each of 256 greys is its histogram. As a polynomial, its
# fourth power counts the ways to draw four pixels, each from all of them, by the sum of their
# greys. Of every other pixel of every other row there are 2^64 such draws, for some sums over 2^53.

counts = np.bincount(pywt.data.camera()[::2, ::2].ravel(), minlength=256)
pairs = fastconv.convolve(counts, counts)
fours = fastconv.convolve(pairs, pairs)
exactly = np.convolve(pairs.astype(object), pairs.astype(object))  # Python's integers, one by one
np.testing.assert_array_equal(fours, exactly.astype(int))
print(f"the likeliest sum is {fours.argmax()}, of {fours.max():,} draws")
by_floats = np.rint(signal.fftconvolve(pairs, pairs)).astype(int)
wrong = np.count_nonzero(by_floats != fours)
print(f"by scipy.signal.fftconvolve: {wrong:,} of {fours.size:,} wrong")

# %%
# A product of big integers
# -------------------------
#
# Three bytes make a digit. A product of 3-byte digits has six bytes, and a sum of up to 2^15 such
# products still fits into 63 bits.


def digits(number):
    count = -(-number.bit_length() // 24)
    three = np.frombuffer(number.to_bytes(3 * count, "little"), np.uint8).reshape(-1, 3)
    return three @ np.array([1, 1 << 8, 1 << 16])


def number(sums):
    """Sums have carries in them: their lowest digits, and those above, are numbers of their own."""
    total = 0
    for part in range(3):
        three = (sums >> 24 * part & 0xFFFFFF).astype("<u4").view(np.uint8).reshape(-1, 4)[:, :3]
        total += int.from_bytes(three.tobytes(), "little") << 24 * part
    return total


a, b = 3**200_000, 7**100_000
sums = fastconv.convolve(digits(a), digits(b))
assert number(sums) == a * b
print(f"{digits(a).size:,} by {digits(b).size:,} digits: {(a * b).bit_length():,} bits, all right")

# %%
# The usual ways: `numpy.convolve` sums products one by one and is exact, too; a floating-point
# FFT, rounded, is not.

np.testing.assert_array_equal(sums, np.convolve(digits(a), digits(b)))
rounded = np.rint(signal.fftconvolve(digits(a).astype(float), digits(b).astype(float)))
print(f"by scipy.signal.fftconvolve: {np.count_nonzero(rounded != sums):,} of {sums.size:,} wrong")

# %%

fig, axes = plt.subplots(figsize=(9, 3.5), layout="constrained")
axes.plot(off, color="tab:orange", label="scipy.signal.fftconvolve, rounded")
axes.axhline(0, color="tab:blue", label="fastconv.convolve")
axes.set(xlabel="cents", ylabel="ways too many")
axes.legend()
plt.show()
