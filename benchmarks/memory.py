"""Peak memory of a call, beside scipy's and numpy's, and what `out` saves.

    python benchmarks/memory.py

Each call runs in an interpreter of its own, after one of a small problem. What is printed is how
far the process grew beyond what it held before, at its highest (peak.py). The result, where the
call makes it, is in the figure.

Two promises are held, of what is taken beside the result: at most 4 MB, and three spectra a worker
where there are blocks or tiles (of all blocks that lie in the lanes), at most 2.5 (n + m) elements
for a one-shot transform; of pictures n + m is that of the rows times that of the columns.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from math import prod
from operator import add

import numpy as np
from peak import grown

from fastconv._measure import lanes_of

MB = 1e6
BLOCKS_AT_MOST = 4 * 2**20
SPECTRA = 3
ONESHOT_ELEMENTS = 2.5


@dataclass(frozen=True)
class Problem:
    a: tuple[int, ...]
    v: tuple[int, ...]
    dtype: str = "float64"
    axis: int | None = None
    layout: str = ""  # of a in memory, where it is not dense

    @property
    def name(self):
        size = "*".join("x".join(map(str, shape)) for shape in (self.a, self.v))
        axis = f"axis {self.axis}" if self.axis is not None else ""
        return " ".join(filter(None, (size, self.dtype, axis, self.layout)))

    def sample(self):
        """a, laid out, and v."""
        a, v = sample(self.a, self.dtype), sample(self.v, self.dtype)
        if self.layout == "reversed":
            return a[::-1], v
        return np.asfortranarray(a) if self.layout == "Fortran" else a, v


PROBLEMS = [
    Problem((1_000_000,), (127,)),
    Problem((1_000_000,), (1_000_000,)),
    Problem((10_000_000,), (1_023,)),
    Problem((1_080, 1_920), (25, 25)),
    Problem((4_000, 4_000), (31, 31), "float32"),
    Problem((1_000_000, 24), (15, 15), "float32"),
    Problem((1_000, 1_000), (1_000, 1_000)),
    Problem((200, 200, 200), (15, 15, 15), "float32"),
    Problem((10_000_000,), (1_023,), layout="reversed"),
    Problem((1_000_000,), (1_000_000,), layout="reversed"),
    Problem((5_000_000, 2), (1_023,), "float32", axis=0),
    Problem((2_000, 2_000), (31, 31), layout="Fortran"),
    Problem((1_000_000,), (1_023,), "int16"),
    Problem((5_000, 1_664), (65,), axis=1),  # scipy/scipy#26012
]


def calls(problem, a, v):
    """What is measured, by name: functions of `out`, which is None where they make their own."""
    import scipy.signal

    import fastconv

    plain = len(problem.a) == 1
    found = {}
    if problem.axis is not None:
        found["fastconv"] = lambda out: fastconv.convolve(a, v, axis=problem.axis, out=out)
    elif plain:
        found["fastconv"] = lambda out: fastconv.convolve(a, v, out=out)
    else:
        found["fastconv"] = lambda out: fastconv.signal.convolve(a, v, out=out)
    wide = v if v.ndim == a.ndim else v.reshape([-1 if d == problem.axis else 1 for d in (0, 1)])
    for name in ("fftconvolve", "oaconvolve"):
        function = getattr(scipy.signal, name)
        if np.dtype(problem.dtype).kind == "f":
            axes = problem.axis
            found[name] = lambda out, function=function, axes=axes: function(a, wide, axes=axes)
    if problem.axis is None:
        found["convolve"] = lambda out: scipy.signal.convolve(a, v)
    if plain and prod(problem.a) * prod(problem.v) < 3e10:
        found["numpy"] = lambda out: np.convolve(a, v)
    return found


def sample(shape, dtype):
    rng = np.random.default_rng(5)
    if np.dtype(dtype).kind == "i":
        return rng.integers(-2000, 2000, shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def measure_one(index, name, given):
    """In a process of its own: the peak beyond what it held, and the second call's time."""
    problem = PROBLEMS[index]
    a, v = problem.sample()
    small = Problem((64,) * len(problem.a), (3,) * len(problem.v), problem.dtype, problem.axis)
    calls(small, *small.sample())[name](None)
    call = calls(problem, a, v)[name]
    out = None
    if given:
        shape = [n + m - 1 for n, m in zip(problem.a, problem.v, strict=False)]
        if problem.axis is not None:
            shape = list(problem.a)
            shape[problem.axis] += problem.v[0] - 1
        out = np.ones(shape, problem.dtype)
    peak, result = grown(lambda: call(out))
    held = result.nbytes if out is None else 0
    del result
    start = time.perf_counter()
    call(out)
    print(json.dumps({"peak": peak, "result": held, "s": time.perf_counter() - start}))


def in_its_own_process(index, name, given=False):
    command = [sys.executable, __file__, "--one", str(index), name, str(int(given))]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def promised(problem, plan):
    """Bytes of working space."""
    item = np.dtype(problem.dtype).itemsize
    working = max(item, 8) if plan["ring"] == "rounded" else item
    if plan["method"] == "fft":
        return ONESHOT_ELEMENTS * working * prod(map(add, problem.a, problem.v))
    if plan["method"] == "direct":
        return BLOCKS_AT_MOST
    real = np.result_type(problem.dtype, "f4") if plan["ring"] == "native" else "f8"
    together = lanes_of(plan["level"], real) if plan["lanes"] else 1
    spectra = plan["workers"] * SPECTRA * together
    return BLOCKS_AT_MOST + spectra * 2 * working * prod(plan["block"])


def plan_of(problem):
    from fastconv import _core

    if problem.axis is None:
        windows = [(0, n + m - 1) for n, m in zip(problem.a, problem.v, strict=True)]
        return _core.choose((problem.a, problem.v), (problem.dtype,) * 2, windows)
    lines, samples = problem.a[1 - problem.axis], problem.a[problem.axis]
    shapes, window = ((lines, samples), (1, *problem.v)), (0, samples + problem.v[0] - 1)
    after = 1 - problem.axis  # do the lines lie side by side?
    return _core.choose(shapes, (problem.dtype,) * 2, [window], batch=1, after=after)


def main():
    from rich.box import MARKDOWN
    from rich.console import Console
    from rich.table import Table

    print("Peak beyond the inputs in MB; time of a second call in ms:")
    table = Table(box=MARKDOWN)
    for head in ("problem", "plan", "function", "peak", "less the result", "promised", "ms"):
        words = head in ("problem", "plan", "function")
        table.add_column(head, justify="left" if words else "right")
    missed = 0
    for index, problem in enumerate(PROBLEMS):
        plan = plan_of(problem)
        block = "x".join(str(side) for side in plan["block"] if side > 1)
        described = f"{plan['method']} {block}".strip()
        small = np.ones((8,) * len(problem.a), problem.dtype)
        taps = np.ones((3,) * len(problem.v), problem.dtype)
        names = [("fastconv", False), ("fastconv", True)]
        names += [(name, False) for name in calls(problem, small, taps) if name != "fastconv"]
        for name, given in names:
            told = in_its_own_process(index, name, given)
            space = told["peak"] - told["result"]
            limit, verdict = "", ""
            if name == "fastconv":
                most = promised(problem, plan)
                verdict = "" if space <= most else " missed"
                missed += bool(verdict)
                limit = f"{most / MB:.1f}{verdict}"
            label = f"{name}, out=" if given else name
            table.add_row(
                problem.name if name == "fastconv" and not given else "",
                described if name == "fastconv" and not given else "",
                label,
                f"{told['peak'] / MB:.1f}",
                f"{space / MB:.1f}",
                limit,
                f"{1e3 * told['s']:.2f}",
            )
    Console(width=140).print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure_one(int(options.one[0]), options.one[1], options.one[2] == "1")
    else:
        raise SystemExit(main())
