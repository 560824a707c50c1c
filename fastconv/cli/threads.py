"""So many threads for everyone in a race."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import fastconv

from .rivals import HAVE_SCIPY

try:
    from threadpoolctl import threadpool_limits
except ImportError:
    threadpool_limits = None


@contextmanager
def limited(workers: int) -> Iterator[None]:
    """fastconv, scipy's transforms and, where threadpoolctl is installed, numpy's BLAS.

    Libraries that are told their threads when they are loaded are none of it.
    """
    with ExitStack() as limits:
        if threadpool_limits:
            limits.enter_context(threadpool_limits(workers))
        limits.enter_context(fastconv.set_workers(workers))
        if HAVE_SCIPY:
            from scipy import fft

            limits.enter_context(fft.set_workers(workers))
        yield
