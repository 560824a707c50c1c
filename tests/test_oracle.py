"""The judge is judged first: on paper, by Python's own numbers, and by numpy and scipy."""

from fractions import Fraction

import numpy as np
import oracle
import pytest


def by_hand(a, v):
    """Two loops over Python numbers."""
    full = [0] * (len(a) + len(v) - 1)
    for i, x in enumerate(a):
        for k, tap in enumerate(v):
            full[i + k] += x * tap
    return full


def wrapped(values, dtype):
    bits = 8 * np.dtype(dtype).itemsize
    unsigned = np.array([x % 2**bits for x in values], f"u{bits // 8}")
    return unsigned.view(dtype)


def test_paper():
    assert oracle.full(np.array([1, 2, 3]), np.array([2, 3, 4])).tolist() == [2, 7, 16, 17, 12]
    image = np.array([[1, 2, 0, 3], [4, 1, 0, 2], [3, 2, 1, 0], [0, 1, 2, 4]])
    kernel = np.array([[0, 1, 2], [2, 2, 0], [1, 0, 1]])
    assert oracle.convolve(image, kernel, "valid").tolist() == [[11, 14], [11, 9]]
    flags = oracle.full(np.array([True, False, False]), np.array([True, True]))
    assert flags.dtype == bool
    assert flags.tolist() == [True, True, False, False]


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 5), (7, 3), (3, 7), (40, 33)])
def test_integers_wrap(dtype, n, m):
    info, rng = np.iinfo(dtype), np.random.default_rng(n * 100 + m)
    a = rng.integers(info.min, info.max, n, dtype, endpoint=True)
    v = rng.integers(info.min, info.max, m, dtype, endpoint=True)
    expected = wrapped(by_hand(a.tolist(), v.tolist()), dtype)
    oracle.assert_exact(oracle.kronecker(a, v, np.dtype(dtype)), expected)
    oracle.assert_exact(oracle.shift_add(a, v, dtype), expected)
    oracle.assert_exact(oracle.full(a, v), expected)


def test_integers_at_their_ends():
    for dtype in ("i1", "i8", "u8"):
        info = np.iinfo(dtype)
        for value in (info.min, info.max):
            a = np.full(9, value, dtype)
            oracle.assert_exact(oracle.full(a, a), wrapped(by_hand(a.tolist(), a.tolist()), dtype))


def test_two_dimensions_by_fractions():
    rng = np.random.default_rng(1)
    a, v = rng.standard_normal((4, 5)), rng.standard_normal((3, 2))
    got = oracle.full(a, v)
    for r, c in np.ndindex(6, 6):
        exact = sum(
            (Fraction(a[r - i, c - j]) * Fraction(v[i, j]))
            for i, j in np.ndindex(3, 2)
            if 0 <= r - i < 4 and 0 <= c - j < 5
        )
        assert abs(got[r, c] - np.longdouble(float(exact))) < 1e-15


@pytest.mark.parametrize(("n", "m"), [(n, m) for n in range(1, 7) for m in range(1, 7)])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_windows_are_numpys(n, m, mode):
    rng = np.random.default_rng(0)
    a, v = rng.integers(-9, 9, n), rng.integers(-9, 9, m)
    oracle.assert_exact(oracle.convolve(a, v, mode), np.convolve(a, v, mode))
    oracle.assert_exact(oracle.correlate(a, v, mode), np.correlate(a, v, mode))
    z, w = a + 1j * rng.integers(-9, 9, n), v + 1j * rng.integers(-9, 9, m)
    np.testing.assert_array_equal(oracle.correlate(z, w, mode), np.correlate(z, w, mode))


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_windows_are_scipys(mode):
    signal = pytest.importorskip("scipy.signal")
    rng = np.random.default_rng(0)
    for a_shape, v_shape in [
        ((5, 6), (2, 3)),
        ((4, 4), (4, 4)),
        ((3, 2), (5, 6)),
        ((1, 7), (1, 4)),
    ]:
        a, v = rng.integers(-9, 9, a_shape), rng.integers(-9, 9, v_shape)
        oracle.assert_exact(oracle.convolve(a, v, mode), signal.convolve2d(a, v, mode))


# --- the bounds can be met, and can be missed ------------------------------------------


@pytest.fixture(params=["f4", "f8", "c8", "c16"])
def noise(request):
    rng = np.random.default_rng(5)
    a, v = (rng.standard_normal(n) + 1j * rng.standard_normal(n) for n in (300, 40))
    return tuple((x if request.param[0] == "c" else x.real).astype(request.param) for x in (a, v))


def test_rounded_truth_is_within(noise):
    a, v = noise
    reference = oracle.Reference(a, v)
    for accuracy in ("direct", "auto", "normwise"):
        reference.assert_within(reference.full.astype(a.dtype), "full", accuracy)
    oracle.assert_within(np.convolve(a, v, "same"), a, v, "same", "direct")


def test_one_wrong_output_is_found(noise):
    a, v = noise
    reference = oracle.Reference(a, v)
    scale = {4: 2.0**-7, 8: 2.0**-29}[
        a.real.itemsize // 1 if a.dtype.kind == "f" else a.itemsize // 2
    ]
    for i in (0, 100, 338):
        result = reference.full.astype(a.dtype)
        result[i] += scale * reference.s[i]
        with pytest.raises(AssertionError, match="off by more"):
            reference.assert_within(result)
    with pytest.raises(AssertionError, match="shape"):
        reference.assert_within(result[1:])


def test_small_values_lost_are_found():
    a = np.concatenate([np.full(50, 1e-20), np.full(50, 1.0)])
    v = np.ones(3)
    result = np.convolve(a, v)
    reference = oracle.Reference(a, v)
    reference.assert_within(result, accuracy="direct")
    result[10] += 1e-17
    reference.assert_within(result, accuracy="normwise")
    with pytest.raises(AssertionError, match="off by more"):
        reference.assert_within(result, accuracy="auto")


def test_zeros_are_exact():
    a, v = np.r_[1.0, np.zeros(9), 2.0], np.ones(3)
    result = np.convolve(a, v)
    oracle.assert_within(result, a, v)
    result[5] = 1e-300
    with pytest.raises(AssertionError, match="off by more"):
        oracle.assert_within(result, a, v)


def test_non_finite_positions_and_kinds():
    a, v = np.ones(8), np.array([1.0, 0.0, -1.0])
    a[3] = np.inf
    expected = np.convolve(np.where(np.isinf(a), 0, a), v)
    expected[3:6] = np.inf, np.nan, -np.inf
    oracle.assert_within(expected, a, v)
    for i, bad in [(2, np.nan), (3, 0.0), (3, -np.inf), (4, np.inf)]:
        wrong = expected.copy()
        wrong[i] = bad
        with pytest.raises(AssertionError):
            oracle.assert_within(wrong, a, v)


def test_non_finite_agrees_with_the_definition():
    rng = np.random.default_rng(3)
    for _ in range(50):
        a, v = rng.standard_normal(30), rng.standard_normal(5)
        a[rng.integers(0, 30, 3)] = rng.choice([np.nan, np.inf, -np.inf, 0], 3)
        v[rng.integers(0, 5)] = rng.choice([np.nan, np.inf, -np.inf, 0, 1])
        with np.errstate(invalid="ignore"):
            oracle.assert_within(oracle.shift_add(a, v, float), a, v)


def test_overflow():
    a, v = np.full(5, 1e308), np.array([1.0, 1.0, 1.0])
    result = np.array([1e308, np.inf, np.inf, np.inf, np.inf, np.inf, 1e308])
    oracle.assert_within(result, a, v)
    for i, wrong in [(0, np.inf), (3, 1e308)]:
        bad = result.copy()
        bad[i] = wrong
        with pytest.raises(AssertionError):
            oracle.assert_within(bad, a, v)


def test_large_references_are_sampled_exactly():
    rng = np.random.default_rng(2)
    a, v = rng.standard_normal(9000), rng.standard_normal(3000)
    reference = oracle.Reference(a, v)
    assert reference.exact_at is not None
    at, exact = reference.exact_at
    assert {0, 49, 11998} <= set(at.tolist())
    np.testing.assert_allclose(exact.astype(float), reference.full[at], rtol=1e-9, atol=1e-12)
    for mode in ("full", "same", "valid"):
        reference.assert_within(np.convolve(a, v, mode), mode, "direct")
    wrong = np.convolve(a, v)
    wrong[0] *= 1 + 1e-8
    with pytest.raises(AssertionError, match="off by more"):
        reference.assert_within(wrong)


def test_same_bits():
    oracle.assert_same_bits(np.array([1.0, np.nan]), np.array([1.0, np.nan]))
    with pytest.raises(AssertionError):
        oracle.assert_same_bits(np.array([0.0]), np.array([-0.0]))
