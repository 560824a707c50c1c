"""The 1-D grid: fastconv.convolve beside every numpy and scipy function with its answer."""

import pytest
from cases import cases_1d
from suite import pairs, time_case

RIVALS = (
    "numpy.convolve",
    "signal.convolve",
    "signal.convolve fft",
    "fftconvolve",
    "oaconvolve",
    "upfirdn",
    "ndimage.convolve1d",
)


@pytest.mark.benchmark(min_rounds=3, max_time=0.1)
@pytest.mark.parametrize(("case", "name"), pairs(cases_1d(), RIVALS))
def test_convolve(benchmark, case, name):
    time_case(benchmark, case, name)
