PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint bench model nightly soak lock clean

demo: $(STAMP)  ## a firm of ten brought in step on this machine; ONCE=1 ends after the tables, QUOTA=real keeps Google's rate
	$(BIN)/python -m sandbox.demo

test: $(STAMP)  ## all tests
	$(BIN)/python -m pytest

lint: $(STAMP)  ## style, types, and which part may import which
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: $(STAMP)  ## ratios against references measured in the same run
	$(BIN)/python -m benchmarks

model: $(STAMP)  ## 40,000 random runs of the calendar sync with crashes and faults
	$(BIN)/python -m tests.model

lock:  ## resolve the dependencies anew, with hashes
	$(BIN)/pip install -q uv && $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --all-extras --upgrade pyproject.toml -o requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@echo "Making the environment in $(VENV) (hash-checked)"
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .hypothesis
