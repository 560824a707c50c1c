"""Who takes part in a case beside fastconv: all that may have its answer."""

from collections.abc import Iterable, Iterator

from cases import Case

from fastconv.cli import libraries
from fastconv.cli.libraries import Library
from fastconv.cli.race import Array, Runner
from fastconv.cli.rivals import Numpy, Scipy
from fastconv.cli.stamp import version_of


def others(case: Case, a: Array, v: Array, peers: Iterable[Library] = ()) -> Iterator[Runner]:
    for library in (Numpy(), Scipy(), *peers):
        yield from library.runners(a, v, case.mode, case.axis)


def peers() -> tuple[list[Library], dict[str, str]]:
    """The libraries beyond numpy and scipy, and by name why others are missing."""
    return libraries.load(libraries.PEERS)


def stamp(here: Iterable[Library], missing: dict[str, str]) -> list[str]:
    """Versions, and what is missing, as lines below those of summary.stamp."""
    versions = ", ".join(f"{peer.package} {version_of(peer.package)}" for peer in here)
    return [
        f"peers     {versions or 'none'}",
        *(f"missing   {name}, {reason}" for name, reason in missing.items()),
    ]


def too_few(required: int, answered: Iterable[str], missing: dict[str, str]) -> str:
    """A complaint that names who is missing, or '' where as many as required are among the names
    of the runners that `answered`."""
    have = {libraries.library_of(name) for name in answered}
    silent = [peer.name for peer in libraries.PEERS if peer.name not in have]
    answers = len(libraries.PEERS) - len(silent)
    if answers >= required:
        return ""
    reasons = (f"{name} ({missing.get(name, 'gave no right answer')})" for name in silent)
    return f"{answers} peers answered, {required} are required; without: {', '.join(reasons)}"
