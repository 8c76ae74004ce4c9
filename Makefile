PYTHON ?= python3
BIN = .venv/bin
READY = .venv/ready
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadfile
ROOMS = layers data tasks cli

.PHONY: help demo test slow faults soak jax real check format wheel wheel-test light-test docker-test cluster-test page-test clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY)  ## train on the embedded digits, and let every shipped model answer one embedded example
	rm -rf demo
	$(BIN)/python cli.py train mnist --data builtin --run demo/run
	$(BIN)/python cli.py predict mnist tasks/mnist/example.png --run demo/run
	$(BIN)/python -m docs.pictures demo
	@echo
	@echo "The digits are in demo/run (read its README.md). That run knows digits of 8x8 pixels: for photos of your own,"
	@echo "    $(BIN)/python cli.py predict mnist PICTURE      answers from the model that ships with the project;"
	@echo "    $(BIN)/python cli.py predict sentiment \"Great film.\""
	@echo "The pictures of all five tasks are in demo/."

test: $(READY)  ## the tests that need neither a data set nor much time, and the share of the code that they run
	$(PYTEST) -m "not slow and not real and not browser and not cluster" --ignore tests/faults $(foreach room,$(ROOMS),--cov=$(room)) --cov-report=
	@echo "Share of the code that ran: $$($(BIN)/coverage report --format=total) %"

slow: $(READY)  ## whole trainings, exports to other runtimes, and whatever else takes seconds
	$(PYTEST) --dist worksteal -m "slow and not real and not cluster" --ignore tests/faults

faults: $(READY)  ## kills, signals, full disks, hostile runs and hostile data
	$(PYTEST) tests/faults

soak: $(READY)  ## kills, random damage and hostile files, for an hour
	$(BIN)/python -m tests.faults.kills 30
	FOURLAYERS_SOAK=1 timeout 30m $(PYTEST) tests/faults || test $$? = 124

jax: $(READY)  ## layers and tasks again on JAX
	KERAS_BACKEND=jax $(PYTEST) -m "not real" tests/layers tests/tasks/test_contract_*.py tests/tasks/test_mnist.py tests/tasks/test_sentiment.py

real: $(READY)  ## the tests on real data sets; FOURLAYERS_DATASETS names their folder
	$(BIN)/python -m pytest -m real

check: $(READY)  ## format, lint and types; it changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY)  ## format the code, and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

wheel: $(READY)  ## the distribution, in dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

wheel-test: $(READY)  ## the wheel, installed beside modules of the same names, with every task
	$(BIN)/python tests/wheel.py

light-test: $(READY)  ## the light install, in an environment of its own, with an answer of every task
	$(BIN)/python -m tests.light

cluster-test: $(READY)  ## trainings, searches and answers on several processes, in a network of their own
	$(PYTEST) --dist worksteal -m cluster tests/tasks/engine

page-test: $(READY)  ## the page of a server, in Chromium, which must be installed
	$(BIN)/python -m pytest -s -m browser tests/tasks/serving/test_page.py

docker-test: $(READY)  ## the steps of the Dockerfile, tried without Docker
	$(BIN)/python -m tests.docker

$(READY): pyproject.toml setup.py
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $(READY)

clean:  ## remove what was built or installed here
	rm -rf .venv build dist *.egg-info .coverage
