"""`fastconv bench`: real input, real kernels, against numpy and, where installed, scipy."""

import argparse
import json
import math
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

import fastconv

from . import plot, rivals
from .inputs import Input, Missing
from .jobs import Job, jobs
from .race import Result, WrongAnswer, race
from .report import Report

SECONDS = 0.6
QUICK_SECONDS = 0.3


@dataclass
class Row:
    """A job that was run."""

    job: Job
    source: Input
    kernel_shape: tuple[int, ...]
    result: Result

    @property
    def slower(self) -> bool:
        return round(self.result.ratio, 2) < 1

    def cells(self) -> tuple[str, ...]:
        result = self.result
        return (
            f"{self.source.name} {_shape(self.source.data.shape)}",
            f"{self.job.kernel} {_shape(self.kernel_shape)}",
            self.job.dtype,
            _time(result.ours_s),
            _time(result.times[result.best]) if result.best else "-",
            result.best or "none in reach",
            f"{result.ratio:.2f}",
            f"{result.difference:.0e}" if result.difference else "none",
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "input": self.source.name,
            "source": self.source.source,
            "input_shape": self.source.data.shape,
            "kernel": self.job.kernel,
            "kernel_shape": self.kernel_shape,
            "mode": self.job.mode,
            "dtype": self.job.dtype,
            "fastconv_s": self.result.ours_s,
            "others_s": self.result.times,
            "best_other": self.result.best,
            "ratio": self.result.ratio,
            "largest_difference": self.result.difference,
            "left_out": self.result.left_out,
        }


COLUMNS = ("input", "kernel", "dtype", "fastconv", "best other", "", "ratio", "difference")


def run(options: argparse.Namespace) -> int:
    if options.plot:
        plot.require()
    report = Report(COLUMNS)
    stamp = _stamp()
    report.text(stamp)
    rows: list[Row] = []
    missing: dict[str, None] = {}
    todo = list(jobs(options.quick))
    with report.progress(len(todo)) as step:
        for job in todo:
            step(job.kernel)
            try:
                rows.append(run_job(job, QUICK_SECONDS if options.quick else SECONDS))
            except Missing as reason:
                missing[str(reason)] = None
                continue
            report.row(rows[-1].cells(), rows[-1].slower)
    report.table()
    report.text(_closing(rows, missing))
    if options.json:
        record = {"stamp": stamp, "rows": [row.as_dict() for row in rows]}
        options.json.write_text(json.dumps(record, indent=1) + "\n")
    if options.plot:
        bars = [(", ".join(row.cells()[:3]), row.result.ratio) for row in rows]
        plot.ratios(options.plot, bars, stamp)
    return 0


def run_job(job: Job, seconds: float) -> Row:
    source, a, v = job.arrays()
    convolve = fastconv.convolve if a.ndim == 1 else fastconv.convolve2d
    others = [*rivals.rivals(a, v, job.mode), *rivals.numpy_recipes(a, v)]
    if job.own:
        others.append(job.own)
    try:
        result = race(convolve, others, a, v, job.mode, seconds)
    except WrongAnswer as wrong:
        raise WrongAnswer(f"{source.name} with {job.kernel} in {job.dtype}: {wrong}") from None
    return Row(job, source, v.shape, result)


def _stamp() -> str:
    scipy = f"scipy {version('scipy')}" if rivals.HAVE_SCIPY else "without scipy"
    return (
        f"fastconv {fastconv.__version__} at level {fastconv.explain(8, 3).level}, "
        f"Python {platform.python_version()}, numpy {np.__version__}, {scipy}, "
        f"{platform.system()} {platform.machine()}"
    )


def _closing(rows: list[Row], missing: dict[str, None]) -> str:
    lines = []
    if rows:
        ratios = [row.result.ratio for row in rows]
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        faster = sum(not row.slower for row in rows)
        lines.append(
            f"ratio: best other / fastconv, above 1 fastconv is faster; not slower in {faster} of "
            f"{len(rows)}, geometric mean {mean:.2f}"
        )
        lines.append("difference: the largest from the best other, relative to the largest output")
    for row in rows:
        if row.slower:
            lines.append(f"slower: {' '.join(row.cells()[:3])} ({row.cells()[5]})")
    lines += [f"left out: {reason}" for reason in missing]
    sources = {row.source.name: row.source.source for row in rows}
    lines += [f"{name}: {source}" for name, source in sources.items()]
    return "\n".join(lines)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(f"{n:,}" if len(shape) == 1 else str(n) for n in shape)


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"
