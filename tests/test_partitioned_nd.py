"""Pictures and volumes by parts of the kernel: 'componentwise', and 'auto' where much is lost."""

import numpy as np
import oracle
import pytest
from test_partitioned import bell, even, exponential, silence, steep

import fastconv
from fastconv import _core

PICTURE = (100, 90), (64, 60)
VOLUME = (30, 26, 24), (22, 18, 17)


def draw(rng, shape, dtype, *of_axis):
    x = oracle.draw(rng, shape, dtype)
    for axis, (n, of) in enumerate(zip(shape, of_axis, strict=True)):
        x = x * of(n).reshape([-1 if d == axis else 1 for d in range(len(shape))])
    return x.astype(dtype)


def pair(rng, shapes, of_a, of_v, dtype, v_dtype=None):
    a, v = ((of,) * len(shapes[0]) if callable(of) else of for of in (of_a, of_v))
    return draw(rng, shapes[0], dtype, *a), draw(rng, shapes[1], v_dtype or dtype, *v)


SHAPES = pytest.mark.parametrize(
    ("of_a", "of_v"),
    [
        (even, even),
        (even, bell),
        (bell, bell),
        (exponential, exponential),
        (steep, bell),
        (silence, exponential),
        ((even, steep), (bell, even)),
    ],
    ids=["even", "even-bell", "bells", "exponential", "steep-bell", "silence", "by axis"],
)


@SHAPES
@pytest.mark.parametrize("dtype", oracle.FLOATS)
def test_pictures(level, of_a, of_v, dtype, rng):
    a, v = pair(rng, PICTURE, of_a, of_v, dtype)
    assert fastconv.explain(a, v, accuracy="componentwise").method == "overlap"
    result = level.convolve2d(a, v, accuracy="componentwise")
    oracle.assert_within(result, a, v, "full", "direct")


@SHAPES
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_pictures_of_which_much_is_lost(level, of_a, of_v, dtype, rng):
    a, v = pair(rng, PICTURE, of_a, of_v, dtype)
    oracle.assert_within(level.convolve2d(a, v), a, v)


def by_parts(a, v, windows, run=_core.run):
    """Of any window, whatever else it could be done by."""
    return run(a, v, windows, method="overlap", accuracy="componentwise")


@pytest.fixture
def run(level):
    """_core.run at every level."""
    return type(level)(level.name, _core, level.ran).run


def window(shapes, mode):
    return [oracle.window(n, m, mode, swap=False) for n, m in zip(*shapes, strict=True)]


@pytest.mark.parametrize(("dtype", "v_dtype"), oracle.MIXED)
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_real_and_complex(run, dtype, v_dtype, mode, rng):
    a, v = pair(rng, PICTURE, bell, exponential, dtype, v_dtype)
    result = by_parts(a, v, window(PICTURE, mode), run)
    oracle.assert_within(result, a, v, mode, "direct")


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("windows", [[(0, 7), (0, 9)], [(70, 71), (3, 140)], [(31, 95), (64, 66)]])
def test_any_window(windows, dtype, rng):
    a, v = pair(rng, PICTURE, exponential, even, dtype)
    whole = oracle.reference(a, v)
    cut = tuple(slice(*lo_hi) for lo_hi in windows)
    error = abs(by_parts(a, v, windows) - whole.full[cut])
    assert np.all(error <= (whole.bound("direct") + whole.slack)[cut])


@pytest.mark.parametrize(
    "shapes",
    [
        ((9, 1500), (5, 700)),
        ((1500, 9), (700, 5)),
        ((40, 600), (90, 41)),
        ((600, 15), (129, 25)),
        ((64, 60), (100, 90)),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "complex64", "float64"])
def test_long_and_narrow(level, shapes, dtype, rng):
    """Sides are no longer than an axis of the kernel; which may be the longer array."""
    a, v = pair(rng, shapes, bell, even, dtype)
    assert fastconv.explain(a, v, accuracy="componentwise").method == "overlap"
    result = level.convolve2d(a, v, accuracy="componentwise")
    oracle.assert_within(result, a, v, "full", "direct")


def test_a_strip_whose_blocks_are_twice_the_kernel(rng):
    """That many columns are no tile of a strip turned round."""
    a, v = (
        draw(rng, (4000, 15), "complex64", even, even),
        draw(rng, (33, 25), "complex64", even, even),
    )
    result = fastconv.convolve2d(a, v, accuracy="componentwise")
    direct = fastconv.convolve2d(a, v, method="direct")
    assert np.max(abs(result - direct)) < 1e-4 * np.max(abs(direct))


@pytest.mark.parametrize("axes", [4, 9])
def test_many_axes(axes, rng):
    a, v = oracle.draw(rng, (2,) * axes, "float32"), oracle.draw(rng, (2,) * axes, "float32")
    result = by_parts(a, v, [(0, 3)] * axes)
    oracle.assert_within(result, a, v, "full", "direct")


@pytest.mark.parametrize("accuracy", ["auto", "componentwise"])
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize(("of_a", "of_v"), [(even, even), (exponential, bell)])
def test_volumes(of_a, of_v, dtype, accuracy, rng):
    a, v = pair(rng, VOLUME, of_a, of_v, dtype)
    result = fastconv.signal.convolve(a, v, accuracy=accuracy)
    bound = "direct" if accuracy == "componentwise" else "auto"
    oracle.assert_within(result, a, v, "full", bound)
    middle = fastconv.signal.convolve(a, v, "same", accuracy=accuracy)
    oracle.assert_within(middle, a, v, "same", bound)


def test_what_is_not_finite_stays_where_it_is(level, rng):
    a, v = pair(rng, PICTURE, bell, exponential, "float64")
    a[50, 40], a[7, 80] = np.nan, -np.inf
    result = level.convolve2d(a, v, accuracy="componentwise")
    oracle.assert_within(result, a, v, "full", "direct")


@pytest.mark.parametrize(
    "scales",
    [(1e-300, 1), (1e-160, 1e-160), (1e290, 1e-10), (1e-140, 1e-180), (1e-15, 1e-120), (1, 1e170)],
)
def test_magnitudes_at_the_ends_of_the_range(level, scales, rng):
    a, v = pair(rng, PICTURE, exponential, even, "float64")
    a, v = a * scales[0], v * scales[1]
    result = level.convolve2d(a, v, accuracy="componentwise")
    oracle.assert_within(result, a, v, "full", "direct")


@pytest.mark.parametrize("shapes", [PICTURE, VOLUME], ids=["picture", "volume"])
@pytest.mark.parametrize("accuracy", ["auto", "componentwise"])
def test_no_bit_depends_on_workers_or_strides(shapes, accuracy, rng):
    a, v = pair(rng, shapes, exponential, bell, "float64")
    one = fastconv.signal.convolve(a, v, accuracy=accuracy, workers=1)
    apart = np.zeros([2 * n for n in a.shape])[tuple(slice(None, None, 2) for _ in a.shape)]
    apart[...] = a
    for x, y, workers in (
        (a, v, 3),
        (apart, v, 1),
        (np.asfortranarray(a), v[::-1].copy()[::-1], 2),
    ):
        oracle.assert_same_bits(
            one, fastconv.signal.convolve(x, y, accuracy=accuracy, workers=workers)
        )


def test_members_are_each_by_themselves(rng):
    """A batch of pictures under one kernel."""
    pairs = [pair(rng, PICTURE, of, exponential, "float64") for of in (even, bell, silence)]
    v = pairs[0][1]
    full = [n + m - 1 for n, m in zip(*PICTURE, strict=True)]
    together = _core.run(
        np.stack([a for a, _ in pairs]),
        v[None],
        [(0, n) for n in full],
        batch=1,
        accuracy="componentwise",
    )
    for (a, _), got in zip(pairs, together, strict=True):
        oracle.assert_within(got, a, v, "full", "direct")


def test_a_distribution_of_two_numbers_keeps_its_tails():
    """A hundred orders of magnitude below the peak as right as the peak."""
    x = np.exp(-(np.linspace(-9, 9, 90) ** 2))
    a = np.outer(x, x)
    result = by_parts(a, a, [(0, 179), (0, 179)])
    exact = np.convolve(x.astype("g"), x.astype("g"))
    exact = np.outer(exact, exact)
    assert result.min() < 1e-100 * result.max()
    assert np.max(np.abs(result - exact) / exact) < 1e-12
