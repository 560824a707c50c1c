"""Build csrc and its test programs without Python's headers, and run them.

    python tests/native/run.py [native plain clang nehalem arm64 fuzz tsan] [--cases N]

    native   g++, every level this CPU has
    plain    g++, plain loops without vector types
    clang    clang++, every level this CPU has
    nehalem  the native program on a CPU without AVX, by qemu: must step down to sse2
    arm64    cross-compiled, run by qemu-aarch64
    fuzz     clang++'s libFuzzer on the C face, csrc under the address and undefined-behaviour
             sanitizers; arrays stand between pages that no one may touch, kernels too
    tsan     g++ with the thread sanitizer, where it is asked for

Flags and levels come from setup.py. A variant whose tools are missing is named
and skipped, unless it was asked for by name. --cases: so many, of each variant.
"""

import argparse
import ast
import platform
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def constants(*names):
    """Constants of setup.py, which cannot be imported without building."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    tree.body = [x for x in tree.body if isinstance(x, ast.Assign) and x.targets[0].id in names]
    found = {}
    exec(compile(tree, "setup.py", "exec"), found)
    return [found[name] for name in names]


LEVELS, COMMON_FLAGS, KERNEL_FLAGS = constants("LEVELS", "COMMON_FLAGS", "KERNEL_FLAGS")


def symbols(target, nm="nm"):
    """[(kind, name)] of an object file, as nm tells them."""
    told = subprocess.run([nm, "--demangle", target], capture_output=True, text=True, check=True)
    return [tuple(line[17:].split(" ", 1)) for line in told.stdout.splitlines()]


def foreign_symbols(level, found):
    """What breaks the rule that a level's object is one constant: empty if nothing does."""
    own = ("fastconv::kernels_" + level, "RD")  # read-only data, with or without relocations
    # GCC turns loops into the first three; neither allocates nor depends on the level.
    needed = {"memcpy", "memset", "memmove", "_GLOBAL_OFFSET_TABLE_", "fma", "fmaf"}
    wrong = [
        (kind, name)
        for kind, name in found
        if (kind.isupper() and kind != "U" and not (name == own[0] and kind in own[1]))
        or kind in "WwVvui"
        or (kind == "U" and name not in needed)
    ]
    return wrong if own[0] in [name for _, name in found] else [*wrong, ("missing", own[0])]


@dataclass
class Variant:
    compiler: str
    machine: str  # a key of LEVELS
    flags: list = field(default_factory=list)
    runner: list = field(default_factory=list)
    top: str = ""  # the highest level that must be in use
    cases: int = 2000
    programs: tuple = ("native_test",)
    engine_flags: list = field(default_factory=list)  # of csrc but for the kernels
    link_flags: list = field(default_factory=list)

    def command(self, program, cases):
        if program.name == "fuzz_target":
            # Short inputs from the first on: every one is a whole job.
            options = [f"-runs={cases}", "-seed=1", "-max_len=128", "-len_control=0"]
            return [str(program), *options, "-verbosity=0", "-print_funcs=0"]
        return [*self.runner, str(program), self.top, str(cases)]


HOST = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())

BOTH = ("native_test", "memory_test")
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]

VARIANTS = {
    "tsan": Variant("g++", HOST, ["-fsanitize=thread", "-g"], cases=50),
    "fuzz": Variant(
        "clang++",
        HOST,
        ["-O1", "-g1"],
        cases=5000,
        programs=("fuzz_target",),
        engine_flags=[*SANITIZED, "-fsanitize=fuzzer-no-link"],
        link_flags=[*SANITIZED, "-fsanitize=fuzzer"],
    ),
    "native": Variant("g++", HOST, programs=BOTH),
    "plain": Variant("g++", "plain", top="plain", programs=BOTH),
    "clang": Variant("clang++", HOST, programs=BOTH),
    "nehalem": Variant(
        "g++", "x86_64", runner=["qemu-x86_64", "-cpu", "Nehalem"], top="sse2", cases=300
    ),
    "arm64": Variant(
        "aarch64-linux-gnu-g++", "aarch64", ["-static"], ["qemu-aarch64"], top="neon", cases=300
    ),
}


def build(variant, folder):
    """One object per source and per level, linked to the programs."""
    levels = LEVELS[variant.machine]
    common = [*COMMON_FLAGS, f"-I{ROOT / 'csrc'}", *variant.flags]
    names = " ".join(f"X({name})" for name in levels)
    own = [f"-DFC_LEVELS={names}", *variant.engine_flags]
    jobs = [(path, path.stem, own) for path in (ROOT / "csrc").glob("*.cpp")]
    for name, flags in levels.items():
        source = ROOT / "csrc" / "kernels" / "kernels.cpp"
        jobs.append((source, f"kernels_{name}", [*KERNEL_FLAGS, *flags, f"-DFC_LEVEL={name}"]))

    def compile_one(job):
        source, stem, flags = job
        target = folder / f"{stem}.o"
        subprocess.run(
            [variant.compiler, *common, *flags, "-c", str(source), "-o", str(target)], check=True
        )
        return str(target)

    objects = [compile_one(job) for job in jobs]
    nm = "aarch64-linux-gnu-nm" if variant.compiler.startswith("aarch64") else "nm"
    sanitized = "-fsanitize=thread" in variant.flags  # which adds calls of its own
    for name in [] if sanitized else levels:
        foreign = foreign_symbols(name, symbols(folder / f"kernels_{name}.o", nm))
        if foreign:
            raise SystemExit(f"{name}: an object of a level exports or needs {foreign}")

    def link(stem):
        target = folder / stem
        objects_of_it = [compile_one((HERE / f"{stem}.cpp", stem, [])), *objects]
        subprocess.run(
            [variant.compiler, *variant.flags, *variant.link_flags, *objects_of_it, "-lpthread",
             "-o", str(target)], check=True
        )  # fmt: skip
        return target

    return [link(stem) for stem in variant.programs]


def missing(variant):
    tools = [variant.compiler, *variant.runner[:1]]
    return [tool for tool in tools if shutil.which(tool) is None]


def run(name, cases=None):
    """(all passed, what was printed) of a variant's programs."""
    variant = VARIANTS[name]
    passed, printed = True, []
    with TemporaryDirectory(prefix="fastconv-native-") as folder:
        for program in build(variant, Path(folder)):
            # libFuzzer leaves what fails where it runs, and prints it too.
            done = subprocess.run(
                variant.command(program, cases or variant.cases),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                text=True,
            )
            passed &= done.returncode == 0
            quiet = program.name == "fuzz_target" and done.returncode == 0
            printed.append(f"{cases or variant.cases} cases\n" if quiet else done.stdout)
    return passed, "".join(printed)


def main(names, cases):
    failed, present = [], []
    for name in names or [name for name in VARIANTS if name != "tsan"]:
        gone = missing(VARIANTS[name])
        if gone:
            print(f"--- {name}: skipped, no {', '.join(gone)}", flush=True)
            failed += [name] if names else []
        else:
            present.append(name)
    with ThreadPoolExecutor(2) as pool:  # each variant is one process at a time
        told = pool.map(lambda name: run(name, cases), present)
        for name, (passed, printed) in zip(present, told, strict=True):
            print(f"--- {name}\n{printed}", end="", flush=True)
            failed += [] if passed else [name]
    print("native:", f"failed: {', '.join(failed)}" if failed else "all passed")
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that folders are removed
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", metavar="variant")
    parser.add_argument("--cases", type=int)
    args = parser.parse_args()
    sys.exit(main(args.names, args.cases))
