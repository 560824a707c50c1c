"""Lines along an axis: fastconv.convolve beside every function here that has its answer."""

import pytest
from cases import cases_batched
from suite import pairs, time_case


@pytest.mark.benchmark(min_rounds=3, max_time=0.1)
@pytest.mark.parametrize(("case", "name"), pairs(cases_batched()))
def test_batched(benchmark, case, name):
    time_case(benchmark, case, name)
