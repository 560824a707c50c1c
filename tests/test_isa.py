"""Levels: the expected ones are built, the highest runs, FASTCONV_ISA steps down."""

import platform
from pathlib import Path

import numpy as np
import pytest

from fastconv import _core

EXPECTED = {
    "x86_64": ["sse2", "avx2", "avx512"],
    "amd64": ["sse2", "avx2", "avx512"],
    "aarch64": ["neon"],
    "arm64": ["neon"],
}
FMA = {"avx2", "avx512", "neon"}
NEEDS = {"avx2": {"avx2", "fma"}, "avx512": {"avx512f", "avx512dq", "avx512bw", "avx512vl"}}


def built():
    return [level["name"] for level in _core.levels()]


def available():
    return [level["name"] for level in _core.levels() if level["available"]]


def test_the_expected_levels_are_built():
    """A wheel that silently lost a level would only be slow."""
    assert built() == EXPECTED.get(platform.machine().lower(), ["plain"])


def test_available_levels_are_a_prefix():
    assert available()
    assert available() == built()[: len(available())]


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="Linux alone tells its flags")
def test_the_cpu_is_read_rightly():
    line = next((x for x in Path("/proc/cpuinfo").read_text().splitlines() if x[:5] == "flags"), "")
    flags = set(line.split(":")[-1].split())
    expected = [name for name in built() if NEEDS.get(name, set()) <= flags]
    assert available() == expected


def test_levels_differ_in_more_than_name(level):
    """x * x - fl(x * x) is what FMA alone does not round away: the level's own kernels ran."""
    x = 1 + 2.0**-30
    p = x * x
    # The same sum with its two products in either order: p + (-p), or fma(x, x, -p).
    first = level.convolve(np.array([x, -p]), np.array([1.0, x]), "valid", method="direct")
    second = level.convolve(np.array([-p, x]), np.array([x, 1.0]), "valid", method="direct")
    assert bool(first[0] or second[0]) == (level.name in FMA)


def test_every_level_by_number_and_name():
    before = _core.level()
    try:
        for number, name in enumerate(available()):
            _core.use_level(name)
            assert _core.level() == name
            _core.use_level(number)
            assert _core.level() == name
        with pytest.raises(ValueError, match="altivec"):
            _core.use_level("altivec")
        assert _core.level() == name
    finally:
        _core.use_level(before)


SAY_LEVEL = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import fastconv
    fastconv.convolve([1.0, 2.0], [3.0])
    fastconv.convolve([1.0, 2.0], [3.0])
from fastconv import _core
print(_core.level(), sum("FASTCONV_ISA" in str(w.message) for w in caught))
"""


@pytest.fixture
def started_with(python):
    """(level, warnings) of a fresh interpreter with FASTCONV_ISA set."""

    def start(**isa):
        done = python(SAY_LEVEL, **isa)
        assert done.returncode == 0, done.stderr
        name, warned = done.stdout.split()
        return name, int(warned)

    return start


def test_the_highest_level_is_the_default(started_with):
    assert started_with() == (available()[-1], 0)


@pytest.mark.parametrize("name", available())
def test_fastconv_isa_steps_down(started_with, name):
    assert started_with(FASTCONV_ISA=name) == (name, 0)


def test_an_unknown_level_warns_once_and_is_ignored(started_with):
    assert started_with(FASTCONV_ISA="altivec") == (available()[-1], 1)


def test_a_level_too_high_warns_once_and_is_ignored(started_with):
    above = [name for name in built() if name not in available()]
    if not above:
        pytest.skip("this CPU has every level")
    assert started_with(FASTCONV_ISA=above[0]) == (available()[-1], 1)


def test_the_peak_is_a_rate():
    for name in available():
        for dtype in ("float32", "float64"):
            assert 0.1 < _core.peak(name, dtype) < 1000  # GMAC/s of one core
