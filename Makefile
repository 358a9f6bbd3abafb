# python3 (3.11 or newer), g++ and make are enough: each target makes the virtual environment it needs.
PYTHON ?= python3
VENV ?= .venv
SANITIZED = .venv-sanitize
PORTABLE = .venv-portable
OLDEST = .venv-oldest
PEERS ?= .venv-peers
PYTEST_ARGS ?= -q -n auto
# the tests that take minutes (scikit-learn's own, the large data sets, browsers) run with `make slow`, and in .ci/run
CHOSEN ?= -m "not slow"

BIN = $(VENV)/bin
BUILD = build/$(notdir $(VENV))
NATIVE := $(shell find native -name '*.[ch]pp')
# what the answers depend on; the rest is what surrounds them
NUMERIC = $(foreach name,bad_points ball batch budgets certificate cox cpu cv duplicates group_solver groups_oracle guards long_work moments native native_losses nothing_left null_model outputs_oracle own_options path \
    properties residual_basis rough_gram row_blocks screens side_by_side sparse_engine tall threads,tests/test_$(name).py)
# what differs between the newer families is their formula alone: further builds and CPUs run it, not every grid over it
FEWER = -k "native_losses or not (gamma or tweedie or negative_binomial or huber)"
COMPILERS = clang++-16 clang++-19 aarch64-linux-gnu-g++ "clang++-16 -stdlib=libc++ -fsyntax-only"
INSTALL = bin/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test slow docs links bench dev lint format coverage sanitize older-cpus portable compilers test-oldest web wheel clean
.NOTPARALLEL:

demo: $(VENV)/.installed
	$(BIN)/normball fit --example diabetes -o demo

test: $(VENV)/.installed $(VENV)/.test
	$(BIN)/pytest $(PYTEST_ARGS) $(CHOSEN) $(COVERAGE)

# The site: pages, reference and examples, in build/docs/html. A warning is an error.
docs: $(VENV)/.installed $(VENV)/.docs
	$(BIN)/sphinx-build -W --keep-going -q -b html -d build/docs/doctrees docs build/docs/html

# The addresses on the pages, as far as they can be reached from here.
links: docs
	$(BIN)/sphinx-build -q -b linkcheck -d build/docs/doctrees docs build/docs/links

# The peers live in an environment of their own; glmnet is R's, and left out where there is no Rscript.
bench: $(VENV)/.installed $(PEERS)/.bench
	NORMBALL_BENCHMARK_PEERS=$(abspath $(PEERS))/bin/python $(BIN)/python -m benchmarks --quick
	$(BIN)/python -m benchmarks report

# An editable install with all tools: Python changes count at once, native ones after the next `make dev`.
dev: $(VENV)/.installed $(VENV)/.test $(VENV)/.lint

lint: $(VENV)/.installed $(VENV)/.lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run -Werror $(NATIVE)
	$(BIN)/clang-tidy --quiet -p $(BUILD) $(filter %.cpp,$(NATIVE))

format: $(VENV)/.lint
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(NATIVE)

# What `make test` leaves out is left out here, too: it takes twice as long under coverage and covers little more.
coverage: COVERAGE = --cov --cov-report=term
coverage: $(VENV)/.torch $(VENV)/.docs test

slow: $(VENV)/.installed $(VENV)/.test
	$(BIN)/pytest $(PYTEST_ARGS) -m slow

sanitize: $(SANITIZED)/.installed $(SANITIZED)/.test
	LD_PRELOAD="$$(g++ -print-file-name=libasan.so) $$(g++ -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc \
	$(SANITIZED)/bin/pytest $(PYTEST_ARGS) --capture=sys -m "not slow" $(FEWER) $(NUMERIC)

# The numeric tests as on CPUs with AVX2 only: their BLAS kernels and ours.
older-cpus: $(VENV)/.installed $(VENV)/.test
	if $(BIN)/python -c 'from normball import _native; exit(_native.cpu_levels()[-1] == "avx2")'; then \
	    OPENBLAS_CORETYPE=Haswell NORMBALL_CPU_LEVEL=avx2 $(BIN)/pytest $(PYTEST_ARGS) $(CHOSEN) $(FEWER) $(NUMERIC); \
	else echo "this CPU is one of them: make test has run its kernels"; fi

# The same on a build without versions of the kernels for newer CPUs, which is what ARM has, and with BLAS kernels of a
# CPU without AVX.
portable: $(PORTABLE)/.installed $(PORTABLE)/.test
	$(PORTABLE)/bin/python -c 'from normball import _native; assert _native.cpu_levels() == ["plain"]'
	OPENBLAS_CORETYPE=Prescott $(PORTABLE)/bin/pytest $(PYTEST_ARGS) $(CHOSEN) $(FEWER) $(NUMERIC)

# Every source by every other compiler that is installed, and with the standard library of macOS, without a warning.
compilers: INCLUDES = import nanobind, sysconfig; print("-isystem", nanobind.include_dir(), "-isystem", sysconfig.get_path("include"))
compilers: $(VENV)/.tools
	for compiler in $(COMPILERS); do \
	    if echo '#include <vector>' | $$compiler -x c++ -fsyntax-only - 2>/dev/null; then \
	        echo "$$compiler"; \
	        printf '%s\n' $(filter %.cpp,$(NATIVE)) | xargs -P 2 -n 1 $$compiler -std=c++20 -fPIC -fvisibility=hidden -c -o /dev/null \
	            -Inative $$($(BIN)/python -c '$(INCLUDES)') -Wall -Wextra -Wpedantic -Werror || exit 1; \
	    fi; \
	done

# The tests with the oldest versions that pyproject.toml allows.
test-oldest: wheel
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/$(INSTALL) --upgrade 'pip>=25.1'
	$(OLDEST)/$(INSTALL) --group test --constraint tests/oldest.txt "$$(ls dist/*.whl)[plot]"
	$(OLDEST)/bin/pytest $(PYTEST_ARGS) $(CHOSEN)

# The JavaScript of the pages: built, checked and tested where there is node; its builds are committed, so nobody else needs it.
web:
	@command -v npm >/dev/null || { echo "make web needs node and npm"; exit 1; }
	cd web && npm ci --no-audit --no-fund && npm run build && npm run lint && npm test

wheel: $(VENV)/.tools
	$(BIN)/python -m pip wheel --quiet --no-build-isolation --no-deps -C build-dir=$(BUILD) --wheel-dir dist .

clean:
	rm -rf build dist demo docs/gallery docs/reference/generated .venv .venv-sanitize .venv-portable .venv-oldest .venv-peers .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache

%/.tools: pyproject.toml
	$(PYTHON) -m venv $*
	$*/$(INSTALL) --upgrade 'pip>=25.1'
	$*/$(INSTALL) --group build
	touch $@

%/.test: %/.tools
	$*/$(INSTALL) --group test
	touch $@

%/.lint: %/.tools
	$*/$(INSTALL) --group lint
	touch $@

%/.docs: %/.tools
	$*/$(INSTALL) --group docs
	touch $@

%/.torch: %/.tools
	$*/$(INSTALL) --group torch
	touch $@

# with what normball.torch is compared with: python -m benchmarks.torch_selection, benchmarks.torch_overhead
%/.torch-bench: %/.tools
	$*/$(INSTALL) --group torch-bench
	touch $@

%/.bench: pyproject.toml
	$(PYTHON) -m venv $*
	$*/$(INSTALL) --upgrade 'pip>=25.1'
	$*/$(INSTALL) --group bench
	touch $@

$(VENV)/.installed: $(VENV)/.tools CMakeLists.txt $(NATIVE)
	$(VENV)/$(INSTALL) --no-build-isolation -C build-dir=$(BUILD) --editable '.[plot]'
	touch $@

$(SANITIZED)/.installed: $(SANITIZED)/.tools CMakeLists.txt $(NATIVE)
	$(SANITIZED)/$(INSTALL) --no-build-isolation -C build-dir=build/sanitize -C cmake.build-type=Debug \
	    -C cmake.define.NORMBALL_SANITIZE=ON --editable '.[plot]'
	touch $@

$(PORTABLE)/.installed: $(PORTABLE)/.tools CMakeLists.txt $(NATIVE)
	$(PORTABLE)/$(INSTALL) --no-build-isolation -C build-dir=build/portable \
	    -C cmake.define.NORMBALL_PORTABLE=ON --editable '.[plot]'
	touch $@
