"""The libraries of a comparison: those installed give the answer; what is said of the others."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastconv.cli import libraries, race
from fastconv.cli.race import Result, WrongAnswer

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
sys.path.append(str(BENCHMARKS))

import cases
import entrants
import summary

MODES = ("full", "same", "valid")
# Shapes of a and v, axis. Even and odd taps and sides; the last are several blocks of lines.
TASKS = [
    ((300,), (31,), None),
    ((40,), (8,), None),
    ((25,), (25,), None),
    ((24, 31), (5, 8), None),
    ((20, 150), (9,), 1),
    ((150, 700), (8,), 0),
]


@pytest.fixture(params=libraries.PEERS, ids=lambda library: library.name)
def peer(request):
    here, missing = libraries.load([request.param])
    if missing:
        pytest.skip(str(missing))
    return here[0]


def arrays(a_shape, v_shape, dtype):
    rng = np.random.default_rng(5)
    return tuple(rng.integers(-50, 50, shape).astype(dtype) for shape in (a_shape, v_shape))


def answers(peer, a, v, mode, axis):
    """Names of the runners, each of which gives what is defined, twice in a row."""
    runners = list(peer.runners(a, v, mode, axis))
    for runner in runners:
        for _ in range(2):
            answer = runner.call(a, v, mode)
            assert answer.dtype == a.dtype
            race.check_some(answer, a, v, mode, axis, count=50)
    return [runner.name for runner in runners]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("task", TASKS, ids=str)
def test_a_peer_gives_the_answer(peer, task, dtype, mode):
    a_shape, v_shape, axis = task
    a, v = arrays(a_shape, v_shape, dtype)
    names = answers(peer, a, v, mode, axis)
    if a.ndim > 1:
        assert answers(peer, np.asfortranarray(a), v, mode, axis) == names
    assert {libraries.library_of(name) for name in names} <= {peer.name}
    lines = a.ndim == 1 or axis is not None
    takes = {
        "FFTW": True,
        "ducc0": True,
        "IPP": lines and dtype != "complex128",
        "MKL": lines,
        "OpenCV": mode == "same" and dtype != "complex128",
        "torch": dtype != "complex128",
    }
    assert bool(names) == takes[peer.name]


def test_integers(peer):
    """OpenCV's are right while they do not saturate; nobody else has any."""
    a, v = arrays((300,), (5,), "int16")
    assert answers(peer, a, v, "same", None) == (["OpenCV"] if peer.name == "OpenCV" else [])
    for runner in peer.runners(30 * a, 30 * v, "same"):
        with pytest.raises(WrongAnswer):
            race.check_some(runner.call(30 * a, 30 * v, "same"), 30 * a, 30 * v, "same", count=300)


def test_a_longer_kernel_leaves_nothing_behind(peer):
    """Both are padded to the same length."""
    for m in (9, 8):
        a, v = arrays((700,), (m,), "float64")
        answers(peer, a, v, "full", None)


# --- who is missing, and who is wrong ----------------------------------------------------


def test_a_missing_library_is_named():
    class Gone:
        name = "FFTW"
        package = "pyfftw"

        def __init__(self, workers):
            raise ImportError("No module named 'pyfftw'")

    here, missing = libraries.load([Gone])
    assert (here, list(missing)) == ([], ["FFTW"])
    told = "missing   FFTW, not loaded: No module named 'pyfftw'"
    assert entrants.stamp(here, missing)[-1] == told


def test_too_few_names_those_without_an_answer():
    answered = {"FFTW", "ducc0", "IPP auto", "IPP direct", "MKL fft", "numpy.convolve"}
    assert entrants.too_few(4, answered, {}) == ""
    complaint = entrants.too_few(5, answered, {"OpenCV": "not loaded: gone"})
    assert complaint == (
        "4 peers answered, 5 are required; "
        "without: OpenCV (not loaded: gone), torch (gave no right answer)"
    )
    assert entrants.too_few(0, [], {}) == ""


COMPARE = """
import runpy, sys
sys.path.insert(0, {folder!r})
import numpy as np
from fastconv.cli import libraries
from fastconv.cli.race import Runner

class Made:
    name, package = "torch", "torch"
    def __init__(self, workers): pass
    def runners(self, a, v, mode, axis=None):
        yield Runner("torch", lambda a, v, mode: np.convolve(a, v, mode) + {error})

libraries.PEERS = (Made,)
sys.argv = ["compare.py", "--only", "64[*]8 full float64", "--seconds", "0.001", *{options}]
runpy.run_path({folder!r} + "/compare.py", run_name="__main__")
"""


def compare(error, *options):
    code = COMPARE.format(folder=str(BENCHMARKS), error=error, options=options)
    command = [sys.executable, "-P", "-c", code]
    return subprocess.run(command, capture_output=True, text=True)


def test_compare_requires_right_answers():
    done = compare(0, "--require-peers", "1")
    assert done.returncode == 0, done.stderr
    assert "1-D: rival" in done.stdout
    done = compare(1e-6, "--require-peers", "1")
    assert done.returncode == 1
    assert "differs: torch" in done.stdout
    assert "1 are required; without: torch (gave no right answer)" in done.stderr


def test_compare_without_peers_has_none():
    done = compare(0)
    assert done.returncode == 0, done.stderr
    assert "torch" not in done.stdout
    assert "rival   " not in done.stdout.split("\n\n")[-2]


# --- the grid and the tables ---------------------------------------------------------------


def test_every_case_has_its_name():
    grid = cases.cases_1d() + cases.cases_2d() + cases.cases_batched()
    assert len({case.name for case in grid}) == len(grid)
    assert list(dict.fromkeys(case.family for case in grid)) == ["1-D", "2-D", "batched"]


def test_a_batch_lies_as_it_says():
    for case in cases.cases_batched():
        if case.a == (1_000, 1_000):
            a, v = case.arrays()
            assert a.flags[f"{case.order}_CONTIGUOUS"], case.name
            assert (a.dtype, v.shape) == (case.dtype, case.v)


def row(m, *, axis=None, **times):
    shape = (100,) if axis is None else (100, 50)
    case = cases.Case(shape, (m,), "full", "float64", axis)
    return summary.Row(case, Result(1.0, times, ratio=min(times.values())))


def test_markdown_has_a_table_for_batches():
    text = summary.markdown([row(3, a=2.0), row(3, a=4.0, axis=0)])
    assert "| 1-D | float64 |\n|---|---|\n| 100 * 3 | 2.00 |" in text
    assert "| batched | float64 |\n|---|---|\n| 100x50 * 3 axis 0 C | 4.00 |" in text
    assert "peer" not in text
    assert "batched: rival" in summary.markdown([row(3, a=4.0, axis=0)], peers=True)


def test_runners_are_known_by_their_names():
    a, v = arrays((300,), (31,), "float64")
    for library in libraries.load(libraries.LIBRARIES)[0]:
        for runner in library.runners(a, v, "same"):
            assert libraries.library_of(runner.name) == library.name


def test_the_table_of_rivals():
    table = summary.beside_each([row(3, a=2.0, b=0.5), row(5, a=8.0)]).splitlines()
    assert [line.split() for line in table] == [
        ["1-D:", "rival", "rows", "mean", "worst"],
        ["b", "1", "0.50", "0.50", "100*3", "full", "float64"],
        ["a", "2", "4.00", "2.00", "100*3", "full", "float64"],
    ]
