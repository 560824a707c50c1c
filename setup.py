"""The extension module, and csrc/kernels/kernels.cpp compiled once per level.

All metadata is in pyproject.toml. setuptools knows no flags per file, so
BuildExt compiles csrc itself, the kernels into a folder for each level, and
hands the objects to the linker.
"""

import os
import platform
import shutil
import subprocess
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.modified import newer_group

# In ascending order; the first runs on every CPU of its kind. csrc/isa.cpp is
# told this list and probes the CPU for each.
LEVELS = {
    "x86_64": {
        "sse2": [],
        "avx2": ["-mavx2", "-mfma"],
        "avx512": [
            *["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl"],
            *["-mavx2", "-mfma", "-mprefer-vector-width=512"],
        ],
    },
    "aarch64": {"neon": []},
    "plain": {"plain": ["-DFC_PLAIN"]},
}

# -O3 is said here because a CFLAGS in the environment replaces Python's own.
# Contraction is off so that FMA stands only where a kernel asks for it.
COMMON_FLAGS = ["-O3", "-std=c++17", "-ffp-contract=off", "-fvisibility=hidden", "-g0"]

# Nothing of a level may leak: no exceptions, no link-time optimisation.
# Integers wrap by promise.
KERNEL_FLAGS = [
    *["-fno-exceptions", "-fno-rtti", "-fno-lto", "-fwrapv"],
    *["-fno-math-errno", "-fno-trapping-math"],
]

ROOT = Path(__file__).parent
KERNELS = "csrc/kernels/kernels.cpp"
HEADERS = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "csrc").rglob("*.h"))
PARTS = ("engine.pxd", "plain.pxi", "jobs.pxi", "prepared.pxi", "levels.pxi", "threads.pxi")
INCLUDES = [f"fastconv/_{name}" for name in PARTS]
ENGINE = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "csrc").glob("*.cpp"))


def machine():
    """What is built for. Python on macOS may be for two machines at once: here for one of them."""
    if platform.system() != "Darwin":
        return platform.machine()
    wanted = os.environ.setdefault("ARCHFLAGS", f"-arch {platform.machine()}")
    flag, *machines = wanted.split()
    if flag != "-arch" or len(machines) != 1:
        raise SystemExit(f"ARCHFLAGS is {wanted!r}, takes one machine: '-arch arm64'")
    return machines[0]


def levels():
    """The levels of the machine that is built for: {name: compiler flags}."""
    name = machine().lower()
    name = {"amd64": "x86_64", "arm64": "aarch64"}.get(name, name)
    return LEVELS.get(name, LEVELS["plain"])


def clang_cl():
    """Windows' compiler: Microsoft's own has no vector types."""
    found = shutil.which("clang-cl")
    if found is None:
        raise SystemExit("no clang-cl on the PATH: fastconv takes LLVM's compiler on Windows")
    return found


def clang_runtime():
    """The library behind __builtin_cpu_supports, which clang-cl does not link by itself."""
    asked = [clang_cl(), "--driver-mode=gcc", "--rtlib=compiler-rt", "-print-libgcc-file-name"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


class BuildExt(build_ext):
    """Adds one object per level to the extension before it is linked."""

    def build_extensions(self):
        self.windows = self.compiler.compiler_type == "msvc"
        if self.windows:
            self.compiler.initialize()
            self.compiler.cc = clang_cl()
        super().build_extensions()

    def spelled(self, flags):
        """A driver that takes Microsoft's flags passes on what stands behind /clang:."""
        return [f"/clang:{flag}" for flag in flags] if self.windows else flags

    def build_extension(self, ext):
        ext.extra_compile_args = self.spelled(COMMON_FLAGS)
        ext.extra_objects = self.objects(ext)
        ext.depends = [*ext.depends, *ext.extra_objects]
        if self.windows:
            ext.extra_objects.append(clang_runtime())
        super().build_extension(ext)

    def objects(self, ext):
        """Of the kernels, once per level, and of the engine: side by side, the longest first."""
        sources = [
            (KERNELS, name, [*KERNEL_FLAGS, *flags, f"-DFC_LEVEL={name}"])
            for name, flags in reversed(levels().items())
        ]
        sources += [(source, "engine", []) for source in ENGINE]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(lambda each: self.object(ext, *each), sources))

    def object(self, ext, source, folder, flags):
        """Compiled unless it is there: by the same command, and newer than all it is made from."""
        flags = self.spelled([*COMMON_FLAGS, *flags])
        # setuptools has a command for C++ apart from C's, which older ones take for both.
        compiler = getattr(
            self.compiler, "compiler_so_cxx", getattr(self.compiler, "compiler_so", [])
        )
        command = " ".join([*compiler, *flags])
        folder = str(Path(self.build_temp) / f"{folder}-{zlib.crc32(command.encode()):08x}")
        [target] = self.compiler.object_filenames([source], output_dir=folder)
        # Headers beside a source and below: the kernels include none from above.
        beside = [header for header in HEADERS if Path(source).parent in Path(header).parents]
        if self.force or newer_group([source, *beside, "setup.py"], target):
            self.compiler.compile(
                [source],
                output_dir=folder,
                macros=ext.define_macros,
                debug=self.debug,
                extra_postargs=flags,
            )
        return target


core = Extension(
    "fastconv._core",
    sources=["fastconv/_core.pyx"],
    include_dirs=["csrc", np.get_include()],
    define_macros=[
        ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
        ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION"),
        ("FC_LEVELS", " ".join(f"X({name})" for name in levels())),
    ],
    depends=["setup.py", KERNELS, *ENGINE, *HEADERS, *INCLUDES],
    extra_link_args=["-Wl,-s"] if platform.system() == "Linux" else [],
    language="c++",
)

setup(
    ext_modules=cythonize(
        [core], build_dir="build/cython", compiler_directives={"language_level": 3}
    ),
    cmdclass={"build_ext": BuildExt},
)
