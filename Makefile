# One command each; every one sets up what it needs, from nothing but Python >= 3.11, git and make.
#
#   make report            build/report/lstm/, for another cell: make report CELL=gru or CELL=my.cell
#   make test              the whole test suite; for a part: make test ARGS="tests/derive -k adjoint"
#   make soak              the property tests again, long and with fresh random examples
#   make fuzz              a million broken inputs to every reader of texts and files; INPUTS=10000 for fewer
#   make frameworks        installs torch and autograd, so that the tests that compare with them run too
#   make docs              the documentation site, from nothing: build/docs/index.html
#   make lint | format     ruff and pyright | ruff's formatter
#   make coverage          the tests with coverage by branch
#   make bench             speed and memory, below
#   make speed             generated code against torch, jax and autograd: docs/speed.md (an hour)
#   make memory            peak memory of generated code and what saving it costs: docs/memory.md
#   make timings           the benchmarks by pytest: tables of times and ratios, and build/benchmarks.json
#   make stages            the time to derive, prove and generate a cell, and where T stands in it; ARGS="gru lru"
#   make gradient-flow     docs/gradient-flow.md: published numbers measured again, with figures
#   make kill-table        docs/kill-table.md: who notices a wrong gradient; an hour on two cores
#   make map               the tables of files in ARCHITECTURE.md, from the files themselves
#   make release           wheel and sdist into dist/, and the tests from a clean environment that has only the wheel
#   make clean             what make built; make distclean also removes .venv

PYTHON ?= python3
CELL ?= lstm
ARGS ?=
VENV := .venv
PY := $(VENV)/bin/python
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check

.DELETE_ON_ERROR:
.PHONY: report test docs soak coverage bench speed memory timings stages kill-table gradient-flow lint format map fuzz release setup frameworks clean distclean help

report: $(VENV)/.core
	$(PY) -m throughtime report $(CELL) --force $(ARGS)

# As many workers as cores, and one thread of BLAS for each: threads that wait for a core make a product a thousand
# times slower than it is.
test soak coverage: export OMP_NUM_THREADS ?= 1
test soak coverage: export OPENBLAS_NUM_THREADS ?= 1

test: $(VENV)/.test
	$(PY) -m pytest -n auto $(ARGS)

soak: $(VENV)/.test
	HYPOTHESIS_PROFILE=soak $(PY) -m pytest -n auto $(ARGS)

coverage: $(VENV)/.test
	$(PY) -m pytest -n auto --cov --cov-report=term $(ARGS)

bench: speed memory

timings: $(VENV)/.bench
	@mkdir -p build
	$(PY) -m pytest benchmarks --benchmark-only --benchmark-json=build/benchmarks.json $(ARGS)

speed: $(VENV)/.bench $(VENV)/.frameworks
	$(PY) benchmarks/speed.py $(ARGS)

memory: $(VENV)/.bench $(VENV)/.frameworks
	$(PY) benchmarks/memory.py $(ARGS)

stages: $(VENV)/.core
	$(PY) -m benchmarks.stages $(ARGS)

gradient-flow: $(VENV)/.core
	$(PY) -m benchmarks.gradient_flow

kill-table: $(VENV)/.frameworks
	$(PY) -m benchmarks.kill_table $(ARGS)

docs: $(VENV)/.docs
	$(PY) -m docs.build build/docs

lint: $(VENV)/.dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m pyright

format: $(VENV)/.dev
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

map:
	$(PYTHON) tests/architecture_table.py

fuzz: $(VENV)/.test
	$(PY) -m tests.fuzz.run --inputs $(or $(INPUTS),1000000) $(ARGS)

release:
	.ci/release $(RELEASE)

setup: $(VENV)/.core

frameworks: $(VENV)/.frameworks

clean:
	rm -rf build dist htmlcov .coverage .coverage.* .pytest_cache .ruff_cache .benchmarks .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)

help:
	@sed -n 's/^#   //p' Makefile

# Each stamp is newer than pyproject.toml once what it names is installed.
$(VENV)/.core: pyproject.toml | $(PY)
	@echo "setting up: throughtime and what it needs ..."
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.test $(VENV)/.frameworks $(VENV)/.bench $(VENV)/.dev $(VENV)/.docs: $(VENV)/.%: pyproject.toml | $(PY)
	@echo "setting up: $* ..."
	$(INSTALL) --editable '.[$*]'
	@touch $(VENV)/.core $@

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "throughtime needs Python 3.11 or later; $(PYTHON) is" \
	    "$$(command -v $(PYTHON) >/dev/null && $(PYTHON) --version 2>&1 || echo not there)." >&2; \
	  echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) could not make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; \
	  exit 1; }
