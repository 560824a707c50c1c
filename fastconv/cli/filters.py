"""The kernels of `fastconv bench`, designed here, each from its formula."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def low_pass(taps: int, cutoff: float) -> NDArray[Any]:
    """Windowed sinc, 2f sinc(2f k) under a Hamming window; `cutoff` f in cycles per sample."""
    k = np.arange(taps) - (taps - 1) / 2
    h: NDArray[Any] = np.sinc(2 * cutoff * k) * np.hamming(taps)
    h /= h.sum()
    return h


def running_mean(taps: int) -> NDArray[Any]:
    return np.full(taps, 1 / taps)


def savitzky_golay(taps: int, degree: int) -> NDArray[Any]:
    """The middle value of a least-squares polynomial through `taps` samples.

    With the powers k^0 .. k^degree as columns of A, the fit's coefficients are pinv(A) y, and the
    value at k = 0 is the first: a fixed weighted sum of y.
    """
    k = np.arange(taps) - taps // 2
    weights: NDArray[Any] = np.linalg.pinv(np.vander(k, degree + 1, increasing=True).astype(float))[
        0
    ]
    return weights[::-1]


def gaussian(sigma: float, radius: int) -> NDArray[Any]:
    """exp(-(x^2 + y^2) / 2 sigma^2), of sum 1, on (2 radius + 1)^2 points."""
    x = np.arange(-radius, radius + 1)
    g = np.exp(-(x**2) / (2 * sigma**2))
    g /= g.sum()
    return np.outer(g, g)


def sobel() -> NDArray[Any]:
    """Slope along the rows: a central difference, smoothed across by 1 2 1."""
    return np.outer([1, 2, 1], [1, 0, -1])


def matched(pattern: NDArray[Any]) -> NDArray[Any]:
    """Convolving with it correlates with `pattern`, and peaks where the pattern is."""
    return pattern[::-1]


def heartbeat(ecg: NDArray[Any]) -> NDArray[Any]:
    """One beat, cut out of an ECG around its highest peak, without its mean."""
    before, after = 40, 60
    peak = before + int(np.argmax(ecg[before:-after]))
    beat = ecg[peak - before : peak + after]
    return beat - round(float(beat.mean()))


def reverberation(seconds: float, rate: int = 48_000) -> NDArray[Any]:
    """Noise that decays by 60 dB over `seconds`: 10^(-3 t / T). Synthetic; no room was measured."""
    t = np.arange(int(seconds * rate)) / rate
    return np.random.default_rng(2).standard_normal(t.size) * 10 ** (-3 * t / seconds)


def quantised(h: NDArray[Any], bits: int) -> NDArray[Any]:
    """Integer taps whose sum is 2^bits, to within their rounding."""
    return np.asarray(np.rint(h * 2**bits))
