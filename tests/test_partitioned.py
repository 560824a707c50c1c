"""Long lines by parts of the kernel: all of 'componentwise', and of 'auto' where much is lost."""

import numpy as np
import oracle
import pytest

import fastconv

N, M = 12_000, 9_000


def even(n):
    return np.ones(n)


def exponential(n):
    return np.exp(-np.linspace(0, 60, n))


def bell(n):
    return np.exp(-(np.linspace(-7, 7, n) ** 2))


def steep(n):
    """Nothing is left of it long before its end."""
    return np.exp(-np.linspace(0, 500, n))


def silence(n):
    """Two thirds of zeros."""
    return (np.arange(n) // (n // 6) % 3 == 1).astype(float)


def bursts(n):
    return np.where(np.arange(n) // 150 % 7 == 0, 1, 1e-22)


SHAPES = pytest.mark.parametrize(
    ("of_a", "of_v"),
    [
        (even, even),
        (even, exponential),
        (exponential, exponential),
        (bell, bell),
        (bell, steep),
        (silence, bell),
        (bursts, bursts),
    ],
    ids=lambda shape: shape.__name__,
)


def pair(rng, of_a, of_v, dtype, v_dtype=None, n=N, m=M):
    a, v = oracle.draw(rng, n, dtype), oracle.draw(rng, m, v_dtype or dtype)
    return (a * of_a(n)).astype(a.dtype), (v * of_v(m)).astype(v.dtype)


@SHAPES
@pytest.mark.parametrize("dtype", oracle.FLOATS)
def test_componentwise(level, of_a, of_v, dtype, rng):
    a, v = pair(rng, of_a, of_v, dtype)
    result = level.convolve(a, v, accuracy="componentwise")
    oracle.assert_within(result, a, v, "full", "direct")


@SHAPES
@pytest.mark.parametrize("dtype", oracle.FLOATS)
def test_auto(level, of_a, of_v, dtype, rng):
    """Most of the line, or its end alone."""
    if of_a is bursts:
        pytest.skip("bursts as short as blocks are the heuristic's gap")
    a, v = pair(rng, of_a, of_v, dtype)
    oracle.assert_within(level.convolve(a, v), a, v)


@pytest.mark.parametrize(("dtype", "v_dtype"), oracle.MIXED)
def test_real_and_complex(level, dtype, v_dtype, rng):
    a, v = pair(rng, bell, exponential, dtype, v_dtype)
    result = level.convolve(a, v, "same", accuracy="componentwise")
    oracle.assert_within(result, a, v, "same", "direct")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("axis", [0, 1])
def test_lines(level, dtype, mode, axis, rng):
    """Each as if it were alone."""
    v = pair(rng, even, exponential, dtype)[1]
    lines = [pair(rng, shape, even, dtype)[0] for shape in (even, bell, silence)]
    together = level.convolve(
        np.stack(lines, axis=1 - axis), v, mode, axis=axis, accuracy="componentwise"
    )
    for i, line in enumerate(lines):
        got = together.take(i, axis=1 - axis)
        oracle.assert_within(got, line, v, mode, "direct")


def test_positive_numbers_keep_every_digit(rng):
    """A distribution's tails: sixty orders of magnitude below its peak, as right as the peak."""
    a, v = map(abs, pair(rng, bell, bell, "float64"))
    result = fastconv.convolve(a, v, accuracy="componentwise")
    exact = np.array([(a[: i + 1].astype("g") * v[i::-1].astype("g")).sum() for i in range(3000)])
    assert result[0] < 1e-40 * result.max()
    assert np.max(np.abs(result[:3000] - exact) / exact) < 1e-13


def test_what_is_not_finite_stays_where_it_is(level, rng):
    a, v = pair(rng, bell, exponential, "float64")
    a[N // 2], a[7] = np.nan, -np.inf
    result = level.convolve(a, v, accuracy="componentwise")
    oracle.assert_within(result, a, v, "full", "direct")
    v[3] = np.inf
    a, v = a[:2000], v[:1500]
    oracle.assert_within(level.convolve(a, v, accuracy="componentwise"), a, v, "full", "direct")


@pytest.mark.parametrize("accuracy", ["auto", "componentwise"])
@pytest.mark.parametrize(
    ("of_a", "of_v"),
    [
        (1e-300, 1),
        (1, 1e-300),
        (1e-160, 1e-160),
        (1e-140, 1e-180),
        (1e290, 1),
        (1, 1e290),
        (1e-15, 1e-120),
        (1, 1e170),
    ],
)
def test_magnitudes_at_the_ends_of_the_range(level, of_a, of_v, accuracy, rng):
    """Results as small as denormal numbers are no silence."""
    a, v = pair(rng, exponential, even, "float64", n=4_500, m=4_000)
    a, v = a * of_a, v * of_v
    result = level.convolve(a, v, accuracy=accuracy)
    oracle.assert_within(result, a, v, "full", "direct" if accuracy == "componentwise" else "auto")


@pytest.mark.parametrize("accuracy", ["auto", "componentwise"])
@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_no_bit_depends_on_workers_or_strides(level, accuracy, dtype, rng):
    a, v = pair(rng, exponential, bell, dtype)
    one = level.convolve(a, v, accuracy=accuracy, workers=1)
    apart = np.zeros((2, N), dtype).T
    apart[:, 1] = a
    for result in (
        level.convolve(a, v, accuracy=accuracy, workers=3),
        level.convolve(apart[:, 1], v[::-1].copy()[::-1], accuracy=accuracy),
    ):
        oracle.assert_same_bits(one, result)


@pytest.mark.parametrize("accuracy", ["auto", "componentwise"])
def test_held(accuracy, rng):
    a, v = pair(rng, exponential, bell, "float64")
    once = fastconv.convolve(a, v, accuracy=accuracy)
    oracle.assert_same_bits(fastconv.Convolver(v, accuracy=accuracy)(a), once)


def test_the_plan_tells(rng):
    """Few multiply-adds are summed directly, many by blocks; integers are exact by any method."""
    few, many = rng.standard_normal(1000), rng.standard_normal(100_000)
    assert fastconv.explain(few, few, accuracy="componentwise").method == "direct"
    assert fastconv.explain(many, many, accuracy="componentwise").method == "overlap"
    few, many = rng.standard_normal((30, 30)), rng.standard_normal((300, 300))
    assert fastconv.explain(few, few, accuracy="componentwise").method == "direct"
    assert fastconv.explain(many, many, accuracy="componentwise").method == "overlap"
    numbers = rng.integers(-100, 100, 100_000)
    told = fastconv.explain(numbers, numbers, accuracy="componentwise")
    assert told.method in ("overlap", "fft")
