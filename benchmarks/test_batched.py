"""Lines along an axis: fastconv.convolve beside every numpy and scipy function with its answer."""

import pytest
from cases import cases_batched
from suite import pairs, time_case

RIVALS = (
    "numpy.convolve loop",
    "fftconvolve",
    "oaconvolve",
    "upfirdn",
    "ndimage.convolve1d",
)


@pytest.mark.benchmark(min_rounds=3, max_time=0.1)
@pytest.mark.parametrize(("case", "name"), pairs(cases_batched(), RIVALS))
def test_batched(benchmark, case, name):
    time_case(benchmark, case, name)
