# Two commands do all there is to set up, on a machine with Python 3.10+ and make:
#   make demo   the main job: real photographs, a real model, no network, no key
#   make test   everything that has to hold: format, lint, types, layers, tests, coverage
# CONTRIBUTING.md says what the others are for.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LOCK := requirements-dev.lock

# Environments of their own: what users get with [all], and tools that look at it.
TOOLS := .venv-tools
RELEASE := .venv-release

# What users write, as their checkers see it; it says for itself that pyright is to be strict.
USER_CODE := tests/typing/user_code.py

.PHONY: demo test lint types api unit short format bench compare-calls test-pythons \
	soak fuzz lock audit licences sbom clean

demo: $(VENV)/.demo
	$(BIN)/inference-sdk infer examples/astronaut.jpg examples/coffee.jpg --confidence 0.35 --save demo-output

test: lint types unit

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(INSTALLED)
	$(BIN)/mypy
	$(BIN)/mypy --strict $(USER_CODE)
	$(BIN)/pyright --pythonpath $(BIN)/python $(USER_CODE)

# The public API beside that of the last release.
api: $(INSTALLED)
	$(BIN)/python -m tools.public_api check

unit: $(INSTALLED)
	$(BIN)/python -m pytest --numprocesses auto --cov

# What of `make test` may come out otherwise on another Python, but for what takes long.
short: $(INSTALLED)
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses auto -m 'not slow' -q

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Beside released clients, in virtual environments of their own: downloads them once, takes ten minutes.
bench: $(INSTALLED)
	$(BIN)/python benchmarks/bench.py

# Every call beside released versions of inference-sdk, as black boxes: downloads them, takes a minute.
compare-calls: $(INSTALLED)
	$(BIN)/python compat/calls/compare.py --version 1.8.3
	$(BIN)/python compat/calls/compare.py --version 1.1.1

# -- other Pythons ---------------------------------------------------------------------------------

test-pythons:
	$(PYTHON) tools/pythons.py demo test

# -- for long --------------------------------------------------------------------------------------

SOAK ?= 600
soak: $(INSTALLED)
	$(BIN)/python -m tools.soak --seconds $(SOAK)

# Whatever comes, in many more examples than `make test` takes of it.
FUZZ ?= 10000
fuzz: $(INSTALLED)
	FUZZ_EXAMPLES=$(FUZZ) $(BIN)/python -m pytest --numprocesses auto --timeout 0 tests/fuzz \
		tests/unit/webrtc/test_webrtc_messages.py tests/unit/test_json_body.py tests/unit/test_masking.py \
		tests/integration/test_hostile_pictures.py tests/unit/test_url_destinations.py

# -- supply chain ----------------------------------------------------------------------------------

# The development environment, exactly; for every Python and system at once.
lock: $(TOOLS)/.installed
	$(TOOLS)/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.10 --upgrade \
		--generate-hashes --no-annotate --no-header --no-emit-index-url --quiet --output-file $(LOCK)

audit: licences
	$(TOOLS)/bin/python tools/known_faults.py $(RELEASE)/lib/python3.*/site-packages

licences: $(TOOLS)/.installed $(RELEASE)/.installed
	$(TOOLS)/bin/pip-licenses --python=$(RELEASE)/bin/python --from=mixed --partial-match \
		--allow-only='MIT;BSD;Apache;ISC;PSF;Python Software Foundation;Mozilla' --fail-on='GPL;GNU'

sbom: $(TOOLS)/.installed $(RELEASE)/.installed
	mkdir -p dist
	sed "s/^dynamic = .*/version = \"$$($(RELEASE)/bin/python -c 'import inference_sdk as i; print(i.__version__)')\"/" \
		pyproject.toml > $(RELEASE)/pyproject.toml
	$(TOOLS)/bin/cyclonedx-py environment $(RELEASE)/bin/python --pyproject $(RELEASE)/pyproject.toml \
		--mc-type library --output-reproducible --output-file dist/sbom.cdx.json

clean:
	rm -rf .venv* demo-output dist .coverage* .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# -- environments ----------------------------------------------------------------------------------

%/bin/python:
	$(PYTHON) -m venv $*
	$@ -m pip install --quiet --upgrade pip

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[cli,local,viz]'
	touch $@

$(INSTALLED): pyproject.toml $(LOCK) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes --requirement $(LOCK)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/.demo

$(TOOLS)/.installed: pyproject.toml | $(TOOLS)/bin/python
	$(TOOLS)/bin/python -m pip install --quiet --group tools
	touch $@

$(RELEASE)/.installed: pyproject.toml | $(RELEASE)/bin/python
	$(RELEASE)/bin/python -m pip install --quiet '.[all]'
	touch $@
