"""Functions put in the place of others, their calls counted, and a suite run with them."""

import functools
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

QUIET = ["-q", "-p", "no:cacheprovider", "-W", "ignore"]
QUIET += ["-c", str(Path(__file__).with_name("pytest.ini"))]

calls = Counter()


def counted(function):
    @functools.wraps(function)
    def swapped(*args, **kwargs):
        calls[function.__name__] += 1
        return function(*args, **kwargs)

    return swapped


def swap(original, replacement, package):
    """Put `replacement`, counted, wherever a module of `package` holds `original`."""
    replacement = counted(replacement)
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == package:
            for attribute, value in list(vars(module).items()):
                if value is original:
                    setattr(module, attribute, replacement)
    return replacement


def run(package, suites, functions, options=(), without=()):
    """
    Run those of `suites` that this version of the package has, `without` some tests.

    Returns nonzero where a test failed or one of the functions was not called.
    """
    root = Path(find_spec(package).origin).parent

    def present(suite):
        path, *names = suite.split("::")
        file = root / path
        return file.exists() and all(name in file.read_text() for name in names)

    found = [str(root / suite) for suite in suites if present(suite)]
    chosen = ["-k", " and ".join(f"not {name}" for name in without)] if without else []
    status = pytest.main([*QUIET, *chosen, *options, *found])
    counts = ", ".join(f"{name} {calls[name]}" for name in functions)
    version = sys.modules[package].__version__
    print(f"drop-in: {package} {version}, swapped calls: {counts}")
    idle = [name for name in functions if not calls[name]]
    if idle:
        print(f"drop-in: not swapped, or not tested: {', '.join(idle)}")
    return int(status) or int(bool(idle))
