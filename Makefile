# Judicial auction platform. `make help` lists what can be done; every target sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run fleet demo demo-exit test check format bench campaign lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## Create .venv with the pinned packages (idempotent)

$(STAMP): requirements.txt pyproject.toml
	@echo "==> setting up $(VENV) (first run downloads the pinned packages)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python venv is missing: on Debian install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

run: setup ## Serve on http://127.0.0.1:8000 with embedded data in .data
	@$(BIN)/auction serve

fleet: setup ## Serve by several processes that replace each other, on one port
	@$(BIN)/auction fleet

demo: setup ## Play the demo's cases, print the address and serve on
	@$(BIN)/auction demo

demo-exit: setup ## The same, ending after the last payout with a summary
	@$(BIN)/auction demo --exit

test: setup ## Checks and the whole test suite
	@./tests/run.sh

check: setup ## Format, lint, types, import contracts
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

format: setup ## Format and fix what can be fixed
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

bench: setup ## Bids a second on one lot, against a baseline in the same run
	@$(BIN)/auction bench bids

campaign: setup ## Faults under a stream of bids, then every promise checked; SEED=1 SEEDS=1 SECONDS=60 FORM=server|fleet
	@./tests/campaign/run.sh --seed $(or $(SEED),1) --seeds $(or $(SEEDS),1) --seconds $(or $(SECONDS),60) $(if $(FORM),--form $(FORM))

lock: setup ## Pin requirements.txt anew from requirements*.in
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate requirements-dev.in -o requirements.txt

clean: ## Remove the virtual environment and the embedded data
	rm -rf $(VENV) .data .rehearsal
