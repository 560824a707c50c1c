"""Measure what the selector believes, and write csrc/costs.h.

Run against the installed package, on an idle machine, one level after another:

    python benchmarks/costs.py csrc/costs.h

Every constant is fitted to forced plans, best of several, data warm, result
preallocated. Levels that this machine cannot run are derived: plain loops are
sse2 divided by its lanes, neon is sse2 with FMA (twice the multiply-adds).
"""

import functools
import math
import platform
import sys
import time
from pathlib import Path

import numpy as np

from fastconv import _core

# The rows of the kernel table: dtype of the signal, dtype of the taps, lanes of sse2.
PAIRS = [
    ("float32", "float32", 4),
    ("float64", "float64", 2),
    ("complex64", "float32", 4),
    ("complex128", "float64", 2),
    ("float32", "complex64", 4),
    ("float64", "complex128", 2),
    ("complex64", "complex64", 4),
    ("complex128", "complex128", 2),
    ("int8", "int8", 16),
    ("int16", "int16", 8),
    ("int32", "int32", 4),
    ("int64", "int64", 2),
    ("bool", "bool", 16),
]
PRECISIONS = ["float32", "float64"]
CACHE_BYTES = [32e3, 1e6, 32e6]  # csrc/costs.h: kCacheBytes
SIMD_WITH_FMA = 2


def seconds(call, budget=0.06):
    """Best time of one call."""
    call()
    start = time.perf_counter()
    call()
    once = time.perf_counter() - start
    repeat = max(1, int(0.001 / max(once, 1e-7)))
    best, end = once, time.perf_counter() + budget
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(repeat):
            call()
        best = min(best, (time.perf_counter() - start) / repeat)
    return best


def data(shape, dtype):
    rng = np.random.default_rng(7)
    if np.dtype(dtype).kind == "c":
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    if np.dtype(dtype).kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    return rng.integers(0, 2, shape).astype(dtype)


def time_plan(a, v, plan):
    """ns of a full convolution by one plan, guards on, without making the job or the result."""
    windows = [(0, n + m - 1) for n, m in zip(a.shape, v.shape, strict=True)]
    job = _core.Job(a.shape, v.shape, a.dtype, v.dtype, windows)
    out = np.empty(job.shape, np.result_type(a, v))
    return 1e9 * seconds(lambda: job.run(a, v, out, plan)) - way_in_ns()


@functools.cache
def way_in_ns():
    """What Python takes to start a job: one that asks for no outputs."""
    x, out = np.zeros(1), np.zeros(0)
    job = _core.Job(x.shape, x.shape, x.dtype, x.dtype, [(0, 0)])
    return 1e9 * seconds(lambda: job.run(x, x, out, {"method": "direct"}))


def fit_direct(pair, shape, kernels):
    """Rate and fixed taps of time = outputs * (taps + fixed) / rate, least relative error."""
    a = data(shape, pair[0])
    taps, times = [], []
    for kernel in kernels:
        v = data(kernel, pair[1])
        outputs = math.prod(n + m - 1 for n, m in zip(shape, kernel, strict=True))
        taps.append(math.prod(kernel))
        times.append(time_plan(a, v, {"method": "direct"}) / outputs)
    taps, times = np.array(taps, float), np.array(times)
    model = np.stack([taps, np.ones_like(taps)], axis=1) / times[:, None]
    slope, intercept = np.linalg.lstsq(model, np.ones_like(taps), rcond=None)[0]
    return 1 / slope, max(intercept / slope, 0)


def transform_flops(points):
    return 5 * points * math.log2(points)


def cache_class(size):
    return sum(size > limit for limit in CACHE_BYTES)


def by_class(samples):
    """Mean rate of each cache class; one that no length reaches takes its neighbour's."""
    rates = [[rate for size, rate in samples if cache_class(size) == c] for c in range(4)]
    means = [sum(r) / len(r) if r else None for r in rates]
    for c in [2, 1, 0]:
        means[c] = means[c] or means[c + 1] or means[c - 1]
    means[3] = means[3] or means[2]
    # What makes the shortest look slow is the fixed cost, counted apart (call_ns).
    means[0] = max(means[0], means[1])
    return means


def overlap_rates(dtype, lanes):
    """Nominal GFLOPS of overlap-save with blocks in the lanes, and the call's fixed ns."""
    item = np.dtype(dtype).itemsize
    samples = []
    for length in [96, 128, 192, 256, 384, 512, 1024, 2048, 4096, 8192, 16384, 65536]:
        m = length // 4
        step, groups = length - m + 1, max(4, 40000 // (length * lanes))
        a = data(groups * 2 * lanes * step - m + 1, dtype)
        plan = {"method": "overlap", "block": (1, length), "lanes": 1}
        ns = time_plan(a, data(m, dtype), plan)
        flops = (0.15 + groups) * 2 * lanes * transform_flops(length)
        samples.append((2 * item * length * (lanes + 1), flops / ns))
    return samples


def matrix_rates(dtype, lengths):
    """Nominal GFLOPS of one-shot right-angle transforms."""
    item = np.dtype(dtype).itemsize
    samples = []
    for points in lengths:
        ns = time_plan(
            data(points, dtype), data(points, dtype), {"method": "fft", "block": (1, points)}
        )
        samples.append((4 * item * points, 3 * transform_flops(points) / ns))
    return samples


def call_ns(rates, flops, measured):
    return max(measured - flops / rates[0], 0)


def measure(level):
    """The row of one level, as (name, values)."""
    _core.use_level(level)
    width = {"sse2": 16, "avx2": 32, "avx512": 64}[level]
    tiny = time_plan(data(16, "float64"), data(3, "float64"), {"method": "direct"})
    direct = [fit_direct(p, (8192,), [(m,) for m in (7, 15, 31, 63, 127)]) for p in PAIRS]
    flat = [fit_direct(p, (192, 256), [(k, k) for k in (3, 5, 9, 15)]) for p in PAIRS]
    overlap, matrix = [], []
    for dtype in PRECISIONS:
        lanes = width // np.dtype(dtype).itemsize
        rates = by_class(overlap_rates(dtype, lanes))
        plan = {"method": "overlap", "block": (1, 64), "lanes": 1}
        ns = time_plan(data(64, dtype), data(16, dtype), plan)
        flops = 1.15 * 2 * lanes * transform_flops(64)
        overlap.append((call_ns(rates, flops, ns), rates))
        least = lanes * lanes
        rates = by_class(
            matrix_rates(dtype, [n for n in (512, 2**12, 2**14, 2**16, 2**18, 2**21) if n >= least])
        )
        plan = {"method": "fft", "block": (1, least)}
        ns = time_plan(data(least, dtype), data(least, dtype), plan)
        matrix.append((call_ns(rates, 3 * transform_flops(least), ns), rates))
    return {
        "level": level,
        "direct_call": tiny,
        "direct": direct,
        "direct2d": flat,
        "overlap": overlap,
        "matrix": matrix,
    }


def scaled(row, level, factor):
    """A level that is not measured here: another's rates times a factor per pair."""

    def transforms(pairs):
        return [
            (call, [rate * factor(lanes) for rate in rates])
            for (call, rates), lanes in zip(pairs, (4, 2), strict=True)
        ]

    def sums(fits):
        pairs = zip(fits, PAIRS, strict=True)
        return [(rate * factor(lanes), fixed) for (rate, fixed), (_, _, lanes) in pairs]

    return {
        "level": level,
        "direct_call": row["direct_call"],
        "direct": sums(row["direct"]),
        "direct2d": sums(row["direct2d"]),
        "overlap": transforms(row["overlap"]),
        "matrix": transforms(row["matrix"]),
    }


def braces(values):
    return "{" + ", ".join(f"{v:.3g}" for v in values) + "}"


def row_text(row):
    def column(fits, index):
        return braces(fit[index] for fit in fits)

    def transforms(pairs):
        rates = ", ".join(braces(rates) for _, rates in pairs)
        return f"{braces(call for call, _ in pairs)}, {{{rates}}}"

    lines = [
        f'    {{"{row["level"]}", {row["direct_call"]:.3g},',
        f"     {column(row['direct'], 0)},",
        f"     {column(row['direct'], 1)},",
        f"     {column(row['direct2d'], 0)},",
        f"     {column(row['direct2d'], 1)},",
        f"     {transforms(row['overlap'])},",
        f"     {transforms(row['matrix'])}}},",
    ]
    return "\n".join(lines)


def cpu_model():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = {line.split(":")[0].strip(): line.split(":")[-1].strip() for line in lines}
    return (
        f"{names.get('model name', '')}, family {names.get('cpu family', '')}, "
        f"model {names.get('model', '')}"
    )


def replace_table(text, rows):
    """costs.h with the machine and the rows between its markers exchanged."""
    head, _, rest = text.partition("// Measured on: ")
    _, _, rest = rest.partition("\n")
    text = f"{head}// Measured on: {cpu_model()}\n{rest}"
    head, begin, rest = text.partition("constexpr Costs kCosts[] = {\n")
    _, end, tail = rest.partition("};\n")
    return head + begin + "\n".join(map(row_text, rows)) + "\n" + end + tail


def main():
    available = [entry["name"] for entry in _core.levels() if entry["available"]]
    measured = {level: measure(level) for level in available}
    sse2 = measured["sse2"]
    rows = [
        scaled(sse2, "plain", lambda lanes: 1 / lanes),
        sse2,
        scaled(sse2, "neon", lambda lanes: SIMD_WITH_FMA),
        *[measured[level] for level in available if level != "sse2"],
    ]
    if len(sys.argv) < 2:
        print("\n".join(map(row_text, rows)))
        return
    path = Path(sys.argv[1])
    path.write_text(replace_table(path.read_text(), rows))


if __name__ == "__main__":
    main()
