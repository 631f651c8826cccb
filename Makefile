# Needs git, make and Python >= 3.11; everything else is installed into .venv on first need.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)
VENV ?= .venv
BENCH_VENV ?= .venv-bench
BIN := $(VENV)/bin
ENV ?= dev
WORKERS ?= 2
TESTS ?=
# The pinned files are complete, so nothing is left to resolve: resolving anew let older pips trip over packages asked for with extras.
INSTALL := -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement

.DEFAULT_GOAL := help
.PHONY: help run test check fmt docs build bench data lock infra-check audit deploy destroy smoke

help: ## Print this list.
	@echo "Onhand: make <target>"
	@grep -hE '^[a-z-]+%?:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+%?):.*## (.*)/  \1|\2/' | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

run: $(VENV)/.local ## Start all functions, queue, clock and simulators on http://127.0.0.1:8080 (PORT=); FN=oos starts one function as the cloud does.
ifdef FN
	@$(BIN)/python -m local.one $(FN)
else
	@$(BIN)/python -m local
endif

test: $(VENV)/.dev ## Run every test, offline (TESTS=path for some, WORKERS=n).
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup $(TESTS)

check: $(VENV)/.dev ## Check layout, rules, types, direction of imports and that generated files are fresh: what CI checks.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m local.docs --check
	@if [ ! -d infra ] || [ -z "$$(find infra -name '*.tf' | head -1)" ]; then echo "terraform fmt: no Terraform in this tree yet"; \
	elif command -v terraform >/dev/null 2>&1; then terraform fmt -check -recursive infra; \
	else echo "terraform fmt: not checked, terraform is missing"; fi

fmt: $(VENV)/.dev ## Lay the code out and mend what can be mended.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.dev ## Write the generated files anew: README table, settings, OpenAPI, licences.
	$(BIN)/python -m local.docs

build: $(VENV)/.local ## Write one deterministic build/<function>.zip per function (FN=name for one).
	@$(BIN)/python -m local.bundle $(FN)

infra-check: $(VENV)/.dev ## Prove infra/ offline: terraform against the provider's schemas, or in Python alone where terraform is absent.
	@command -v terraform >/dev/null 2>&1 || echo "terraform is missing: only the checks in Python run, the others are skipped"
	@$(BIN)/python -m pytest -q tests/house/infra tests/house/test_indexes.py tests/house/test_functions.py tests/house/test_warehouse_tables.py tests/house/test_deploy.py

audit: $(VENV)/.dev ## Look for weak packages (needs a service that knows them), secrets in the tree and unsafe cloud policy (both offline).
	@$(BIN)/python -m tests.house.infra.audit

deploy: $(VENV)/.local ## Deploy to your own project: build, plan shown, confirmation, smoke test (ENV=dev|staging|production).
	@$(BIN)/python -m local.deploy deploy $(ENV)

destroy: $(VENV)/.local ## Take an environment down, after showing what goes and asking (ENV=dev).
	@$(BIN)/python -m local.deploy destroy $(ENV)

smoke: $(VENV)/.local ## Ask every deployed function whether it answers (ENV=dev).
	@$(BIN)/python -m local.deploy smoke $(ENV)

bench: $(VENV)/.dev $(BENCH_VENV)/.stamp ## Run every bench: one line per goal, red when missed.
	@$(BIN)/python -m bench

bench-%: $(VENV)/.dev $(BENCH_VENV)/.stamp ## Run one bench: bench-coldstart, bench-noop, ... (V=-v shows the rounds).
	@$(BIN)/python -m bench $* $(V)

data: $(VENV)/.local ## Put the public retail data set under .data/ (never committed).
	@$(BIN)/python -m local.dataset

lock: $(VENV)/.dev ## Pin requirements*.txt anew from requirements*.in.
	@for f in requirements requirements-local requirements-dev requirements-audit bench/requirements; do \
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	--no-emit-find-links $$f.in -o $$f.txt; done

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Onhand needs Python 3.11 or newer; none was found (PYTHON=/path/to/python3 names one)."; exit 1; }
	@echo "creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.local: requirements-local.txt | $(VENV)/bin/python
	@echo "installing what the local run needs"
	@$(BIN)/python $(INSTALL) requirements-local.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.local
	@echo "installing what tests and checks need"
	@$(BIN)/python $(INSTALL) requirements-dev.txt
	@touch $@

$(BENCH_VENV)/.stamp: bench/requirements.txt
	@test -n "$(PYTHON)" || { echo "Onhand needs Python 3.11 or newer; none was found."; exit 1; }
	@echo "creating $(BENCH_VENV) with the peers of the benches"
	@$(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python $(INSTALL) bench/requirements.txt
	@touch $@
