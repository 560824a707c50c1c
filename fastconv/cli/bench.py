"""`fastconv bench`: real input, real kernels, against numpy, scipy and whom else one names."""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import fastconv

from . import libraries, plot, rivals, stamp
from .inputs import Input, Missing
from .jobs import Job, jobs, sized
from .libraries import Library
from .race import Result, Runner, WrongAnswer, race
from .ratios import beside_each, geometric_mean
from .report import Report
from .threads import limited

SECONDS = 0.6
QUICK_SECONDS = 0.3


class NothingToDo(Exception):
    """No job is in the dtypes that were asked for."""


@dataclass
class Row:
    """A job that was run."""

    job: Job
    source: Input
    kernel_shape: tuple[int, ...]
    result: Result

    @property
    def has_rival(self) -> bool:
        """Without one the ratio is a lower bound, and has no place in a mean."""
        return bool(self.result.best)

    @property
    def verdict(self) -> str:
        ratio = round(self.result.ratio, 2)
        if not self.has_rival:
            return "alone"
        return "faster" if ratio > 1 else "slower" if ratio < 1 else "alike"

    @property
    def name(self) -> str:
        return ", ".join(self.cells()[:3])

    def cells(self) -> tuple[str, ...]:
        result = self.result
        return (
            f"{self.source.name} {_shape(self.source.data.shape)}",
            f"{self.job.kernel} {_shape(self.kernel_shape)}",
            self.job.dtype,
            _time(result.ours_s),
            _time(result.times[result.best]) if self.has_rival else "-",
            result.best or "none in reach",
            f"{result.ratio:.2f}" if self.has_rival else "-",
            self.verdict,
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
            "ratio": self.result.ratio if self.has_rival else None,
            "verdict": self.verdict,
            "largest_difference": self.result.difference,
            "left_out": self.result.left_out,
        }


COLUMNS = ("input", "kernel", "dtype", "fastconv", "best other", "", "ratio", "", "difference")


def run(options: argparse.Namespace) -> int:
    if options.plot:
        plot.require(options.plot)
    beside, not_here = _rivals(options)
    todo = _jobs(options)
    report = Report(COLUMNS)
    stamps = _stamp(beside, options.workers)
    stamps += [f"missing   {name}, {reason}" for name, reason in not_here.items()]
    report.text("\n".join(stamps))
    rows: list[Row] = []
    missing: dict[str, None] = {}
    with limited(options.workers), report.progress(len(todo)) as step:
        for job in todo:
            step(job.kernel)
            try:
                rows.append(run_job(job, beside, QUICK_SECONDS if options.quick else SECONDS))
            except Missing as reason:
                missing[str(reason)] = None
                continue
            report.row(rows[-1].cells(), rows[-1].verdict == "slower")
    report.table()
    report.text(_closing(rows, missing))
    if options.json:
        record = {"stamp": stamps, "rows": [row.as_dict() for row in rows]}
        options.json.write_text(json.dumps(record, indent=1) + "\n")
    if options.plot:
        bars = [(row.name, row.result.ratio) for row in rows if row.has_rival]
        plot.ratios(options.plot, bars, "\n".join(stamps))
    return 0


def run_job(job: Job, beside: Iterable[Library], seconds: float) -> Row:
    source, a, v = job.arrays()
    convolve = fastconv.convolve if a.ndim == 1 else fastconv.convolve2d
    others: list[Runner] = []
    for library in beside:
        others += library.runners(a, v, job.mode)
        if isinstance(library, rivals.Numpy):
            others += rivals.numpy_recipes(a, v)
        if isinstance(library, rivals.Scipy) and job.own:
            others.append(job.own)
    try:
        result = race(convolve, others, a, v, job.mode, seconds)
    except WrongAnswer as wrong:
        raise WrongAnswer(f"{source.name} with {job.kernel} in {job.dtype}: {wrong}") from None
    return Row(job, source, v.shape, result)


def _rivals(options: argparse.Namespace) -> tuple[list[Library], dict[str, str]]:
    """Those named, all of which have to be here, or numpy and scipy, and who of them is missing."""
    if options.vs:
        return libraries.chosen(options.vs, options.workers), {}
    return libraries.load([rivals.Numpy, rivals.Scipy], options.workers)


def _jobs(options: argparse.Namespace) -> list[Job]:
    if options.sizes:
        return list(sized(options.sizes, options.dtype or ["float64"]))
    everything = list(jobs(options.quick))
    wanted = [job for job in everything if not options.dtype or job.dtype in options.dtype]
    if not wanted:
        takes = ", ".join(dict.fromkeys(job.dtype for job in everything))
        raise NothingToDo(
            f"--dtype: got {', '.join(options.dtype)}, recordings are in {takes}; "
            "with --sizes any will do"
        )
    return wanted


def _stamp(beside: Iterable[Library], workers: int) -> list[str]:
    packages = [library.package for library in beside if library.package != "numpy"]
    threads = "one thread" if workers == 1 else f"up to {workers} threads"
    return [
        f"machine   {stamp.machine()}",
        f"python    {stamp.versions('numpy', *packages)}",
        f"fastconv  {stamp.own()}, {threads} each",
    ]


def _closing(rows: Sequence[Row], missing: Iterable[str]) -> str:
    lines = []
    judged = [row for row in rows if row.has_rival]
    if judged:
        mean = geometric_mean(row.result.ratio for row in judged)
        many = {v: sum(row.verdict == v for row in judged) for v in ("faster", "alike", "slower")}
        alike = f"{many['alike']} alike, " if many["alike"] else ""
        lines += [
            "",
            f"faster in {many['faster']} of {len(judged)}, {alike}slower in {many['slower']}, "
            f"geometric mean {mean:.2f}",
        ]
        for row in sorted(judged, key=lambda row: row.result.ratio):
            if row.verdict == "slower":
                lines.append(f"  slower, {row.result.ratio:.2f}: {row.name} ({row.result.best})")
        times = [(row.name, row.result.ours_s, row.result.times) for row in judged]
        lines += [
            "ratio: best other / fastconv, above 1 fastconv is faster",
            "difference: the largest from the best other, relative to the largest output",
            "",
            beside_each("beside each", times),
            "",
        ]
    if alone := len(rows) - len(judged):
        lines.append(f"no rival in reach, so not judged: {alone} of {len(rows)}")
    lines += [f"left out: {reason}" for reason in missing]
    sources = {row.source.name: row.source.source for row in rows}
    lines += [f"{name.removesuffix(' (made)')}: {source}" for name, source in sources.items()]
    return "\n".join(lines)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(f"{n:,}" if len(shape) == 1 else str(n) for n in shape)


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"
