# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH := $(CURDIR):$(CURDIR)/platform

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test proof bench bench-chat mutants check lock openapi frontend

help: ## Explain every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.base ## Run the whole product on this machine with a stand-in for OpenAI (PORT=18000 moves it)
	@exec $(BIN)/python -m sandbox.demo

demo-reset: ## Forget the demo's data, secrets and logs
	@if [ -e var/demo.lock ] && ! flock --nonblock var/demo.lock true; then echo "A demo runs (process $$(cat var/demo.lock)). Stop it first: Ctrl-C in its terminal."; exit 1; fi
	rm -rf var

test: $(VENV)/.dev ## The whole suite: on SQLite alone, then on PostgreSQL and Redis where they answer; and the front end's
	@bash tests/run.sh

proof: $(VENV)/.dev ## The full-size proofs, resumable; results go to docs/proof/
	@$(BIN)/python -m tests.proof

mutants: $(VENV)/.dev ## Which defects in the modules that decide would no test notice? (MODULE=breaker for one of them)
	@$(BIN)/python -m tests.mutants $(MODULE)

bench: $(VENV)/.dev $(VENV)/.bench ## The session endpoint side by side with what people would otherwise write; 20 minutes (QUICK=1: three)
	@$(BIN)/python -m bench $(if $(QUICK),--seconds 1 --rounds 1) $(BENCH)

bench-chat: $(VENV)/.dev $(VENV)/.bench ## Chats beside the packages' own example: first words, 1,000 idle streams; five minutes (QUICK=1: one)
	@$(BIN)/python -m bench.chat $(if $(QUICK),--quick) $(BENCH)

check: $(VENV)/.dev ## Formatting, types, layers, migrations, deployment settings, the front end's checks, built files and locks
	@bash tests/check.sh

lock: $(VENV)/.dev ## Compile requirements/*.in to *.txt with hashes
	@bash requirements/compile.sh requirements

openapi: $(VENV)/.dev ## Write docs/openapi-public.yaml and docs/refusals.md anew from the code
	@DJANGO_SETTINGS_MODULE=config.settings.test $(BIN)/python -W ignore manage.py public_openapi > docs/openapi-public.yaml.new
	@mv docs/openapi-public.yaml.new docs/openapi-public.yaml
	@DJANGO_SETTINGS_MODULE=config.settings.test $(BIN)/python -W ignore -m tests.refusals

frontend: $(VENV)/.dev ## Build the embed script, the stand-in component and the React example
	@bash frontend/run.sh build build:react

# Installed when the lock changes; dev.txt holds all of base.txt, so that each may stand on the other.
$(VENV)/.base: requirements/base.txt
	@$(MAKE) --no-print-directory $(VENV)/bin/python
	@echo "Installing the locked requirements"
	@test -e $(VENV)/.dev && test $(VENV)/.dev -nt $< || $(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.dev: requirements/dev.txt
	@$(MAKE) --no-print-directory $(VENV)/bin/python
	@echo "Installing the locked requirements of the tests"
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.bench: requirements/bench.txt $(VENV)/.dev
	@echo "Installing the locked requirements of the bench"
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes -r $<
	@command -v node >/dev/null || $(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements/node.txt
	@touch $@

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing. Install it: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Name another one: make demo PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv is missing. Install it: apt-get install python3-venv"; exit 1; }
