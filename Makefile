# From a fresh clone, with Python 3.11+ and make: `make run`, `make test`.
PYTHON ?= python3
BIN := .venv/bin
# One process more than cores, for tests wait for the servers that they ask.
PARALLEL := -n $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))

# The tests start the same modules in many processes: their bytecode is kept, whatever the shell says.
test test-fast nightly: export PYTHONDONTWRITEBYTECODE :=

.PHONY: run demo test test-fast nightly coverage setup hooks lint bench interoperability docs

run: .venv/run.stamp
	@exec $(BIN)/python manage.py start $(ARGS)

demo: .venv/run.stamp
	@exec $(BIN)/python -m tests.demo $(ARGS)

test: .venv/dev.stamp
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

# Without what starts a process or a browser, tries many examples, or takes long otherwise: while you write.
test-fast: .venv/dev.stamp
	$(BIN)/python -m pytest $(PARALLEL) --fast $(ARGS)

# With as many examples and rounds as a night has time for (tests/effort.py), and every answer of REDCap's.
nightly: .venv/dev.stamp
	NIGHTLY=1 $(BIN)/python -m pytest $(PARALLEL) --timeout 1800 --every-answer $(ARGS)

# Which lines and branches the tests run. Slower than `make test`; the report comes also where a test fails.
coverage: .venv/dev.stamp
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL) --timeout 240 $(ARGS); status=$$?; \
		$(BIN)/coverage combine --quiet && $(BIN)/coverage report && exit $$status

setup: .venv/dev.stamp

# The checks of .pre-commit-config.yaml, before each commit and push.
hooks: .venv/dev.stamp
	$(BIN)/pre-commit install

lint: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check
	$(BIN)/hadolint Dockerfile

# With `ARGS="--before=COMMIT --database-url=postgres://..."` beside an earlier build, and on PostgreSQL, too.
bench: .venv/dev.stamp
	$(BIN)/python -m benchmarks.mwl $(ARGS)
	$(BIN)/python -m benchmarks.mpps $(filter --database-url=%,$(ARGS))
	$(BIN)/python -m benchmarks.pulls $(filter --before=% --database-url=%,$(ARGS))

# Other people's clients and converters, installed into a temporary folder: not for CI.
interoperability: .venv/dev.stamp
	@$(BIN)/python -m tests.interoperability $(ARGS)

docs: .venv/run.stamp
	$(BIN)/python manage.py conformance > docs/conformance.md

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Pylantir needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv

# The stamps are newer than the requirements they were made from.
.venv/run.stamp: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt requirements-test.txt .venv/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
