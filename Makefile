# Two commands do all there is to set up, on a machine with Python 3.10+ and make:
#   make demo   the main job: real photographs, a real model, no network, no key
#   make test   everything that has to hold: format, lint, types, layers, tests, coverage

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test lint types unit coverage format benchmark compare-calls clean

demo: $(VENV)/.demo
	$(BIN)/inference-sdk infer examples/astronaut.jpg examples/coffee.jpg --confidence 0.35 --save demo-output

test: lint types unit

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(INSTALLED)
	$(BIN)/mypy

unit: $(INSTALLED)
	$(BIN)/python -m pytest --numprocesses auto --cov

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmark: $(INSTALLED)
	$(BIN)/python benchmarks/http_path.py

# Every call beside released versions of inference-sdk, as black boxes: downloads them, takes a minute.
compare-calls: $(INSTALLED)
	$(BIN)/python compat/calls/compare.py --version 1.8.3
	$(BIN)/python compat/calls/compare.py --version 1.1.1

clean:
	rm -rf $(VENV) demo-output .coverage* .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[cli,local,viz]'
	touch $@

$(INSTALLED): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/.demo
