"""Levels and what this installation is made of."""

import os
import warnings
from typing import Any

from . import _args, _core, _tune
from ._version import __version__


def step_down() -> None:
    """Use the level named by FASTCONV_ISA; at import, so that a wrong name warns once."""
    wanted = os.environ.get("FASTCONV_ISA", "").strip().lower()
    if not wanted:
        return
    available = [level["name"] for level in _core.levels() if level["available"]]
    if wanted in available:
        _core.use_level(wanted)
        return
    built = [level["name"] for level in _core.levels()]
    why = "this CPU cannot run it" if wanted in built else "this build has no such level"
    warnings.warn(
        f"FASTCONV_ISA={wanted!r} is ignored: {why}; it can be one of {', '.join(available)}",
        RuntimeWarning,
        stacklevel=_args.NOBODYS_LINE,
    )


def show_config(mode: str = "stdout") -> dict[str, Any] | None:
    """
    Show the version, the compiler and the instruction-set levels of fastconv.

    Parameters
    ----------
    mode : {'stdout', 'dict'}, optional
        'stdout' prints, 'dict' returns the same as a dictionary.

    Returns
    -------
    dict or None
        version, compiler, levels_built, levels_available, level (the one in
        use), workers (what `get_workers` tells) and tuning (the file of `tune`
        in use, or None).

    Raises
    ------
    ValueError, TypeError
        If `mode` is neither.

    Warns
    -----
    RuntimeWarning
        If the level in use is the one of plain loops, which is several times
        slower than any with vectors.

    Examples
    --------
    >>> import fastconv
    >>> sorted(fastconv.show_config('dict'))
    ['compiler', 'level', 'levels_available', 'levels_built', 'tuning', 'version', 'workers']
    """
    _args.check_choice("mode", mode, ("stdout", "dict"))
    levels = _core.levels()
    config = {
        "version": __version__,
        "compiler": _core.compiler(),
        "levels_built": [level["name"] for level in levels],
        "levels_available": [level["name"] for level in levels if level["available"]],
        "level": _core.level(),
        "workers": _core.workers(),
        "tuning": _tune.file_in_use(),
    }
    if config["level"] == "plain":
        warnings.warn(
            "fastconv runs on plain loops: it was built without vector instructions",
            RuntimeWarning,
            stacklevel=2,
        )
    if mode == "dict":
        return config
    for name, value in config.items():
        text = ", ".join(value) if isinstance(value, list) else value or _tune.in_use()
        print(f"{name.replace('_', ' '):<18}{text}")
    return None


step_down()
