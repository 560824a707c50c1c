"""Every promise that can be checked by a run, and its figure: `make trust`.

    python tests/trust.py [NAME ...]

What needs a tool that is not here is told by name and left out. Fails where a check fails.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
TIMES = [sys.executable, "tests/trust_times.py"]
OF = r".*: [\d.]+ of (?:[\d.]+|inf)"
NATIVE = [sys.executable, "tests/native/run.py"]
FUZZ = ["tests/fuzz_python.py", "-atheris_runs=20000", "-max_len=80", "-len_control=0", "-seed=1"]

# The promise, how it is checked, where the figure stands in what that prints, and its needs.
CHECKS = {
    "exact integers": (
        [*PYTEST, "tests/test_exact.py", "tests/test_seed_cases.py"],
        r"\d+ passed",
        "",
    ),
    "integers beside floats": ([*TIMES, "integers"], OF, ""),
    "NaN and small values": ([*PYTEST, "tests/test_guard.py"], r"\d+ passed", ""),
    "what small values cost": ([*TIMES, "guard"], OF, ""),
    "accuracy beside scipy": (
        [sys.executable, "benchmarks/accuracy.py", "--quick"],
        r"fastconv, (?:random|loud and quiet|exponential): at most [\d.]+",
        "",
    ),
    "determinism": ([*PYTEST, "tests", "-k", "bits or test_workers"], r"\d+ passed", ""),
    "threads and forks": (
        [*PYTEST, "tests/test_threads.py", "tests/test_processes.py"],
        r"\d+ passed",
        "",
    ),
    "Ctrl-C": ([*TIMES, "interrupt"], OF, ""),
    "endless sizes": (
        [*PYTEST, "tests/test_args.py", "-k", "beyond_any_memory or end_of_an_index or endless"],
        r"\d+ passed",
        "",
    ),
    "engine, walls and memory": ([*NATIVE, "native"], r"\d+ passed, \d+ failed", "g++"),
    "thread sanitizer": ([*NATIVE, "tsan"], r"\d+ passed, \d+ failed", "g++"),
    "fuzzed C face": ([*NATIVE, "fuzz", "--cases", "20000"], r"\d+ cases", "clang++"),
    "fuzzed Python face": ([sys.executable, *FUZZ], r"Done \d+ runs|Done \d+", "atheris"),
}


def is_missing(tool):
    return bool(tool) and not (shutil.which(tool) or importlib.util.find_spec(tool))


def main(names):
    failed = []
    for name in names or CHECKS:
        command, figure, tool = CHECKS[name]
        if is_missing(tool):
            print(f"{name}: skipped, no {tool}", flush=True)
            continue
        start = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        told = "; ".join(re.findall(figure, done.stdout + done.stderr)) or "no figure"
        verdict = "holds" if done.returncode == 0 else "FAILS"
        print(f"{name}: {verdict}, {told}, {time.monotonic() - start:.0f} s", flush=True)
        if done.returncode:
            print(done.stdout[-3000:] + done.stderr[-3000:])
            failed.append(name)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
