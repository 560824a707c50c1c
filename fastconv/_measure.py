"""What the choice believes of a level, measured: plans forced, times fitted.

Each field of costs (csrc/costs.h) is fitted by least squares of relative errors, no number below
zero. Data is warm and the result preallocated; the best of several times counts.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core

Costs = dict[str, list[float]]
Progress = Callable[[float], None]

# The rows of the kernel table: dtype of the signal and of the taps.
PAIRS = [
    ("float32", "float32"),
    ("float64", "float64"),
    ("complex64", "float32"),
    ("complex128", "float64"),
    ("float32", "complex64"),
    ("float64", "complex128"),
    ("complex64", "complex64"),
    ("complex128", "complex128"),
    ("int8", "int8"),
    ("int16", "int16"),
    ("int32", "int32"),
    ("int64", "int64"),
    ("bool", "bool"),
]
PRECISIONS = ["float32", "float64"]
INTEGERS = ["int8", "int16", "int32", "int64", "bool"]
# No tap takes less: 1,000 multiply-adds a ns, ten times the widest vectors. A fit of times that
# other work has spoilt may say 0.
LEAST_TAP_NS = 1e-3
LINE_TAPS = (3, 7, 15, 31, 63, 127)
PICTURE_SIDES = (3, 5, 9, 15)
# In the lanes from where fixed times rule to beyond L2, some with a factor 5.
LANE_LENGTHS = (32, 80, 128, 320, 512, 1280, 2560, 4096, 10240, 16384)
MATRIX_LENGTHS = (256, 640, 1024, 2560, 4096, 10240, 16384, 40960, 65536)
MORE_PASSES = 2.5 - math.log2(5)  # than the logarithm of the factor 5: csrc/lengths.h
SPILL_LOG2, CACHED_BYTES = 18, 2**22  # csrc/costs.h
JUDGED_NS = 850  # what csrc/price.h has apart for a line
LONG_BYTES = 2**23  # a signal of which no cache keeps what was read
LONG_BLOCK = {"lanes": 4096, "matrix": 8192}
SPILLS = [0.05 * k for k in range(21)]
MID_BYTES, FAR_BYTES = 2**24, 2**26  # of spectra that are at hand together: csrc/costs.h


def measure(level: str, budget_s: float, progress: Progress = lambda share: None) -> Costs:
    """The costs of a level, in about so many seconds; `progress` hears of the share done.

    All is timed in passes some seconds apart, and the best of each counts: what else the
    machine does comes in spells.
    """
    before = _core.level()
    _core.use_level(level)
    try:
        clock = _Clock(budget_s, progress)
        for _ in range(_Clock.PASSES):
            clock.start_over()
            costs = _fitted(clock, level)
        return costs
    finally:
        _core.use_level(before)


def _fitted(clock: "_Clock", level: str) -> Costs:
    costs = {"direct_call": [clock.way_in()]}
    lines: list[tuple[int, ...]] = [(m,) for m in LINE_TAPS]
    pictures: list[tuple[int, ...]] = [(side, side) for side in PICTURE_SIDES]
    for name, kernels in [("direct", lines), ("direct2d", pictures)]:
        shape = (8192,) if name == "direct" else (192, 256)
        fits = [_direct(clock, pair, shape, kernels) for pair in PAIRS]
        costs[f"{name}_rate"], costs[f"{name}_fixed"] = map(list, zip(*fits, strict=True))
    for name, parts, transforms in [
        ("lanes", ("call", "piece", "point", "pass", "spill", "stream"), _lanes),
        ("matrix", ("call", "piece", "point", "pass", "mid", "far", "stream"), _matrix),
    ]:
        fields = [transforms(clock, dtype, level) for dtype in PRECISIONS]
        for part, values in zip(parts, zip(*fields, strict=True), strict=True):
            costs[f"{name}_{part}"] = list(values)
    costs["guard"] = [_guard(clock, dtype) for dtype in PRECISIONS]
    costs["convert"] = [_conversion(clock, dtype, costs, level) for dtype in INTEGERS]
    return costs


class _Clock:
    """Times plans within a budget, shared evenly, and says how far it is."""

    PASSES = 2
    TIMINGS = (
        len(PAIRS) * (len(LINE_TAPS) + len(PICTURE_SIDES))
        # By matrix up to 4,096 points twice; then two large ones, two long signals, and two for
        # the guard.
        + len(PRECISIONS) * (2 * len(LANE_LENGTHS) + 2 * len(MATRIX_LENGTHS) + 6)
        + len(INTEGERS)
    )

    def __init__(self, budget_s: float, progress: Progress):
        self.each_ns = 1e9 * budget_s / self.TIMINGS / self.PASSES
        self.progress = progress
        self.best: list[float] = []  # of each timing, in order, over the passes so far
        self.done = self.at = 0

    def start_over(self) -> None:
        self.at = 0

    def time(
        self,
        a: NDArray[Any],
        v: NDArray[Any],
        plan: dict[str, Any],
        accuracy: str = "auto",
    ) -> float:
        """ns of a full convolution by one plan, the best of several."""
        windows = [(0, n + m - 1) for n, m in zip(a.shape, v.shape, strict=True)]
        job = _core.Job(a.shape, v.shape, a.dtype, v.dtype, windows, accuracy=accuracy)
        out = np.empty(job.shape, np.result_type(a, v))
        job.time_ns(a, v, out, plan)  # tables and pages are made now
        best = once = job.time_ns(a, v, out, plan)
        times = max(1, int(self.each_ns / 10 / once))
        for _ in range(max(1, min(10, int(self.each_ns / (times * once))))):
            best = min(best, job.time_ns(a, v, out, plan, times))
        if self.at == len(self.best):
            self.best.append(best)
        self.best[self.at] = min(best, self.best[self.at])
        self.at += 1
        self.done += 1
        self.progress(min(1.0, self.done / self.TIMINGS / self.PASSES))
        return self.best[self.at - 1]

    def way_in(self) -> float:
        """What a call takes beside its sums."""
        return self.time(_data((1,), "float64"), _data((1,), "float64"), {"method": "direct"})


def _data(shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    rng = np.random.default_rng(7)
    kind = np.dtype(dtype).kind
    if kind == "c":
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    if kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    return rng.integers(0, 2, shape).astype(dtype)


def fit(rows: Sequence[Sequence[float]], times: Sequence[float]) -> list[float]:
    """x >= 0 with rows @ x close to the times, by relative error: columns that want less than
    nothing are left out, one after another.
    """
    model = np.array(rows, float) / np.array(times, float)[:, None]
    kept = list(range(model.shape[1]))
    while True:
        solved = np.linalg.lstsq(model[:, kept], np.ones(len(times)), rcond=None)[0]
        if (solved >= 0).all() or len(kept) == 1:
            break
        kept.pop(int(np.argmin(solved * model[:, kept].mean(axis=0))))
    found = np.zeros(model.shape[1])
    found[kept] = np.maximum(solved, 0)
    return [float(x) for x in found]


def _direct(
    clock: _Clock, pair: tuple[str, str], shape: tuple[int, ...], kernels: list[tuple[int, ...]]
) -> tuple[float, float]:
    """Rate and fixed taps of outputs * (taps + fixed) / rate."""
    a = _data(shape, pair[0])
    rows, times = [], []
    for kernel in kernels:
        outputs = math.prod(n + m - 1 for n, m in zip(shape, kernel, strict=True))
        rows.append([float(outputs * math.prod(kernel)), float(outputs)])
        times.append(clock.time(a, _data(kernel, pair[1]), {"method": "direct"}))
    tap, output = fit(rows, times)
    tap = max(tap, LEAST_TAP_NS)
    return 1 / tap, output / tap


def _passes(points: float) -> float:
    """Passes of radix 2 that take as long as those of a transform, of factors 2 and 5."""
    return math.log2(points) + (MORE_PASSES if points % 5 == 0 else 0)


def lanes_of(level: str, dtype: str) -> int:
    return {"avx2": 32, "avx512": 64}.get(level, 16) // np.dtype(dtype).itemsize


def _lanes(clock: _Clock, dtype: str, level: str) -> list[float]:
    """call, piece, point, pass, spill, stream of blocks in the lanes."""
    slots = 2 * lanes_of(level, dtype)
    rows, times = [], []
    for length in LANE_LENGTHS:
        for groups in (1, max(2, 100_000 // (length * slots))):
            times.append(_blocks(clock, dtype, length, length // 4, groups * slots, lanes=1))
            rows.append((2 * groups + 1 / 6, float(length)))

    def term(count: float, n: float, spill: float) -> list[float]:
        beyond = math.log2(n * slots * np.dtype(dtype).itemsize) - SPILL_LOG2
        slow = 1 + spill * max(0.0, beyond)
        return [1, slow * count, slow * count * n, slow * count * n * _passes(n)]

    def fitted(spill: float) -> tuple[float, list[float]]:
        terms = [term(*row, spill) for row in rows]
        costs = fit(terms, times)
        return float(np.square(np.array(terms) @ costs / times - 1).sum()), costs

    spill = min(SPILLS, key=lambda spill: fitted(spill)[0])
    costs = fitted(spill)[1]
    length = LONG_BLOCK["lanes"]
    groups = _long_blocks(dtype, length) // slots
    near = float(np.dot(costs, term(2 * groups + 1 / 6, length, spill)))
    return [*costs, spill, _stream(clock, dtype, length, groups * slots, near, lanes=1)]


def _matrix(clock: _Clock, dtype: str, level: str) -> list[float]:
    """call, piece, point, pass, mid, far, stream of transforms one after another."""
    rows, times = [], []
    for points in MATRIX_LENGTHS:
        if points % lanes_of(level, dtype) ** 2:
            continue
        times.append(_one_shot(clock, dtype, points))
        rows.append((3, float(points)))
        if points <= 4096:
            pairs = 8
            times.append(_blocks(clock, dtype, points, points // 4, 2 * pairs, lanes=0))
            rows.append((1 + 2 * pairs, float(points)))

    def term(count: float, n: float) -> list[float]:
        return [1, count, count * n, count * n * _passes(n)]

    costs = fit([term(*row) for row in rows], times)
    slow = [1.0]
    for held in (MID_BYTES, FAR_BYTES):
        points = held // (4 * np.dtype(dtype).itemsize)
        near = float(np.dot(costs, term(3, points)))
        slow.append(max(slow[-1], _one_shot(clock, dtype, points) / near))
    length = LONG_BLOCK["matrix"]
    pairs = _long_blocks(dtype, length) // 2
    near = float(np.dot(costs, term(1 + 2 * pairs, length)))
    return [*costs, *slow[1:], _stream(clock, dtype, length, 2 * pairs, near, lanes=0)]


def _one_shot(clock: _Clock, dtype: str, points: int) -> float:
    x = _data((points,), dtype)
    return clock.time(x, x, {"method": "fft", "block": (1, points), "lanes": 0}, "normwise")


def _blocks(clock: _Clock, dtype: str, length: int, m: int, blocks: int, lanes: int) -> float:
    """ns of overlap-save in so many full blocks."""
    a = _data((blocks * (length - m + 1) - m + 1,), dtype)
    plan = {"method": "overlap", "block": (1, length), "lanes": lanes}
    return clock.time(a, _data((m,), dtype), plan, "normwise")


def _long_blocks(dtype: str, length: int) -> int:
    """How many blocks, with taps of an eighth of them, a long signal has."""
    return LONG_BYTES // np.dtype(dtype).itemsize // (length - length // 8 + 1)


def _stream(
    clock: _Clock, dtype: str, length: int, blocks: int, near_ns: float, lanes: int
) -> float:
    """What a byte of a long signal and its result takes beyond the same blocks of a short one."""
    m = length // 8
    samples = 2 * blocks * (length - m + 1)
    beyond = samples * np.dtype(dtype).itemsize - CACHED_BYTES
    return max(0.0, _blocks(clock, dtype, length, m, blocks, lanes) - near_ns) / beyond


def _guard(clock: _Clock, dtype: str) -> float:
    """What guarding a sample takes: 'auto' beyond 'normwise'."""
    n = 40_000
    a, v = _data((n,), dtype), _data((250,), dtype)
    plan = {"method": "overlap", "block": (1, 1920), "lanes": 1}
    auto, normwise = (clock.time(a, v, plan, how) for how in ("auto", "normwise"))
    return max(auto - normwise - JUDGED_NS, 0) / n


def _conversion(clock: _Clock, dtype: str, costs: Costs, level: str) -> float:
    """A sample's share of what integers take beyond the transforms."""
    slots, length, m = 2 * lanes_of(level, "float64"), 1024, 256
    groups = 16
    n = groups * slots * (length - m + 1) - m + 1
    plan = {"method": "overlap", "block": (1, length), "lanes": 1, "ring": "rounded"}
    taken = clock.time(_data((n,), dtype), _data((m,), dtype), plan)
    one = costs["lanes_piece"][1] + length * (
        costs["lanes_point"][1] + costs["lanes_pass"][1] * math.log2(length)
    )
    transforms = costs["lanes_call"][1] + (2 * groups + 1 / 6) * one
    return max(taken - transforms, 0) / (2 * n + m - 1)
