# make demo | make test | make lint | make bench
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test slow lint bench bench-peer clean

demo: $(VENV)/.installed
	$(BIN)/andon demo demo

test: $(VENV)/.installed
	$(BIN)/python -m pytest

slow: $(VENV)/.installed
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[backbones,sam,dev]'
	touch $@

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/coreset.py --peer
	$(BIN)/python benchmarks/inspect.py --peer

bench-peer:
	$(PYTHON) -m venv .venv-peer
	.venv-peer/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peer-requirements.txt

clean:
	rm -rf $(VENV) demo
