"""The command line and what it stands on: kernels, inputs, jobs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastconv
from fastconv import cli
from fastconv.cli import bench, filters, inputs, jobs, race, report, rivals, terminal, threads


def small_job(dtype="float64"):
    return jobs.Job(
        lambda: inputs.Input("line", "made here, a line", np.arange(50)),
        "running mean",
        dtype,
        lambda data: np.ones(5),
    )


def one_small_job(monkeypatch):
    monkeypatch.setattr(bench, "jobs", lambda quick: iter([small_job()]))
    monkeypatch.setattr(bench, "SECONDS", 0.01)


def all_jobs():
    return [pytest.param(job, id=f"{i}-{job.kernel}") for i, job in enumerate(jobs.jobs(True))]


# --- commands ----------------------------------------------------------------------------


def test_version():
    command = [sys.executable, "-P", "-m", "fastconv", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"fastconv {fastconv.__version__}\n")


def test_info_is_show_config(capsys):
    fastconv.show_config()
    expected = capsys.readouterr().out
    assert cli.main(["info"]) == 0
    assert capsys.readouterr().out == expected
    assert cli.main(["info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == fastconv.show_config("dict")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "COMMAND"),
        (["convolve"], "invalid choice"),
        (["bench", "--json", "no/such/folder/x.json"], "no folder no/such/folder"),
        (["bench", "--plot", "."], "is a folder"),
        (["bench", "--vs", "numpy,opncv"], "--vs: got 'opncv', takes numpy, scipy, fftw,"),
        (["bench", "--sizes", "1000"], "got '1000', takes lengths or pictures: 10000*127"),
        (["bench", "--sizes", "10*3*2"], "got '10*3*2', takes lengths or pictures"),
        (["bench", "--sizes", "10*20"], "takes a signal as long as its kernel"),
        (["bench", "--sizes", "10x20*3"], "takes lengths or pictures: 10000*127"),
        (["bench", "--dtype", "int"], "got 'int', takes bool, int8"),
        (["bench", "--dtype", "int8"], "--dtype: got int8, recordings are in float64,"),
        (["bench", "--workers", "0"], "takes a number of threads, 1 or more"),
    ],
)
def test_bad_arguments_are_one_line_and_status_2(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("fastconv")
    assert complaint in line


@pytest.mark.parametrize("command", [["bench"], ["steps", "1", "1"]])
def test_a_plot_of_no_kind_is_refused_before_the_work(command, capsys):
    pytest.importorskip("matplotlib")
    with pytest.raises(SystemExit) as stop:
        cli.main([*command, "--plot", "x.foo"])
    assert stop.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert "--plot: got 'x.foo', takes a name that ends in .png" in last


@pytest.mark.skipif(sys.platform == "win32", reason="by a shell")
@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("| true; exit ${PIPESTATUS[0]}", ""),
        ("> /dev/full", "fastconv: [Errno 28] No space left on device\n"),
    ],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_nobody_takes_is_status_1(where, told, unbuffered, monkeypatch):
    if "/dev/full" in where and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    command = f"(sleep 0.2; exec {sys.executable} -P -m fastconv info) {where}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", told)


def test_bench_prints_and_writes(monkeypatch, tmp_path, capsys):
    one_small_job(monkeypatch)
    file = tmp_path / "rows.json"
    assert cli.main(["bench", "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "line 50" in printed
    assert "running mean 5" in printed
    record = json.loads(file.read_text())
    (row,) = record["rows"]
    assert row["ratio"] > 0
    assert row["best_other"] in row["others_s"]
    assert row["largest_difference"] < 1e-15
    assert row["verdict"] in ("faster", "alike", "slower")
    assert f"fastconv  {fastconv.__version__} at level" in "\n".join(record["stamp"])
    assert "\n".join(record["stamp"]) in printed


def test_bench_of_sizes(monkeypatch, tmp_path, capsys):
    pytest.importorskip("scipy")
    monkeypatch.setattr(bench, "SECONDS", 0.01)
    file = tmp_path / "rows.json"
    sizes = ["--sizes", "300*5,20x30*3x3", "--dtype", "int16,complex64"]
    assert cli.main(["bench", *sizes, "--vs", "scipy", "--json", str(file)]) == 0
    rows = json.loads(file.read_text())["rows"]
    assert [(row["input_shape"], row["kernel_shape"], row["dtype"]) for row in rows] == [
        ([300], [5], "int16"),
        ([300], [5], "complex64"),
        ([20, 30], [3, 3], "int16"),
        ([20, 30], [3, 3], "complex64"),
    ]
    assert not any("numpy" in name for row in rows for name in row["others_s"])
    assert "numpy.convolve" not in capsys.readouterr().out


def test_losses_are_told_as_wins_are(monkeypatch, capsys):
    def told_of(ratio):
        result = race.Result(1.0, {"other": ratio}, ratio=ratio)
        monkeypatch.setattr(bench, "race", lambda *_: result)
        assert cli.main(["bench"]) == 0
        return capsys.readouterr().out

    monkeypatch.setattr(bench, "jobs", lambda quick: iter([small_job(), small_job("float32")]))
    won = told_of(2.5)
    assert won.count(" 2.50 faster") == 2
    assert "faster in 2 of 2, slower in 0, geometric mean 2.50" in won
    lost = told_of(0.5)
    assert lost.count(" 0.50 slower") == 2
    assert "faster in 0 of 2, slower in 2, geometric mean 0.50" in lost
    assert "slower, 0.50: line 50, running mean 5, float32 (other)" in lost
    assert "faster in 0 of 2, 2 alike, slower in 0, geometric mean 1.00" in told_of(1.0)


def test_where_nobody_answers_nothing_is_judged(monkeypatch, tmp_path, capsys):
    one_small_job(monkeypatch)
    monkeypatch.setattr(rivals.Numpy, "runners", lambda *_: iter(()))
    monkeypatch.setattr(rivals, "numpy_recipes", lambda *_: iter(()))
    file = tmp_path / "rows.json"
    assert cli.main(["bench", "--vs", "numpy", "--json", str(file)]) == 0
    assert "no rival in reach, so not judged: 1 of 1" in capsys.readouterr().out
    assert json.loads(file.read_text())["rows"][0]["ratio"] is None


def test_a_library_that_is_not_installed_is_told_of(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(SystemExit) as stop:
        cli.main(["bench", "--vs", "numpy,OpenCV"])
    assert stop.value.code == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "--vs: OpenCV not loaded: import of cv2 halted" in told
    assert "; here are numpy, " in told
    assert "the extra 'peers' brings the others" in told


def test_as_many_threads_for_everyone():
    fft = pytest.importorskip("scipy.fft")
    before = fastconv.get_workers(), fft.get_workers()
    with threads.limited(1):
        assert (fastconv.get_workers(), fft.get_workers()) == (1, 1)
    with threads.limited(2):
        assert fft.get_workers() == 2
    assert (fastconv.get_workers(), fft.get_workers()) == before


def test_bench_draws(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    one_small_job(monkeypatch)
    file = tmp_path / "ratios.png"
    assert cli.main(["bench", "--plot", str(file)]) == 0
    assert file.read_bytes()[:4] == b"\x89PNG"


def test_plot_without_matplotlib_is_told_first(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit) as stop:
        cli.main(["bench", "--plot", "x.png"])
    assert stop.value.code == 2
    assert "--plot needs matplotlib" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_one_line(monkeypatch, tmp_path, capsys):
    one_small_job(monkeypatch)
    monkeypatch.setattr(Path, "write_text", raise_os_error)
    assert cli.main(["bench", "--json", str(tmp_path / "x.json")]) == 1
    assert capsys.readouterr().err == "fastconv: disk full\n"


def raise_os_error(*_):
    raise OSError("disk full")


@pytest.mark.parametrize(("words", "told"), [((), "out of memory"), (("9 EiB",), "9 EiB")])
def test_too_little_memory_is_one_line(words, told, monkeypatch, capsys):
    def raise_memory_error(*_):
        raise MemoryError(*words)

    monkeypatch.setattr(bench, "run_job", raise_memory_error)
    assert cli.main(["bench", "--sizes", "8*3"]) == 1
    assert capsys.readouterr().err == f"fastconv: {told}\n"


def test_a_wrong_answer_is_status_1(monkeypatch, capsys):
    one_small_job(monkeypatch)
    monkeypatch.setattr(fastconv, "convolve", lambda a, v, mode: np.convolve(a, v, mode) + 1)
    assert cli.main(["bench"]) == 1
    assert "wrong answer" in capsys.readouterr().err


def test_without_extras_numpy_is_the_rival(monkeypatch, capsys):
    """And what is missing is named."""
    monkeypatch.setattr(rivals, "HAVE_SCIPY", False)
    monkeypatch.setattr(report, "HAVE_RICH", False)
    monkeypatch.setitem(sys.modules, "pywt", None)
    monkeypatch.setitem(sys.modules, "pywt.data", None)
    ecg = jobs.Job(inputs.ecg, "running mean", "float64", lambda data: np.ones(5))
    todo = [ecg, small_job(), small_job("float32")]
    monkeypatch.setattr(bench, "jobs", lambda quick: iter(todo))
    monkeypatch.setattr(bench, "SECONDS", 0.01)
    assert cli.main(["bench"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\nline 50") == 2
    assert "\nmissing   scipy, not loaded: No module named 'scipy'\n" in printed
    assert "numpy.convolve" in printed
    assert "left out: PyWavelets is not installed" in printed


def test_a_terminal_gets_the_bar_and_the_table(monkeypatch, capsys):
    pytest.importorskip("rich")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "170")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    one_small_job(monkeypatch)
    assert cli.main(["bench"]) == 0
    assert "│ line 50" in capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "80")
    one_small_job(monkeypatch)
    assert cli.main(["bench"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"│ line 50 +│ running mean 5 +│ [\w.]+ +│ +[\d.]+ │ \w+ +│\n", printed)
    assert "more of each on" in printed


def test_no_color_is_plain(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert report.Report(bench.COLUMNS).console is None
    assert not terminal.is_styled()
    monkeypatch.setenv("NO_COLOR", "")
    assert terminal.is_styled()


# --- kernels, inputs, jobs -----------------------------------------------------------------


def test_savitzky_golay_keeps_a_polynomial():
    h = filters.savitzky_golay(21, 3)
    x = np.linspace(-1, 1, 80)
    np.testing.assert_allclose(np.convolve(x**3 - x, h, "valid"), (x**3 - x)[10:-10], atol=1e-12)


def test_low_pass_stops_and_passes():
    response = np.abs(np.fft.rfft(filters.low_pass(101, 0.1), 1000))
    np.testing.assert_allclose(response[:80], 1, atol=5e-3)
    assert response[120:].max() < 5e-3


def test_gaussian_and_sobel_are_those_of_ndimage():
    ndimage = pytest.importorskip("scipy.ndimage")
    dot = np.zeros((21, 21))
    dot[10, 10] = 1
    blurred = ndimage.gaussian_filter(dot, 2.0, radius=8)
    np.testing.assert_allclose(filters.gaussian(2.0, 8), blurred[2:-2, 2:-2], atol=1e-15)
    assert np.array_equal(filters.sobel(), ndimage.sobel(dot, 1)[9:12, 9:12])


def test_the_matched_filter_peaks_at_its_beat():
    beat = filters.heartbeat(np.round(100 * np.exp(-((np.arange(400) - 200) ** 2) / 50)))
    signal = np.zeros(500)
    signal[240 : 240 + beat.size] = beat
    assert np.argmax(np.convolve(signal, filters.matched(beat))) == 240 + beat.size - 1


def test_reverberation_decays_by_60_db():
    h = filters.reverberation(1.0)
    assert h.size == 48_000
    start, end = (np.sqrt(np.mean(part**2)) for part in (h[:480], h[-480:]))
    assert 20 * np.log10(start / end) == pytest.approx(60, abs=2)


@pytest.mark.parametrize("job", all_jobs())
def test_quick_jobs(job):
    """Each loads, or says what it misses; made input is labelled."""
    try:
        source, a, v = job.arrays()
    except inputs.Missing as reason:
        pytest.skip(str(reason))
    assert a.dtype == v.dtype == job.dtype
    assert a.ndim == v.ndim
    assert all(n >= m for n, m in zip(a.shape, v.shape, strict=True))
    assert np.isfinite(a).all()
    assert np.isfinite(v).all()
    assert np.any(v)
    assert ("(made)" in source.name) == source.source.startswith("made")
    if a.dtype.kind == "i":  # nothing wraps, as in life
        assert float(np.abs(a).max()) * float(np.abs(v).sum()) < np.iinfo(a.dtype).max


def test_made_inputs_need_no_extras():
    code = (
        "import sys\n"
        "for name in ('scipy', 'rich', 'matplotlib', 'pywt', 'sklearn'): sys.modules[name] = None\n"
        "from fastconv.cli import bench, jobs, rivals\n"
        "from fastconv.cli.inputs import rings\n"
        "job = jobs.Job(lambda: rings(40, 40), 'Sobel', 'int32', lambda data: [[1, 0, -1]] * 3)\n"
        "print(bench.run_job(job, [rivals.Numpy()], 0.01).result.best)"
    )
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout == "numpy, a sum of shifts\n", done.stderr
