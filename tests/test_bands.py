"""Long signals and pictures, which go band by band: the same answers, in little memory."""

from pathlib import Path

import numpy as np
import oracle
import pytest

import fastconv

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def of_window(a, v, first, last):
    """Outputs first .. last - 1 along the first axis of a in 'valid', by sums of their own."""
    part = a[first : last + v.shape[0] - 1]
    if part.ndim == 1:
        return np.convolve(part, v, "valid")
    return fastconv.signal.convolve2d(part, v, "valid", method="direct")


# At the lanes' blocks, and at blocks by matrix.
@pytest.mark.parametrize("m", [255, 3000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_lines(m, dtype, rng):
    """Over 64 MB of signal and result: NaN and quiet stretches stay where they are."""
    n = 8_500_000 if dtype == "float32" else 4_300_000
    a, v = oracle.draw(rng, (n,), dtype), oracle.draw(rng, (m,), dtype)
    holes = np.concatenate([rng.integers(m, 1_900_000, 3), rng.integers(3_200_000, n - m, 3)])
    a[holes] = [np.nan, np.inf, np.nan, -np.inf, np.nan, np.nan]
    a[2_000_000:2_200_000] *= 1e-12  # a few of any bands
    a[3_000_000:3_100_000] = 0
    got = fastconv.convolve(a, v, "valid")
    reached = np.zeros(n, bool)
    for hole in holes:
        reached[hole - m + 1 : hole + 1] = True
    np.testing.assert_array_equal(np.isfinite(got), ~reached[: n - m + 1])
    assert not got[3_000_000 : 3_100_000 - m].any()
    tolerance = 2.0**-8 if dtype == "float32" else 2.0**-30
    places = [0, *(holes - m), 1_999_000, 2_050_000, 2_199_000, n - m - 4000]
    for first in map(int, [*places, *rng.integers(0, n - m - 5000, 20)]):
        last = min(first + 5000, n - m + 1)
        x = a[first : last + m - 1].astype(float)
        with np.errstate(invalid="ignore"):
            want = np.convolve(x, v.astype(float), "valid")
            behind = np.convolve(abs(x), abs(v.astype(float)), "valid")
        finite = np.isfinite(want)
        error = abs(got[first:last][finite] - want[finite])
        assert (error <= tolerance * behind[finite]).all(), first


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(210_000, 40), (40, 210_000), (90_000, 100), (3500, 2400)])
def test_large_pictures(shape, dtype, rng):
    """Narrow ones, which are turned round, among them."""
    a, v = oracle.draw(rng, shape, dtype), oracle.draw(rng, (15, 13), dtype)
    a[shape[0] // 2, shape[1] // 2] = np.nan
    got = fastconv.signal.convolve2d(a, v, "valid", method="fft")
    assert np.count_nonzero(np.isnan(got)) == v.size
    rows = got.shape[0]
    for first in {0, rows // 3, rows // 2, max(rows - 300, 0)}:
        last = min(first + 300, rows)
        want = of_window(a, v, first, last)
        unit = np.finfo(dtype).eps * np.linalg.norm(np.nan_to_num(v)) * 256
        np.testing.assert_allclose(got[first:last], want, rtol=0, atol=unit)


@pytest.mark.parametrize("accuracy", ["auto", "normwise"])
@pytest.mark.parametrize(
    ("shape", "taps", "axis"),
    [
        ((9_000_000,), (255,), None),
        ((210_000, 24), (15, 15), None),
        ((90_000, 100), (15, 13), None),
        ((40, 300_000), (200,), 1),
        ((300_000, 40), (200,), 0),
    ],
)
def test_bits_of_bands(shape, taps, axis, accuracy, rng):
    """For any number of workers, and whatever the order in memory."""
    a, v = oracle.draw(rng, shape, "float32"), oracle.draw(rng, taps, "float32")

    def result(x, workers):
        if len(taps) == 2:
            return fastconv.signal.convolve(x, v, method="fft", accuracy=accuracy, workers=workers)
        return fastconv.convolve(x, v, axis=axis, method="fft", accuracy=accuracy, workers=workers)

    alone = result(a, 1)
    oracle.assert_same_bits(result(a, 2), alone)
    oracle.assert_same_bits(result(a, 3), alone)
    oracle.assert_same_bits(result(np.asfortranarray(a), 1), alone)


def test_kernels_of_a_bank_over_long_lines(rng):
    a, bank = oracle.draw(rng, (1, 9_000_000), "float32"), oracle.draw(rng, (3, 255), "float32")
    got = fastconv.signal.oaconvolve(a, bank, axes=1)
    for line, v in zip(got, bank, strict=True):
        np.testing.assert_allclose(line, fastconv.convolve(a[0], v), rtol=0, atol=1e-3)


PEAKS = f"""
import sys
sys.path.append({str(BENCHMARKS)!r})
import numpy as np
import fastconv
from peak import grown

rng = np.random.default_rng(0)
for shape, v, spoilt in (
    ((400_000, 24), (15, 15), False),
    ((400_000, 48), (15, 15), False),
    ((9_000_000,), (255,), True),
):
    a, v = rng.standard_normal(shape, "f4"), rng.standard_normal(v, "f4")
    if spoilt:
        a[len(a) // 2] = np.nan
    fastconv.convolve(a[:4], v[:4]) if a.ndim == 1 else fastconv.signal.convolve2d(a[:4], v)
    convolve = fastconv.convolve if a.ndim == 1 else fastconv.signal.convolve2d
    peak, result = grown(lambda: convolve(a, v, workers=1))
    print(peak - result.nbytes)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="no peaks without Linux")
def test_memory_is_that_of_a_few_bands(python):
    for taken in python(PEAKS).stdout.split():
        assert int(taken) < 6e6  # 4 MB, three spectra, and what the interpreter takes meanwhile
