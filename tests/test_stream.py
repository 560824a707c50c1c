"""Signals that come block by block: any cut gives what one call gives."""

import gc
import os
import pickle
import threading
import tracemalloc

import numpy as np
import oracle
import pytest

import fastconv
from fastconv import Convolver

FLOATS = ("float32", "float64", "complex64", "complex128")
MODES = ("full", "same", "valid")
TAPS = (1, 2, 17, 512, 513, 1000, 2500)  # the delay line begins at 513
CUTS = {
    "samples": (0, 1, 2, 3),
    "small": (0, 1, 7, 64, 100),
    "blocks": (256,),
    "odd": (255, 257, 511),
    "mixed": (0, 1, 255, 256, 300, 5000, 12_000),
    "all": (10**9,),
}


def pushed(stream, x, cuts, axis=-1, seed=0):
    """All that a stream returns, the signal cut at random into blocks of these lengths."""
    rng = np.random.default_rng(seed)
    n, at, parts = x.shape[axis], 0, []
    lines = np.moveaxis(x, axis, -1)
    while at < n:
        block = lines[..., at : at + int(rng.choice(cuts))]
        at += block.shape[-1]
        parts.append(stream.push(np.moveaxis(block, -1, axis)))
    return np.concatenate([*parts, stream.flush()], axis)


def signal_of(n, dtype, seed=1):
    return oracle.draw(np.random.default_rng(seed), n, dtype)


@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("m", TAPS)
def test_floats(level, m, dtype, cuts):
    n = 600 if cuts == "samples" else 4000
    x, v = signal_of(n, dtype), signal_of(m, dtype, 2)
    result = pushed(level.Convolver(v).stream(), x, CUTS[cuts])
    oracle.Reference(x, v).assert_within(result)


@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize("dtype", [*oracle.INTEGERS, "bool"])
@pytest.mark.parametrize("m", [1, 17, 1000])
def test_integers_are_exact(m, dtype, cuts):
    x, v = signal_of(700, dtype), signal_of(m, dtype, 2)
    result = pushed(Convolver(v).stream(), x, CUTS[cuts])
    np.testing.assert_array_equal(result, oracle.convolve(x, v), strict=True)


@pytest.mark.parametrize(("x_dtype", "v_dtype"), oracle.MIXED)
@pytest.mark.parametrize("m", [30, 1300])
def test_real_and_complex(level, m, x_dtype, v_dtype):
    x, v = signal_of(4000, x_dtype), signal_of(m, v_dtype, 2)
    result = pushed(level.Convolver(v).stream(), x, CUTS["mixed"])
    oracle.Reference(x, v).assert_within(result)


@pytest.mark.parametrize("cuts", ["small", "mixed", "all"])
def test_a_long_kernel(cuts):
    x, v = signal_of(60_000, "float64"), signal_of(20_000, "float64", 2)
    result = pushed(Convolver(v).stream(), x, CUTS[cuts])
    oracle.Reference(x, v).assert_within(result)


@pytest.mark.parametrize("correlate", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n", [1, 5, 29, 30, 31, 200])
@pytest.mark.parametrize("m", [1, 2, 30, 31])
def test_modes_drop_samples_at_the_ends(n, m, mode, correlate):
    x, v = signal_of(n, "int32"), signal_of(m, "int32", 2)
    taps = v[::-1] if correlate else v
    stream = Convolver(v, mode, correlate=correlate).stream()
    expected = oracle.convolve(x, taps, mode, swap=mode != "same")
    for cuts in CUTS.values():
        np.testing.assert_array_equal(pushed(stream, x, cuts), expected, strict=True)


def test_complex_correlation():
    x, v = signal_of(3000, "complex128"), signal_of(700, "complex128", 2)
    result = pushed(Convolver(v, correlate=True).stream(), x, CUTS["mixed"])
    oracle.Reference(x, v[::-1].conj()).assert_within(result)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("shape", "axis"), [((900, 3), 0), ((3, 900), -1), ((2, 900, 3), 1)])
@pytest.mark.parametrize("m", [20, 600])
def test_channels(level, m, shape, axis, mode):
    x, v = signal_of(shape, "float64"), signal_of(m, "float64", 2)
    result = pushed(level.Convolver(v, mode, axis=axis).stream(), x, CUTS["mixed"], axis)
    lines, results = np.moveaxis(x, axis, -1), np.moveaxis(result, axis, -1)
    for at in np.ndindex(lines.shape[:-1]):
        oracle.Reference(lines[at], v).assert_within(results[at], mode)


def test_a_push_has_the_layout_of_its_block():
    stream = Convolver(signal_of(5, "float64"), axis=0).stream()
    assert stream.push(np.zeros((7, 3))).shape == (7, 3)
    assert stream.push(np.zeros((0, 3))).shape == (0, 3)
    assert stream.flush().shape == (4, 3)


@pytest.mark.parametrize("strides", [slice(None, None, -1), slice(None, None, 3)])
@pytest.mark.parametrize("m", [20, 600])
def test_strides_and_byte_order(m, strides):
    x, v = signal_of(3000, "float64")[strides], signal_of(m, "float64", 2)
    result = pushed(Convolver(v).stream(), x.astype(">f8"), CUTS["mixed"])
    oracle.Reference(x, v).assert_within(result)


# --- numbers to trust ----------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("cuts", ["small", "blocks", "mixed"])
def test_what_is_not_finite_stays_local(cuts, dtype, bad):
    x, v = signal_of(6000, dtype), signal_of(700, dtype, 2)
    x[[5, 300, 2100, 5990]] = bad
    with np.errstate(invalid="ignore"):
        result = pushed(Convolver(v).stream(), x, CUTS[cuts])
        oracle.Reference(x, v).assert_within(result)


def test_kernels_that_are_not_finite():
    x, v = signal_of(300, "float64"), signal_of(700, "float64", 2)
    v[10] = np.inf
    with np.errstate(invalid="ignore"):
        result = pushed(Convolver(v).stream(), x, CUTS["small"])
        oracle.Reference(x, v).assert_within(result)


def tail(m):
    return np.exp(-np.arange(m) / 9.0)


FAMILIES = {
    "loud, then quiet": lambda x, v: (np.where(np.arange(x.size) < 1000, 1e12, 1) * x, v),
    "a spike beside noise": lambda x, v: (np.where(np.arange(x.size) == 1234, 1e15, x), v),
    "nothing but spikes": lambda x, v: (np.where(np.arange(x.size) % 1100 == 7, x, 0), v),
    "an exponential tail": lambda x, v: (x, v * tail(v.size)),
    "a signal that dies away": lambda x, v: (x * np.exp(-np.arange(x.size) / 12.0), v),
    "a kernel that rises": lambda x, v: (x, v * tail(v.size)[::-1]),
    "denormals": lambda x, v: (x * 1e-310, v),
    "tiny": lambda x, v: (x * 1e-160, v * 1e-140),
    "huge": lambda x, v: (x * 1e200, v * 1e100),
    "a huge kernel": lambda x, v: (x, v * 1e250),
    "silence": lambda x, v: (x * (np.arange(x.size) > 3000), v),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("cuts", ["small", "blocks", "mixed"])
def test_small_values_in_double(level, cuts, family):
    x, v = FAMILIES[family](signal_of(5000, "float64"), signal_of(900, "float64", 2))
    oracle.Reference(x, v).assert_within(pushed(level.Convolver(v).stream(), x, CUTS[cuts]))


@pytest.mark.parametrize("family", [name for name in FAMILIES if "u" not in name])
def test_small_values_in_single(family):
    x, v = FAMILIES[family](signal_of(5000, "float64"), signal_of(900, "float64", 2))
    x, v = x.astype("float32"), v.astype("float32")
    oracle.Reference(x, v).assert_within(pushed(Convolver(v).stream(), x, CUTS["mixed"]))


@pytest.mark.parametrize("block", [64, 256])
def test_combs(block):
    """What an ordinary call may take for large (docs/accuracy.md) the delay line does not."""
    x, v = signal_of(5000, "float64"), signal_of(900, "float64", 2)
    x[np.arange(x.size) % 3 != 0] = 0
    v[np.arange(v.size) % 3 != 0] = 0
    stream = Convolver(v).stream()
    y = np.concatenate([stream.push(x[i : i + block]) for i in range(0, 5000, block)])
    assert (y[np.arange(y.size) % 3 != 0] == 0).all()
    np.testing.assert_allclose(y, np.convolve(x, v)[:5000], rtol=0, atol=1e-12)


@pytest.mark.parametrize("accuracy", ["normwise", "componentwise"])
@pytest.mark.parametrize("family", ["loud, then quiet", "an exponential tail"])
def test_accuracies(family, accuracy):
    x, v = FAMILIES[family](signal_of(3000, "float64"), signal_of(900, "float64", 2))
    result = pushed(Convolver(v, accuracy=accuracy).stream(), x, CUTS["mixed"])
    bound = "direct" if accuracy == "componentwise" else accuracy
    oracle.Reference(x, v).assert_within(result, accuracy=bound)


def test_float16_is_rounded_once():
    x, v = signal_of(3000, "float16"), signal_of(700, "float16", 2)
    result = pushed(Convolver(v).stream(), x, CUTS["mixed"])
    wide = pushed(Convolver(v.astype("float32")).stream(), x.astype("float32"), CUTS["mixed"])
    np.testing.assert_array_equal(result, wide.astype("float16"), strict=True)


# --- its life ------------------------------------------------------------------------


def test_a_flush_begins_anew():
    stream = Convolver(signal_of(700, "float64", 2)).stream()
    first = pushed(stream, signal_of(4000, "float64"), CUTS["mixed"])
    pushed(stream, signal_of((2, 900), "complex128"), CUTS["mixed"])
    again = pushed(stream, signal_of(4000, "float64"), CUTS["mixed"])
    np.testing.assert_array_equal(first, again, strict=True)


def test_nothing_pushed_leaves_nothing():
    stream = Convolver([1.0, 2.0]).stream()
    assert stream.flush().shape == (0,)
    assert stream.push([]).shape == (0,)
    assert stream.flush().shape == (0,)
    assert stream.push(3).tolist() == [3]
    assert stream.flush().tolist() == [6]


def test_no_channels():
    stream = Convolver(signal_of(700, "float64")).stream()
    assert stream.push(np.zeros((0, 5))).shape == (0, 5)
    assert stream.flush().shape == (0, 699)


def test_the_first_block_fixes_the_dtype():
    stream = Convolver(np.ones(3, "float32")).stream()
    assert stream.push(np.ones(4, "float32")).dtype == "float32"
    assert stream.push(np.ones(4, "int16")).dtype == "float32"
    with pytest.raises(TypeError, match="a stream of float32: got float64"):
        stream.push(np.ones(4))
    with pytest.raises(TypeError, match="got complex64"):
        stream.push(np.ones(4, "complex64"))
    assert stream.flush().tolist() == [2, 1]
    assert stream.push(np.ones(4)).dtype == "float64"


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
def test_signs_are_not_mixed(bits):
    """The engine's integers have none: they are told apart before."""
    for first, other in ((f"int{bits}", f"uint{bits}"), (f"uint{bits}", f"int{bits}")):
        stream = Convolver(np.ones(3, first)).stream()
        stream.push(np.ones(4, first))
        with pytest.raises(TypeError, match=f"a stream of {first}: got {other}"):
            stream.push(np.ones(4, other))


def test_taps_that_underflow_beside_the_loudest():
    """What a part of the delay line cannot hold is summed directly."""
    v, x = np.zeros(1300), np.zeros(3000)
    v[0], v[600:700], x[10] = 2.0**100, 2.0**-980, 2.0**200
    result = pushed(Convolver(v).stream(), x, CUTS["small"])
    np.testing.assert_allclose(result, np.convolve(x, v), rtol=1e-9, atol=0)


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted there")
def test_workers_are_those_of_the_push(python):
    """Not of the first one: a stream outlives what it began in."""
    done = python(
        """
import os, numpy as np, fastconv
def helpers():
    names = [open(f"/proc/self/task/{t}/comm").read() for t in os.listdir("/proc/self/task")]
    return names.count("fastconv\\n")
x, stream = np.ones(2_000_000), fastconv.Convolver(np.ones(200)).stream()
with fastconv.set_workers(1):
    stream.push(x)
print(helpers())
with fastconv.set_workers(3):
    stream.push(x)
print(helpers())
"""
    )
    assert done.stdout.split() == ["0", "2"], done.stderr


def test_a_stream_of_float16_takes_no_wider_block():
    stream = Convolver(np.ones(3, "float16")).stream()
    assert stream.push(np.ones(4, "float16")).dtype == "float16"
    with pytest.raises(TypeError, match="a stream of float16: got float32"):
        stream.push(np.ones(4, "float32"))


def test_what_is_refused():
    with pytest.raises(ValueError, match="takes a 1-D kernel"):
        Convolver(np.ones((2, 2))).stream()
    with pytest.raises(ValueError, match="zeros before and behind it: got boundary='wrap'"):
        Convolver([1, 2], boundary="wrap").stream()
    with pytest.raises(ValueError, match="got fillvalue=3"):
        Convolver([1, 2], fillvalue=3).stream()
    with pytest.raises(TypeError, match="up to complex128"):
        Convolver([1, 2]).stream().push(np.ones(3, "longdouble"))
    stream = Convolver([1, 2], axis=0).stream()
    stream.push(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"had shape \(3, 2\): got \(3, 3\)"):
        stream.push(np.ones((3, 3)))
    with pytest.raises(ValueError, match="had shape"):
        stream.push(np.ones(3))
    with pytest.raises(ValueError, match="out of bounds"):
        Convolver([1, 2], axis=1).stream().push(np.ones(3))
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(stream)


def test_repr():
    stream = Convolver([1.0, 2.0], "same").stream()
    stream.push([1, 2, 3])
    assert repr(stream) == "Stream(float64 kernel (2,), mode='same', axis=-1: 3 so far)"


@pytest.mark.parametrize("m", [64, 2000])
def test_memory_does_not_grow(m):
    """Neither Python's nor, seen from outside, the engine's."""
    stream = Convolver(signal_of(m, "float64")).stream()
    block = signal_of(4096, "float64")

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    for _ in range(50):
        stream.push(block)
    gc.collect()
    before = resident()
    tracemalloc.start()
    for _ in range(500):
        stream.push(block)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * block.nbytes
    assert resident() - before < 8 << 20, "16 MB have been pushed"


def test_streams_beside_each_other():
    """Each in its own thread, all of one Convolver."""
    convolver = Convolver(signal_of(700, "float64", 2))
    x = signal_of(6000, "float64")
    expected = pushed(convolver.stream(), x, CUTS["mixed"])
    results = [None] * 8

    def work(i):
        results[i] = pushed(convolver.stream(), x, CUTS["mixed"])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_the_level_may_change_between_pushes():
    """Spectra belong to a level; a stream stays on the one where it began."""
    x, v = signal_of(6000, "float64"), signal_of(700, "float64", 2)
    stream, parts = Convolver(v).stream(), []
    before = fastconv._core.level()
    names = [level["name"] for level in fastconv._core.levels() if level["available"]]
    try:
        for i in range(0, 6000, 100):
            fastconv._core.use_level(names[i // 100 % len(names)])
            parts.append(stream.push(x[i : i + 100]))
        parts.append(stream.flush())
    finally:
        fastconv._core.use_level(before)
    oracle.Reference(x, v).assert_within(np.concatenate(parts))
