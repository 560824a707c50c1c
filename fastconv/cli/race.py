"""Checks that several functions give the same answer, then times them side by side.

The answers are judged by the definition

    full[i] = sum_k v[k] a[i - k],

evaluated in exact integers or long doubles wherever two of them differ most, so that a wrong
answer is blamed on the function that gave it. With an `axis` it is the definition of every line of
`a` along that axis, and `v` is 1-D. Times are taken interleaved, one short sample of
each in turn, because a machine's speed drifts by more than the differences of interest. Three
such rounds are made; a round's ratio is that of the best times in it, and the race's ratio is
the median of the three.

Not every rival is worth timing to the end, and none is left out silently:
- `hopeless`: even at a rate no machine reaches (its floor) it would take over twice the time of
  the best rival measured, or seconds where fastconv took a tenth of that. It is never called.
- behind: it took over three times as long as the best rival when first timed, best of up to
  three calls. It keeps that time.
- `differs`: its dtype or its values are not those of the definition. It is not timed.
- `refuses`: it has no answer for such data.

Where no rival is left, the ratio is that of the lowest floor, which none of them gets below.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from timeit import Timer
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Function: TypeAlias = Callable[..., Array]  # of (a, v, mode)
Index: TypeAlias = tuple[Any, ...]

ROUNDS = 3
HOPELESS = 2.0
HOPELESS_BESIDE_OURS = 10.0
SECONDS = 2.0
BEHIND = 3.0
LONG_S = 0.5  # a call so long is timed a few times, not many
SAMPLE_S = 100e-6  # a sample repeats a short call until it lasts so long; the clock ticks in 50 ns


class WrongAnswer(Exception):
    """fastconv's own answer is not that of the definition."""


@dataclass(frozen=True)
class Runner:
    """A function of (a, v, mode), and a time below which it certainly does not fall."""

    name: str
    call: Function
    floor_s: float = 0.0


@dataclass
class Result:
    ours_s: float
    times: dict[str, float] = field(default_factory=dict)  # seconds of every rival timed
    left_out: dict[str, str] = field(default_factory=dict)  # name: why
    ratio: float = float("inf")  # best rival / ours
    difference: float = 0.0  # largest, from the best rival, relative to the largest output

    @property
    def best(self) -> str:
        return min(self.times, key=self.times.__getitem__) if self.times else ""


def race(
    function: Function,
    rivals: Iterable[Runner],
    a: Array,
    v: Array,
    mode: str,
    seconds: float = 1.0,
    axis: int | None = None,
) -> Result:
    """Checks the answers of `function` and `rivals`, then times them for about `seconds`."""
    ours = Runner("fastconv", function)
    answer, ours_s = _first_call(ours, a, v, mode)
    check_some(answer, a, v, mode, axis)
    result = Result(ours_s)
    estimate = {ours: ours_s}
    differences = {}
    best_s = float("inf")
    for rival in sorted(rivals, key=lambda r: r.floor_s):
        if rival.floor_s > min(HOPELESS * best_s, max(SECONDS, HOPELESS_BESIDE_OURS * ours_s)):
            result.left_out[rival.name] = f"hopeless: not below {rival.floor_s:.2g} s"
            result.ratio = min(result.ratio, rival.floor_s / ours_s)
            continue
        try:
            theirs, theirs_s = _first_call(rival, a, v, mode)
        except (TypeError, ValueError, RuntimeError) as error:
            result.left_out[rival.name] = f"refuses: {error}"
            continue
        if why := disagreement(answer, theirs, a, v, mode, axis):
            result.left_out[rival.name] = f"differs: {why}"
            continue
        differences[rival.name] = relative_difference(answer, theirs)
        estimate[rival] = result.times[rival.name] = theirs_s
        best_s = min(best_s, theirs_s)

    if result.times:
        near = [r for r, t in estimate.items() if r is ours or t <= BEHIND * best_s]
        _interleave(near, estimate, ours, result, a, v, mode, seconds)
        result.difference = differences[result.best]
    return result


def _interleave(
    near: list[Runner],
    estimate: dict[Runner, float],
    ours: Runner,
    result: Result,
    a: Array,
    v: Array,
    mode: str,
    seconds: float,
) -> None:
    timers = {r: _timer(r, a, v, mode) for r in near}
    loops = {r: max(1, round(SAMPLE_S / estimate[r])) for r in near}
    lap_s = sum(loops[r] * estimate[r] for r in near)
    laps = 1 if lap_s > LONG_S else min(100, max(3, round(seconds / ROUNDS / lap_s)))
    ratios = []
    lowest = dict.fromkeys(near, float("inf"))
    for _ in range(ROUNDS):
        best = dict.fromkeys(near, float("inf"))
        for _ in range(laps):
            for r in near:
                best[r] = min(best[r], timers[r].timeit(loops[r]) / loops[r])
        ratios.append(min(t for r, t in best.items() if r is not ours) / best[ours])
        lowest = {r: min(lowest[r], best[r]) for r in near}
    result.ratio = median(ratios)
    result.ours_s = lowest.pop(ours)
    result.times |= {r.name: t for r, t in lowest.items()}


def _timer(runner: Runner, a: Array, v: Array, mode: str) -> Timer:
    return Timer("f(a, v, mode)", globals={"f": runner.call, "a": a, "v": v, "mode": mode})


def _first_call(runner: Runner, a: Array, v: Array, mode: str) -> tuple[Array, float]:
    """The answer, and seconds of a warm call: best of two samples, or of one where that is long."""
    with np.errstate(all="ignore"):  # a wrong answer is found by its values
        start = perf_counter()
        answer = runner.call(a, v, mode)
        t = perf_counter() - start
        if t > LONG_S:
            return answer, t
        timer = _timer(runner, a, v, mode)
        t = timer.timeit(1)
        loops = max(1, round(SAMPLE_S / t))
        return answer, min(t, *(timer.timeit(loops) / loops for _ in range(2)))


def disagreement(
    answer: Array, theirs: Array, a: Array, v: Array, mode: str, axis: int | None = None
) -> str:
    """Why `theirs` is not the definition's answer, or ''. Raises WrongAnswer if `answer` is not."""
    if theirs.shape != answer.shape:
        return f"shape {theirs.shape} instead of {answer.shape}"
    if theirs.dtype != answer.dtype:
        return f"{theirs.dtype} instead of {answer.dtype}"
    distance = _distance(answer, theirs)
    worst = np.unravel_index(np.argmax(distance), distance.shape)
    if distance[worst] <= tolerance(a, v, axis):
        return ""
    check_at(answer, worst, a, v, mode, axis)
    return f"{theirs[worst]} instead of {answer[worst]} at {tuple(map(int, worst))}"


def check_some(
    answer: Array, a: Array, v: Array, mode: str, axis: int | None = None, count: int = 16
) -> None:
    """Holds `answer` against the definition at its two ends, its middle and at random places."""
    places = np.random.default_rng(0).integers(0, answer.size, count)
    for flat in {0, answer.size // 2, answer.size - 1, *places.tolist()}:
        check_at(answer, np.unravel_index(flat, answer.shape), a, v, mode, axis)


def check_at(
    answer: Array, index: Index, a: Array, v: Array, mode: str, axis: int | None = None
) -> None:
    right = defined(a, v, mode, index, axis)
    if not _distance(answer[index], right) <= tolerance(a, v, axis):  # NaN is not
        where = tuple(map(int, index))
        raise WrongAnswer(f"fastconv gives {answer[index]} at {where}, by definition it is {right}")


def defined(a: Array, v: Array, mode: str, index: Index, axis: int | None = None) -> Array:
    """One output by the definition, in a type wide enough to be right; integers wrap."""
    v = along(v, a.ndim, axis)
    dtype = np.result_type(a, v)
    wide = np.dtype("q" if dtype.kind in "iub" else "G" if dtype.kind == "c" else "g")
    a_part, v_part = [], []
    for i, n, m in zip(index, a.shape, v.shape, strict=True):
        i = int(i) + {"full": 0, "same": (m - 1) // 2, "valid": m - 1}[mode]
        low, high = max(0, i - m + 1), min(n, i + 1)
        a_part.append(slice(low, high))
        v_part.append(slice(i - high + 1, i - low + 1))
    reverse = (slice(None, None, -1),) * v.ndim
    products = a[tuple(a_part)].astype(wide) * v[tuple(v_part)][reverse].astype(wide)
    return np.asarray(products.sum()).astype(dtype)


def along(v: Array, ndim: int, axis: int | None) -> Array:
    """`v` laid on `axis`, one long on the others: what convolves all of `a` by lines."""
    if axis is None:
        return v
    return v.reshape([-1 if i == axis % ndim else 1 for i in range(ndim)])


def tolerance(a: Array, v: Array, axis: int | None = None) -> float:
    """Integers are equal; floats within 64 u |a| |v|, well above a good transform's error.

    With an `axis` |a| is the largest norm of a line.
    """
    dtype = np.result_type(a, v)
    if dtype.kind in "iub":
        return 0.0
    norm = np.linalg.norm(a) if axis is None else np.max(np.linalg.norm(a, axis=axis))
    return 32 * float(np.finfo(dtype).eps) * float(norm * np.linalg.norm(v))


def relative_difference(x: Array, y: Array) -> float:
    largest = float(np.max(np.abs(x.astype(float) if x.dtype.kind in "iub" else x)))
    return float(np.max(_distance(x, y))) / largest if largest else 0.0


def _distance(x: Array, y: Array) -> Array:
    """|x - y|, nan where either is not finite, so that nothing passes as near to it."""
    if x.dtype.kind in "iub":
        return np.where(x == y, 0.0, np.maximum(np.abs(x.astype(float) - y.astype(float)), 1.0))
    return np.asarray(np.abs(x - y))
