# One command for each wish. Tools are those of the active environment.

PYTHON ?= python
CLANG_FORMAT ?= clang-format
CPP = $(wildcard csrc/*.h csrc/*.cpp csrc/kernels/*.h csrc/kernels/*.cpp tests/native/*.h tests/native/*.cpp)
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer \
    -shared-libasan

.DEFAULT_GOAL := help
.PHONY: help build test drop-in drop-in-oldest native tsan asan fuzz trust bench compare peers figures docs lint format types wheel release-check clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

build:  ## install this checkout into the active environment
	$(PYTHON) -m pip install .

test:  ## the tests, against the installed package
	pytest -n auto

drop-in:  ## numpy's and scipy's own tests, with fastconv's functions in their place
	$(PYTHON) tests/drop_in/numpys.py
	$(PYTHON) tests/drop_in/scipys.py

# These have wheels for Python 3.11 and 3.12.
drop-in-oldest:  ## the same with the oldest numpy and scipy that are supported
	rm -rf build/oldest
	$(PYTHON) -m venv build/oldest
	build/oldest/bin/python -m pip install --quiet '.[test]' 'numpy==2.0.*' 'scipy==1.13.*'
	$(MAKE) drop-in PYTHON=build/oldest/bin/python

tsan:  ## csrc alone under the thread sanitizer
	$(PYTHON) tests/native/run.py tsan

fuzz:  ## 1,000,000 cases each of the C face, by libFuzzer, and of Python's, by atheris
	$(PYTHON) tests/native/run.py fuzz --cases 1000000
	$(PYTHON) tests/fuzz_python.py -atheris_runs=1000000 -max_len=80 -len_control=0

trust:  ## each promise checked, and its figure
	$(PYTHON) tests/trust.py

native:  ## csrc alone, also as arm64 and on an old CPU where the tools are
	$(PYTHON) tests/native/run.py

# Clang at -O1: 12 minutes of processor time, 7 of them avx512's, where GCC at -O3 took over an hour.
# -g1 and no stripping give reports their lines. Left out: the tests of the house, which read files
# and compile some; of resident memory, since what was freed is kept back for a while; and of memory
# that runs out in new, where the sanitizer ends the process instead of throwing.
asan:  ## the tests under the address and undefined-behaviour sanitizers, by clang
	rm -rf build/asan && mkdir -p build/asan
	cp -r setup.py pyproject.toml README.md LICENSE csrc fastconv build/asan
	sed -i 's/"-O3"/"-O1"/; s/"-g0"/"-g1"/; s/"-Wl,-s"//' build/asan/setup.py
	$(PYTHON) -m venv build/asan/venv
	CC=clang CXX=clang++ CFLAGS="$(SANITIZE)" CXXFLAGS="$(SANITIZE)" LDFLAGS="$(SANITIZE)" \
	    build/asan/venv/bin/python -m pip install --quiet --no-cache-dir './build/asan[test]'
	LD_PRELOAD="$$(clang -print-file-name=libclang_rt.asan-$$(uname -m).so)" \
	    ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 build/asan/venv/bin/pytest -n auto \
	    --ignore tests/test_house.py --deselect tests/test_stream.py::test_memory_does_not_grow \
	    --deselect tests/test_strided.py::test_memory_is_little \
	    --deselect tests/test_workers.py::test_out_of_memory_comes_back_from_a_helper

bench:  ## the pytest-benchmark suites
	pytest benchmarks

compare:  ## the grid beside numpy and scipy; with BASE=commit two builds; ONLY='10000*31', QUICK=1
	$(PYTHON) benchmarks/$(if $(BASE),between.py '$(BASE)' $(NEW),compare.py) \
	    $(if $(ONLY),--only '$(ONLY)') $(if $(QUICK),--quick)

peers:  ## the same, beside FFTW, ducc0, IPP, MKL, OpenCV and torch too
	$(PYTHON) benchmarks/compare.py --require-peers 6

figures:  ## every table and plot of README and docs anew, hours; ONLY='integers.py README.md'
	$(PYTHON) benchmarks/figures.py $(ONLY)

docs:  ## the site, in build/docs; what sphinx warns of is an error
	$(PYTHON) -P -m sphinx -q -W --keep-going docs build/docs

lint:  ## style of Python, Cython and C++
	ruff check .
	ruff format --check .
	cython-lint --max-line-length 100 fastconv
	$(CLANG_FORMAT) --dry-run -Werror $(CPP)

format:  ## rewrite Python and C++ in that style
	ruff format .
	$(CLANG_FORMAT) -i $(CPP)

types:  ## the annotations, and the stubs against the installed package
	cd tests && $(PYTHON) -m mypy --config-file ../pyproject.toml
	cd tests && $(PYTHON) -m mypy.stubtest --mypy-config-file ../pyproject.toml fastconv

wheel:  ## an sdist, and a wheel made from it, in dist/
	$(PYTHON) -m build

release-check:  ## the files of a release: looked at, installed and tested
	.ci/release

clean:  ## what building and testing left behind
	rm -rf build dist docs/gallery *.egg-info .pytest_cache .hypothesis .ruff_cache .mypy_cache .benchmarks
	find . -name __pycache__ -prune -exec rm -rf {} +
