"""`fastconv run`: a program with numpy's and scipy's convolutions replaced, and its calls counted.

The program is `__main__` and finds its arguments, its folder on the path, its exit status and its
tracebacks as it would under `python`. What was counted is printed when the interpreter ends, after
the program's own last words and threads.
"""

import argparse
import atexit
import builtins
import importlib.util
import io
import json
import os
import sys
from contextlib import ExitStack, suppress
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import fastconv

from .calls import Calls
from .files import output


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "run a program with numpy's and scipy's convolutions replaced, and count their calls"
    parser = commands.add_parser("run", help=about, description=about)
    parser.add_argument("--json", type=output, metavar="FILE", help="write the counts, too")
    parser.add_argument("-m", dest="module", action="store_true", help="a module, not a script")
    parser.add_argument("program", help="script.py, or with -m a module's name")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the program's own")
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    calls, patching = Calls(), ExitStack()
    patching.enter_context(fastconv.patched(watch=calls))
    # Registered before those of the program, and therefore called after them.
    file = options.json and options.json.absolute()  # the program may go elsewhere
    atexit.register(_end, os.getpid(), patching, calls, file)
    if not sys.flags.safe_path:  # unless `python -P` was told to leave the path alone
        script = os.path.realpath(options.program)
        sys.path[0] = os.getcwd() if options.module else os.path.dirname(script)
    try:
        code, spec = _module(options.program) if options.module else _script(options.program)
        main = _main(spec, options.module)
        sys.argv = [str(spec.origin) if options.module else options.program, *options.arguments]
        exec(code, main.__dict__)
    except _NotFound as error:
        atexit.unregister(_end)
        print(f"fastconv: {error}", file=sys.stderr)
        return error.status
    except SystemExit:
        raise
    except BaseException as error:
        _show(error)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


class _NotFound(Exception):
    """No program of that name; the status is Python's own."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def _script(path: str) -> tuple[CodeType, ModuleSpec]:
    file = os.path.abspath(path)
    try:
        with io.open_code(file) as opened:
            source = opened.read()
    except OSError as error:
        raise _NotFound(f"can't open {path!r}: {error.strerror}", 2) from None
    spec = ModuleSpec("__main__", SourceFileLoader("__main__", file), origin=file)
    return compile(source, file, "exec", dont_inherit=True), spec


def _module(name: str) -> tuple[CodeType, ModuleSpec]:
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # something else that a package above it misses
        spec = None
    get_code = getattr(spec and spec.loader, "get_code", None)
    code = get_code(spec.name) if spec and get_code else None
    if spec is None or code is None:
        raise _NotFound(f"no module to run is named {name!r}", 1)
    return code, spec


def _main(spec: ModuleSpec, by_name: bool) -> ModuleType:
    """What the program is as `__main__`, in the place of this command."""
    main = ModuleType("__main__")
    main.__file__ = spec.origin
    main.__loader__ = spec.loader
    main.__spec__ = spec if by_name else None
    main.__package__ = spec.parent if by_name else None
    main.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = main
    return main


def _show(error: BaseException) -> None:
    """As the interpreter would, without the frames of this module."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)


def _end(pid: int, patching: ExitStack, calls: Calls, file: Path | None) -> None:
    if os.getpid() != pid:  # a child that was forked and ends on its own
        return
    patching.close()
    words = calls.report()
    try:
        if file:
            file.write_text(json.dumps(calls.as_dict(), indent=1) + "\n")
    except OSError as error:
        words += f"\nfastconv: {error}"
    # The program may have closed either, or never have had it.
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    with suppress(OSError, ValueError):
        print(words, file=sys.stderr)
