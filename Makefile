# SecLoop. Two commands do everything on a fresh machine: `make demo` and `make test`.
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LEARNING := $(VENV)/.learning
PROCESSES ?= $(shell nproc)

.PHONY: setup setup-train lab-packages demo demo-chat demo-config demo-fleet test test-attacks check lint bench train train-smoke results clean

setup: $(STAMP)  ## virtual environment with everything but torch

$(STAMP): pyproject.toml constraints.txt scripts/bootstrap.sh
	bash scripts/bootstrap.sh $(VENV)
	touch $@

setup-train: setup $(LEARNING)  ## the same with torch, for everything that learns

$(LEARNING): $(STAMP)
	bash scripts/bootstrap.sh $(VENV) train
	touch $@

lab-packages: setup  ## Debian packages of the lab (asks first outside CI and root containers)
	$(BIN)/python -m labs.setup.packages

demo: setup  ## a real attack, stopped on a real NETCONF device
	@$(BIN)/python -m labs.demo

demo-config: setup  ## the configuration half alone: no attack, no root
	@$(BIN)/python -m labs.demo --config-only

demo-fleet: setup  ## six makes of devices in one transaction, and drift found and repaired; no attack, no root
	@$(BIN)/python -m labs.demo --fleet

demo-chat: setup-train  ## the same decided by a small chat model behind a local OpenAI-compatible server
	@bash scripts/demo_chat.sh $(VENV) var/chat-small

test: setup-train  ## all tests; those of the lab run where its packages can be had
	@$(BIN)/python -m labs.setup.packages --optional --attacks
	$(BIN)/python -m pytest -n $(PROCESSES) --ignore=tests/battlefield
	$(BIN)/python -m pytest tests/battlefield
	$(MAKE) --no-print-directory train-smoke

test-attacks: setup  ## every attack means live, weak and sound (root, minutes)
	@$(BIN)/python -m labs.setup.packages --attacks
	$(BIN)/python -m pytest -m "exhaustive or slow" tests/attacks

check: lint test  ## the one gate

lint: setup-train  ## the gate without the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/ansible-lint --offline --profile production playbooks roles
	$(BIN)/python scripts/validate_modules.py

bench: setup  ## every figure, measured here and now
	$(BIN)/python -m benchmarks

train: setup-train  ## the embedded policy from nothing: corpus, SFT, SA-GRPO (under 90 minutes on two cores)
	$(BIN)/python -m training.pipeline --preset full --out var/train

train-smoke: setup-train  ## the same in small: a few minutes, no useful weights
	rm -rf var/train-smoke
	$(BIN)/python -m training.pipeline --preset smoke --out var/train-smoke

results: setup-train  ## docs/results.md and its figures, from the committed measurements
	$(BIN)/secloop results

clean:  ## lab, caches, virtual environment
	-[ -x $(BIN)/secloop ] && $(BIN)/secloop lab down && $(BIN)/secloop lab reap --all
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info var
