"""numpy's and scipy's functions replaced where they stand, and put back."""

import functools
import os
import pkgutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from inspect import signature
from time import perf_counter
from types import MethodType, ModuleType
from typing import Any, TypeAlias

from numpy import asanyarray, ndarray

from . import signal
from ._args import ENGINE_TYPES, is_foreign
from ._convolve import convolve, correlate

Watch: TypeAlias = Callable[[str, bool, float], object]

# By the module that users name: that in which the functions are defined and call one another, and
# what takes their place. They are two objects where scipy wraps its own, under SCIPY_ARRAY_API.
FAMILIES: dict[str, tuple[str, dict[str, Callable[..., Any]]]] = {
    "numpy": ("numpy._core.numeric", {"convolve": convolve, "correlate": correlate}),
    "scipy.signal": (
        "scipy.signal._signaltools",
        {name: getattr(signal, name) for name in signal.__all__},
    ),
}

NAMES = {name for _, functions in FAMILIES.values() for name in functions}

_lock = threading.RLock()
_depth = 0
_watches: tuple[Watch, ...] = ()
_replacements: dict[object, "Replacement"] = {}

if hasattr(os, "register_at_fork"):  # a child must not inherit a lock that nobody will release
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


class Replacement:
    """
    What stands in the place of a function: our own while patched, and that function otherwise.

    One that somebody kept is therefore harmless after `unpatch`, and all of them
    change over at once, whatever the order in which attributes are set.

    It is equal to the original and hashes as it does: classes with
    `__array_function__` look up numpy's own function in tables, and such a table
    may have been filled while patched.

    What it does before our function is called takes 0.65 us, so that 8 * 3 takes
    0.79 us, of which ours is 0.14, and numpy's 1.09 (Zen 4, numpy 2.4.6).
    """

    def __init__(self, name: str, original: Any, ours: Callable[..., Any]) -> None:
        functools.update_wrapper(self, original)
        self.name = name
        self.original = original
        self.ours = ours
        self.inputs = tuple(signature(ours).parameters)[:2]

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if not _depth:
            return self.original(*args, **kwargs)
        ours = self.is_served(args, kwargs)
        function = self.ours if ours else self.original
        watches = _watches
        if not watches:
            return function(*args, **kwargs)
        start = perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            seconds = perf_counter() - start
            for watch in watches:
                watch(self.name, ours, seconds)

    def is_served(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether the engine computes this. Without two inputs the original has to complain."""
        if len(args) < 2:
            args += tuple(kwargs[name] for name in self.inputs if name in kwargs)
            if len(args) != 2:
                return False
        return _is_served(args[0]) and _is_served(args[1])

    def __eq__(self, other: object) -> bool:
        return other is self.original or other is self

    def __hash__(self) -> int:
        return hash(self.original)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> tuple[Any, ...]:
        return pkgutil.resolve_name, (f"{self.__module__}:{self.__qualname__}",)

    def __repr__(self) -> str:
        return f"<fastconv in place of {self.name}>"


def _is_served(x: object) -> bool:
    """Whether this is an array of numpy's, or becomes one, in a dtype of the engine."""
    if type(x) is ndarray:  # most are
        return x.dtype.num in ENGINE_TYPES
    if isinstance(x, list | tuple):  # to convert it only to know would be most of a call's time
        return True
    if is_foreign(x):
        return False
    if not isinstance(x, ndarray):
        if hasattr(x, "__dlpack__"):  # another library's, and so may the result have to be
            return False
        x = asanyarray(x)
    return x.dtype.num in ENGINE_TYPES


def patch() -> None:
    """
    Put fastconv's functions in the place of numpy's and scipy's.

    From here on `numpy.convolve`, `numpy.correlate` and, where scipy is
    installed, the functions of `scipy.signal` that `fastconv.signal` has are
    fastconv's: for all code that looks them up in their modules, numpy's and
    scipy's own included. scipy.signal is imported for that.

    Calls nest: it takes as many of `unpatch` to undo them. They may come from
    any thread, and concern all threads.

    See Also
    --------
    unpatch : puts back what was there.
    patched : both, around a block.

    Notes
    -----
    Arrays of other libraries (with `__array_function__` or `__dlpack__`) and
    dtypes that the engine does not compute in (longdouble, object, timedelta64)
    are handed to the original function as they are. Lists are not looked into.

    Names imported before (``from numpy import convolve``) stay what they were.
    One imported while patched is the original again after `unpatch`.

    Examples
    --------
    >>> import numpy as np
    >>> import fastconv
    >>> fastconv.patch()
    >>> np.convolve
    <fastconv in place of numpy.convolve>
    >>> np.polymul([1, 2], [1, 3])
    array([1, 5, 6])
    >>> fastconv.unpatch()
    """
    global _depth
    families = {name: home for name, (home, _) in FAMILIES.items() if _is_installed(name)}
    with _lock:
        if not _depth:
            for public, home in families.items():
                _replace(public, home)
        _depth += 1


def unpatch() -> None:
    """
    Put back the functions that the first `patch` found.

    Undoes one `patch`; the last one undone restores the very objects that were
    there. Where somebody else has replaced a function since, theirs stays. Does
    nothing if nothing is patched.

    See Also
    --------
    patch : what is undone.

    Examples
    --------
    >>> import numpy as np
    >>> import fastconv
    >>> before = np.convolve
    >>> fastconv.patch()
    >>> fastconv.unpatch()
    >>> np.convolve is before
    True
    """
    global _depth
    with _lock:
        if not _depth:
            return
        _depth -= 1
        if not _depth:
            for module in _modules():
                for name in NAMES:
                    found = vars(module).get(name)
                    if isinstance(found, Replacement):
                        setattr(module, name, found.original)


def is_patched() -> bool:
    """
    Tell whether fastconv stands in the place of numpy's and scipy's functions.

    Returns
    -------
    bool

    See Also
    --------
    patch, unpatch, patched

    Examples
    --------
    >>> import fastconv
    >>> fastconv.is_patched()
    False
    >>> with fastconv.patched():
    ...     fastconv.is_patched()
    True
    """
    return _depth > 0


@contextmanager
def patched(*, watch: Watch | None = None) -> Iterator[None]:
    """
    Replace numpy's and scipy's functions within a block, as `patch` does.

    Parameters
    ----------
    watch : callable, optional
        Called after each call of a replaced function, with its name
        ('numpy.convolve'), whether fastconv answered it or handed it to the
        original, and the seconds it took. Calls come from the threads that
        convolve.

    See Also
    --------
    patch : which functions, and which of their calls.

    Examples
    --------
    >>> import numpy as np
    >>> import fastconv
    >>> def watch(name, taken_over, seconds):
    ...     print(name, 'taken over' if taken_over else 'handed back')
    >>> with fastconv.patched(watch=watch):
    ...     product = np.polymul([1, 2], [1, 3])
    ...     exact = np.convolve(np.array([10**30], object), [2])
    numpy.convolve taken over
    numpy.convolve handed back
    """
    global _watches
    patch()
    added = () if watch is None else (watch,)
    with _lock:
        _watches += added
    try:
        yield
    finally:
        with _lock:
            if added:  # itself, not one that is equal to it by now
                at = next(i for i, other in enumerate(_watches) if other is watch)
                _watches = _watches[:at] + _watches[at + 1 :]
        unpatch()


def _is_installed(package: str) -> bool:
    try:
        import_module(package)
    except ImportError:
        return False
    return True


def _replace(public: str, home: str) -> None:
    """Replacements for what users call and what the package itself calls, wherever it is held."""
    for name, ours in FAMILIES[public][1].items():
        originals = [vars(sys.modules[module])[name] for module in (public, home)]
        for original in originals:
            if original not in _replacements:
                _replacements[original] = Replacement(f"{public}.{name}", original, ours)
        for module in _modules():
            found = vars(module).get(name)
            if any(found is original for original in originals):
                setattr(module, name, _replacements[found])


def _modules() -> Iterator[ModuleType]:
    """What is loaded of numpy and scipy; scipy holds some of numpy's functions too."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in ("numpy", "scipy") and isinstance(module, ModuleType):
            yield module
