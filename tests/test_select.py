"""The choice: pure data from shapes, golden where it is plain, and what `explain` shows."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import oracle
import pytest

import fastconv
from fastconv import _core


def plan(n, m, dtype="float64", mode="full", **options):
    """The plan of a 1-D call, or a 2-D one where n and m are shapes."""
    shapes = [x if isinstance(x, tuple) else (x,) for x in (n, m)]
    windows = [_core.window(mode, i, k, False) for i, k in zip(*shapes, strict=True)]
    return _core.choose(shapes, (dtype, dtype), windows, **options)


KNOWN = {
    "known": 1, "v_finite": 1, "a_bad": 0, "a_max": 1.0, "v_max": 1.0,
    "a_norm": 1.0, "v_norm": 1.0, "repair_macs": 0.0, "in_double": 0, "outer_product": 0,
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize(
    ("n", "m"), [(1, 1), (8, 3), (64, 8), (100, 16), (1000, 3), (1_000_000, 3), (3, 50)]
)
def test_few_taps_go_direct(n, m, dtype):
    assert plan(n, m, dtype)["method"] == "direct"


def test_calls_in_turns_are_those_of_a_thread_that_made_no_other():
    """A thread remembers what its last calls were given: neighbours here differ in one thing."""
    rng = np.random.default_rng(5)
    ways = [
        {"mode": mode, "method": method, "accuracy": accuracy}
        for mode in ("full", "same")
        for method, accuracy in [("auto", "auto"), ("auto", "componentwise"), ("fft", "normwise")]
    ]
    sizes = [((1000,), 200), ((1001,), 200), ((1001,), 201), ((5000,), 700), ((4, 3000), 300)]
    calls = [
        (rng.standard_normal(shape).astype(dtype), rng.standard_normal(m).astype(dtype), way)
        for way in ways
        for shape, m in sizes
        for dtype in ("float64", "float32")
    ]

    def result(a, v, way):
        return fastconv.convolve(a, v, axis=-1, **way)

    def alone(*call):
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(result, *call).result()

    in_turns = [*calls, *calls[::-1], *calls[::2], *calls[:: len(sizes) * 2]]
    for call in in_turns:
        oracle.assert_same_bits(result(*call), alone(*call))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_long_by_long_is_one_transform(dtype, mode):
    assert plan(100_000, 100_000, dtype, "full")["method"] == "fft"
    assert plan(1_000_000, 1_000_000, dtype, "same")["method"] in ("fft", "overlap")
    assert plan(1_000_000, 900_000, dtype, mode)["method"] in ("fft", "overlap")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize(("n", "m"), [(1_000_000, 1_023), (100_000, 2_047), (10_000_000, 500)])
def test_long_by_medium_is_blocks(n, m, dtype):
    chosen = plan(n, m, dtype)
    assert chosen["method"] == "overlap"
    rows, length = chosen["block"]
    assert rows == 1
    assert m <= length < n


LANES_BYTES = {"sse2": 16, "avx2": 32, "avx512": 64}


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int16"])
def test_blocks_in_the_lanes_take_4_mb_and_three_spectra(level, dtype):
    """The window may be one that a single group of them covers."""
    single = dtype in ("float32", "complex64")
    lanes = LANES_BYTES.get(_core.level(), 16) // (4 if single else 8)
    point = 8 if single else 16
    rng = np.random.default_rng(11)
    for n, m in np.exp(rng.uniform(np.log(1e4), np.log(1e8), (400, 2))).astype(int):
        n, m = int(max(n, m)), int(min(n, m))
        for mode in ("full", "valid"):
            for how in plan(n, m, dtype, mode)["candidates"]:
                if how["lanes"]:
                    assert how["block"][1] * point * (lanes - 3) <= 2**22, (n, m, mode)
    level.explain(10, 3)


def test_images():
    assert plan((512, 512), (3, 3))["method"] == "direct"
    assert plan((512, 512), (5, 5), "float32")["method"] == "direct"
    assert plan((1080, 1920), (63, 63))["method"] in ("overlap", "fft")
    assert plan((512, 512), (512, 512))["method"] in ("overlap", "fft")
    assert plan((1000, 1000), (1, 1))["method"] == "direct"


def test_integers_need_their_bound(fast_int64):
    """Small numbers are rounded from doubles; full-range int64 at a few hundred taps is not."""
    audio = KNOWN | {"a_max": 127.0, "v_max": 127.0, "a_norm": 7e4, "v_norm": 7e4}
    chosen = plan(1_000_000, 100_000, "int16", facts=audio)
    assert chosen["ring"] == "rounded"
    assert chosen["method"] in ("fft", "overlap")
    full = 2.0**63
    wide = KNOWN | {"a_max": full, "v_max": full, "a_norm": full * 100, "v_norm": full * 10}
    assert plan(10_000, 100, "int64", facts=wide)["method"] == "direct"
    assert plan(1_000, 16, "int32")["method"] == "direct"


@pytest.mark.parametrize("method", ["direct", "fft", "overlap"])
def test_a_method_that_is_asked_for_is_taken(method):
    for n, m in [(8, 3), (1000, 1000), (100_000, 50), ((64, 64), (9, 9))]:
        assert plan(n, m, "float64", method=method)["method"] == method


GRID = [
    (n, m, dtype)
    for n in (1, 10, 300, 10_000, 1_000_000, 2**40)
    for m in (1, 31, 1_000, 30_000)
    for dtype in ("float32", "float64", "complex64", "complex128", "int8", "int64", "bool")
]
GRID += [
    ((n, n), (k, k), dtype)
    for n in (1, 64, 512, 5_000)
    for k in (1, 3, 15, 63, 501)
    for dtype in ("float32", "complex128", "int16")
]


@pytest.mark.parametrize("facts", [None, KNOWN], ids=["unknown", "known"])
def test_pure_and_sorted(facts):
    """The same job gives the same plan; what it compared is there, best first."""
    for n, m, dtype in GRID:
        for mode in ("full", "same", "valid"):
            chosen = plan(n, m, dtype, mode, facts=facts)
            assert chosen == plan(n, m, dtype, mode, facts=facts)
            candidates = chosen["candidates"]
            assert 1 <= len(candidates) <= 12
            times = [c["predicted_ns"] for c in candidates]
            assert times == sorted(times)
            assert times[0] > 0
            assert np.isfinite(times).all()
            assert {k: chosen[k] for k in candidates[0]} == candidates[0]
            assert any(c["method"] == "direct" for c in candidates)
            worth = max(1, int(chosen["predicted_ns"] / 50e3))
            assert chosen["workers"] == min(fastconv.get_workers(), worth)
            assert chosen["level"] == _core.level()


def job(shapes, dtype, mode="full", **options):
    windows = [_core.window(mode, n, m, False) for n, m in zip(*shapes, strict=True)]
    return _core.Job(*shapes, dtype, dtype, windows, **options)


@pytest.mark.parametrize(
    "shapes",
    [
        ((1_000_000,), (1_023,)),
        ((10_000,), (127,)),
        ((300,), (300,)),
        ((40,), (3,)),
        ((1080, 1920), (25, 25)),
        ((512, 512), (15, 15)),
        ((100, 2_000), (90, 3)),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int16"])
def test_no_listed_plan_is_predicted_much_better(level, shapes, dtype):
    """What the search passes over is worth at most 5 %; it tries one side of a tile at a time."""
    one = job(shapes, dtype)
    listed, chosen = one.plans(), one.choose()
    assert chosen["predicted_ns"] <= 1.05 * listed[0]["predicted_ns"]
    times = [p["predicted_ns"] for p in listed]
    assert times == sorted(times)
    assert {p["method"] for p in listed} == {"direct", "overlap", "fft"}
    keys = [(p["method"], p["block"], p["lanes"]) for p in listed]
    assert len(set(keys)) == len(keys)
    level.explain(10, 3)


@pytest.mark.parametrize("dtype", ["float64", "int32"])
@pytest.mark.parametrize(
    ("shapes", "windows"),
    [
        (((10_748, 2), (19_053, 2)), [(9_526, 20_274), (1, 2)]),
        (((19_121, 2), (15_324, 2)), [(0, 34_444), (1, 2)]),
    ],
)
def test_one_tile_has_what_an_axis_gives(level, shapes, windows, dtype):
    """Nothing overlaps along two rows, or columns, of which one output is wanted."""
    one = _core.Job(*shapes, dtype, dtype, windows)
    assert one.choose()["predicted_ns"] <= 1.05 * one.plans()[0]["predicted_ns"]
    level.explain(10, 3)


def test_every_listed_plan_is_right(level, rng):
    import oracle

    for shapes, dtype in [
        (((700,), (60,)), "float64"),
        (((500,), (120,)), "complex64"),
        (((400,), (50,)), "int16"),
        (((40, 50), (7, 5)), "float32"),
    ]:
        a, v = (oracle.draw(rng, shape, dtype) for shape in shapes)
        one = job(shapes, dtype)
        for plan in one.plans():
            out = np.empty(one.shape, dtype)
            one.run(a, v, out, plan)
            oracle.assert_within(out, a, v)
    level.explain(10, 3)


def test_time_ns_runs_and_times(rng):
    a, v = rng.standard_normal(500), rng.standard_normal(20)
    one, out = job(((500,), (20,)), "float64"), np.empty(519)
    assert one.time_ns(a, v, out, times=3) > 0
    assert one.choosing_ns(10) > 0
    np.testing.assert_allclose(out, np.convolve(a, v), atol=1e-12)


def test_predictions_grow():
    """More work is never predicted to take less time (10 % for rounding to blocks)."""
    for dtype in ("float32", "float64", "complex128"):
        for m in (5, 127, 2_000):
            times = [plan(n, m, dtype)["predicted_ns"] for n in (10**3, 10**4, 10**5, 10**6, 10**7)]
            assert all(one < 1.1 * two for one, two in itertools.pairwise(times))


def test_valid_is_not_dearer_than_full():
    for n, m, dtype in GRID:
        assert (
            plan(n, m, dtype, "valid")["predicted_ns"]
            <= 1.001 * plan(n, m, dtype, "full")["predicted_ns"]
        )


def test_every_candidate_can_be_run(rng):
    """Any plan that was compared is executed as given, and is right."""
    import oracle

    for shapes, dtype in [
        (((4000,), (700,)), "float64"),
        (((4000,), (700,)), "float32"),
        (((3000,), (3000,)), "complex128"),
        (((2000,), (500,)), "int16"),
        (((90, 100), (25, 25)), "float64"),
        (((90, 100), (25, 25)), "float32"),
    ]:
        a, v = (oracle.draw(rng, shape, dtype) for shape in shapes)
        windows = [(0, n + m - 1) for n, m in zip(*shapes, strict=True)]
        for candidate in _core.choose(shapes, (dtype, dtype), windows)["candidates"]:
            oracle.assert_within(_core.run(a, v, windows, plan=candidate), a, v)


# --- explain -----------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "m"), [(8, 3), (10_000, 127), (1_000_000, 1_023), (50_000, 50_000)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_explain_shows_the_very_plan(n, m, dtype):
    told = fastconv.explain(n, m, dtype=dtype)
    chosen = plan(n, m, dtype)
    assert told.method == chosen["method"]
    assert told.ring == chosen["ring"]
    assert told.level == chosen["level"]
    assert told.workers == chosen["workers"]
    times = [c["predicted_ns"] for c in chosen["candidates"]]
    shown = [c["predicted_ns"] if isinstance(c, dict) else c.predicted_ns for c in told.candidates]
    assert shown == times
    assert told.method in repr(told)
    assert told.method in told._repr_html_()


def test_explain_takes_shapes_and_arrays():
    by_shape = fastconv.explain((2000, 1000), (31, 31))
    by_data = fastconv.explain(np.ones((2000, 1000)), np.eye(31))
    assert by_shape.method == by_data.method
    assert fastconv.explain(np.ones(1000), np.ones(10)).method == "direct"
    for wrong in ([1, 2, 3], "12", 3.5, None):
        with pytest.raises(TypeError):
            fastconv.explain(wrong, 10)


@pytest.mark.parametrize(
    "extension", [{"boundary": "wrap"}, {"boundary": "symm"}, {"fillvalue": 2}]
)
def test_explain_of_a_that_goes_on(extension, rng):
    """Of the call's own plan, in one dimension, along an axis and in two."""
    for a, v, axis in (
        (5000, 3000, None),
        ((4, 5000), (3, 1, 3000), -1),
        ((90, 80), (40, 50), None),
    ):
        told = fastconv.explain(a, v, "same", axis=axis, **extension)
        assert told.method == fastconv.explain(a, v, "same", axis=axis).method
        data = [rng.standard_normal(shape) for shape in (a, v)]
        assert fastconv.explain(*data, "same", axis=axis, **extension).method == told.method
    with pytest.raises(ValueError, match="boundary"):
        fastconv.explain(8, 3, boundary="mirror")


def test_explain_costs_nothing():
    """Lengths that no memory holds."""
    assert fastconv.explain(10**12, 10**11).method in ("fft", "overlap")


@pytest.mark.parametrize(
    "plan",
    [
        {"method": "overlap", "block": (1, 100), "lanes": 1},  # no length of a transform
        {"method": "overlap", "block": (1, 64), "lanes": 1},  # shorter than the kernel
        {"method": "overlap", "block": (1, 0)},
        {"method": "overlap", "block": (1, -128), "lanes": 1},
        {"method": "overlap", "block": (1, 2**60)},
        {"method": "overlap", "block": (128, 128)},  # of a picture
        {"method": "fft", "block": (1, 512)},  # half of 1,099 points would wrap
        {"method": "fft"},
        {"method": "auto"},
        {"method": "separable"},
        {"method": "direct", "workers": 0},
    ],
    ids=str,
)
def test_what_is_no_plan_is_refused(plan):
    with pytest.raises(ValueError, match="there is no such plan"):
        _core.run(np.ones(1000), np.ones(100), [(0, 1099)], plan=plan)
    good = {"method": "overlap", "block": (1, 128), "lanes": 1}
    assert _core.run(np.ones(1000), np.ones(100), [(0, 1099)], plan=good).max().round() == 100
