"""fastconv's function for a case, by names that every commit has: between.py runs old ones."""

from collections.abc import Callable
from functools import partial

import numpy as np
from cases import Case

import fastconv


def ours(case: Case) -> Callable[..., np.ndarray]:
    if case.axis is not None:
        return partial(fastconv.convolve, axis=case.axis)
    return fastconv.convolve if len(case.a) == 1 else fastconv.convolve2d
