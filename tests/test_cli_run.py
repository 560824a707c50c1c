"""`fastconv run`: programs behave as under python, and their calls are counted."""

import json
import re
import subprocess
import sys
from functools import partial

import pytest

CONVOLVING = """\
from numpy import convolve
import numpy as np
for _ in range(3):
    convolve([1, 2], [1, 3])
np.convolve(np.array([1, 2], object), [3])
print(np.polymul([1, 2], [1, 3]))
"""


@pytest.fixture
def run(command, tmp_path):
    """`fastconv run` without scipy, whose import is most of the time that it takes."""
    folder = tmp_path / "before_all_others"
    folder.mkdir()
    (folder / "scipy.py").write_text("raise ImportError")
    return partial(command, "run", PYTHONPATH=str(folder))


@pytest.fixture
def under_python(tmp_path):
    """The same arguments under plain python."""

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120
        )

    return run


def counts(stderr):
    rows = re.findall(r"^(\S+\.\w+) +([\d,]+) +([\d,]+) +(\d+\.\d+)$", stderr, re.M)
    return {name: (int(taken.replace(",", "")), int(back)) for name, taken, back, _ in rows}


def without_report(stderr):
    """What the program itself wrote."""
    head, found, _ = stderr.rpartition("fastconv  ")
    return head if found else stderr.partition("fastconv: no call")[0]


def test_calls_are_counted(run, tmp_path):
    (tmp_path / "script.py").write_text(CONVOLVING)
    done = run("--json", "counts.json", "script.py")
    assert (done.returncode, done.stdout) == (0, "[1 5 6]\n")
    assert counts(done.stderr) == {"numpy.convolve": (4, 1)}
    assert "not seen: other processes" in done.stderr
    count = json.loads((tmp_path / "counts.json").read_text())["numpy.convolve"]
    assert (count["taken_over"], count["handed_back"]) == (4, 1)
    assert count["seconds"] > 0


def test_scipys_calls_are_counted(command, tmp_path):
    pytest.importorskip("scipy")
    (tmp_path / "script.py").write_text(
        "from scipy import signal; signal.fftconvolve([1.0], [2.0]); signal.wiener([1.0] * 9, 3)"
    )
    done = command("run", "script.py")
    seen = counts(done.stderr)
    assert seen["scipy.signal.fftconvolve"] == (1, 0)
    assert seen["scipy.signal.correlate"] == (2, 0)


def test_nothing_to_count(run, tmp_path):
    (tmp_path / "script.py").write_text("print('hello')")
    done = run("script.py")
    assert (done.returncode, done.stdout) == (0, "hello\n")
    assert done.stderr.startswith("fastconv: no call of a replaced function was seen\n")


PROGRAMS = {
    "what it is": "import sys; print(__name__, __file__, __package__, __spec__, sys.argv)",
    "its globals": "import __main__; x = 3; print(__main__.x, __builtins__.len, __doc__)",
    "its path": "import sys; print(sys.path[0]); import neighbour",
    "a status": "import sys; sys.exit(7)",
    "a message": "import sys; sys.exit('gone wrong')",
    "no status": "raise SystemExit",
    "a traceback": "def f(x): return 1 / x\ntry: f(0)\nexcept ZeroDivisionError: {}[1]",
    "a syntax error": "x = 1\ny = (\n",
    "an interrupt": "print('so far', flush=True)\nraise KeyboardInterrupt",
    "its own hook": "import sys; sys.excepthook = lambda *e: print('hook', e[0]); 1 / 0",
    "last words": "import atexit; atexit.register(print, 'bye'); print('hello')",
    "a pickle": "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)",
    "no future": "def f(x: undefined_name): pass",
    "a source": "import inspect\ndef f(): return 1\nprint(inspect.getsource(f))",
    "an encoding": "# -*- coding: latin-1 -*-\nprint('done')",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_script_behaves_as_under_python(program, run, under_python, tmp_path):
    (tmp_path / "neighbour.py").write_text("print('neighbour')")
    (tmp_path / "script.py").write_text(program)
    expected = under_python("script.py", "-x", "--json", "3")
    done = run("script.py", "-x", "--json", "3")
    assert done.stdout == expected.stdout
    assert without_report(done.stderr) == expected.stderr
    # A shell sees 130 for a process that ended by the signal itself.
    assert done.returncode == {-2: 130}.get(expected.returncode, expected.returncode)


def test_a_module_behaves_as_under_python(run, under_python, tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("print('package')")
    what = "import sys; from . import other; print(__name__, __file__, __package__, __spec__.name)"
    (package / "__main__.py").write_text(what + "; print(sys.argv)")
    (package / "other.py").write_text(what.replace("from . import other; ", "") + "; 1 / 0")
    (package / "fine.py").write_text("import sys; print(sys.argv, sys.path[0]); sys.exit(4)")
    for name in ("package", "package.other", "package.fine"):
        expected = under_python("-m", name, "-m", "x")
        done = run("-m", name, "-m", "x")
        assert done.stdout == expected.stdout
        assert done.returncode == expected.returncode
        last = without_report(done.stderr).splitlines()[-1:]
        assert last == expected.stderr.splitlines()[-1:]


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["nowhere.py"], 2, "fastconv: can't open 'nowhere.py': No such file or directory\n"),
        (["."], 2, "fastconv: can't open '.': Is a directory\n"),
        (["-m", "nowhere"], 1, "fastconv: no module to run is named 'nowhere'\n"),
        (["-m", "nowhere.at.all"], 1, "fastconv: no module to run is named 'nowhere.at.all'\n"),
        (["-m", "math"], 1, "fastconv: no module to run is named 'math'\n"),
        ([], 2, "required: program, arguments (see fastconv run --help)\n"),
        (["--json", "no/such/x", "x.py"], 2, "to write x in (see fastconv run --help)\n"),
    ],
)
def test_no_program_is_one_line(arguments, status, complaint, run):
    done = run(*arguments)
    assert done.returncode == status
    assert done.stderr.endswith(complaint)
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert "not seen" not in done.stderr


def test_threads_and_last_words_are_counted(run, tmp_path):
    (tmp_path / "script.py").write_text(
        "import atexit, threading, time, numpy as np\n"
        "def late():\n"
        "    time.sleep(0.2)\n"
        "    for _ in range(500): np.convolve([1, 2], [1, 3])\n"
        "for _ in range(4): threading.Thread(target=late).start()\n"
        "atexit.register(np.correlate, [1, 2], [1, 3])"
    )
    done = run("script.py")
    assert counts(done.stderr) == {"numpy.convolve": (2000, 0), "numpy.correlate": (1, 0)}


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_children(way, run, tmp_path):
    """A forked one is patched too, neither is counted, and the report comes once."""
    (tmp_path / "script.py").write_text(
        "import multiprocessing, numpy as np\n"
        "def work(n):\n"
        "    return repr(np.convolve)[:9], np.convolve([1, 2], [1, n]).tolist()\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context({way!r}).Pool(2) as pool:\n"
        "        print(pool.map(work, [3]))\n"
        "    np.convolve([1], [2])\n"
    )
    done = run("script.py")
    seen = "<fastconv" if way == "fork" else "<function"
    assert done.stdout == f"[({seen!r}, [1, 5, 6])]\n"
    assert counts(done.stderr) == {"numpy.convolve": (1, 0)}
    assert done.stderr.count("not seen") == 1


def test_a_fork_of_its_own_does_not_report(run, tmp_path):
    (tmp_path / "script.py").write_text(
        "import os, sys\nif os.fork() == 0: sys.exit()\nos.wait(); print('parent')"
    )
    done = run("script.py")
    assert done.stdout == "parent\n"
    assert done.stderr.count("not seen") == 1


def test_the_counts_are_written_where_they_were_wanted(run, tmp_path):
    (tmp_path / "script.py").write_text("import os, sys; os.chdir('/'); sys.stdout.close()")
    done = run("--json", "counts.json", "script.py")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert json.loads((tmp_path / "counts.json").read_text()) == {}


def test_counts_that_cannot_be_written_are_a_line(run, tmp_path):
    (tmp_path / "script.py").write_text("import os; os.mkdir('counts.json')")
    done = run("--json", "counts.json", "script.py")
    assert done.stderr.splitlines()[-1].startswith("fastconv: [Errno")
    assert "Traceback" not in done.stderr
