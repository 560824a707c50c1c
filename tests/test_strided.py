"""What does not lie dense is not copied whole: the bits of what does, and little memory."""

from itertools import permutations
from pathlib import Path

import numpy as np
import oracle
import pytest

import fastconv

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def backwards(x):
    return np.flip(np.flip(x).copy())


def every_other(x):
    apart = np.zeros([*x.shape, 2], x.dtype)[..., 0]
    apart[...] = x
    return apart


def with_rows_between(x):
    return np.repeat(x, 2, axis=0)[::2]


LAYOUTS = {"backwards": backwards, "every other": every_other, "turned": np.asfortranarray}


def difficult(rng, shape, dtype):
    """With a quiet stretch and some that is not finite, where there can be any."""
    a = oracle.draw(rng, shape, dtype)
    if a.dtype.kind in "fc":
        line = a.reshape(-1)
        line[len(line) // 3 :][:2000] *= 1e-12
        line[[1000, len(line) // 2]] = [np.nan, np.inf]
    return a


@pytest.mark.parametrize("method", ["auto", "direct"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int16"])
@pytest.mark.parametrize(
    ("shape", "axis"),
    [((300_000,), 0), ((120_000, 2), 0), ((3, 90_001), 1), ((20_000, 40), 0), ((40, 20_000), 1)],
)
def test_bits(level, shape, axis, dtype, layout, method, rng):
    a = difficult(rng, shape, dtype)
    strided = LAYOUTS[layout](a)
    for m, mode in [(9, "full"), (300, "same"), (1500, "valid")]:
        if method == "direct" and m > 300:
            continue
        v = oracle.draw(rng, (m,), dtype)
        options = {"method": method, "axis": axis} if len(shape) > 1 else {"method": method}
        want = level.convolve(a, v, mode, **options)
        oracle.assert_same_bits(level.convolve(strided, v, mode, **options), want)
        out = every_other(np.zeros_like(want))
        assert level.convolve(a, v, mode, out=out, workers=2, **options) is out
        oracle.assert_same_bits(out.copy(), want)


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int16"])
@pytest.mark.parametrize("shape", [(12, 9, 3_000), (150, 4, 700), (3, 5, 40_000)])
@pytest.mark.parametrize("m", [3, 200])
def test_bits_of_lines_that_no_stride_steps_through(level, m, shape, dtype, rng):
    a = difficult(rng, shape, dtype)
    wide = np.repeat(a, 2, axis=1)
    v, bank = oracle.draw(rng, (m,), dtype), oracle.draw(rng, (4, 6, m), dtype)[:, ::2]
    for mode in ("full", "same"):
        want = level.convolve(a, v, mode, axis=2)
        out = np.zeros([*shape[:2], 2, want.shape[2]], want.dtype)[:, :, 0]
        for workers in (1, 2):
            got = level.convolve(wide[:, ::2], v, mode, axis=2, workers=workers)
            oracle.assert_same_bits(got, want)
            level.convolve(wide[:, ::2], v, mode, axis=2, out=out, workers=workers)
            oracle.assert_same_bits(out.copy(), want)
        want = level.convolve(a[0, 0], bank.copy(), mode, axis=-1)
        oracle.assert_same_bits(level.convolve(a[0, 0], bank, mode, axis=-1), want)
    right = np.convolve(np.nan_to_num(a[0, 1], posinf=0), v)
    got = level.convolve(np.nan_to_num(wide[:, ::2], posinf=0), v, axis=2)[0, 1]
    np.testing.assert_allclose(got, right, rtol=1e-4, atol=1e-3 * abs(right).max())


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize(
    ("shape", "own", "axis"),
    [
        ((300_000,), (1,), 0),
        ((3, 200_000), (3, 1), 1),
        ((200_000, 3), (1, 3), 0),
        ((3000, 300), (3000, 1), 0),
    ],
)
def test_lines_that_stand_still(level, shape, own, axis, dtype, rng):
    """Zero strides, as np.broadcast_to gives them."""
    a = np.broadcast_to(oracle.draw(rng, own, dtype), shape)
    v = oracle.draw(rng, (200,), dtype)
    options = {"axis": axis} if len(shape) > 1 else {}
    for method in ("auto", "direct"):
        got = level.convolve(a, v, "same", method=method, **options)
        want = level.convolve(a.copy(), v, "same", method=method, **options)
        oracle.assert_same_bits(got, want)


@pytest.mark.parametrize("own", [(1, 700), (600, 1), (1, 1)])
def test_pictures_that_stand_still(level, own, rng):
    a = np.broadcast_to(oracle.draw(rng, own, "float64"), (600, 700))
    v = oracle.draw(rng, (19, 17), "float64")
    want = level.convolve2d(a.copy(), v, method="fft")
    oracle.assert_same_bits(level.convolve2d(a, v, method="fft"), want)


@pytest.mark.parametrize("layout", LAYOUTS.values())
def test_a_kernel_of_one_tap(level, layout, rng):
    a, v = oracle.draw(rng, (117, 1000), "float64"), oracle.draw(rng, (1,), "float64")
    want = level.convolve(a, v, axis=0, method="overlap")
    oracle.assert_same_bits(level.convolve(layout(a), v, axis=0, method="overlap"), want)


@pytest.mark.parametrize("accuracy", ["auto", "normwise", "componentwise"])
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_bits_of_every_accuracy(dtype, accuracy, rng):
    """Signals that fade, whose outputs are redone by parts, in double, or one by one."""
    a = oracle.draw(rng, (200_000,), dtype)
    a *= np.exp(-np.linspace(0, 60, len(a))).astype(dtype)
    v = oracle.draw(rng, (2000,), dtype) * np.exp(-np.linspace(0, 20, 2000)).astype(dtype)
    want = fastconv.convolve(a, v, accuracy=accuracy)
    for layout in (backwards, every_other):
        got = fastconv.convolve(layout(a), v, accuracy=accuracy)
        oracle.assert_same_bits(got, want)
        out = layout(np.zeros_like(want))
        fastconv.convolve(a, v, accuracy=accuracy, out=out)
        oracle.assert_same_bits(out.copy(), want)


def test_either_operand_may_be_the_long_one(rng):
    a, v = oracle.draw(rng, (300_000,), "float64"), oracle.draw(rng, (700,), "float64")
    oracle.assert_same_bits(fastconv.convolve(v, every_other(a)), fastconv.convolve(v, a))


@pytest.mark.parametrize("method", ["auto", "overlap"])
@pytest.mark.parametrize("layout", [*LAYOUTS.values(), with_rows_between])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int16"])
@pytest.mark.parametrize(
    ("shape", "taps"),
    [((700, 640), (21, 17)), ((3000, 90), (15, 15)), ((70, 60, 90), (7, 8, 9))],
)
def test_bits_of_pictures_and_volumes(level, shape, taps, dtype, layout, method, rng):
    a, v = difficult(rng, shape, dtype), oracle.draw(rng, taps, dtype)
    a[: shape[0] // 4, : shape[1] // 2] = 0
    for mode in ("full", "valid"):
        want = level.signal.convolve(a, v, mode, method=method)
        got = level.signal.convolve(layout(a), v, mode, method=method)
        oracle.assert_same_bits(got, want)
        out = layout(np.zeros_like(want))
        level.signal.convolve(a, v, mode, method=method, out=out, workers=2)
        oracle.assert_same_bits(out.copy(), want)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("dtype", ["int8", "int16", "float32", "float64", "complex128"])
def test_bits_of_axes_in_any_order_of_memory(dtype, order, rng):
    back = np.argsort(order)

    def in_order(x):
        return np.ascontiguousarray(x.transpose(order)).transpose(back)

    def apart(x):
        """The same backwards on one axis, with an item between any two that are nearest."""
        return every_other(np.flip(x, 1).transpose(order)).transpose(back)[:, ::-1]

    def unaligned(x):
        packed = np.zeros([x.shape[d] for d in order], [("pad", "i1"), ("x", x.dtype)])
        packed["x"] = x.transpose(order)
        return packed["x"].transpose(back)

    for shape in [(41, 27, 34), (16, 32, 48), (5, 130, 9), (50, 1, 40), (60, 40, 1)]:
        a, v = oracle.draw(rng, shape, dtype), oracle.draw(rng, (3, 4, 2), dtype)
        want = fastconv.signal.convolve(a, v)
        for layout in (in_order, apart, unaligned):
            oracle.assert_same_bits(fastconv.signal.convolve(layout(a), v), want)
            out = layout(np.zeros_like(want))
            fastconv.signal.convolve(layout(a), v, out=out)
            oracle.assert_same_bits(out.copy(), want)
        still = np.broadcast_to(a[:, :1], shape)
        want = fastconv.signal.convolve(still.copy(), v)
        oracle.assert_same_bits(fastconv.signal.convolve(still, v, out=in_order(want)), want)


@pytest.mark.parametrize("layout", LAYOUTS.values())
@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64"])
@pytest.mark.parametrize(
    ("shape", "taps"),
    [
        ((300_001,), (270_000,)),
        ((400, 500), (300, 411)),
        ((40_000, 7), (9_000, 5)),
        ((50, 60, 70), (20, 30, 30)),
    ],
)
def test_bits_of_one_transform_for_all(level, shape, taps, dtype, layout, rng):
    a, v = difficult(rng, shape, dtype), oracle.draw(rng, taps, dtype)
    want = level.signal.convolve(a, v, method="fft")
    for workers in (1, 2):
        got = level.signal.convolve(layout(a), v, method="fft", workers=workers)
        oracle.assert_same_bits(got, want)
        out = layout(np.zeros_like(want))
        level.signal.convolve(a, v, method="fft", out=out, workers=workers)
        oracle.assert_same_bits(out.copy(), want)


@pytest.mark.parametrize("layout", LAYOUTS.values())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("taps", [(17, 31), (1, 900)])
def test_bits_of_loud_and_quiet_tiles(dtype, taps, layout, rng):
    """Two that share a transform are brought to one scale first."""
    a = oracle.draw(rng, (600, 3_000), dtype)
    a *= np.geomspace(1, 1e-12, a.shape[1]).astype(dtype)
    v = oracle.draw(rng, taps, dtype)
    for accuracy in ("auto", "normwise"):
        want = fastconv.convolve2d(a, v, method="overlap", accuracy=accuracy)
        got = fastconv.convolve2d(layout(a), v, method="overlap", accuracy=accuracy)
        oracle.assert_same_bits(got, want)


def test_large_volumes_are_right(rng):
    """Against sums by slices: whole numbers, a NaN, and a slab that is quiet."""
    a = np.asarray(rng.integers(-9, 10, (60, 80, 100)), float)
    v = np.asarray(rng.integers(-9, 10, (5, 6, 7)), float)
    a[8:44] *= 2.0**-40
    a[54, 40, 50] = np.nan
    want = np.zeros([n + m - 1 for n, m in zip(a.shape, v.shape, strict=True)])
    for at in np.ndindex(v.shape):
        want[tuple(slice(i, i + n) for i, n in zip(at, a.shape, strict=True))] += v[at] * a
    for x in (a, backwards(a), np.asfortranarray(a)):
        got = fastconv.signal.convolve(x, v, method="fft")
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-9)
        quiet = slice(12, 44)
        np.testing.assert_allclose(got[quiet], want[quiet], rtol=0, atol=2.0**-40 * 1e-5)


def test_answers(rng):
    """Against numpy, lest what lies dense is as wrong."""
    a = np.round(100 * difficult(rng, (150_000, 2), "float64"))
    a[~np.isfinite(a)] = 5
    v = rng.integers(-50, 50, 120).astype(float)
    got = fastconv.convolve(a, v, axis=0)
    for channel in range(2):
        np.testing.assert_allclose(
            got[:, channel], np.convolve(a[:, channel], v), rtol=0, atol=1e-7
        )


PEAKS = f"""
import sys
sys.path.append({str(BENCHMARKS)!r})
import numpy as np
import fastconv
from peak import grown

rng = np.random.default_rng(0)
large = rng.standard_normal((1500, 1500))
volume = rng.standard_normal((128, 128, 128), "f4")
for a in (large[:, ::-1], np.asfortranarray(large), volume, volume[:, ::-1]):
    v = rng.standard_normal((15,) * a.ndim).astype(a.dtype)
    part = tuple(slice(8) for _ in a.shape)
    fastconv.signal.convolve(a[part], v[part], method="fft")
    out = np.empty_like(a)
    out[...] = 0
    peak, _ = grown(lambda: fastconv.signal.convolve(a, v, "same", out=out, workers=1))
    print(peak - (5e6 if a.ndim == 3 else 0))  # spectra of longer blocks
recordings = rng.standard_normal((64, 32, 2000))
for a in (recordings[:, ::2], np.moveaxis(recordings, 1, 2)):
    v, axis = rng.standard_normal(65), 1 + (a.shape[2] == 2000)
    fastconv.convolve(a[:2, :2, :100], v, axis=axis)
    out = np.empty_like(a)
    out[...] = 0
    peak, _ = grown(lambda: fastconv.convolve(a, v, "same", axis=axis, out=out, workers=1))
    print(peak)
for dtype in ("f4", "i2"):
    stereo = (1000 * rng.standard_normal((3_000_000, 2))).astype(dtype)
    for a in (stereo, stereo[:, 0], stereo[:, 0].copy()[::-1]):
        for m in (9, 300):
            v = (100 * rng.standard_normal(m)).astype(dtype)
            fastconv.convolve(a[:100], v, axis=0)
            out = np.empty_like(a)
            out[...] = 0
            peak, _ = grown(lambda: fastconv.convolve(a, v, "same", axis=0, out=out, workers=1))
            print(peak)
for taps in ((500, 500), (700, 900)):  # one transform for all
    v = rng.standard_normal(taps)
    for a in (large[:, ::-1], np.asfortranarray(large)):
        fastconv.signal.convolve(a[:8, :8], v[:8, :8], method="fft")
        elements = (a.shape[0] + v.shape[0]) * (a.shape[1] + v.shape[1])
        out = np.empty([n + m - 1 for n, m in zip(a.shape, v.shape)])
        out[...] = 0
        peak, _ = grown(lambda: fastconv.signal.convolve(a, v, method="fft", out=out, workers=1))
        print(peak - 2.5 * 8 * elements)
"""


def test_memory_is_little(python):
    taken = [float(peak) for peak in python(PEAKS).stdout.split()]
    assert len(taken) == 22
    assert max(taken) < 6e6  # 4 MB, three spectra, and what the interpreter takes meanwhile
