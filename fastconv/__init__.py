"""Convolution and correlation of numpy arrays, fast and exact.

>>> import fastconv
>>> fastconv.convolve([1, 2, 3], [2, 3, 4])
array([ 2,  7, 16, 17, 12])
"""

from . import signal
from ._config import __version__, show_config
from ._convolve import convolve, correlate
from ._explain import Explanation, explain
from ._workers import get_workers, set_workers
from .signal import convolve2d, correlate2d

__all__ = [
    "Explanation",
    "__version__",
    "convolve",
    "convolve2d",
    "correlate",
    "correlate2d",
    "explain",
    "get_workers",
    "set_workers",
    "show_config",
    "signal",
]
