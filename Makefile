# Everything a person types. Each target says what it does: `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
export PIP_CACHE_DIR ?= $(or $(SLIPWAY_CACHE),$(HOME)/.cache/slipway)/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test matrix proof cluster down lint dev soak bench lock crds venv

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: venv ## from nothing to a rollout under load, to be watched; leaves the cluster up
	@$(PYTHON) -m tests.demo

# The tests on the cluster wait most of their time: the others run beside them and are told of at the end.
OTHERS := .cluster/tests-beside.log
test: venv lint ## everything that is tested, on a real cluster
	@mkdir -p .cluster; $(PYTHON) -m pytest -m 'not stack' > $(OTHERS) 2>&1 & others=$$!; \
	trap 'kill $$others' INT TERM; \
	$(PYTHON) -m pytest -m 'stack and not long' --durations=15; rolled=$$?; \
	echo "… the tests that need no cluster of Slipway's"; wait $$others; beside=$$?; cat $(OTHERS); \
	exit $$((rolled > beside ? rolled : beside))

cluster: venv ## a cluster with Slipway, S3 and the example bundles; no model yet
	@$(PYTHON) -m tests.cluster.stack up

down: venv ## remove the cluster and all that belongs to it
	@$(PYTHON) -m tests.cluster down

dev: venv ## this checkout's operator as a local process against the cluster, until Ctrl-C
	@$(PYTHON) -m tests.cluster.dev

matrix: venv ## every case that may come to a rollout, each with its requests and its verdict; goes on where it was cut short
	@$(PYTHON) -m tests.matrix

proof: venv ## what takes hours to show, such as an operator at rest; goes on where it was cut short
	@$(PYTHON) -m tests.proof

soak: venv ## 50,000 requests over five switches, the operator killed twice on the way; then the runtime's own soaks
	@$(PYTHON) -m tests.soak
	@$(PYTHON) -m tests.soak.swaps
	@$(PYTHON) -m tests.soak.drains

bench: venv ## the runtime beside other servers, overload, a download from S3: half an hour on a machine that does nothing else
	@$(PYTHON) -m bench.download
	@$(PYTHON) -m bench.runtime --publish

lint: venv ## style, types, layers, the CRD and the chart
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check -q .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo
	@$(VENV)/bin/yamllint -s .
	@cmp crds/slipway.dev_inferencemodels.yaml charts/slipway/files/crds/slipway.dev_inferencemodels.yaml

crds: ## copy the CRD into the chart
	@install -D -m 644 crds/slipway.dev_inferencemodels.yaml charts/slipway/files/crds/slipway.dev_inferencemodels.yaml

lock: venv ## resolve the dependencies anew, within pyproject.toml
	@requirements/compile

venv: $(VENV)/.complete

$(VENV)/.complete: requirements/dev.lock pyproject.toml
	@echo "… development environment in $(VENV)"
	@python3 -c 'import sys, venv; assert sys.version_info >= (3, 11)' || \
	  { echo "python3 must be 3.11 or newer, with its venv module"; exit 1; }
	@python3 -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --no-deps --require-hashes -r requirements/dev.lock
	@$(VENV)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@
