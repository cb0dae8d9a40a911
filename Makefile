PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BASE := $(VENV)/.base
DEV := $(VENV)/.dev
INSTALL := $(BIN)/python -m pip install -q --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

.PHONY: demo test lint bench model fuzz soak mutate nightly lock clean

demo: $(BASE)  ## a firm of ten brought in step on this machine; ONCE=1 ends after the tables, QUOTA=real keeps Google's rate
	$(BIN)/python -m sandbox.demo

test: $(DEV)  ## all tests
	$(BIN)/python -m pytest

lint: $(DEV)  ## style, types, and which part may import which
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: $(DEV)  ## ratios against references measured in the same run
	$(BIN)/python -m benchmarks

model: $(DEV)  ## 40,000 random runs of the calendar sync with crashes and faults
	$(BIN)/python -m tests.model

fuzz: $(DEV)  ## whatever reads outsiders' bytes, with coverage, SECONDS each (60); installs the fuzzer; finds lie in .fuzz
	$(INSTALL) "atheris>=3,<4"
	$(BIN)/python -m tests.fuzz $(or $(SECONDS),60)
	FUZZ=long $(BIN)/python -m pytest tests/property -k machine --timeout 1200

soak: $(DEV)  ## SECONDS (3600) of traffic at 50 deliveries a second while processes are killed and stopped; SEED=7 plays another
	$(BIN)/python -m tests.soak --seconds $(or $(SECONDS),3600) --seed $(or $(SEED),1)

mutate: $(DEV)  ## small changes of dedup, lock, token, signature, planner and proxy path: a test must notice each
	$(BIN)/python -m tests.mutate

nightly: $(DEV)  ## what takes longer or needs root: the image, built and started, units under systemd, then the model
	bash deploy/nightly.sh
	$(BIN)/python -m tests.model

lock:  ## resolve the dependencies anew, with hashes
	$(BIN)/pip install -q uv
	$(COMPILE) --all-extras --upgrade pyproject.toml -o requirements-dev.lock
	$(COMPILE) --extra aws --extra leads --extra threecx --extra local -c requirements-dev.lock pyproject.toml -o requirements.lock
	PATH="$(CURDIR)/$(BIN):$$PATH" sh deploy/image/lock.sh

$(BASE): requirements.lock pyproject.toml
	@echo "Making the environment in $(VENV) from requirements.lock (hash-checked)"
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $(BASE)

$(DEV): requirements-dev.lock $(BASE)
	@echo "Adding the tools for tests and checks from requirements-dev.lock (hash-checked)"
	$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $(DEV)

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .hypothesis
