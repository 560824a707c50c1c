"""This machine's constants: measured once, stored, and found again at import.

The file is JSON in the user's cache folder, one for a CPU model and a version; what cannot be read,
or is of another machine, version or shape, is ignored with a warning.
"""

import contextlib
import os
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import _args, _core
from ._version import __version__

# What text that is no tuning may end in: huge numbers and deep nesting have errors of their own.
UNREADABLE = (ValueError, TypeError, OverflowError, RecursionError)
SCHEMA = 4  # of the file; the names of its fields are those of the costs
BUDGET_S = 4.0  # with data and tables made about 8 s of processor time on avx512; 10 are promised


@dataclass(frozen=True)
class Tuning:
    """
    What is believed of this machine's speed, by level; what `tune` returns.

    Attributes
    ----------
    cpu, version : str
        The machine and the fastconv that it was measured with.
    level : str
        The instruction-set level in use.
    file : str or None
        Where it is stored; None where it is not, or the shipped constants are in use.
    costs : dict
        For each level measured, the constants of the cost model by name, in ns and
        multiply-adds per ns.

    Examples
    --------
    >>> import fastconv
    >>> tuning = fastconv.tune('show')
    >>> sorted(tuning.costs), tuning.file  # nothing was measured here
    ([], None)
    """

    cpu: str
    version: str
    level: str
    file: str | None
    costs: dict[str, dict[str, list[float]]]

    def __repr__(self) -> str:
        return f"<Tuning of {str(self).replace(chr(10), '; ')}>"

    def __str__(self) -> str:
        costs = self.costs.get(self.level) or _core.costs(self.level)
        single, double = costs["direct_rate"][:2]
        return (
            f"{self.cpu}, level {self.level}\n"
            f"{single:.3g} multiply-adds per ns in float32, {double:.3g} in float64\n"
            f"{source(self.file, self.costs)}"
        )


def tune(action: str = "measure", *, progress: bool | None = None) -> Tuning:
    """
    Measure this machine, and choose methods by what was found from now on.

    The shipped constants are those of three AMD machines and one of Intel, taken by the CPU's
    maker and family. Where yours weighs direct sums against transforms differently, a few
    seconds' measurement of the level in use makes ``method='auto'`` choose better. What was
    measured is stored in the user's cache folder, or in the one that the environment variable
    ``FASTCONV_CACHE_DIR`` names, for this CPU model and this version of fastconv, and read at
    import. Results change only as a change of method changes them.

    Parameters
    ----------
    action : {'measure', 'show', 'reset'}, optional
        'show' tells what is in use; 'reset' removes the file and goes back to the shipped
        constants. Neither measures.
    progress : bool, optional
        Show a progress bar; needs ``rich``. By default where ``rich`` is installed
        and the standard error stream is a terminal.

    Returns
    -------
    Tuning
        The constants, and the file that they are stored in.

    Raises
    ------
    OSError
        If the file cannot be written; the constants measured are in use all the same.
    ValueError, TypeError
        If `action` is none of these, or `progress` no bool.

    See Also
    --------
    explain : what a call would take, by these constants.
    show_config : names the file in use.

    Examples
    --------
    >>> import fastconv
    >>> tuning = fastconv.tune(progress=False)  # doctest: +SKIP
    >>> tuning.file  # doctest: +SKIP
    '/home/me/.cache/fastconv/0.1.0-d2b8ae12.json'
    >>> fastconv.tune('show').version == fastconv.__version__
    True
    """
    _args.check_choice("action", action, ("measure", "show", "reset"))
    _args.check_switch("progress", progress)
    if action == "measure":
        return _measure_and_store(progress)
    if action == "reset":
        _reset()
    return _current()


def _measure_and_store(progress: bool | None) -> Tuning:
    import json

    from ._measure import measure  # late: importing fastconv needs none of it

    level = _core.level()
    with _shown(progress) as report:
        costs = measure(level, BUDGET_S, report)
    _core.set_costs(level, costs)
    file = path()
    levels = {**_levels_in(file), level: costs}
    _in_use(None, levels)
    content = {"schema": SCHEMA, "version": __version__, "cpu": cpu(), "levels": levels}
    try:
        _write(file, json.dumps(content, indent=1))
    except OSError as error:
        why = error.strerror or error
        raise type(error)(f"the tuning is in use but not stored: {file}: {why}") from error
    _in_use(str(file), levels)
    return Tuning(cpu(), __version__, level, str(file), levels)


def _current() -> Tuning:
    return Tuning(cpu(), __version__, _core.level(), _file, _levels)


def _reset() -> None:
    for entry in _core.levels():
        _core.set_costs(entry["name"], None)
    _in_use(None, {})
    with contextlib.suppress(FileNotFoundError):
        path().unlink()


def source(stored: str | None, levels: dict[str, Any]) -> str:
    """In words, where the constants are from."""
    return stored or ("measured, not stored" if levels else "shipped constants")


def file_in_use() -> str | None:
    """What `load` or `tune` took the constants from."""
    return _file


def in_use() -> str:
    """Where those that methods are chosen by are from."""
    return source(_file, _levels)


# ---------------------------------------------------------------- the file


def folder() -> Path:
    """Where the platform keeps what a program can make again."""
    named = os.environ.get("FASTCONV_CACHE_DIR")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "fastconv"


def path() -> Path:
    """One file for a CPU model and a version; levels share it."""
    return folder() / f"{__version__}-{zlib.crc32(cpu().encode()):08x}.json"


def cpu() -> str:
    """The CPU's model, as the system names it."""
    global _cpu
    if _cpu is None:
        import platform

        _cpu = _cpu_of_linux() or platform.processor() or platform.machine()
    return _cpu


def _cpu_of_linux() -> str:
    """Name, family and model of the first CPU: names alone are shared by generations."""
    wanted = ("model name", "cpu family", "model", "CPU implementer", "CPU part")
    found: dict[str, str] = {}
    try:
        with open("/proc/cpuinfo") as lines:
            for line in lines:
                name, colon, value = line.partition(":")
                if not colon:
                    break
                found[name.strip()] = value.strip()
    except OSError:
        return ""
    return ", ".join(found[name] for name in wanted if name in found)


def load() -> None:
    """Use this machine's file if there is one; at import."""
    try:
        if not folder().is_dir():
            return
        file = path()
        text = file.read_text()
    except (FileNotFoundError, RuntimeError):  # none there, or nobody's home
        return
    except (OSError, ValueError) as error:
        return _ignore(file, error)
    try:
        levels = _checked(text)
        for level, costs in levels.items():
            if level in {entry["name"] for entry in _core.levels()}:
                _core.set_costs(level, costs)
    except UNREADABLE as error:
        for entry in _core.levels():
            _core.set_costs(entry["name"], None)
        return _ignore(file, error)
    _in_use(str(file), levels)


def _ignore(file: Path, error: Exception) -> None:
    warnings.warn(
        f"the tuning file {file} is ignored: {error}; `fastconv tune` writes a new one, "
        "`fastconv tune --reset` removes it",
        RuntimeWarning,
        stacklevel=_args.NOBODYS_LINE,
    )


def _checked(text: str) -> dict[str, Any]:
    """The levels of a file of this machine, version and schema; a ValueError for any other."""
    import json

    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("it holds no tuning")
    for name, own in [("schema", SCHEMA), ("version", __version__), ("cpu", cpu())]:
        if content.get(name) != own:
            raise ValueError(f"it is of {name} {content.get(name)!r}, and this is {own!r}")
    levels = content.get("levels")
    if not isinstance(levels, dict) or not all(isinstance(c, dict) for c in levels.values()):
        raise ValueError("it holds no levels")
    return levels


def _levels_in(file: Path) -> dict[str, Any]:
    """Those measured before; none where the file is not of this machine and version."""
    try:
        return _checked(file.read_text())
    except (OSError, *UNREADABLE):
        return {}


def _write(file: Path, text: str) -> None:
    """All of it or none: a reader, or a crash, never meets half a file."""
    import tempfile

    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.stem, suffix=".tmp")
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


@contextlib.contextmanager
def _shown(progress: bool | None) -> Iterator[Callable[[float], None]]:
    """A bar on standard error, where one is wanted and can be had."""
    import importlib.util

    if progress is None:
        progress = sys.stderr.isatty() and importlib.util.find_spec("rich") is not None
    if not progress:
        yield lambda share: None
        return
    bars = importlib.import_module("rich.progress")
    console = importlib.import_module("rich.console").Console(stderr=True)
    with bars.Progress(console=console, transient=False) as bar:
        task = bar.add_task("measuring this machine", total=1.0)
        yield lambda share: bar.update(task, completed=share)


_cpu: str | None = None
_file: str | None = None
_levels: dict[str, Any] = {}  # what was measured and is in force, stored or not


def _in_use(file: str | None, levels: dict[str, Any]) -> None:
    global _file, _levels
    _file, _levels = file, levels


load()
