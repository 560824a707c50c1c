"""How many threads a call may use: the environment's word, set_workers, workers=, threadpoolctl."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import TracebackType
from typing import Any, SupportsIndex, TypeVar

from . import _args, _core

T = TypeVar("T")


def cpus() -> int:
    """The CPUs that this process may run on; a container's quota of their time is not seen."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def set_default() -> None:
    """What FASTCONV_NUM_THREADS says, else all CPUs; at import, so that a wrong one warns once."""
    wanted = os.environ.get("FASTCONV_NUM_THREADS", "").strip()
    number = cpus()
    if wanted.isdecimal() and int(wanted) >= 1:
        number = min(int(wanted), _core.MOST_WORKERS)
    elif wanted:
        warnings.warn(
            f"FASTCONV_NUM_THREADS={wanted!r} is ignored: it takes 1 or more",
            RuntimeWarning,
            stacklevel=_args.NOBODYS_LINE,
        )
    _core.set_default_workers(number)


def number_asked(workers: Any) -> int:
    """How many `workers` asks for; 0: as many as usual."""
    number = 0 if workers is None else _args.worker_count(workers, cpus())
    return min(number, _core.MOST_WORKERS)


class asked:
    """``with asked(workers):`` calls in it use so many workers at most; None asks for nothing."""

    __slots__ = ("_before", "_workers")

    def __init__(self, workers: Any) -> None:
        self._workers = number_asked(workers)

    def __enter__(self) -> None:
        if self._workers:
            self._before = _core.set_thread_workers(self._workers)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._workers:
            _core.set_thread_workers(self._before)


def taken_last(function: Callable[..., T]) -> Callable[..., T]:
    """The function with one argument more, the last: how many workers it may use."""

    @wraps(function)
    def with_workers(*given: Any) -> T:
        *rest, workers = given
        with asked(workers):
            return function(*rest)

    return with_workers


@contextmanager
def set_workers(workers: SupportsIndex) -> Iterator[None]:
    """
    Set how many threads each call of this thread may use.

    For use in a ``with`` statement; what held before holds after it. A call
    that has `workers` of its own follows that.

    Parameters
    ----------
    workers : int
        At least 1, or negative: -1 stands for all the CPUs that this process
        may use, -2 for all but one, and so on.

    Raises
    ------
    ValueError
        If `workers` is zero, or negative beyond the number of CPUs.
    TypeError
        If it is no integer.

    See Also
    --------
    get_workers : the number that holds now.

    Examples
    --------
    >>> import fastconv
    >>> with fastconv.set_workers(3):
    ...     fastconv.get_workers()
    3
    """
    with asked(_args.worker_count(workers, cpus())):
        yield


def get_workers() -> int:
    """
    Tell how many threads each call of this thread may use.

    Returns
    -------
    int
        What `set_workers` set or, by default, ``FASTCONV_NUM_THREADS`` of the
        environment or the CPUs that this process may use; no more than a limit
        set by threadpoolctl.

    Examples
    --------
    >>> import fastconv
    >>> fastconv.get_workers() >= 1
    True
    """
    return _core.workers()


def join_threadpoolctl() -> None:
    """Make ``threadpoolctl.threadpool_limits`` limit our workers, where that is installed.

    It asks the libraries that are loaded when a limit is set, but learns of new kinds of
    library from `register` alone, before or after; so it is imported here (about 3 ms).
    """
    try:
        import threadpoolctl
    except ImportError:
        return
    if not hasattr(threadpoolctl, "register"):  # before 3.2
        return

    # Our extension module is known by its name and a symbol.
    kind = {
        "user_api": "fastconv",
        "internal_api": "fastconv",
        "filename_prefixes": ("_core.",),
        "check_symbols": ("fc_worker_limit",),
        "get_num_threads": lambda _: _core.default_workers(),
        "set_num_threads": lambda _, number: _core.limit_workers(number),
        "get_version": lambda _: None,
    }
    controller = type("FastconvController", (threadpoolctl.LibController,), kind)
    threadpoolctl.register(controller)


set_default()
join_threadpoolctl()
