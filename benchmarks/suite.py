"""What the pytest-benchmark suites share: a case and a function, checked, then timed.

compare.py times all functions of a case interleaved and is what figures are quoted from. The
suites time one after another, for pytest-benchmark's statistics, history and --benchmark-compare.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache

import numpy as np
import pytest
from cases import Case
from entrants import others, peers
from ours import ours

from fastconv.cli.race import Runner, check_some, disagreement

# A floor above this is hopeless beside any transform: the longest row of the grid takes
# scipy's fftconvolve 0.3 s.
HOPELESS_S = 1.0

_ID = str.maketrans(" *", "-:")  # what pytest -k can spell


PEERS, MISSING = peers()


def pairs(cases: Iterable[Case]):
    """Parameters (case, name of the function), fastconv first, of all that are installed."""
    return [
        pytest.param(case, name, id=f"{case.name} {name}".translate(_ID))
        for case in cases
        for name in ("fastconv", *_takers(_twin(case)))
    ]


def _twin(case: Case) -> Case:
    """A small one, which the same functions take."""
    v = tuple(7 + (m + 1) % 2 for m in case.v)
    return replace(case, a=tuple(64 for _ in case.a), v=v)


@cache
def _takers(case: Case) -> list[str]:
    return [runner.name for runner in others(case, *case.arrays(), PEERS)]


def time_case(benchmark, case: Case, name: str) -> None:
    a, v, functions, answer = _prepared(case)
    if name not in functions:
        pytest.skip(f"{name} declines {case.name}")
    runner = functions[name]
    if runner.floor_s > HOPELESS_S:
        pytest.skip(f"{name} is hopeless: not below {runner.floor_s:.2g} s")
    with np.errstate(all="ignore"):
        theirs = runner.call(a, v, case.mode)
    if why := disagreement(answer, theirs, a, v, case.mode, case.axis):
        pytest.skip(f"{name} differs: {why}")
    benchmark.group = case.name
    benchmark(runner.call, a, v, case.mode)


@lru_cache(maxsize=1)
def _prepared(case: Case):
    a, v = case.arrays()
    fastconvs = Runner("fastconv", ours(case))
    answer = fastconvs.call(a, v, case.mode)
    check_some(answer, a, v, case.mode, case.axis)
    return a, v, {r.name: r for r in (fastconvs, *others(case, a, v, PEERS))}, answer
