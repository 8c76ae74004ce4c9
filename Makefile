PYTHON ?= python3
BIN = .venv/bin
READY = .venv/ready

.PHONY: demo test check real wheel wheel-test clean

demo: $(READY)  ## train on the embedded digits, evaluate, answer one picture
	$(BIN)/python cli.py train mnist --data builtin
	$(BIN)/python cli.py evaluate mnist
	$(BIN)/python cli.py predict mnist tasks/mnist/example.png
	@echo
	@echo "The run is in runs/mnist/ (read its README.md), the evaluation in evaluations/mnist/."
	@echo "Try a picture of your own: $(BIN)/python cli.py predict mnist PICTURE"
	@echo "Or a text: $(BIN)/python cli.py predict sentiment \"Not bad at all.\""

test: $(READY)  ## all tests that need no data set, then layers and tasks again on JAX
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not real"
	KERAS_BACKEND=jax $(BIN)/python -m pytest -n 2 --dist loadgroup -m "not real" tests/layers tests/tasks/test_contract.py tests/tasks/test_mnist.py tests/tasks/test_sentiment.py

real: $(READY)  ## the tests on real data sets; FOURLAYERS_DATASETS names their folder
	$(BIN)/python -m pytest -m real

check: $(READY)  ## format, lint, types, tests
	$(BIN)/ruff format .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) test

wheel: $(READY)  ## the distribution, in dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

wheel-test: $(READY)  ## the wheel, installed beside modules of the same names, with every task
	$(BIN)/python tests/wheel.py

$(READY): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $(READY)

clean:
	rm -rf .venv build dist *.egg-info
