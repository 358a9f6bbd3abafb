# Each target makes the virtual environment it needs; python3 (3.11 or newer), g++ and make are enough.
PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?= -q -n auto

BIN = $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
SANITIZED = .venv-sanitize
NATIVE := $(shell find native -name '*.[ch]pp')
CMAKE_INPUT := pyproject.toml CMakeLists.txt $(NATIVE)

.PHONY: demo test dev lint format coverage sanitize wheel clean

demo: $(VENV)/.installed
	$(BIN)/normball fit --example diabetes -o demo
	@echo "Results in demo/: open demo/report.html"

test: $(VENV)/.installed $(VENV)/.test
	$(BIN)/pytest $(PYTEST_ARGS)

# editable: Python changes count at once, native ones after the next `make dev`
dev: $(VENV)/.installed $(VENV)/.test $(VENV)/.lint

lint: $(VENV)/.installed $(VENV)/.test $(VENV)/.lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run -Werror $(NATIVE)
	$(BIN)/clang-tidy --quiet -p build/cp311-abi3-linux_x86_64 $(filter %.cpp,$(NATIVE))

format: $(VENV)/.lint
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(NATIVE)

coverage: $(VENV)/.installed $(VENV)/.test
	$(BIN)/pytest $(PYTEST_ARGS) --cov --cov-report=term

sanitize: $(SANITIZED)/.installed $(SANITIZED)/.test
	LD_PRELOAD="$$(g++ -print-file-name=libasan.so) $$(g++ -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc \
	$(SANITIZED)/bin/pytest $(PYTEST_ARGS) -m "not slow"

wheel: $(VENV)/.tools
	$(BIN)/python -m pip wheel --quiet --no-build-isolation --no-deps --wheel-dir dist .

clean:
	rm -rf build dist demo .venv .venv-sanitize .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache

%/.tools: pyproject.toml
	test -x $*/bin/python || $(PYTHON) -m venv $*
	$*/bin/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$*/bin/python -m pip install --quiet --disable-pip-version-check --group build
	touch $@

$(VENV)/.installed: $(VENV)/.tools $(CMAKE_INPUT)
	$(INSTALL) --no-build-isolation --editable '.[plot]'
	touch $@

$(SANITIZED)/.installed: $(SANITIZED)/.tools $(CMAKE_INPUT) $(shell find src -name '*.*')
	$(SANITIZED)/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation \
	    -C build-dir=build/sanitize -C cmake.build-type=RelWithDebInfo -C cmake.define.NORMBALL_SANITIZE=ON '.[plot]'
	touch $@

%/.test %/.lint: %/.tools
	$*/bin/python -m pip install --quiet --disable-pip-version-check --group $(subst .,,$(@F))
	touch $@
