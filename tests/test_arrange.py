"""Jobs of any shape: lines beside each other, banks of kernels, more than two axes."""

import itertools

import numpy as np
import oracle
import pytest

from fastconv import _core

METHODS = pytest.mark.parametrize("method", ["auto", "direct", "fft", "overlap"])
LAYOUTS = pytest.mark.parametrize("layout", ["rows", "columns", "rows to columns", "strided"])
DTYPES = [*oracle.FLOATS, "int8", "int32", "int64", "bool"]


@pytest.fixture
def run(level):
    """_core.run at every level."""
    return type(level)(level.name, _core, level.ran).run


def full_windows(a, v, batch):
    return [(0, n + m - 1) for n, m in zip(a.shape[batch:], v.shape[batch:], strict=True)]


def laid_out(x, layout):
    """The same numbers in another order of memory."""
    if layout == "columns":
        return np.asfortranarray(x)
    if layout == "strided":
        return np.repeat(x, 2, axis=-1)[..., ::2]
    return np.ascontiguousarray(x)


def lines(run, a, v, layout, **options):
    """Each row of a convolved with v, or with its own row of v."""
    rows = max(len(a), len(v))
    options["after"] = int(layout == "columns")
    out = np.empty((rows, a.shape[1] + v.shape[1] - 1), np.result_type(a, v))
    out = laid_out(out, "columns" if layout == "rows to columns" else layout)
    out[...] = 77
    return run(laid_out(a, layout), v, full_windows(a, v, 1), out, batch=1, **options)


@METHODS
@LAYOUTS
@pytest.mark.parametrize("dtype", DTYPES)
def test_lines_under_one_kernel(run, rng, dtype, layout, method):
    for count, n, m in [(1, 40, 7), (3, 9, 30), (5, 500, 65), (37, 200, 31), (70, 33, 1)]:
        a, v = oracle.draw(rng, (count, n), dtype), oracle.draw(rng, (1, m), dtype)
        got = lines(run, a, v, layout, method=method)
        for line, result in zip(a, got, strict=True):
            oracle.assert_within(np.ascontiguousarray(result), line, v[0])


@METHODS
@LAYOUTS
@pytest.mark.parametrize("types", oracle.MIXED, ids="-".join)
def test_lines_of_mixed_types(run, rng, types, layout, method):
    for count, n, m in [(5, 300, 65), (40, 90, 12)]:
        a, v = oracle.draw(rng, (count, n), types[0]), oracle.draw(rng, (1, m), types[1])
        got = lines(run, a, v, layout, method=method)
        for line, result in zip(a, got, strict=True):
            oracle.assert_within(np.ascontiguousarray(result), line, v[0])


@METHODS
@pytest.mark.parametrize("dtype", ["float32", "complex128", "int16"])
def test_banks(run, rng, dtype, method):
    """Every line its own kernel, and one signal under many kernels."""
    for count, n, m in [(6, 700, 60), (20, 50, 50)]:
        a, v = oracle.draw(rng, (count, n), dtype), oracle.draw(rng, (count, m), dtype)
        for line, kernel, result in zip(a, v, lines(run, a, v, "rows", method=method), strict=True):
            oracle.assert_within(result, line, kernel)
        for kernel, result in zip(v, lines(run, a[:1], v, "rows", method=method), strict=True):
            oracle.assert_within(result, a[0], kernel)


@METHODS
@LAYOUTS
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_neighbours_do_not_leak(run, rng, dtype, layout, method):
    """Loud lines beside quiet ones, NaN and Inf, tails: each line as if it were alone."""
    a, v = oracle.draw(rng, (35, 900), dtype), oracle.draw(rng, (1, 150), dtype)
    a *= (10.0 ** rng.integers(-9, 10, (35, 1))).astype(dtype)
    a[3] *= np.exp(-np.linspace(0, 50, 900)).astype(dtype)
    a[7, 400:] = 0
    a[11, 100] = np.nan
    a[20, ::97] = np.inf
    a[21] = 0
    got = lines(run, a, v, layout, method=method)
    for line, result in zip(a, got, strict=True):
        oracle.assert_within(np.ascontiguousarray(result), line, v[0])


@METHODS
@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("dtype", ["float32", "complex64", "int64"])
def test_bits_do_not_depend_on_memory(run, rng, dtype, after, method):
    a, v = oracle.draw(rng, (7, 9, 400), dtype), oracle.draw(rng, (1, 1, 70), dtype)

    def lines(a, out=None):
        return run(a, v, [(0, 469)], out, batch=2, after=after, method=method)

    expected = lines(a)
    for axes in itertools.permutations(range(3)):
        turned = np.ascontiguousarray(a.transpose(axes)).transpose(np.argsort(axes))
        oracle.assert_same_bits(lines(turned), expected)
        out = np.empty(np.array(expected.shape)[list(axes)], dtype).transpose(np.argsort(axes))
        oracle.assert_same_bits(lines(a, out).copy(), expected)
    oracle.assert_same_bits(lines(a[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1]), expected)
    oracle.assert_same_bits(lines(np.repeat(a, 2, axis=1)[:, ::2]), expected)


@METHODS
@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize(("n", "m"), [(2010, 31), (1000, 100), (2010, 2000), (40, 1500)])
def test_bits_of_a_line_do_not_depend_on_what_is_copied_with_it(run, rng, n, m, after, method):
    """Lines that lie otherwise in memory are copied 32 at a time; some of these are loud."""
    for count in (33, 36, 65, 70):
        a, v = oracle.draw(rng, (count, n), "float64"), oracle.draw(rng, (1, m), "float64")
        a *= 10.0 ** rng.integers(-12, 12, (count, 1))
        a[2, 7], a[-1, -1] = np.nan, 1e200
        for mode in ("same", "valid"):
            window = _core.window(mode, n, m, False)
            rows, columns = (
                run(x, v, [window], batch=1, after=after, method=method)
                for x in (np.ascontiguousarray(a), np.asfortranarray(a))
            )
            oracle.assert_same_bits(rows, columns)


@METHODS
def test_bits_of_a_bank_do_not_depend_on_memory(run, rng, method):
    """Kernels, and lines, that one stride steps through, and those that none does."""
    for n, m in [(10, 900), (900, 70), (5000, 700)]:
        for rows in (1, 6):
            a = oracle.draw(rng, (1, 1, rows, n), "float64")
            bank = oracle.draw(rng, (3, 4, 1, m), "float64")
            apart = np.repeat(bank, 2, axis=1)[:, ::2]
            out = np.empty((3, 4, rows, n + m - 1), order="F")
            how = {"batch": 3, "method": method}
            together = run(a, bank, [(0, n + m - 1)], **how)
            oracle.assert_same_bits(run(a, apart, [(0, n + m - 1)], **how), together)
            run(a, bank, [(0, n + m - 1)], out, **how)
            oracle.assert_same_bits(np.ascontiguousarray(out), together)


@pytest.mark.parametrize("dtype", oracle.FLOATS)
def test_kernels_of_a_bank_do_not_leak(run, rng, dtype):
    """Loud, quiet and empty kernels see the same transforms: each as if it were alone."""
    reach = 12 if dtype in ("float32", "complex64") else 150
    a, bank = oracle.draw(rng, (3, 1, 900), dtype), oracle.draw(rng, (1, 6, 40), dtype)
    a[1] *= 1e-6
    for powers in ([0, 1, 2, 3, 4, 4], [-reach, 0, reach, 0, 0, reach]):
        kernels = bank * (10.0 ** np.reshape(powers, (6, 1))).astype(dtype)
        kernels[0, 3] = 0
        for plan in (None, {"method": "overlap", "block": (1, 128), "lanes": 1}):
            got = run(a, kernels, [(0, 939)], batch=2, method="overlap", plan=plan)
            for line, results in zip(a[:, 0], got, strict=True):
                for kernel, result in zip(kernels[0], results, strict=True):
                    oracle.assert_within(result, line, kernel)


@pytest.mark.parametrize("method", ["fft", "overlap"])
def test_a_scan_of_many_problems_writes_nowhere(rng, method):
    """It arranges them as a call does, without a result."""
    cases = [
        ((3, 40, 700), (3, 1, 150), {"batch": 2, "after": 1}),
        ((2, 3, 700), (1, 3, 150), {"batch": 2, "after": 1}),
        ((3, 12, 13, 14), (1, 5, 6, 7), {"batch": 1}),
        ((3, 30, 40), (3, 7, 9), {"batch": 1}),
    ]
    for a_shape, v_shape, options in cases:
        a, v = oracle.draw(rng, a_shape, "float64"), oracle.draw(rng, v_shape, "float64")
        windows = full_windows(a, v, options["batch"])
        job = _core.Job(a_shape, v_shape, "f8", "f8", windows, method=method, **options)
        assert job.scan(a, v)["repair_macs"] < a.size * v.size


@METHODS
@pytest.mark.parametrize("boundary", ["wrap", "symm"])
def test_an_empty_window_within_an_extended_picture(run, rng, boundary, method):
    a, v = oracle.draw(rng, (10, 50), "float64"), oracle.draw(rng, (3, 4), "float64")
    for windows in [[(5, 5), (0, 53)], [(0, 12), (9, 9)], [(0, 0), (0, 53)]]:
        assert run(a, v, windows, boundary=boundary, method=method).size == 0


@METHODS
@pytest.mark.parametrize("layout", ["rows", "columns", "strided"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_narrow_strips(run, rng, dtype, layout, method):
    """Transforms take them across, direct sums as they are; either way they are the same."""
    for a_shape, v_shape in [((400, 5), (30, 3)), ((300, 2), (300, 4)), ((350, 40), (3, 2))]:
        a, v = oracle.draw(rng, a_shape, dtype), oracle.draw(rng, v_shape, dtype)
        out = laid_out(np.empty(oracle.full_shape(a, v), dtype), layout)
        got = run(laid_out(a, layout), v, full_windows(a, v, 0), out, method=method)
        oracle.assert_within(np.ascontiguousarray(got), a, v)


@METHODS
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int32", "uint8", "bool"])
def test_more_axes(run, rng, dtype, method):
    """Three and four convolved axes, batches of them, windows inside."""
    shapes = [((6, 7, 8), (3, 2, 4)), ((4, 9, 5), (4, 1, 7)), ((3, 4, 5, 6), (2, 3, 2, 3))]
    for a_shape, v_shape in shapes:
        a, v = oracle.draw(rng, a_shape, dtype), oracle.draw(rng, v_shape, dtype)
        got = run(a, v, full_windows(a, v, 0), method=method)
        oracle.assert_within(got, a, v)
        windows = [
            (k // 2, hi - k // 3) for k, (_, hi) in zip(v_shape, full_windows(a, v, 0), strict=True)
        ]
        part = run(a, v, windows, method=method)
        inner = tuple(slice(*window) for window in windows)
        if np.dtype(dtype).kind in "iub":
            oracle.assert_exact(part, np.ascontiguousarray(got[inner]))
        else:
            reference = oracle.reference(a, v)
            error = abs(part - reference.full[inner])
            assert (error <= reference.bound()[inner]).all()


@METHODS
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_what_is_not_finite_stays_local_in_more_axes(run, rng, dtype, method):
    for shape, kernel in [((4, 6, 8), (3, 4, 5)), ((3, 4, 5, 6), (2, 3, 4, 3))]:
        for bad_taps in (False, True):
            a, v = oracle.draw(rng, shape, dtype), oracle.draw(rng, kernel, dtype)
            a[(1,) * a.ndim] = np.inf
            a[(-1,) * a.ndim] = np.nan
            if bad_taps:
                v[(1,) * v.ndim] = np.inf
            oracle.assert_within(run(a, v, full_windows(a, v, 0), method=method), a, v)
    job = _core.Job(shape, kernel, dtype, dtype, full_windows(a, v, 0), method=method)
    job.scan(a, v)
    assert job.choose()["method"] == "direct"


@METHODS
def test_a_batch_of_volumes(run, rng, method):
    a, v = oracle.draw(rng, (3, 5, 6, 7), "float64"), oracle.draw(rng, (1, 2, 3, 3), "float64")
    got = run(a, v, full_windows(a, v, 1), batch=1, method=method)
    for volume, result in zip(a, got, strict=True):
        oracle.assert_within(result, volume, v[0])


@METHODS
@pytest.mark.parametrize("boundary", ["wrap", "symm", "fill"])
@pytest.mark.parametrize("dtype", ["float64", "complex64", "int16", "bool"])
def test_boundaries_of_lines_and_pictures(run, rng, dtype, boundary, method):
    """Against the same sum over an extended copy; kernels longer than the signal too."""
    modes = {"wrap": "wrap", "symm": "symmetric", "fill": "constant"}
    fill = 1 if boundary == "fill" else 0
    options = {"constant_values": fill} if boundary == "fill" else {}
    for n, m in [(100, 9), (100, 60), (50, 50), (7, 40)]:
        a, v = oracle.draw(rng, (3, n), dtype), oracle.draw(rng, (1, m), dtype)
        extended = np.pad(a, [(0, 0), (m - 1, m - 1)], modes[boundary], **options)
        windows = [(0, n + m - 1)]
        got = run(a, v, windows, batch=1, method=method, boundary=boundary, fill=fill)
        for line, result in zip(extended, got, strict=True):
            oracle.assert_within(result, line, v[0], "valid", swap=False)
    for shape, kernel in [((30, 40), (5, 7)), ((9, 12), (9, 12)), ((5, 30), (11, 3))]:
        a, v = oracle.draw(rng, shape, dtype), oracle.draw(rng, kernel, dtype)
        pad = [(m - 1, m - 1) for m in kernel]
        extended = np.pad(a, pad, modes[boundary], **options)
        got = run(a, v, full_windows(a, v, 0), method=method, boundary=boundary, fill=fill)
        oracle.assert_within(got, extended, v, "valid", swap=False)


def test_a_broadcast_axis_is_told_from_a_bank():
    """Where v is the same for all lines, the choice counts them together."""
    options = {"windows": [(0, 1063)], "batch": 1}
    shared = _core.choose(((500, 1000), (1, 64)), ("float64",) * 2, **options)
    bank = _core.choose(((500, 1000), (500, 64)), ("float64",) * 2, **options)
    assert shared["predicted_ns"] <= bank["predicted_ns"]
    with pytest.raises(ValueError, match="batch axis 0"):
        _core.choose(((500, 1000), (2, 64)), ("float64",) * 2, **options)


def test_lengths_with_one_sample_are_carried(run, rng):
    """Axes on which one operand has a single sample are no convolution."""
    for shapes in itertools.product([(1, 5, 1), (4, 1, 6), (3, 3, 1)], repeat=2):
        a, v = (oracle.draw(rng, shape, "int32") for shape in shapes)
        for method in ("auto", "overlap"):
            oracle.assert_exact(run(a, v, full_windows(a, v, 0), method=method), oracle.full(a, v))
