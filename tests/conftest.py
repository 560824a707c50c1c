"""The level fixture, and where tests find things.

The package under test is the installed one: the checkout's root, which holds a
`fastconv` folder without its compiled part, is kept off the path.
"""

import os
import subprocess
import sys
from inspect import ismodule
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:] = [p for p in sys.path if Path(p or os.curdir).resolve() != ROOT]
sys.path.insert(0, str(Path(__file__).parent))  # for `import oracle`

# The shipped constants are tested, whatever this user has measured.
os.environ["FASTCONV_CACHE_DIR"] = str(ROOT / "build" / "no-tuning")

import numpy as np
import pytest
from hypothesis import settings

import fastconv
from fastconv import _core
from fastconv._measure import PAIRS

# The same examples every run: a failure is found again, and CI is not a lottery.
settings.register_profile("fastconv", deadline=None, derandomize=True, print_blob=False)
settings.load_profile("fastconv")


STUCK_SECONDS = 120  # what no interpreter started here takes, by far


def available_levels():
    return [level["name"] for level in _core.levels() if level["available"]]


class Level:
    """fastconv's functions on one level, and those of its `signal`; remembers which ran there."""

    def __init__(self, name, space=fastconv, ran=None):
        self.name = name
        self.space = space
        self.ran = [] if ran is None else ran

    def __getattr__(self, name):
        member = getattr(self.space, name)
        if ismodule(member):
            return Level(self.name, member, self.ran)

        def on_this_level(*args, **kwargs):
            result = member(*args, **kwargs)
            assert _core.level() == self.name, f"ran on {_core.level()}, not on {self.name}"
            self.ran.append(name)
            return result

        return on_this_level

    def __repr__(self):
        return self.name


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.passed = report.passed
    return report


@pytest.fixture(params=available_levels())
def level(request):
    """Every level that this CPU runs, lowest first. A test that passes without it fails."""
    before = _core.level()
    _core.use_level(request.param)
    used = Level(request.param)
    yield used
    _core.use_level(before)
    passed = getattr(request.node, "passed", False)
    assert used.ran or not passed, f"nothing ran on {request.param}"


@pytest.fixture
def fast_int64():
    """Direct sums of int64 at 60 multiply-adds a ns: what is chosen beside transforms hangs on that
    rate, which is 2.5 on one machine and 57 on another."""
    level = _core.level()
    costs = _core.costs(level)
    for name in ("direct_rate", "direct2d_rate"):
        costs[name][PAIRS.index(("int64", "int64"))] = 60.0
    _core.set_costs(level, costs)
    yield
    _core.set_costs(level, None)


@pytest.fixture
def python(tmp_path):
    """Runs a script in a fresh interpreter that finds the installed package."""

    def run(code, **environment):
        script = tmp_path / "script.py"
        script.write_text(code)
        return subprocess.run(
            [sys.executable, "-P", str(script)],
            env={k: v for k, v in os.environ.items() if k != "FASTCONV_ISA"} | environment,
            capture_output=True,
            text=True,
            timeout=STUCK_SECONDS,
        )

    return run


@pytest.fixture
def command(tmp_path):
    """Runs the installed `fastconv` in an empty folder."""

    def run(*arguments, **environment):
        return subprocess.run(
            [Path(sys.executable).parent / "fastconv", *arguments],
            env={k: v for k, v in os.environ.items() if k != "FASTCONV_ISA"} | environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=STUCK_SECONDS,
        )

    return run


@pytest.fixture
def rng(request):
    """Seeded by the test's name alone: every level and method gets the same numbers."""
    return np.random.default_rng(list(request.function.__name__.encode()))
