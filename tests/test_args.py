"""Bad arguments: refused before any work, in numpy's and scipy's words and a few more."""

import signal

import numpy as np
import oracle
import pytest

import fastconv

ONE_D = [(fastconv.convolve, np.convolve), (fastconv.correlate, np.correlate)]
TWO_D = [fastconv.convolve2d, fastconv.correlate2d]


def begins_as(expected, got):
    assert type(got) is type(expected)
    assert str(got).startswith(str(expected))
    assert len(str(got)) > len(str(expected))


@pytest.mark.parametrize(("ours", "numpys"), ONE_D)
@pytest.mark.parametrize(
    ("a", "v"),
    [
        ([], [1]),
        ([1], []),
        ([], []),
        ([[1, 2]], [1]),
        ([1], [[1, 2]]),
        ([[]], [1]),
        (np.ones((2, 2)), np.ones(2)),
        (np.ones(2), np.ones((2, 0))),
        (np.ones(2), np.ones((0, 2))),
    ],
)
def test_wrong_shapes(ours, numpys, a, v):
    begins_as(oracle.refusal(numpys, a, v), oracle.refusal(ours, a, v))


@pytest.mark.parametrize(("ours", "numpys"), ONE_D)
def test_ragged_lists(ours, numpys):
    with pytest.raises(ValueError, match=r"^setting an array element with a sequence"):
        numpys([[1], [2, 3]], [1])
    with pytest.raises(ValueError, match=r"^setting an array element with a sequence"):
        ours([[1], [2, 3]], [1])


def test_the_message_tells_what_was_got():
    with pytest.raises(
        ValueError, match=r"^object too deep for desired array: got a of shape \(2, 2\)"
    ):
        fastconv.convolve(np.ones((2, 2)), [1, 2])


EVERY = [ours for ours, _ in ONE_D] + TWO_D


def inputs(call):
    return (np.ones((4, 4)), np.ones((2, 2))) if call in TWO_D else (np.ones(4), np.ones(2))


@pytest.mark.parametrize("call", EVERY)
@pytest.mark.parametrize("name", ["method", "accuracy"])
def test_choices(call, name):
    with pytest.raises(ValueError, match=f"^{name} not understood: got 'bogus', takes 'auto'"):
        call(*inputs(call), **{name: "bogus"})
    with pytest.raises(TypeError, match=f"^{name} must be a string: got None"):
        call(*inputs(call), **{name: None})


@pytest.mark.parametrize("call", EVERY)
@pytest.mark.parametrize("dtype", ["float64", "longdouble", "float16", "bool"])
def test_out_that_does_not_fit(call, dtype):
    a, v = (x.astype(dtype) for x in inputs(call))
    right = call(a, v, "same")
    with pytest.raises(TypeError, match=r"^out must be an ndarray: got list"):
        call(a, v, "same", out=right.tolist())
    with pytest.raises(TypeError, match=r"^out must have the result's dtype: got int64, takes "):
        call(a, v, "same", out=right.astype("int64"))
    with pytest.raises(ValueError, match=r"^out must have the result's shape: got "):
        call(a, v, "same", out=np.empty((9, 9), dtype))
    right.flags.writeable = False
    with pytest.raises(ValueError, match=r"^out must be writeable"):
        call(a, v, "same", out=right)


@pytest.mark.parametrize("call", EVERY)
@pytest.mark.parametrize("dtype", ["float64", "int16", "complex64", "float16", "object"])
def test_out_of_any_layout(call, dtype):
    a, v = (x.astype(dtype) for x in inputs(call))
    a.flat[1:] = 3
    expected = call(a, v, "same")
    shape = expected.shape
    wide = np.zeros([2 * n for n in shape], dtype)
    layouts = {
        "strided": wide[tuple(slice(None, None, 2) for _ in shape)],
        "reversed": np.zeros(shape, dtype)[tuple(slice(None, None, -1) for _ in shape)],
        "transposed": np.zeros(shape[::-1], dtype).T,
        "swapped": np.zeros(shape, np.dtype(dtype).newbyteorder("S")),
        "subclass": np.zeros(shape, dtype).view(np.ma.MaskedArray),
    }
    if dtype != "object":
        packed = np.zeros(shape, [("pad", "i1"), ("x", dtype)])
        layouts["unaligned"] = packed["x"]
    for name, out in layouts.items():
        assert call(a, v, "same", out=out) is out, name
        np.testing.assert_array_equal(np.asarray(out), expected, err_msg=name)
    if dtype != "object":
        assert not packed["pad"].any(), "nothing beside out is written"
    assert np.count_nonzero(wide) <= expected.size


@pytest.mark.parametrize("call", EVERY)
@pytest.mark.parametrize("step", [1, -1])
def test_out_may_be_an_input(call, step):
    a, v = inputs(call)
    a += np.arange(a.size).reshape(a.shape)
    expected = call(a, v, "same")
    out = a[::step]
    assert call(a, v, "same", out=out) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("lag", [-1, -(10**30)])
def test_negative_lags(lag):
    with pytest.raises(ValueError, match=r"^max_lag must not be negative"):
        fastconv.correlate([1, 2], [1], max_lag=lag)


@pytest.mark.parametrize("lag", [1.0, "1", [1]])
def test_lags_are_integers(lag):
    with pytest.raises(TypeError, match=r"^max_lag must be an integer"):
        fastconv.correlate([1, 2], [1], max_lag=lag)


@pytest.mark.parametrize("mode", ["valid", "full", 2])
def test_a_mode_beside_max_lag(mode):
    with pytest.raises(ValueError, match=r"exclude each other"):
        fastconv.correlate([1, 2], [1], mode, max_lag=1)
    with pytest.raises(ValueError, match=r"exclude each other"):
        fastconv.correlate([1.0, 2], [1], mode=mode, max_lag=1)


def test_results_beyond_any_memory():
    endless = np.broadcast_to(np.int8(1), 2**61)
    with pytest.raises(ValueError, match=r"^array is too big"):
        fastconv.convolve(endless, [1.0, 2.0])
    with pytest.raises(ValueError, match=r"^array is too big"):
        fastconv.correlate([1.0], [1.0], max_lag=2**62)
    flat = np.broadcast_to(np.int8(1), (2**31, 2**31))
    with pytest.raises(ValueError, match=r"^array is too big"):
        fastconv.convolve2d(flat, np.ones((2, 2)))
    with pytest.raises(MemoryError):
        fastconv.convolve(np.broadcast_to(1.0, 2**55), [1.0, 2.0])


def endless(*shape, dtype="int8"):
    """An array of any size, whose samples are one."""
    return np.lib.stride_tricks.as_strided(np.ones(1, dtype), shape, (0,) * len(shape))


LONGEST = 2**63 - 1
ENDLESS = {
    "full": lambda: fastconv.convolve(endless(LONGEST), endless(3)),
    "same": lambda: fastconv.convolve(endless(LONGEST), endless(3), "same"),
    "valid": lambda: fastconv.convolve(endless(LONGEST), endless(LONGEST), "valid"),
    "half": lambda: fastconv.convolve(endless(2**62), endless(2**62)),
    "correlate": lambda: fastconv.correlate(endless(LONGEST), endless(LONGEST), "full"),
    "lags": lambda: fastconv.correlate(endless(LONGEST), endless(LONGEST), max_lag=5),
    "wrap": lambda: fastconv.convolve(endless(3), endless(LONGEST), "same", boundary="wrap"),
    "symm": lambda: fastconv.convolve(endless(LONGEST), endless(3), boundary="symm"),
    "float": lambda: fastconv.convolve(endless(2**60 - 1, dtype="f8"), np.ones(3)),
    "axis": lambda: fastconv.convolve(endless(2**31, 2**31), np.ones(3), axis=1),
    "2d": lambda: fastconv.convolve2d(endless(2**31, 2**31), endless(2**31, 2**31)),
    "fft": lambda: fastconv.signal.fftconvolve(endless(LONGEST), np.ones(3)),
    "overlap": lambda: fastconv.signal.oaconvolve(endless(2**62), endless(2**62), "valid"),
    "nd": lambda: fastconv.signal.convolve(*[endless(2**21, 2**21, 2**21)] * 2),
    "prepared": lambda: fastconv.Convolver(endless(3))(endless(LONGEST)),
    "explain": lambda: fastconv.explain(LONGEST, LONGEST),
}


@pytest.mark.parametrize("call", list(ENDLESS))
def test_lengths_near_the_end_of_an_index(call):
    with pytest.raises(ValueError, match=r"^array is too big"):
        ENDLESS[call]()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_a_kernel_of_endless_periods_is_interrupted():
    """Its result could be indexed, and nobody could wait for it."""

    def ring(*_):
        raise InterruptedError("the handler's")

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(InterruptedError, match="the handler's"):
            fastconv.convolve(np.ones(3), endless(2**59, dtype="f8"), "same", boundary="wrap")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("wrong", [1.5, "8", [8], None, (8, 1.5)])
def test_explain_takes_shapes_and_arrays(wrong):
    with pytest.raises(TypeError, match=r"^v must be an int or a tuple of ints"):
        fastconv.explain(8, wrong)


def test_explain_takes_arrays_without_axes():
    assert fastconv.explain(np.array(5.0), 3).reasons[0].startswith("1 by 3 ")


@pytest.mark.parametrize("wrong", [0, (), (0, 3), (2, 2, 2), -1])
def test_explain_takes_lengths_of_one_or_more(wrong):
    with pytest.raises(ValueError, match=r"^a must have one or two lengths"):
        fastconv.explain(wrong, 3)


def test_explain_refuses_what_the_call_refuses():
    with pytest.raises(ValueError, match=r"^method not understood"):
        fastconv.explain(8, 3, method="magic")
    with pytest.raises(ValueError, match=r"got mode 'bogus', takes 'full', 'same', 'valid' or"):
        fastconv.explain(8, 3, "bogus")
    with pytest.raises(ValueError, match=r"^For 'valid' mode"):
        fastconv.explain((8, 1), (3, 3), "valid")
    with pytest.raises(ValueError, match=r"^convolve2d inputs must both be 2-D"):
        fastconv.explain((8, 8), 3)
    with pytest.raises(ValueError, match=r"^object too deep|exceed"):
        fastconv.explain(8, (3, 3))
