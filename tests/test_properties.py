"""What is true of every convolution, on whatever hypothesis can think of."""

import numpy as np
import oracle
from hypothesis import given, settings
from hypothesis import strategies as st

import fastconv

METHODS = st.sampled_from(["auto", "direct", "fft", "overlap"])
MODES = st.sampled_from(["full", "same", "valid"])
DTYPES = st.sampled_from([*oracle.FLOATS, *oracle.INTEGERS, "bool"])
SEEDS = st.integers(0, 2**32 - 1)
EXAMPLES = settings(max_examples=250)


def promise(method):
    """What holds of any data whatever: small values survive a transform on the families
    of test_guard.py, not on every comb of zeros and spikes that can be thought of.
    """
    return "direct" if method == "direct" else "normwise"


@st.composite
def laid_out(draw, shape, dtype):
    """Noise of one shape, somewhere in memory: any offset, order, stride and sign of stride."""
    rng = np.random.default_rng(draw(SEEDS))
    values = oracle.draw(rng, shape, dtype)
    if values.dtype.kind in "fc":
        loud = draw(st.sampled_from([0, 0, 3, 8] if values.real.itemsize == 4 else [0, 3, 8, 20]))
        values = values * np.asarray(
            10.0 ** rng.integers(-loud, loud + 1, shape), values.real.dtype
        )
        values[rng.random(shape) < draw(st.sampled_from([0, 0.3, 0.9]))] = 0
    steps = [draw(st.sampled_from([1, 1, 2, 3, -1, -2])) for _ in shape]
    offset = draw(st.integers(0, 3))
    room = [abs(step) * n + offset for step, n in zip(steps, shape, strict=True)]
    memory = oracle.draw(rng, room, dtype)
    if draw(st.booleans()):
        memory = np.asfortranarray(memory)
    view = memory[
        tuple(slice(offset, offset + abs(s) * n, abs(s)) for s, n in zip(steps, shape, strict=True))
    ][tuple(slice(None, None, np.sign(step)) for step in steps)]
    view[...] = values
    assert view.shape == tuple(shape)
    return view


def rows(longest=150):
    return st.integers(1, longest).map(lambda n: (n,))


IMAGES = st.tuples(st.integers(1, 20), st.integers(1, 20))


@st.composite
def pairs(draw, shapes, dtypes=DTYPES):
    return draw(laid_out(draw(shapes), draw(dtypes))), draw(laid_out(draw(shapes), draw(dtypes)))


@EXAMPLES
@given(pairs(rows()), MODES, METHODS)
def test_convolve(pair, mode, method):
    a, v = pair
    before = a.copy(), v.copy()
    got = fastconv.convolve(a, v, mode, method=method)
    oracle.assert_within(got, a, v, mode, promise(method))
    oracle.assert_same_bits(a, before[0])
    oracle.assert_same_bits(v, before[1])


@EXAMPLES
@given(pairs(rows(1500)), MODES, st.sampled_from(["fft", "overlap"]))
def test_convolve_longer(pair, mode, method):
    a, v = pair
    oracle.assert_within(fastconv.convolve(a, v, mode, method=method), a, v, mode, promise(method))


@EXAMPLES
@given(pairs(rows()), MODES, METHODS)
def test_correlate(pair, mode, method):
    a, v = pair
    got = fastconv.correlate(a, v, mode, method=method)
    oracle.assert_within(got, a, v[::-1].conj(), mode, promise(method), correlate=True)


@EXAMPLES
@given(pairs(IMAGES), METHODS, st.sampled_from(["full", "same"]))
def test_convolve2d(pair, method, mode):
    a, v = pair
    oracle.assert_within(
        fastconv.convolve2d(a, v, mode, method=method), a, v, mode, promise(method)
    )


@EXAMPLES
@given(pairs(rows()), METHODS)
def test_commutes(pair, method):
    a, v = pair
    one, two = fastconv.convolve(a, v, method=method), fastconv.convolve(v, a, method=method)
    if one.dtype.kind in "fc":
        assert (abs(one - two) <= 2 * oracle.reference(a, v).bound("normwise")).all()
    else:
        oracle.assert_exact(one, two)


@EXAMPLES
@given(st.integers(1, 120), st.integers(1, 90), st.sampled_from(oracle.INTEGERS), METHODS, SEEDS)
def test_linear(n, m, dtype, method, seed):
    rng = np.random.default_rng(seed)
    a, b, v = (oracle.draw(rng, size, dtype) for size in (n, n, m))
    x, y = oracle.draw(rng, 2, dtype)
    once = fastconv.convolve(x * a + y * b, v, method=method)
    apart = x * fastconv.convolve(a, v, method=method) + y * fastconv.convolve(b, v, method=method)
    oracle.assert_exact(once, apart)


@EXAMPLES
@given(st.integers(1, 120), st.integers(1, 90), st.integers(1, 70), METHODS, SEEDS)
def test_shifts(n, m, k, method, seed):
    rng = np.random.default_rng(seed)
    a, v, delay = oracle.draw(rng, n, "int32"), oracle.draw(rng, m, "int32"), np.zeros(k, "int32")
    shifted = fastconv.convolve(np.r_[delay, a], v, method=method)
    oracle.assert_exact(shifted, np.r_[delay, fastconv.convolve(a, v, method=method)])


@EXAMPLES
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60), METHODS, SEEDS)
def test_associates(n, m, k, method, seed):
    rng = np.random.default_rng(seed)
    a, v, w = (oracle.draw(rng, size, "uint64") for size in (n, m, k))
    left = fastconv.convolve(fastconv.convolve(a, v, method=method), w, method=method)
    right = fastconv.convolve(a, fastconv.convolve(v, w, method=method), method=method)
    oracle.assert_exact(left, right)


@EXAMPLES
@given(pairs(rows()), METHODS)
def test_one_tap_is_a_product(pair, method):
    a = pair[0]
    oracle.assert_exact(fastconv.convolve(a, np.ones(1, a.dtype), method="direct"), a)
    two = np.array([0, 1], a.dtype)
    got = fastconv.convolve(a, two, method=method)
    oracle.assert_within(got, a, two, "full", promise(method))


@EXAMPLES
@given(pairs(rows(), st.sampled_from(["float64", "int32", "complex64"])), st.data(), METHODS)
def test_out_may_overlap_an_input(pair, data, method):
    a, v = (x.copy() for x in pair)
    if np.result_type(a, v) != a.dtype:
        return
    expected = fastconv.convolve(a, v, method=method)
    memory = np.zeros(len(expected) + len(a) + 3, a.dtype)
    start = data.draw(st.integers(0, len(expected) + 2))
    memory[start : start + len(a)] = a
    out = memory[1 : 1 + len(expected)]
    fastconv.convolve(memory[start : start + len(a)], v, method=method, out=out)
    oracle.assert_same_bits(out.copy(), expected)
