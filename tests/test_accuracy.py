"""Errors measured: the reference that they are measured against, and scipy's beside ours."""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from fastconv import _core

pytest.importorskip("rich")
sys.path.append(str(Path(__file__).resolve().parent.parent / "benchmarks"))

import accuracy

LEVELS = [level["name"] for level in _core.levels() if level["available"]]


@pytest.fixture
def best_level_again():
    before = _core.level()
    yield
    _core.use_level(before)


def exact_sum(a, v, i):
    terms = range(max(0, i - len(v) + 1), min(len(a), i + 1))
    return sum(Fraction(float(a[j])) * Fraction(float(v[i - j])) for j in terms)


@pytest.mark.parametrize("family", ["random", "constant", "loud and quiet", "exponential"])
def test_the_reference_is_exact_to_a_thousandth_of_a_roundoff(family):
    a, v = accuracy.operands(family, 3000, "float64", 1, seed=1)
    at = [(0,), (17,), (374,), (1500,), (3000,), (3373,)]
    sizes = accuracy.reference(abs(a), abs(v), at)
    for (i,), value, size in zip(at, accuracy.reference(a, v, at), sizes, strict=True):
        error = exact_sum(a, v, i) - Fraction(*value.as_integer_ratio())
        assert abs(error) <= Fraction(float(size)) * Fraction(1, 2**63)


def test_the_reference_in_two_dimensions():
    a, v = accuracy.operands("random", 900, "float64", 2, seed=1)
    at = accuracy.places([n + m - 1 for n, m in zip(a.shape, v.shape, strict=True)])
    row, col = at[len(at) // 3]
    value = accuracy.reference(a, v, at)[len(at) // 3]
    terms = [
        a[i, j] * v[row - i, col - j]
        for i in range(a.shape[0])
        for j in range(a.shape[1])
        if 0 <= row - i < v.shape[0] and 0 <= col - j < v.shape[1]
    ]
    assert abs(value - sum(terms)) < 1e-12


def test_longer_sums_are_those_of_the_whole():
    """Where numpy's sums are made of a few runs alone they have the bits of all of them."""
    a, v = accuracy.operands("random", 2000, "float64", 1, seed=0)
    for lo, hi in [(0, 32), (100, 132), (1000, 1032), (2217, 2249)]:
        runs = accuracy.numpys(a, v, [(lo, hi)])
        assert np.allclose(runs, np.convolve(a, v)[lo:hi], rtol=0, atol=1e-12)


@pytest.mark.usefixtures("best_level_again")
@pytest.mark.parametrize("dtype", accuracy.DTYPES)
@pytest.mark.parametrize("family", accuracy.NOISE)
@pytest.mark.parametrize(("ndim", "n"), [(1, 300), (1, 3000), (2, 1000), (2, 3000)])
def test_no_worse_than_scipy(family, dtype, ndim, n):
    found = list(accuracy.measure(family, ndim, dtype, n, LEVELS))
    ours = [pair for pair in accuracy.worse_than_scipy(found) if pair[1].who == "fastconv"]
    assert len(ours) == len(LEVELS)
    ratio, worst = ours[0]
    assert ratio <= accuracy.PROMISED, worst
