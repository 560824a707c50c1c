"""What `fastconv selftest` checks on a level: results against exact integers.

    full[i] = sum_k v[k] a[i - k]

is summed in unsigned 64-bit integers, which are exact modulo 2^64 and, cut to fewer bits, what
every integer dtype has to give. Floats are drawn as integers of so few bits that their sum is
exact, too, and what they are off by is held against the norms. Nothing but numpy is needed.
"""

from collections.abc import Callable, Iterator
from itertools import product
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import fastconv

from .race import tolerance

Array: TypeAlias = NDArray[Any]

INTEGERS = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
FLOATS = ("float16", "float32", "float64", "complex64", "complex128")
METHODS = ("auto", "direct", "fft", "overlap")
MODES = ("full", "same", "valid")
# Short; a length around every vector's; sums of many taps; many blocks. All methods on all of them
# take a second a level (Zen 4).
LENGTHS = ((1, 1), (8, 3), (67, 33), (1000, 127), (5000, 700))
SHAPES = (((9, 7), (3, 3)), ((40, 50), (5, 1)), ((61, 47), (15, 12)))
# Bits of floats drawn as integers, which their dtype holds; 700 products of two stay below 2^63.
BITS = {"float16": 4, "float32": 12, "complex64": 12, "float64": 24, "complex128": 24}


def all_checks() -> Iterator[str]:
    """What is wrong in each check, or ''."""
    for dtype in INTEGERS + FLOATS:
        for lengths in LENGTHS:
            yield from lines(dtype, *lengths)
        for shapes in SHAPES:
            yield from planes(dtype, *shapes)
        yield from batches(dtype)
        yield from outer(dtype)
        yield from prepared(dtype)
    for dtype in ("float32", "float64"):
        yield from boundaries(dtype)
        yield from not_finite(dtype)
        yield from volumes(dtype)


def lines(dtype: str, n: int, m: int) -> Iterator[str]:
    a, v = drawn(dtype, n), drawn(dtype, m)
    right, turned = full(a, v), full(a, v[::-1].conj())
    for method, mode in product(METHODS, MODES):
        how = {"mode": mode, "method": method}
        yield compared("convolve", a, v, middle(right, n, m, mode), how)
        yield compared("correlate", a, v, middle(turned, n, m, mode), how)
    lag = min(n, m) // 2
    lags = turned[m - 1 - lag : m + lag]
    yield compared("correlate", a, v, lags, {"max_lag": lag})
    yield compared("convolve", a[::-1], v[::-1], right[::-1], {})


def planes(dtype: str, a_shape: tuple[int, int], v_shape: tuple[int, int]) -> Iterator[str]:
    a, v = drawn(dtype, a_shape), drawn(dtype, v_shape)
    right, turned = full(a, v), full(a, v[::-1, ::-1].conj())
    for method in METHODS:
        yield compared("convolve2d", a, v, right, {"method": method})
        yield compared("correlate2d", a, v, turned, {"method": method})
    inside = tuple(slice(m - 1, n) for n, m in zip(a_shape, v_shape, strict=True))
    yield compared("convolve2d", a, v, right[inside], {"mode": "valid"})
    yield compared("convolve2d", a.T, v.T, right.T, {})


def batches(dtype: str) -> Iterator[str]:
    """Lines side by side, with one kernel and with a bank."""
    a, bank = drawn(dtype, (5, 150)), drawn(dtype, (3, 1, 20))
    right = np.stack([np.stack([full(row, kernel[0]) for row in a]) for kernel in bank])
    for method in METHODS:
        yield compared("convolve", a, bank[0, 0], right[0], {"axis": 1, "method": method})
        yield compared("convolve", a.T, bank[0, 0], right[0].T, {"axis": 0, "method": method})
        yield compared("convolve", a, bank, right, {"axis": -1, "method": method})


def outer(dtype: str) -> Iterator[str]:
    """A kernel of rank one, which may be taken in two passes."""
    a = drawn(dtype, (61, 47))
    v = np.outer(np.arange(1, 12), np.arange(1, 8)).astype(dtype)
    for separable in ("auto", False):
        yield compared("convolve2d", a, v, full(a, v), {"separable": separable})


def prepared(dtype: str) -> Iterator[str]:
    """A kernel kept for many calls, and a signal that comes in blocks."""
    a, v = drawn(dtype, 3000), drawn(dtype, 200)
    right, kept = full(a, v), fastconv.Convolver(v)
    stream = kept.stream()
    blocks = [stream.push(block) for block in np.split(a, [1, 700])]
    yield judged(called("Convolver", a, v, {}), kept(a), a, v, right)
    streamed = np.concatenate([*blocks, stream.flush()])
    yield judged(called("Convolver.stream", a, v, {}), streamed, a, v, right)


def boundaries(dtype: str) -> Iterator[str]:
    """Padded by numpy, and the middle of that."""
    a, v = drawn(dtype, 300), drawn(dtype, 40)
    plane, kernel = drawn(dtype, (30, 40)), drawn(dtype, (8, 5))
    for boundary, padding in (("wrap", "wrap"), ("symm", "symmetric")):
        how = {"mode": "same", "boundary": boundary}
        yield compared("convolve", a, v, extended(a, v, padding), how)
        yield compared("convolve2d", plane, kernel, extended(plane, kernel, padding), how)


def volumes(dtype: str) -> Iterator[str]:
    """scipy.signal's names, in three dimensions."""
    a, v = drawn(dtype, (7, 12, 9)), drawn(dtype, (3, 4, 2))
    right = full(a, v)
    for name in ("signal.convolve", "signal.fftconvolve", "signal.oaconvolve"):
        yield compared(name, a, v, right, {})
    turned = full(a, v[::-1, ::-1, ::-1].conj())
    yield compared("signal.correlate", a, v, turned, {})


def not_finite(dtype: str) -> Iterator[str]:
    """A NaN and an Inf make those outputs NaN or infinite that they are part of, and no other."""
    n, m = 3000, 200
    a, v = drawn(dtype, n), drawn(dtype, m)
    v[v == 0] = 1  # 0 * Inf is NaN
    right, touched = full(a, v), np.zeros(n + m - 1, bool)
    for i, value in ((700, np.nan), (2000, np.inf)):
        a[i] = value
        touched[i : i + m] = True
    finite = np.where(np.isfinite(a), a, 0)
    calls: list[tuple[str, dict[str, Any]]] = [("convolve", {"method": m}) for m in METHODS]
    for name, how in [*calls, ("signal.fftconvolve", {})]:
        with np.errstate(invalid="ignore"):
            result = function(name)(a, v, **how)
        words = called(name, a, v, how) + " with a NaN and an Inf"
        wrong = np.flatnonzero(np.isfinite(result) == touched)
        if wrong.size:
            yield f"{words}: {result[wrong[0]]} at {wrong[0]}"
        else:
            error = np.where(touched, 0, np.abs(np.where(touched, 0, result) - right))
            yield largest(words, error, tolerance(finite, v), result, right)


def compared(name: str, a: Array, v: Array, right: Array, how: dict[str, Any]) -> str:
    return judged(called(name, a, v, how), function(name)(a, v, **how), a, v, right)


def judged(words: str, result: Array, a: Array, v: Array, right: Array) -> str:
    dtype = np.result_type(a, v)
    if result.dtype != dtype or result.shape != right.shape:
        return f"{words}: {result.dtype} of {result.shape}, takes {dtype} of {right.shape}"
    if dtype.kind in "biu":
        return largest(words, np.asarray(result != right), 0.0, result, right)
    if dtype == np.float16:  # computed in float32 and rounded once, to 11 bits
        single = tolerance(a.astype(np.float32), v.astype(np.float32))
        return largest(words, np.abs(result - right), single + np.abs(right) / 2**11, result, right)
    return largest(words, np.abs(result - right), tolerance(a, v), result, right)


def largest(words: str, error: Array, allowed: Array | float, result: Array, right: Array) -> str:
    """Where the error goes farthest beyond what is allowed, if it does; NaN does."""
    if np.all(error <= allowed):
        return ""
    excess = np.where(np.isnan(error), np.inf, error - allowed)
    at = np.unravel_index(np.argmax(excess), excess.shape)
    return f"{words}: {result[at]} at {tuple(map(int, at))}, right is {right[at]}"


def called(name: str, a: Array, v: Array, how: dict[str, Any]) -> str:
    shapes = [" x ".join(f"{n:,}" for n in x.shape) for x in (a, v)]
    options = "".join(f", {key}={value!r}" for key, value in how.items())
    return f"{name} of {shapes[0]} by {shapes[1]} in {a.dtype}{options}"


def function(name: str) -> Callable[..., Array]:
    found: Callable[..., Array] = attrgetter(name)(fastconv)
    return found


def drawn(dtype: str, shape: int | tuple[int, ...]) -> Array:
    """Integers of the whole range, one true in two, or floats that are small integers."""
    shape = (shape,) if isinstance(shape, int) else shape
    rng = np.random.default_rng([*shape, *dtype.encode()])
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return np.asarray(rng.integers(0, 2, shape) == 1)
    if kind.kind in "iu":
        info = np.iinfo(kind)
        return rng.integers(info.min, info.max, shape, kind, endpoint=True)
    most = 2 ** BITS[dtype] - 1
    values = rng.integers(-most, most, shape, endpoint=True).astype(kind)
    if kind.kind == "c":
        values += 1j * rng.integers(-most, most, shape, endpoint=True)
    return values


def full(a: Array, v: Array) -> Array:
    """The definition, shift by shift; complex numbers by their parts."""
    dtype = np.result_type(a, v)
    if dtype.kind == "c":
        real = full(a.real, v.real) - full(a.imag, v.imag)
        return np.asarray(real + 1j * (full(a.real, v.imag) + full(a.imag, v.real)))
    wide = np.dtype(np.int64 if dtype.kind == "f" else np.uint64)
    x, y = a.astype(wide), v.astype(wide)
    out = np.zeros([n + m - 1 for n, m in zip(a.shape, v.shape, strict=True)], wide)
    for k in np.ndindex(v.shape):
        out[tuple(slice(i, i + n) for i, n in zip(k, a.shape, strict=True))] += y[k] * x
    if dtype.kind == "b":
        return np.asarray(out > 0)
    return out.astype(np.longdouble if dtype.kind == "f" else dtype)


def middle(right: Array, n: int, m: int, mode: str) -> Array:
    """What a mode keeps, the kernel being the shorter."""
    lo, hi = {
        "full": (0, n + m - 1),
        "same": ((m - 1) // 2, (m - 1) // 2 + n),
        "valid": (m - 1, n),
    }[mode]
    return right[lo:hi]


def extended(a: Array, v: Array, padding: Any) -> Array:
    """'same' of an `a` that goes on beyond its ends as numpy.pad has it."""
    beyond = full(np.pad(a, [(m - 1, m - 1) for m in v.shape], padding), v)
    starts = [m - 1 + (m - 1) // 2 for m in v.shape]
    return beyond[tuple(slice(lo, lo + n) for lo, n in zip(starts, a.shape, strict=True))]
