# The commands of the house. `make demo` shows the main job, `make test` runs the tests; both install what they need.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
UV := uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 --no-header --no-annotate -q
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help install demo run test test-slow test-all check bench bench-retrieval lock clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 17

install: $(STAMP)  ## make .venv from requirements.lock, with .venv/bin/refactoriq

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("RefactorIQ needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name one: make PYTHON=python3.11") if sys.version_info < (3, 11) else 0'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "The venv module is missing: on Debian and Ubuntu, apt-get install python3-venv."; exit 1; }
	@echo "Installing from requirements.lock (about a minute the first time) ..."
	@$(PIP) install --quiet --require-hashes --no-deps -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

demo: $(STAMP)  ## open a pull request on the sandbox GitHub and print its review (REPO=path BASE=rev HEAD=rev for your own)
	@$(BIN)/python -m tests.sandbox.demo $(if $(REPO),--repo "$(REPO)") $(if $(BASE),--base "$(BASE)") $(if $(HEAD),--head "$(HEAD)")

run: $(STAMP)  ## web, worker and scheduler on embedded Postgres and Redis
	@$(BIN)/refactoriq serve

test: $(STAMP)  ## every test but the slow suites
	$(BIN)/python -m pytest -n $(JOBS) -m "not fault and not slow and not browser" $(ARGS)

test-slow: $(STAMP)  ## the slow suites alone: processes killed, services away, fuzzing, browser
	$(BIN)/python -m pytest -n $(JOBS) -m "fault or slow or browser" $(ARGS)

test-all: test test-slow  ## every test there is

check: $(STAMP)  ## lint, types, house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_house.py

bench: $(STAMP)  ## measure the receiver, the engine and the worker
	$(BIN)/python -m tests.bench $(ARGS)

bench-retrieval: $(STAMP)  ## measure how files are ranked on the histories of ARGS="PATH ..." (none: this repository)
	@$(BIN)/python -m tests.bench.retrieval $(ARGS)

lock:  ## write the lock files anew from pyproject.toml: with the test tools, and without for the image
	$(UV) --extra dev -o requirements.lock
	$(UV) --constraint requirements.lock -o requirements-run.lock

clean:  ## remove what was made here
	rm -rf $(VENV) .data .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info build .coverage* htmlcov
