"""The rules of the house, read off the files, the objects and the installed package."""

import ast
import doctest
import importlib.metadata
import inspect
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from native.run import COMMON_FLAGS, HOST, KERNEL_FLAGS, foreign_symbols, symbols
from native.run import LEVELS as ALL_LEVELS

import fastconv

ROOT = Path(__file__).resolve().parent.parent
CSRC = ROOT / "csrc"
PACKAGE = ROOT / "fastconv"
OURS = [
    path
    for folder in ("csrc", "fastconv", "tests", "benchmarks", "examples", "docs")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".h", ".cpp", ".py", ".pyx", ".pxd", ".pyi"}
]
KERNELS = sorted((CSRC / "kernels").iterdir())
ENGINE = sorted(p for p in CSRC.iterdir() if p.suffix in {".h", ".cpp"})


def relative(path):
    return str(path.relative_to(ROOT))


def code_of(path):
    """A C++ file without comments, strings and characters."""
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', path.read_text())
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


def includes(path, quoted=True):
    pattern = r'^\s*#\s*include\s*"([^"]+)"' if quoted else r"^\s*#\s*include\s*<([^>]+)>"
    return re.findall(pattern, path.read_text(), re.M)


# --- sizes and names -----------------------------------------------------------------


@pytest.mark.parametrize("path", OURS, ids=relative)
def test_a_file_is_a_few_pages(path):
    assert len(path.read_text().splitlines()) <= 500


@pytest.mark.parametrize("path", OURS, ids=relative)
def test_no_drawer_for_everything(path):
    assert not {"utils", "util", "helpers", "common", "misc"} & set(re.split(r"[_.]", path.stem))


# --- C++: who may include whom -----------------------------------------------------------

FACE = {"fastconv.h", "function.h", "engine.h", "kernels/table.h"}
# Parts that know no method: whoever needs one may include it.
SHARED = {"runtime.h", "pool.h", "views.h", "lengths.h", "twiddles.h", "spectra.h", "status.h"}
# Insides of one method or of the selector, and who they are for. Methods do not
# include each other: what they call of one another stands in engine.h.
GUARD = {"guard", "survey", "coarse", "line_survey", "volume_survey", "profile", "empty"} | {
    "partitioned",
    "quiet",
    "corner",
    "doubtful",
    "gaps",
    "closer",
    "ends",
    "surroundings",
}
PRIVATE = {
    "transforms.h": {"spectral", "by_matrix", "layout", "in_lanes", "in_columns", "bands"}
    | GUARD
    - {"guard", "survey", "partitioned", "quiet", "corner", "doubtful", "gaps", "closer", "ends"},
    "layout.h": {"by_matrix", "patch"},
    "patch.h": {"by_matrix"},
    "survey.h": GUARD,
    "profile.h": {"volume_survey", "profile"},
    "quiet.h": {"line_survey", "quiet", "ends"},
    "closer.h": {"line_survey", "closer"},
    "ends.h": {"line_survey"},
    "surroundings.h": {"line_survey", "surroundings"},
    "corner.h": {"volume_survey"},
    "doubtful.h": {"survey", "doubtful"},
    "gaps.h": {"doubtful", "volume_survey", "gaps"},
    "empty.h": {"line_survey", "gaps", "empty"},
    "direct.h": {"direct", "pieces", "pictures", "volumes"},
    "costs.h": {"price", "costs", "shipped"},
    "shipped.h": {"costs"},
    "system.h": {"pool", "runtime", "system"},
    "price.h": {"select", "parts"},
    "parts.h": {"select"},
    "arrange.h": {"engine", "arrange", "shape"},
    "shape.h": {"arrange", "lines"},
    "bands.h": {"arrange", "guard", "bands"},
    "boundary.h": {"engine", "boundary"},
    "delay.h": {"stream", "delay"},
    "partition.h": {"delay", "partition", "blocks"},
    "blocks.h": {"blocks", "wrong"},
    "wrong.h": {"prospect"},
    "prospect.h": {"partitioned", "prospect"},
    "outside.h": {"boundary", "outside"},
    "last_plan.h": {"spectra", "engine", "last_plan"},
}


@pytest.mark.parametrize("path", ENGINE, ids=relative)
def test_engine_includes(path):
    private = {header for header, readers in PRIVATE.items() if path.stem in readers}
    assert set(includes(path)) <= FACE | SHARED | private
    assert not [h for h in includes(path, quoted=False) if "Python" in h or "numpy" in h]


def test_the_face_stands_alone():
    assert includes(CSRC / "fastconv.h") == []
    assert set(includes(CSRC / "engine.h")) == {"fastconv.h", "function.h", "kernels/table.h"}
    for name in ("runtime.h", "runtime.cpp", "pool.h", "pool.cpp", "system.h", "system.cpp"):
        assert not set(includes(CSRC / name)) & (FACE - {"function.h"}), f"{name} knows convolution"


@pytest.mark.parametrize("path", KERNELS, ids=relative)
def test_kernels_include_only_each_other(path):
    names = {p.name for p in KERNELS}
    assert set(includes(path)) <= names
    allowed = {"stddef.h", "stdint.h", "string.h", "immintrin.h", "arm_neon.h"}
    assert set(includes(path, quoted=False)) <= allowed


# --- C++: forbidden words ----------------------------------------------------------------

IMPURE = r"chrono|\bclock|\btime\(|malloc|\bnew\b|vector|\bstatic\b|getenv|\brand\("
MEMORY_AND_EXCEPTIONS = r"std::|\b(throw|try|catch|new)\b|alloc\(|\bfree\(|\bdelete\b(?!;)"
SYSTEMS = r"_WIN32|__linux__|__APPLE__|__unix__|pthread|\bmmap|\bfork\(|aligned_alloc|memalign"
OUTPUT_AND_ABORT = r"\b(abort|exit|f?printf|puts)\(|std::c(out|err)"
LEVEL_MACROS = r"__(AVX|SSE|FMA|ARM|aarch64)"


def words(path, pattern):
    return [m.group() for m in re.finditer(pattern, code_of(path))]


def test_the_choice_is_pure():
    """No clock, no memory, no state."""
    for name in ("select.cpp", "price.h", "parts.h"):
        assert not words(CSRC / name, IMPURE)


@pytest.mark.parametrize("path", KERNELS, ids=relative)
def test_kernels_take_no_memory_and_do_not_throw(path):
    assert not words(path, MEMORY_AND_EXCEPTIONS)


@pytest.mark.parametrize("path", ENGINE, ids=relative)
def test_the_engine_does_no_output_and_does_not_abort(path):
    assert not words(path, OUTPUT_AND_ABORT)
    assert not words(path, LEVEL_MACROS), "the build tells which levels there are"


@pytest.mark.parametrize("path", ENGINE, ids=relative)
def test_what_systems_do_not_share_stands_in_one_file(path):
    everywhere = r"<(?:\w+|(?:inttypes|math|std\w+|string)\.h)>"
    foreign = [h for h in includes(path, quoted=False) if not re.fullmatch(everywhere, f"<{h}>")]
    if path.name == "isa.cpp":
        foreign.remove("cpuid.h")  # the CPU's, not a system's
    assert path.name == "system.cpp" or not foreign + words(path, SYSTEMS)


# --- R1-R4: a level's object is one constant ---------------------------------------------


LEVELS = ALL_LEVELS.get(HOST, ALL_LEVELS["plain"])


@pytest.fixture(scope="module", params=list(LEVELS))
def level_object(request, tmp_path_factory):
    """(level, its object file), by setup.py's flags at -O0: nothing is inlined, all is seen.

    native/run.py looks at -O3, and at more.
    """
    compiler = os.environ.get("CXX", "g++").split()
    if not (shutil.which(compiler[0]) and shutil.which("nm") and shutil.which("objdump")):
        pytest.skip("no compiler, nm or objdump here")
    name = request.param
    target = tmp_path_factory.mktemp("level") / f"{name}.o"
    subprocess.run(
        [*compiler, *COMMON_FLAGS, *KERNEL_FLAGS, *LEVELS[name], f"-DFC_LEVEL={name}",
         "-O0", "-fPIC", "-c", str(CSRC / "kernels" / "kernels.cpp"), "-o", str(target)],
        check=True,
    )  # fmt: skip
    return name, target


def test_one_symbol_and_it_is_data(level_object):
    name, target = level_object
    found = symbols(target)
    assert foreign_symbols(name, found) == []
    assert len([kind for kind, _ in found if kind.isupper() and kind != "U"]) == 1


def test_other_symbols_are_found():
    """The test above can fail."""
    own = ("R", "fastconv::kernels_avx2")
    assert foreign_symbols("avx2", [own, ("t", "inner"), ("U", "memcpy")]) == []
    for wrong in [("T", "f()"), ("W", "std::min"), ("u", "once"), ("U", "malloc"), ("B", "state")]:
        assert foreign_symbols("avx2", [own, wrong]) == [wrong]
    assert foreign_symbols("avx2", [("T", own[1])])
    assert foreign_symbols("avx2", [("t", "inner")])


def test_nothing_runs_before_it_is_chosen(level_object):
    _, target = level_object
    sections = subprocess.run(
        ["objdump", "-h", str(target)], capture_output=True, text=True, check=True
    ).stdout
    assert not re.search(r"\.(init_array|ctors|init|preinit_array)\b", sections)


def test_everything_else_is_baseline():
    """R1: flags of a level stand beside that level alone."""
    for flag in COMMON_FLAGS + KERNEL_FLAGS:
        assert not flag.startswith("-m"), flag
        assert flag not in ("-ffast-math", "-Ofast", "-march=native", "-flto"), flag
    assert "-ffp-contract=off" in COMMON_FLAGS
    assert "-fno-lto" in KERNEL_FLAGS


# --- Python: the import ladder -----------------------------------------------------------

# A module may import those on rungs below its own, never a sibling or one above.
RUNGS = [
    {"_core", "_version"},
    {"_args", "_call", "_measure"},
    {"_kernel_args", "_numpys"},
    {"_lines", "_extended", "_sums", "_stream", "_tune", "_workers"},
    {"_convolve", "_signal2d", "_nd", "_config"},
    {"signal", "_explain", "_convolver"},
    {"_patch"},
    {"__init__"},
    {"cli"},
    {"__main__"},
]
RUNG = {name: height for height, names in enumerate(RUNGS) for name in names}


def imported(path):
    """Names of fastconv that a file imports; what is no module is had from __init__."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            inside = (node.module or "").split(".")
            if node.level == 0 and inside.pop(0) != "fastconv":
                continue
            found |= {inside[0]} if inside and inside[0] else {a.name for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("fastconv.")}
    return {name if name in RUNG else "__init__" for name in found}


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=relative)
def test_imports_go_down_the_ladder(path):
    for name in imported(path):
        assert RUNG[name] < RUNG[path.stem], f"{path.stem} imports {name}"


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=relative)
def test_the_command_line_stands_on_public_names(path):
    private = {name for name in imported(path) if name.startswith("_") and name != "__init__"}
    assert private <= {"_core"}, private


def test_import_is_light(python):
    """numpy alone is needed at run time, and importing starts no thread."""
    code = (
        "import sys, threading, fastconv\n"
        "heavy = {'scipy', 'rich', 'matplotlib', 'pytest', 'argparse'} & set(sys.modules)\n"
        "print(sorted(heavy), threading.active_count())"
    )
    done = python(code)
    assert done.stdout.strip() == "[] 1", done.stdout + done.stderr


# --- the installed package ---------------------------------------------------------------


def test_the_installed_package_is_tested():
    assert Path(fastconv.__file__).resolve().parent != PACKAGE


def test_the_version_is_told_once():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert fastconv.__version__ == project["version"] == importlib.metadata.version("fastconv")
    assert f"\nversion: {fastconv.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_package_holds_no_sources_and_no_tests():
    """It is what the wheel unpacked."""
    installed = Path(fastconv.__file__).parent
    files = [p.relative_to(installed) for p in installed.rglob("*") if p.is_file()]
    sources = [p for p in files if p.suffix in {".pyx", ".pxd", ".cpp", ".c", ".h", ".o"}]
    assert not sources
    assert not [p for p in files if "test" in p.stem.lower()]
    assert Path("py.typed") in files
    assert (
        sum((installed / p).stat().st_size for p in files if "__pycache__" not in p.parts) < 3e6 * 4
    )


def test_numpy_alone_is_required():
    required = importlib.metadata.requires("fastconv") or []
    assert [r.split(">")[0].strip() for r in required if "extra ==" not in r] == ["numpy"]


# --- every public name is documented, and its examples run ---------------------------------

NAMESPACES = [fastconv, fastconv.signal]
PUBLIC = [
    pytest.param(getattr(space, name), id=f"{space.__name__}.{name}")
    for space in NAMESPACES
    for name in space.__all__
    if callable(getattr(space, name))
]


@pytest.mark.parametrize("space", NAMESPACES, ids=lambda space: space.__name__)
def test_all_is_all(space):
    assert len(set(space.__all__)) == len(space.__all__)
    assert {"convolve", "correlate", "convolve2d", "correlate2d"} <= set(space.__all__)
    for name in space.__all__:
        assert hasattr(space, name)


@pytest.mark.parametrize("member", PUBLIC)
def test_docstrings(member):
    """numpydoc, with every parameter named and an example."""
    name = member.__name__
    text = inspect.getdoc(member) or ""
    assert re.search(r"^Examples\n-{8}$", text, re.M), f"{name} has no Examples section"
    assert text.splitlines()[0].strip() or text.splitlines()[1].strip(), "a summary line"
    parameters = [
        p for p in inspect.signature(member).parameters if p not in ("self", "args", "kwargs")
    ]
    if parameters and not inspect.isclass(member):
        assert re.search(r"^Parameters\n-{10}$", text, re.M), f"{name} has no Parameters section"
        section = re.search(r"^Parameters\n-{10}\n(.*?)(?=^\w[\w ]+\n-{4,}$|\Z)", text, re.M | re.S)
        documented = {
            word.strip()
            for line in re.findall(r"^(\S[^:\n]*?)(?: :|$)", section.group(1), re.M)
            for word in line.split(",")
        }
        assert set(parameters) <= documented, f"{name}: {set(parameters) - documented}"


@pytest.mark.parametrize("name", fastconv.signal.__all__)
def test_functions_of_signal_name_their_source(name):
    text = inspect.getdoc(getattr(fastconv.signal, name))
    assert re.search(r"^References\n-{10}$", text, re.M)


@pytest.mark.parametrize("member", PUBLIC)
def test_examples_of_docstrings_run(member):
    name = member.__name__
    examples = doctest.DocTestParser().get_doctest(inspect.getdoc(member), {}, name, None, None)
    assert examples.examples, f"{name} shows no example"
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    runner.run(examples, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)
