"""The slow twin: what every result is judged by.

    full[i] = sum_k v[k] a[i - k]          (i, k multi-indices in N-D)

Integers are multiplied as Python's own big integers and reduced modulo 2^bits,
bools are an OR of ANDs, floats are summed in longdouble. Nothing here knows
how fastconv works, and `test_oracle.py` checks all of it on paper.
"""

from functools import lru_cache
from math import ceil, log2, prod

import numpy as np

# Past this many longdouble multiply-adds (about 0.1 s) a reference keeps a
# double sum with its error bound, and longdouble at chosen outputs only.
LONGDOUBLE_MACS = 2e7

ACCURACY = {4: 2.0**-8, 8: 2.0**-30}  # accuracy='auto', by bytes of a real number

FLOATS = ["float32", "float64", "complex64", "complex128"]
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
MIXED = [
    ("float32", "complex64"),
    ("complex64", "float32"),
    ("float64", "complex128"),
    ("complex128", "float64"),
]
PAIRS = [(t, t) for t in [*FLOATS, *INTEGERS, "bool"]] + MIXED  # every row of the kernels


def draw(rng, shape, dtype):
    """Noise for floats, the whole range for integers, one true in four for bool."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 4, shape) == 0
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    noise = rng.standard_normal(shape)
    if dtype.kind == "c":
        noise = noise + 1j * rng.standard_normal(shape)
    return noise.astype(dtype)


def draw_small(rng, shape, dtype):
    """Whole numbers so small that no sum of a few hundred products is rounded."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return draw(rng, shape, dtype)
    low = 0 if dtype.kind == "u" else -8
    values = rng.integers(low, 9, shape)
    if dtype.kind == "c":
        values = values + 1j * rng.integers(low, 9, shape)
    return values.astype(dtype)


# --- the full convolution ----------------------------------------------------------


def full_shape(a, v):
    return tuple(n + m - 1 for n, m in zip(a.shape, v.shape, strict=True))


def shift_add(a, v, dtype):
    """The definition itself, one shifted copy of the larger array a tap of the smaller.

    numpy's fixed-width integers wrap, which is arithmetic modulo 2^bits.
    """
    a, v = (a, v) if a.size >= v.size else (v, a)
    a, v = a.astype(dtype), v.astype(dtype)
    full = np.zeros(full_shape(a, v), dtype)
    for k in np.ndindex(v.shape):
        window = tuple(slice(start, start + n) for start, n in zip(k, a.shape, strict=True))
        if full.dtype == bool:
            full[window] |= v[k] & a
        else:
            full[window] += v[k] * a
    return full


def kronecker(a, v, dtype):
    """1-D integers exactly: both as one huge number, a slot a term, and one multiplication."""
    size = np.dtype(dtype).itemsize
    slot = ceil((16 * size + min(len(a), len(v)).bit_length()) / 8)

    def pack(x):
        slots = np.zeros((len(x), slot), np.uint8)
        slots[:, :size] = x.astype(dtype).astype(f"<u{size}").view(np.uint8).reshape(-1, size)
        return int.from_bytes(slots.tobytes(), "little")

    terms = len(a) + len(v) - 1
    product = (pack(a) * pack(v)).to_bytes((terms + 1) * slot, "little")
    slots = np.frombuffer(product, np.uint8).reshape(-1, slot)[:terms, :size]
    return np.ascontiguousarray(slots).view(f"<u{size}").ravel().astype(f"u{size}").view(dtype)


def full(a, v):
    """The full convolution: integers and bool in the result's dtype, floats in longdouble."""
    a, v = np.asarray(a), np.asarray(v)
    dtype = np.result_type(a, v)
    if dtype.kind in "iu" and a.ndim == 1:
        return kronecker(a, v, dtype)
    if dtype.kind in "iub":
        return shift_add(a, v, dtype)
    wide = np.clongdouble if dtype.kind == "c" else np.longdouble
    if a.ndim == 1:
        return np.convolve(a.astype(wide), v.astype(wide))
    return shift_add(a, v, wide)


# --- modes are windows -------------------------------------------------------------


def window(n, m, mode, *, swap=True, correlate=False):
    """[lo, hi) of the full convolution of n and m samples.

    swap: numpy's rule, by which 'same' is as long as the longer input; without it
    scipy's, as long as the first. numpy's correlate of a short input with a long one
    is the mirror image of the swapped call, which moves 'same' by one where n is even.
    """
    if mode == "full":
        return 0, n + m - 1
    if mode == "valid":
        return min(n, m) - 1, max(n, m)
    if mode != "same":
        raise ValueError(mode)
    if not swap or n >= m:
        lo = (m - 1) // 2
        return lo, lo + n
    lo = n // 2 if correlate else (n - 1) // 2
    return lo, lo + m


def crop(full, a_shape, v_shape, mode, **rule):
    if mode == "full":
        return full
    return full[
        tuple(slice(*window(n, m, mode, **rule)) for n, m in zip(a_shape, v_shape, strict=True))
    ]


def convolve(a, v, mode="full", *, swap=None):
    """numpy's rule in 1-D, scipy's in N-D, unless told."""
    a, v = np.asarray(a), np.asarray(v)
    swap = a.ndim == 1 if swap is None else swap
    return crop(full(a, v), a.shape, v.shape, mode, swap=swap)


def correlate(a, v, mode="valid"):
    """numpy.correlate."""
    a, v = np.asarray(a), np.asarray(v)
    return crop(full(a, v[::-1].conj()), a.shape, v.shape, mode, correlate=True)


# --- how far a float result may be off ---------------------------------------------


def unit_roundoff(dtype):
    return np.finfo(dtype).eps / 2


def normwise_constant(shape):
    """C in max |err| <= C u ||a|| ||v||, three transforms of at least these lengths.

    First-order bound of three FFTs with FMA products and the right-angle weights,
    rounded up: Brent, Percival, Zimmermann, Math. Comp. 76 (2007), 1469.
    """
    log_n = sum(max(1, ceil(log2(max(n, 2)))) for n in shape)
    return 14 * log_n + 12


class Reference:
    """The exact convolution of two float arrays, and the test of a result against it.

    With s = |a| * |v| (the convolution of magnitudes), u the unit roundoff and m the
    number of terms in a sum:

        'direct'    |err_i| <= (m + 2) u s_i
        'normwise'  |err_i| <= C u ||a|| ||v||, or direct's bound where that is larger
        'auto'      as 'normwise', and |err_i| <= 2^-30 s_i (f32, c64: 2^-8 s_i), or
                    direct's bound where that is larger

    Twice direct's bound for complex numbers. Where s_i = 0 the result is zero exactly,
    'normwise' apart.
    Where the definition meets a NaN or an Inf, so does the result, and nowhere else.
    """

    def __init__(self, a, v):
        self.dtype = np.result_type(a, v)
        self.a_shape, self.v_shape = a.shape, v.shape
        self.a, self.v = a, v
        a_finite, v_finite = np.isfinite(a), np.isfinite(v)
        self.all_finite = bool(a_finite.all() and v_finite.all())
        a, v = np.where(a_finite, a, 0), np.where(v_finite, v, 0)

        wide = np.clongdouble if self.dtype.kind == "c" else np.longdouble
        a_long, v_long = a.astype(wide), v.astype(wide)
        a_size, v_size = abs(a_long), abs(v_long)
        self.norms = np.sqrt((a_size**2).sum()) * np.sqrt((v_size**2).sum())
        self.terms = min(a.size, v.size)
        small = a.size * v.size <= LONGDOUBLE_MACS or a.ndim > 1
        if small:
            self.full, self.s = full(a_long, v_long), full(a_size, v_size)
            own = unit_roundoff(np.longdouble)
        else:
            double = np.complex128 if wide is np.clongdouble else np.float64
            self.full = np.convolve(a.astype(double), v.astype(double))
            self.s = np.convolve(a_size.astype(np.float64), v_size.astype(np.float64))
            own = unit_roundoff(np.float64)
        self.slack = self._direct_bound(own)
        self.exact_at = None if small else self._longdouble_at(a_long, v_long)

    def _direct_bound(self, u):
        factor = 2 if self.dtype.kind == "c" else 1
        return factor * (self.terms + 2) * u * self.s

    def _longdouble_at(self, a, v):
        """Exact values where errors show first: both ends, the smallest s, and anywhere."""
        n, m, total = len(a), len(v), len(self.s)
        anywhere = np.random.default_rng(0).integers(0, total, 100)
        quiet = np.argpartition(self.s, 100)[:100]
        at = np.unique(np.concatenate([np.arange(50), total - 1 - np.arange(50), anywhere, quiet]))
        flipped = v[::-1]
        values = []
        for i in at:
            lo, hi = max(0, i - m + 1), min(n, i + 1)
            values.append((a[lo:hi] * flipped[m - 1 - i + lo : m - 1 - i + hi]).sum())
        return at, np.array(values)

    def bound(self, accuracy="auto"):
        """The largest error allowed at each full output."""
        u = unit_roundoff(self.dtype)
        direct = self._direct_bound(u)
        normwise = normwise_constant(self.s.shape) * u * self.norms
        bound = direct if accuracy == "direct" else np.maximum(direct, normwise)
        if accuracy == "auto":
            real_size = self.dtype.itemsize // (2 if self.dtype.kind == "c" else 1)
            bound = np.minimum(bound, np.maximum(direct, ACCURACY[real_size] * self.s))
        # Each product may also lose half the smallest denormal.
        underflow = 2 * self.terms * np.longdouble(np.finfo(self.dtype).smallest_subnormal)
        return (
            bound + underflow
            if accuracy == "normwise"
            else np.where(self.s == 0, 0, bound + underflow)
        )

    def assert_within(self, result, mode="full", accuracy="auto", **rule):
        """The result of the mode's window stands within the bound."""
        rule.setdefault("swap", len(self.a_shape) == 1)
        shapes = self.a_shape, self.v_shape, mode
        assert result.dtype == self.dtype, f"{result.dtype}, not {self.dtype}"
        value, s, bound, slack = (
            crop(x, *shapes, **rule) for x in (self.full, self.s, self.bound(accuracy), self.slack)
        )
        assert result.shape == value.shape, f"shape {result.shape}, not {value.shape}"

        largest = np.longdouble(np.finfo(self.dtype).max)
        finite = np.isfinite(result)
        if self.all_finite:
            touched = np.zeros(result.shape, bool)
        else:
            kinds = crop(non_finite(self.a, self.v), *shapes, **rule)
            touched = kinds != 0
            _assert_none(finite & touched, "finite where the definition is not", result)
            _assert_kinds(result, kinds, touched)
        # A sum may overflow where its terms could, in some order; past sqrt(2) one part of
        # a complex number must.
        _assert_none(~finite & ~touched & (s <= largest * 0.99), "not finite", result)
        _assert_none(finite & (abs(value) > 1.5 * largest), "did not overflow", result)

        judged = finite & ~touched
        error = np.zeros(result.shape, np.longdouble)
        error[judged] = abs(result[judged].astype(value.dtype) - value[judged])
        _assert_close(error, bound + slack, s)
        if self.exact_at is not None:
            at, exact = self.exact_at
            lo, hi = window(self.a_shape[0], self.v_shape[0], mode, **rule)
            inside = (at >= lo) & (at < hi)
            i = at[inside] - lo
            i, exact = i[judged[i]], exact[inside][judged[i]]
            _assert_close(abs(result[i].astype(exact.dtype) - exact), bound[i], s[i])


# Every level, method and mode asks about the same few hundred pairs.
@lru_cache(maxsize=256)
def _remembered(make, *pair):
    return make(*(np.frombuffer(data, dtype).reshape(shape) for data, dtype, shape in pair))


def remembered(make, a, v):
    return _remembered(make, *((x.tobytes(), x.dtype.str, x.shape) for x in (a, v)))


def reference(a, v):
    """The Reference of two float arrays, made once."""
    return remembered(Reference, np.asarray(a), np.asarray(v))


def exact(a, v):
    """The full convolution of integers or bools, made once."""
    return remembered(full, np.asarray(a), np.asarray(v))


def assert_within(result, a, v, mode="full", accuracy="auto", **rule):
    """One result against its reference: floats by the bound, anything else exactly."""
    a, v = np.asarray(a), np.asarray(v)
    if np.result_type(a, v).kind in "fc":
        reference(a, v).assert_within(result, mode, accuracy, **rule)
    else:
        rule.setdefault("swap", a.ndim == 1)
        assert_exact(result, crop(exact(a, v), a.shape, v.shape, mode, **rule))


def assert_exact(result, expected):
    """The same dtype, shape and bits (any NaN is a NaN)."""
    assert result.dtype == expected.dtype, f"{result.dtype}, not {expected.dtype}"
    np.testing.assert_array_equal(result, expected, strict=True)


def assert_same_bits(first, second):
    """Bit for bit, the sign of zero and the payload of NaN included."""
    assert first.dtype == second.dtype
    assert first.shape == second.shape
    one, two = (np.ascontiguousarray(x).view(np.uint8) for x in (first, second))
    differ = (one != two).reshape(first.size, -1).any(axis=-1)
    assert not differ.any(), f"{differ.sum()} of {first.size} differ, first {np.argmax(differ)}"


def refusal(function, *args, **keywords):
    """The ValueError that a call has to end in; whether it is the right one, its words tell."""
    try:
        function(*args, **keywords)
    except ValueError as error:
        return error
    raise AssertionError(f"{function.__name__} took {args} {keywords}")


# --- NaN and Inf -------------------------------------------------------------------

NAN, POSITIVE, NEGATIVE = 1, 2, 3


def non_finite(a, v):
    """What non-finite terms make of each full output: 0 (nothing), NAN, POSITIVE, NEGATIVE.

    Complex numbers: NAN for any of these, for there the judge is position alone.
    """
    complex_valued = np.result_type(a, v).kind == "c"

    def hits(x, y):
        """Does some term pair a true x with a true y?"""
        if not (x.any() and y.any()):
            return np.zeros(full_shape(x, y), bool)
        few, many = (x, y) if x.sum() <= y.sum() else (y, x)
        out = np.zeros(full_shape(x, y), bool)
        for k in np.argwhere(few):
            out[tuple(slice(i, i + n) for i, n in zip(k, many.shape, strict=True))] |= many
        return out

    if complex_valued:
        nan = hits(~np.isfinite(a), np.ones(v.shape, bool))
        return np.where(nan | hits(np.ones(a.shape, bool), ~np.isfinite(v)), NAN, 0)

    def inf_hits(inf_sign):
        up, down = np.inf, -np.inf
        same, other = (up, down) if inf_sign > 0 else (down, up)
        return (
            hits(a == same, v > 0) | hits(a == other, v < 0)
            | hits(a > 0, v == same) | hits(a < 0, v == other)
        )  # fmt: skip

    every_a, every_v = np.ones(a.shape, bool), np.ones(v.shape, bool)
    nan = hits(np.isnan(a), every_v) | hits(every_a, np.isnan(v))
    nan |= hits(np.isinf(a), v == 0) | hits(a == 0, np.isinf(v))
    positive, negative = inf_hits(+1), inf_hits(-1)
    kinds = np.where(positive, POSITIVE, np.where(negative, NEGATIVE, 0))
    return np.where(nan | (positive & negative), NAN, kinds)


def _assert_kinds(result, kinds, touched):
    if result.dtype.kind == "c":
        return
    got = np.where(np.isnan(result), NAN, np.where(result > 0, POSITIVE, NEGATIVE))
    _assert_none(touched & (got != kinds), "another kind of non-finite", result)


def _assert_none(wrong, what, result):
    if wrong.any():
        at = tuple(np.argwhere(wrong)[0])
        raise AssertionError(f"{what}: {wrong.sum()} of {wrong.size}, first {result[at]!r} at {at}")


def _assert_close(error, bound, s):
    wrong = ~(error <= bound)
    if wrong.any():
        worst = np.unravel_index(np.argmax(np.where(wrong, error - bound, -np.inf)), error.shape)
        raise AssertionError(
            f"{wrong.sum()} of {wrong.size} outputs off by more than allowed; worst at {worst}: "
            f"error {float(error[worst]):.3e}, allowed {float(bound[worst]):.3e}, "
            f"s {float(s[worst]):.3e}, total size {prod(error.shape)}"
        )
