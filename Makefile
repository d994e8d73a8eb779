# `make parity` is the gate, `make test` is everything else that guards this project.
# Kept to what GNU make 3.81 and a POSIX shell know, so that it works on macOS as it comes.

PYTHON ?= python3
# What Hypothesis draws in the tests: `ci` the same each time, `default` anew.
DRAWS ?= ci
REPORT := ffparity-report.json
# A git revision that vectors, matrix and waivers are held against; none where it is empty.
BASELINE ?=

VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
PYTEST := $(PY) -m pytest --hypothesis-profile=$(DRAWS)
ALONE := tests/acceptance tests/faults
# Those of them that put no load on a server.
TOGETHER := $(addprefix tests/acceptance/test_,tampering.py use_cases.py use_cases_audit.py use_cases_parity.py wheel.py)

.PHONY: help parity test browser lint build clean

help:
	@echo 'make parity  run the vectors on both paths; exits 0 only for GO; writes $(REPORT)'
	@echo 'make test    lint, types, import contract, tests'
	@echo 'make browser the tests that open the HTML report in Chromium; one has to be installed'
	@echo 'make lint    lint, types, import contract'
	@echo 'make build   sdist and wheel into dist/'
	@echo 'make clean   remove the environment and everything made here'
	@echo 'BASELINE=... make parity: block what asks less than at this git revision'
	@echo 'DRAWS=default make test: Hypothesis draws anew; without, the same each time'
	@echo 'PYTHON=...   the Python (3.11 or newer) that $(VENV) is made from [$(PYTHON)]'

# No cache folder: a gate run leaves nothing behind that could narrow the next one.
parity: $(INSTALLED)
	$(PY) -m pytest --ffparity --ffparity-require-go -p no:cacheprovider --ffparity-report='$(REPORT)' $(if $(BASELINE),--ffparity-baseline='$(BASELINE)')
	@# A process that ends itself exits as it likes; the report of a run that did not finish can't say go.
	@$(PY) -c 'import json, sys; sys.exit(json.load(open(sys.argv[1]))["verdict"] != "go")' '$(REPORT)'

# Load on servers, and signals to runs, get the machine to themselves; all else goes two at a time.
test: lint
	$(PYTEST) $(ALONE) $(addprefix --ignore=,$(TOGETHER))
	$(PYTEST) -n 2 -m 'not browser' $(TOGETHER) $(filter-out $(ALONE) %.py %__pycache__,$(wildcard tests/*))
	@echo 'make test: left out the tests marked "browser", which need a Chromium: make browser'

browser: $(INSTALLED)
	$(PYTEST) -m browser tests/report

lint: $(INSTALLED)
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-logo

build: $(INSTALLED)
	$(PY) -m build --no-isolation

# The only step that needs a network. The stamp is as new as the two files that decide what is
# installed, so nothing is asked of an index while they stand.
$(INSTALLED): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Python 3.11 or newer is needed, and "$(PYTHON)" is not one: try `make $(MAKECMDGOALS) PYTHON=python3.11`.' >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo '"$(PYTHON)" cannot make environments: install its venv package (Debian: apt install python3-venv).' >&2; exit 1; }
	@$(PY) -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || "$(PYTHON)" -m venv --clear $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(INSTALLED)

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .benchmarks '$(REPORT)'
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
