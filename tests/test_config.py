"""show_config, explain's words, and what importing does."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import fastconv
from fastconv import _core

# --- show_config -----------------------------------------------------------------------------


def test_as_data():
    config = fastconv.show_config("dict")
    built = [level["name"] for level in _core.levels()]
    assert config["version"] == fastconv.__version__
    assert config["levels_built"] == built
    assert set(config["levels_available"]) <= set(built)
    assert config["level"] == _core.level()
    assert config["workers"] == fastconv.get_workers()
    assert config["tuning"] is None
    assert config["compiler"]


def test_as_text(capsys):
    assert fastconv.show_config() is None
    text = capsys.readouterr().out
    for word in (fastconv.__version__, _core.level(), "compiler", "levels built"):
        assert word in text


def test_unknown_mode():
    with pytest.raises(
        ValueError, match=r"^mode not understood: got 'yaml', takes 'stdout', 'dict'"
    ):
        fastconv.show_config("yaml")


def test_plain_loops_are_worth_a_warning(monkeypatch):
    monkeypatch.setattr(_core, "level", lambda: "plain")
    with pytest.warns(RuntimeWarning, match=r"plain loops"):
        fastconv.show_config("dict")


# --- explain ---------------------------------------------------------------------------------


def test_an_explanation_is_data():
    told = fastconv.explain(10_000, 127)
    assert dataclasses.is_dataclass(told)
    with pytest.raises(dataclasses.FrozenInstanceError):
        told.method = "direct"
    assert told == fastconv.explain(10_000, 127)
    assert told.level == _core.level()
    assert told.workers == 1
    assert told.ring == "native"
    times = [c.predicted_ns for c in told.candidates]
    assert times == sorted(times)
    assert told.candidates[0].method == told.method
    assert told.reasons[0] == "10,000 by 127 in float64, 10,126 outputs"


def test_it_reads_well():
    told = fastconv.explain((2000, 1000), (31, 31), "same", dtype="float32")
    text = repr(told)
    assert text.splitlines()[0].startswith(told.method)
    assert _core.level() in text
    for candidate in told.candidates:
        assert str(candidate) in text
    for reason in told.reasons:
        assert reason in text
    page = told._repr_html_()
    assert page.count("<tr>") == 1 + len(told.candidates)
    assert page.count("<li>") == len(told.reasons)


@pytest.mark.parametrize("correlate", [False, True])
@pytest.mark.parametrize("mode", ["full", "same", "valid", 1])
def test_the_window_is_the_calls(mode, correlate):
    call = fastconv.correlate if correlate else fastconv.convolve
    size = call(np.ones(50), np.ones(8), mode).size
    told = fastconv.explain(50, 8, mode, correlate=correlate)
    assert told.reasons[0].endswith(f", {size} outputs")


def test_a_method_that_was_asked_for():
    told = fastconv.explain(100_000, 50, method="overlap")
    assert told.method == "overlap"
    assert "method='overlap' was asked for" in told.reasons
    assert fastconv.explain(100_000, 50, method="direct").block is None


def test_shapes_leave_conditions_open():
    """What the data could change is told as the selector would decide it."""
    told = fastconv.explain(1_000_000, 10_000)
    assert told.method != "direct"
    assert any(r.startswith("if v holds a NaN or Inf: direct") for r in told.reasons)


def test_data_settles_them():
    a, v = np.ones(100_000), np.ones(5_000)
    told = fastconv.explain(a, v)
    assert "a is finite" in told.reasons
    assert not any(reason.startswith("if ") for reason in told.reasons)
    v[7] = np.nan
    told = fastconv.explain(a, v)
    assert told.method == "direct"
    assert "v is not finite" in told.reasons


def test_data_and_shape_together():
    told = fastconv.explain(np.ones(1000, np.float32), 5, dtype="complex64")
    assert told.reasons[0] == "1,000 by 5 in complex64, 1,004 outputs"


def test_mixed_and_small_dtypes():
    for dtype in ("bool", "float16", "uint8", ">i4", "complex64"):
        assert fastconv.explain(10, 3, dtype=dtype).method == "direct"


def test_dtypes_beyond_the_engine():
    assert fastconv.explain(10, 3, dtype=object).method == "numpy"
    told = fastconv.explain((4, 4), (2, 2), dtype="longdouble", correlate=True)
    assert (told.method, told.candidates) == ("sums", ())


def test_shapes_take_no_memory():
    assert fastconv.explain(10**15, 10**6, dtype="float16").method in ("fft", "overlap", "direct")


# --- import ----------------------------------------------------------------------------------


def test_a_wrong_level_is_told_at_import(python):
    done = python(
        "import warnings; warnings.simplefilter('error'); import fastconv",
        FASTCONV_ISA="altivec",
    )
    assert "RuntimeWarning: FASTCONV_ISA='altivec' is ignored: this build has no such level" in (
        done.stderr
    )


def test_what_the_environment_says_wrong_is_told_in_a_line_each(command):
    done = command("info", FASTCONV_ISA="altivec", FASTCONV_NUM_THREADS="abc")
    assert done.returncode == 0
    told = done.stderr.splitlines()
    assert len(told) == 2
    assert all("RuntimeWarning: FASTCONV_" in line for line in told)


def test_the_source_folder_is_told_from_an_installation(python, tmp_path):
    source = Path(fastconv.__file__).parent
    (tmp_path / "fastconv").mkdir()
    for module in source.glob("*.py"):
        (tmp_path / "fastconv" / module.name).write_bytes(module.read_bytes())
    done = python(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import fastconv")
    assert f"ImportError: no compiled part for this Python in {tmp_path}" in done.stderr


def test_public_names():
    public = {name for name in vars(fastconv) if not name.startswith("_")}
    assert public - {"cli"} == set(fastconv.__all__) - {"__version__"}
