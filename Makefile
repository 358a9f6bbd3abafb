# python3 (3.11 or newer), g++ and make are enough: each target makes the virtual environment it needs.
PYTHON ?= python3
VENV ?= .venv
SANITIZED = .venv-sanitize
PEERS ?= .venv-peers
PYTEST_ARGS ?= -q -n auto

BIN = $(VENV)/bin
BUILD = build/$(notdir $(VENV))
NATIVE := $(shell find native -name '*.[ch]pp')
INSTALL = bin/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test bench dev lint format coverage sanitize web wheel clean
.NOTPARALLEL:

demo: $(VENV)/.installed
	$(BIN)/normball fit --example diabetes -o demo

test: $(VENV)/.installed $(VENV)/.test
	$(BIN)/pytest $(PYTEST_ARGS) $(COVERAGE)

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

coverage: COVERAGE = --cov --cov-report=term
coverage: $(VENV)/.torch test

sanitize: $(SANITIZED)/.installed $(SANITIZED)/.test
	LD_PRELOAD="$$(g++ -print-file-name=libasan.so) $$(g++ -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc \
	$(SANITIZED)/bin/pytest $(PYTEST_ARGS) --capture=sys -m "not slow"

# The JavaScript of the pages: built, checked and tested where there is node; its builds are committed, so nobody else needs it.
web:
	@command -v npm >/dev/null || { echo "make web needs node and npm"; exit 1; }
	cd web && npm ci --no-audit --no-fund && npm run build && npm run lint && npm test

wheel: $(VENV)/.tools
	$(BIN)/python -m pip wheel --quiet --no-build-isolation --no-deps -C build-dir=$(BUILD) --wheel-dir dist .

clean:
	rm -rf build dist demo .venv .venv-sanitize .venv-peers .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache

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
