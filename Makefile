# Two commands: `make repro` (raw clips to metrics) and `make test`.
PYTHON ?= python3
VENV := .venv
# DVC's stages call `python` and `lnln`: they find the environment's.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
INSTALLED := $(VENV)/.installed

.PHONY: repro test test-slow lint format doctor clean

repro: doctor  ## raw clips to metrics: every DVC stage that is not up to date
	dvc repro

test: $(INSTALLED)  ## the ordinary tests, on every core
	pytest -m "not slow" -n auto

test-slow: $(INSTALLED)  ## the tests that take longer
	pytest -m slow -n auto

lint: $(INSTALLED)  ## formatting, lint, types
	ruff format --check .
	ruff check .
	mypy

format: $(INSTALLED)
	ruff format .
	ruff check --fix .

doctor: $(INSTALLED)  ## what is missing on this machine, and how to get it
	lnln doctor

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}: make PYTHON=/path/to/python3.11")'
	@echo "Installing into $(VENV): about 3 GB, a few minutes"
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

clean:  ## the virtual environment and what it holds
	rm -rf $(VENV)
