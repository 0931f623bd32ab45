# From a fresh clone, with Python 3.11+ and make: `make run`, `make test`.
PYTHON ?= python3
BIN := .venv/bin
# It names each package as it comes, for a silent minute looks like a hang.
# What is installed is what a lock names, by the hashes of its files, from whatever index pip asks.
INSTALL := -m pip install --disable-pip-version-check --no-color --progress-bar off --require-hashes
# uv and pip-audit need what Pylantir does not.
SUPPLY := .venv/supply
# One process more than cores, for tests wait for the servers that they ask; who is done first takes over.
PARALLEL := --dist worksteal -n $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))

# The tests start the same modules in many processes: their bytecode is kept, whatever the shell says.
test test-fast nightly torture: export PYTHONDONTWRITEBYTECODE :=

.PHONY: run demo test test-fast nightly torture soak coverage setup hooks lint lock audit bench interoperability docs pictures messages

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

# What a bad day breaks, as often as a bad year does: kills, restarts, full disks (tests marked `torture`).
torture: .venv/dev.stamp
	TORTURE=1 $(BIN)/python -m pytest -n 0 --timeout 3600 -m torture $(ARGS)

# A whole site at work for half an hour, while things break: nothing grows, nothing is lost.
soak: .venv/dev.stamp
	$(BIN)/python -m benchmarks.soak $(ARGS)

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

# Writes anew what requirements*.txt say; versions stay unless `ARGS=--upgrade` (or `--upgrade-package NAME`).
# Each lock is a part of the one below it, which decides the versions.
lock: $(SUPPLY)/stamp
	$(LOCK) requirements-dev.txt requirements-oidc.txt --output-file requirements-dev.lock $(ARGS)
	$(LOCK) requirements.txt requirements-oidc.txt --constraint requirements-dev.lock --output-file requirements-oidc.lock
	$(LOCK) requirements.txt --constraint requirements-oidc.lock --output-file requirements.lock
	$(LOCK) requirements-supply.txt --output-file requirements-supply.lock $(ARGS)

LOCK = UV_CUSTOM_COMPILE_COMMAND="make lock" $(SUPPLY)/bin/uv pip compile --quiet --no-config --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --annotation-style line

# Known vulnerabilities of what is locked. Without a service that knows them it says that it was skipped.
audit: .venv/dev.stamp $(SUPPLY)/stamp
	@$(BIN)/python -m tests.audit --pip-audit $(SUPPLY)/bin/pip-audit $(ARGS)

# With `ARGS="--before=COMMIT --database-url=postgres://..."` beside an earlier build, and on PostgreSQL, too.
bench: .venv/dev.stamp
	$(BIN)/python -m benchmarks.mwl $(ARGS)
	$(BIN)/python -m benchmarks.mpps $(filter --before=% --before-needs=% --database-url=%,$(ARGS))
	$(BIN)/python -m benchmarks.pruning $(filter --before=% --before-needs=% --database-url=%,$(ARGS))
	$(BIN)/python -m benchmarks.pulls $(filter --before=% --before-needs=% --database-url=%,$(ARGS))
	$(BIN)/python -m benchmarks.batches $(filter --before=% --before-needs=% --database-url=%,$(ARGS))
	$(BIN)/python -m benchmarks.batches --growth $(filter --database-url=%,$(ARGS))
	$(BIN)/python -m benchmarks.tables $(filter --before=% --before-needs=%,$(ARGS))
	$(BIN)/python -m benchmarks.archives $(filter --database-url=%,$(ARGS))
	$(BIN)/python -m benchmarks.footprint $(filter --before=% --before-needs=% --database-url=%,$(ARGS))
	$(BIN)/python -m benchmarks.admin $(filter --before=% --before-needs=% --database-url=%,$(ARGS))
	$(BIN)/python -m benchmarks.admin --growth $(filter --database-url=%,$(ARGS))
	$(BIN)/python -m benchmarks.exports $(filter --before=% --before-needs=% --database-url=%,$(ARGS))
	$(BIN)/python -m benchmarks.dicomweb $(filter --before=% --before-needs=% --database-url=%,$(ARGS))

# Other people's clients and converters, installed into a temporary folder: not for CI.
interoperability: .venv/dev.stamp
	@$(BIN)/python -m tests.interoperability $(ARGS)

# The pictures of README and docs, from a demonstration of their own; a test says when they are too old.
pictures: .venv/dev.stamp
	@$(BIN)/python -m tests.pictures $(ARGS)

# The catalogues of the admin's translations, brought in step with what the code marks.
messages: .venv/dev.stamp
	@$(BIN)/python -m tests.languages

docs: .venv/run.stamp
	$(BIN)/python manage.py conformance > docs/conformance.md

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Pylantir needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making an environment for Python in .venv, once."
	@$(PYTHON) -m venv .venv

# The stamps are newer than the requirements they were made from.
.venv/run.stamp: requirements.lock | .venv/bin/python
	@echo "Installing what Pylantir runs on (requirements.lock), once: a minute or two."
	@$(BIN)/python $(INSTALL) -r requirements.lock
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/run.stamp
	@echo "Installing what tests and lint need beside it (requirements-dev.lock), once: a minute or two."
	@$(BIN)/python $(INSTALL) -r requirements-dev.lock
	@touch $@

$(SUPPLY)/stamp: requirements-supply.lock | .venv/bin/python
	@$(PYTHON) -m venv $(SUPPLY)
	@$(SUPPLY)/bin/python $(INSTALL) -r requirements-supply.lock
	@touch $@
