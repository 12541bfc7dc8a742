# `make help` lists what there is. Everything lives in .venv, made with plain pip from $(PYTHON).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CHART_STAMP := $(VENV)/.chart-installed
# Tests with servers mostly wait for them, so more of them run side by side than there are cores.
SIDE_BY_SIDE ?= 3

.DEFAULT_GOAL := help
.PHONY: help up down status check pythons test test-servers chaos simulate sieve acto takeovers bench format crds clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml packaging/http-parser/pyproject.toml
	@tools/ensure-venv $(PYTHON) $(VENV)
	@echo "Installing statefuldb and what it needs into $(VENV) (about a minute) ..."
	@$(BIN)/pip install --quiet --use-pep517 --disable-pip-version-check ./packaging/http-parser --editable '.[dev]'
	@touch $@

$(CHART_STAMP): $(STAMP)
	@echo "Installing what the tests of the chart and the images need ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[chart]'
	@touch $@

up: $(STAMP) ## start the embedded cluster and its first database, and say how to connect
	@tools/ensure-mariadb
	@$(BIN)/statefuldb up

down: $(STAMP) ## stop the embedded cluster; all data stays
	@$(BIN)/statefuldb down

status: $(STAMP) ## show what runs
	@$(BIN)/statefuldb status

check: $(STAMP) ## format, lint, types, import contracts, unit and architecture tests (under a minute)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/unit tests/architecture

pythons: $(STAMP) ## install into every other Python from 3.11 to 3.13 that is here, and run the unit tests there
	@tools/check-pythons

test: test-servers check pythons $(CHART_STAMP) ## everything: check, then tests with real processes and databases (under 20 minutes)
	$(BIN)/pytest -q -rs -n $(SIDE_BY_SIDE) --dist loadfile tests --ignore tests/unit --ignore tests/architecture

test-servers: # what the tests need of the distribution, where it may be installed
	@tools/ensure-mariadb
	@tools/ensure-test-servers

chaos: $(STAMP) ## ten minutes of random kill -9 and pauses under writing clients, on the embedded Mesos and on a real one
	STATEFULDB_TEST_CHAOS_SECONDS=600 $(BIN)/pytest -q tests/e2e/test_chaos.py --timeout 1200

takeovers: $(STAMP) ## kill the leading one of two operators with -9, twenty times amid its work
	STATEFULDB_TEST_TAKEOVERS=20 $(BIN)/pytest -q tests/e2e/test_leader.py --timeout 1200

bench: bench-planner bench-offers bench-fleet bench-scale bench-end_to_end ## measure; the results are kept in benchmarks/results

bench-seeds: ## go on through 100,000 seeds of the simulator, for hours

bench-planner bench-offers bench-fleet bench-scale bench-end_to_end bench-seeds: bench-%: $(STAMP)
	PYTHONPATH=tests:benchmarks $(BIN)/python benchmarks/$*.py

SEEDS ?= 1000
simulate: $(STAMP) ## the real operator in a simulated world, SEEDS=1000 times, and what that covered
	$(BIN)/statefuldb simulate --seeds $(SEEDS)

sieve: $(STAMP) ## one simulated life per strategy, disturbed at every point, one at a time
	$(BIN)/statefuldb simulate --every-point

acto: $(STAMP) ## every field of every manifest changed in a simulated world, alone and in pairs, and changed back
	$(BIN)/statefuldb simulate --every-field

format: $(STAMP) ## format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

crds: $(STAMP) ## generate crds/ from the model
	$(BIN)/python tools/generate_crds.py

clean: ## remove the virtual environment (never any data)
	rm -rf $(VENV) .venv-3.1?
