# make demo | make serve | make test | make lint | make coverage | make wheel | make bench
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo serve test test-station test-ray slow endurance coverage test-precision fuzz lint wheel bench bench-peer clean

demo: $(VENV)/.installed
	$(BIN)/andon demo demo

# a station to look at, at http://127.0.0.1:8765
serve: $(VENV)/.installed
	$(BIN)/andon serve --demo --data demo-station

test: $(VENV)/.installed
	$(BIN)/python -m pytest

# those that take a second or more each: commands, trainings, exports, kills
slow: $(VENV)/.installed
	$(BIN)/python -m pytest -m "slow and not endurance"

# those that take minutes, and are no part of .ci/run
endurance: $(VENV)/.installed
	$(BIN)/python -m pytest -m endurance

# all but those, and that they run nearly every line
coverage: $(VENV)/.installed
	$(BIN)/python -m pytest -m "not endurance" --cov --cov-report=term:skip-covered

# the station: server and pages in a real browser (Debian's chromium), SQLite and PostgreSQL, an MQTT broker
test-station: $(VENV)/.installed
	$(BIN)/python -m pytest -m "station and not endurance"

# Ray clusters on this machine, one of them of two hosts with networks of their own (root on Linux)
test-ray: $(VENV)/.installed
	$(BIN)/python -m pytest -m ray

# what depends on the precision that `auto` chooses, as on a processor that has bf16
test-precision: $(VENV)/.installed
	ANDON_PRECISION=bf16 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m precision
	ANDON_PRECISION=bf16 OMP_NUM_THREADS=2 $(BIN)/python -m pytest -m precision

# damaged models and photos, seeded: each must be refused in one sentence
fuzz: $(VENV)/.installed
	$(BIN)/python tools/fuzz.py

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[backbones,efficientnet,onnx,sam,dev]'
	touch $@

# build it and see it work far from the checkout, in two empty environments: one that inspects, and one that trains
wheel:
	rm -rf build dist
	$(PYTHON) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	rm -rf build
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && unset PYTHONPATH && \
	$(PYTHON) -m venv "$$folder/inspects" && $(PYTHON) -m venv "$$folder/trains" && \
	wheel=$$(ls "$$PWD"/dist/*.whl) && install="-m pip install --quiet --disable-pip-version-check -c constraints.txt" && \
	"$$folder/inspects/bin/python" $$install "$$wheel" && \
	"$$folder/trains/bin/python" $$install "$$wheel[train]" && \
	cd "$$folder" && \
	! inspects/bin/python -c "import torch" 2> /dev/null && \
	inspects/bin/andon doctor && \
	trains/bin/andon demo && \
	trains/bin/andon export demo/model.safetensors -o part.andon --photos demo/fasteners && \
	inspects/bin/andon doctor part.andon && \
	inspects/bin/andon inspect part.andon demo/fasteners/test

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/coreset.py --peer
	$(BIN)/python benchmarks/inspect.py --peer

bench-peer:
	$(PYTHON) -m venv .venv-peer
	.venv-peer/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peer-requirements.txt

clean:
	rm -rf $(VENV) build demo demo-station dist
