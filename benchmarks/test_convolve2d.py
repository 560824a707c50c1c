"""The 2-D grid: fastconv.convolve2d beside every scipy function with its answer."""

import pytest
from cases import cases_2d
from suite import pairs, time_case

RIVALS = (
    "signal.convolve",
    "signal.convolve fft",
    "fftconvolve",
    "oaconvolve",
    "convolve2d",
    "ndimage.convolve",
)


@pytest.mark.benchmark(min_rounds=3, max_time=0.1)
@pytest.mark.parametrize(("case", "name"), pairs(cases_2d(), RIVALS))
def test_convolve2d(benchmark, case, name):
    time_case(benchmark, case, name)
