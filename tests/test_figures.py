"""Figures and comparisons of the benchmarks: where they are put, what they call a difference."""

import math
import shlex
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from fastconv.cli.race import Result

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"
sys.path.append(str(BENCHMARKS))

import between
import cases
import figures
import summary

STAMPS = ["machine   M", "fastconv  F"]


# --- pages -------------------------------------------------------------------------------


def test_every_figure_has_a_command_that_is_there():
    found = figures.figures(figures.PAGES)
    assert len({figure.page for figure in found}) >= 6
    for figure in found:
        program, script, *words = shlex.split(figure.command)
        assert program in ("python", "fastconv")
        told_in = script if program == "python" else "fastconv/cli/__init__.py"
        source = (ROOT / told_in).read_text()
        for option in (word for word in words if word.startswith("--")):
            assert f'"{option}"' in source, figure.command


def test_every_marker_is_closed_and_every_plot_is_there():
    for page in figures.PAGES:
        text = page.read_text()
        opened = text.count("\n<!-- figure: ")
        assert opened == text.count(f"\n{figures.END}\n") == len(figures.figures([page]))
    for figure in figures.figures(figures.PAGES):
        *_, option, file = ("", *shlex.split(figure.command))
        if option == "--draw":
            assert (ROOT / file).stat().st_size > 1000
            assert Path(file).name in figure.page.read_text()


@pytest.fixture
def page(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import sys\nprint(*sys.argv[1:], sep='\\n')\n")
    page = tmp_path / "page.md"
    page.write_text(
        f"before\n<!-- figure: python {script} 1.0 -->\nold\n{figures.END}\n"
        f"between\n<!-- figure: python {script} 2.0 -->\nkept\n{figures.END}\nafter\n"
    )
    return page


def test_a_figure_replaces_what_was_there(page):
    first, second = figures.figures([page])
    assert second.print_again() == "2.0\n"
    first.put(first.print_again(), STAMPS)
    text = page.read_text()
    assert "old" not in text
    assert f"\n```\nmachine   M\nfastconv  F\ncommand   {first.command}\n\n1.0\n```\n" in text
    assert text.startswith("before\n<!-- figure: ")
    assert text.endswith(f"-->\nkept\n{figures.END}\nafter\n")
    assert figures.figures([page]) == [first, second]
    first.put("1.0\n", STAMPS)
    assert page.read_text() == text


def test_a_place_may_be_empty(page):
    first, second = figures.figures([page])
    page.write_text(page.read_text().replace("old\n", "\n"))
    first.put("1.0\n", STAMPS)
    assert page.read_text().count("\n1.0\n") == 1
    assert figures.figures([page]) == [first, second]


def test_tables_stay_tables(page):
    first, _ = figures.figures([page])
    first.put("| a | b |\n|---|---|\n| 1 | 2 |\n", STAMPS)
    assert "```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<!--" in page.read_text()


def test_a_command_that_fails_is_told(page):
    page.with_name("script.py").write_text("raise ValueError('gone')\n")
    first, _ = figures.figures([page])
    with pytest.raises(figures.Failed, match="gone"):
        first.print_again()


def test_after_a_command_that_fails_the_others_go_on(page, monkeypatch, capsys):
    page.with_name("script.py").write_text(
        "import sys\nif sys.argv[1] == '1.0':\n    raise ValueError('gone')\nprint('new')\n"
    )
    monkeypatch.setattr(figures, "PAGES", [page])
    monkeypatch.setattr("sys.argv", ["figures.py"])
    assert figures.main() == 1
    assert "gone" in capsys.readouterr().err
    text = page.read_text()
    assert "\nold\n" in text
    assert "\nnew\n" in text
    assert "kept" not in text


def test_a_level_that_was_asked_for_is_in_the_stamp():
    stamps = ["fastconv  1 at level avx512, commit c"]
    assert "at level sse2, commit c" in figures.block("python x.py --level sse2", "1", stamps)
    assert "at level avx512, commit c" in figures.block("python x.py --cases 2", "1", stamps)


# --- the grid ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("only", "sizes"),
    [
        ("1000*64", {"1000*64"}),
        ("512x512*7x7", {"512x512*7x7"}),
        ("100*", {"100*100", "1000*3", "1000*16"}),
        ("*axis 1*", {"2000x256*9 axis 1 C"}),
    ],
)
def test_a_size_is_a_size_and_a_star_at_its_end_a_pattern(only, sizes):
    grid = [*cases.cases_1d(), *cases.cases_2d(), *cases.cases_batched()]
    options = Namespace(quick=False, dtype=None, only=only)
    found = {case.size for case in grid if cases.wanted(case, options)}
    assert sizes == found if only[-1].isdigit() else sizes < found


# --- two builds ----------------------------------------------------------------------------


def measured(factor, jitter, seed, rounds=5):
    """Times of BASE, the new build and BASE again, the new one so many times as fast."""
    rng = np.random.default_rng(seed)
    times = 1000 * np.exp(jitter * rng.standard_normal((rounds, 3))) / [1, factor, 1]
    case = cases.Case((100,), (seed + 1,), "full", "float64")
    return between.row_of(case, times.tolist())


def test_only_differences_beyond_the_noise_are_reported():
    rows = [measured(1, 0.01, seed) for seed in range(40)]
    assert "40 rows: 0 faster, 0 slower, the others within the noise" in between.report(rows)
    told = between.report([*rows, measured(1.2, 0.01, 50), measured(0.7, 0.01, 51)])
    lines = told.splitlines()
    assert [line.split()[:3] for line in lines[:-1]] == [
        ["100*52", "full", "float64"],
        ["100*51", "full", "float64"],
    ]
    assert "slower" in lines[0]
    assert "faster" in lines[1]
    assert "42 rows: 1 faster, 1 slower" in lines[-1]


def test_a_row_is_held_against_its_own_noise():
    calm, wild = measured(1.1, 0.002, 1), measured(1.1, 0.2, 2)
    assert between.differs(calm, 0.0)
    assert not between.differs(wild, 0.0)
    assert not between.differs(calm, math.log(1.2))


def test_a_percent_is_none():
    assert not between.differs(measured(1.009, 0, 1), 0.0)
    assert between.differs(measured(1.02, 0, 1), 0.0)


# --- memory ----------------------------------------------------------------------------------


def test_memory_is_told_where_it_was_taken():
    case = cases.Case((1000,), (5,), "full", "float64")
    times = {"numpy.convolve": 1.0, "FFTW": 1.5, "oaconvolve": 2.0, "fftconvolve": 3.0}
    row = summary.Row(case, Result(1.0, times, ratio=1.0))
    assert row.best_of_scipy == "oaconvolve"
    assert summary.memory([row]) == []
    row.peak, row.scipy_peak = 1_000_000, 4_000_000
    (line,) = summary.memory([row])
    assert line.startswith("1-D: 0.25 in the mean of 1 rows, at most 0.25: 1000*5 full float64")
    assert f"- {line}" in summary.markdown([row])


PEAKS = f"""
import sys
sys.path.append({str(BENCHMARKS)!r})
import cases, peak

peaks = peak.Peaks()
case = cases.Case((2_000_000,), (3,), "full", "float64")
print(*(peaks.of(case, name) for name in ("numpy.convolve", "numpy.convolve", "fastconv")))
peaks.of(case, "nobody")
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="no peaks without Linux")
def test_the_peak_of_a_call_is_what_it_took(python):
    """In an interpreter of its own: this one has memory that it freed, which a call may reuse."""
    done = python(PEAKS)
    numpys, again, ours = (int(word) for word in done.stdout.split())
    assert (numpys, again) == (pytest.approx(16e6, rel=0.1), pytest.approx(16e6, rel=0.1))
    assert ours == pytest.approx(16e6, rel=0.2)
    assert "nobody ended its process" in done.stderr
