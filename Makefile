# make        set up, run the default study on all cores, write results/quick/report.html
# make test   set up, run the tests in two processes
# make tour   set up, run the slow tests: all methods and data sets on tiny models, a plan of 10,000 jobs
# make unit   set up, run the unit tests only
# make docs   set up, write the documentation site to docs/_build, warnings are errors
# make check  set up, run formatters, linters, types and the layers of the packages, as CI and pre-commit do

PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: study test tour unit docs check

study: .venv/.installed
	$(BIN)/snakemake --cores all --report results/quick/report.html --report-after-run \
		--report-stylesheet workflow/report/report.css

test: .venv/.installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile --no-loadscope-reorder

tour: .venv/.installed
	$(BIN)/python -m pytest -m slow

unit: .venv/.installed
	$(BIN)/python -m pytest tests/unit

docs: .venv/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/python -m sphinx --fail-on-warning --keep-going -q docs docs/_build

check: .venv/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
