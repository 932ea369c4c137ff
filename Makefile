# `make run` and `make test` need make and Python 3.11, 3.12 or 3.13, which PYTHON may name, and nothing else.
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Compiled modules are kept, even where the machine says not to: else each process of the tests compiles all of them.
export PYTHONDONTWRITEBYTECODE :=

# Tests wait for servers, browsers and clocks about half of their time.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)
ROUNDS ?= 3
SECONDS ?= 2
DATABASE ?= sqlite

.DEFAULT_GOAL := help

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: $(BIN)/.run env migrate ## Set up, migrate and start the service on SQLite, and print what to open and to try
	@echo "Starting the service ..."
	@exec python -m todo.cli serve

test: $(BIN)/.dev ## Run the tests, on SQLite and on a real PostgreSQL
	@pytest -n $(WORKERS) --dist worksteal

test-slow: $(BIN)/.dev ## Run the slow tests: races, and attacks on a running service
	@pytest -n $(WORKERS) --dist worksteal -m slow

test-pythons: $(BIN)/.dev ## Try each other Python that is supported and found: a first start, a to-do, fast tests
	@python -m dev.pythons

# Left out are PostgreSQL's own plans, servers that a test starts, and a test that reads traffic, which Citus encrypts.
NOT_ON_CITUS := plans.py postgresql_pooler.py postgresql_replica.py postgresql_retries.py::TestCommit
test-citus: $(BIN)/.dev ## Run what uses the database on a Citus cluster: make test-citus CITUS_URL=postgresql://...
	@test -n "$(CITUS_URL)" || { echo "CITUS_URL must name the coordinator of a Citus cluster. CI has none: run this by hand."; exit 1; }
	@CITUS_URL="$(CITUS_URL)" pytest -n $(WORKERS) tests/todo/storage tests/contract tests/stateful tests/handlers \
		$(NOT_ON_CITUS:%=--deselect tests/todo/storage/test_%)

soak: $(BIN)/.dev ## Run all tests for longer: more seeds, more kills, a two-minute flood
	@SOAK=1 pytest -n $(WORKERS) -m 'slow or not slow'

spec: $(BIN)/.dev ## Check both contracts: file, line, operation and cure of each mistake
	@python -m dev.spec

check: $(BIN)/.dev ## Check lint, formatting, types and the direction of imports
	@ruff check . && ruff format --check . && mypy && lint-imports --no-logo

format: $(BIN)/.dev ## Format the code and fix what lint can
	@ruff check --fix . && ruff format .

bench: $(BIN)/.bench ## Benchmark against the peers: make bench QUICK=1, or ROUNDS=5 SECONDS=3
	@python -m bench.compare --rounds $(ROUNDS) --seconds $(SECONDS) $(if $(QUICK),--quick)
	@python -m bench.mcp --rounds $(ROUNDS) --seconds $(SECONDS) $(if $(QUICK),--quick)

bench-scale: $(BIN)/.bench ## Benchmark with up to 10 million to-dos: make bench-scale DATABASE=postgresql
	@python -m bench.scale --database $(DATABASE) $(if $(SIZES),--sizes $(SIZES))

conformance: $(BIN)/.dev ## Run MCP's own test tools and third-party clients, all of them with ALL=1; needs npm
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or newer, which brings it, and try again."; exit 1; }
	@for folder in conformance conformance/clients/js $(if $(ALL),conformance/clients/more-js); do \
		npm install --prefix $$folder --no-audit --no-fund --loglevel=error || exit 1; done
	@ALL=$(ALL) pytest $(if $(ALL),,-n $(WORKERS)) conformance

evals: $(BIN)/.dev ## Print what assistants need for 60 journeys: make evals UPDATE=1 records savings, LIVE=1 asks a real model
	@python -m $(if $(LIVE),evals.live,evals $(if $(UPDATE),--update) $(if $(EACH),--each))

audit: $(BIN)/.dev ## Check the pages with Lighthouse and the W3C's validator; needs npm, Java and chromium
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or newer, which brings it, and try again."; exit 1; }
	@npm install --prefix audit --ignore-scripts --no-audit --no-fund --loglevel=error
	@pytest -rP audit

profile: $(BIN)/.bench ## Record flame graphs of a worker under load in bench/results/
	@python -m bench.flame

env: $(BIN)/.run ## Write .env with fresh secrets, unless it exists
	@python -m todo.cli env

migrate: $(BIN)/.run ## Migrate the database
	@echo "Migrating the database ..."
	@alembic upgrade head

claim: $(BIN)/.run ## Print a code to sign up with the username of an existing list: make claim USERNAME=kevin
	@python -m todo.cli claim "$(USERNAME)"

reset: $(BIN)/.run ## Print a link for a new password: make reset USERNAME=kevin
	@python -m todo.cli reset "$(USERNAME)"

client: $(BIN)/.run ## Register an OAuth client: make client NAME="My GPT" REDIRECT=chatgpt-action
	@python -m todo.cli client "$(NAME)" $(REDIRECT)

forget: $(BIN)/.run ## Delete a list, its account and all of its data: make forget USERNAME=kevin
	@python -m todo.cli forget "$(USERNAME)"

backup: $(BIN)/.run ## Back up the SQLite database while the service runs: make backup FILE=copy.db
	@python -m todo.cli backup "$(FILE)"

upgrade: $(BIN)/.run ## Back up a SQLite database, migrate, and check that the service can start; stop the service first
	@python -m todo.cli upgrade

LOCK := uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --custom-compile-command "make lock"

lock: $(BIN)/.dev ## Pin the dependencies of requirements.in and requirements-dev.in
	@$(LOCK) requirements.in -o requirements.txt
	@$(LOCK) requirements-dev.in -o requirements-dev.txt

logo: $(BIN)/.dev ## Redraw the logo and the icons
	@python bin/draw_logo.py

screenshots: $(BIN)/.dev ## Retake the README's screenshots; needs chromium
	@python -m bin.take_screenshots

$(BIN)/.run: requirements.txt
	@PYTHON="$(PYTHON)" bin/install requirements.txt
	@touch $@

$(BIN)/.dev: $(BIN)/.run requirements-dev.txt
	@bin/install requirements-dev.txt
	@touch $@

$(BIN)/.bench: $(BIN)/.dev bench/requirements.txt
	@bin/install bench/requirements.txt
	@touch $@

.PHONY: help run test test-slow test-pythons test-citus soak spec check conformance audit evals bench bench-scale profile format env migrate claim reset client forget backup upgrade lock logo screenshots
