"""What a run was made on: machine, versions, level."""

import platform
from importlib.metadata import PackageNotFoundError, version

import fastconv


def machine() -> str:
    return f"{fastconv.tune('show').cpu}, {platform.system()} {platform.machine()}"


def own() -> str:
    return f"{fastconv.__version__} at level {fastconv.explain(8, 3).level}"


def versions(*packages: str) -> str:
    """Python's, and those of packages."""
    return ", ".join([platform.python_version(), *(f"{p} {version_of(p)}" for p in packages)])


def version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
