# Every target prepares .venv by itself; the second time is quick.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
STAMP := $(VENV)/.prepared
SECONDS ?=
SEEDS ?= 1..10000
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
# Tests start hundreds of processes, and each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE
WHOLLY_COVERED := kangbot/machines/*,kangbot/risk/*,kangbot/journal/*,kangbot/execution/*

.PHONY: help demo test servers compiled crash-points kills config-mutations faults soak simulate simulate-mutants test-container test-systemd small-server check fmt bench lock clean

help: ## what can be typed
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

# Of ccxt's hundred exchanges one is imported, and to compile all of them is half of an installation. What the daemon
# imports is compiled by a process that ends with it: one that compiles for itself keeps 14 MB more for as long as it runs.
WARM := import kangbot.cli.demo, kangbot.daemon, kangbot.sandbox.main; from kangbot.venues.ccxt_lean import load; load("bybit")
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps
$(READY): requirements/run.txt requirements/build.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "there is no $(PYTHON) here. Install Python 3.11 or later, or name another: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "kangbot needs Python 3.11 or later; this is $$($(PYTHON) --version). Name another: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "on Debian: apt-get install python3-venv"; exit 1; }
	@echo "preparing $(VENV) (a minute the first time)"
	@$(INSTALL) --require-hashes --requirement requirements/build.txt --requirement requirements/run.txt \
		|| { echo "the packages could not be installed in $(VENV): they come from PyPI and take 350 MB; $$(df -Pm . | awk 'END {print $$4}') MB are free. The same command goes on"; exit 1; }
	@$(INSTALL) --no-build-isolation --editable .
	@$(BIN)/python -c '$(WARM)'
	@touch $@

# What checks and tests need beside it is more than half of all, and whoever only looks at the demo waits for none of it.
$(STAMP): $(READY) requirements/dev.txt
	@$(INSTALL) --require-hashes --requirement requirements/dev.txt
	@touch $@

demo: $(READY) ## 27 markets on a sandbox exchange, live in this terminal (SECONDS=30 ends by itself)
	@$(BIN)/kangbot demo $(if $(SECONDS),--seconds $(SECONDS))

test: $(STAMP) servers ## all tests, and every branch of what decides about orders covered
	@$(BIN)/python -m pytest -n 6 --dist loadfile --no-loadscope-reorder --cov --cov-report=
	@$(BIN)/coverage report --include='$(WHOLLY_COVERED)' --fail-under=100

servers:
	@tests/mariadb.sh
	@tests/chromium.sh
	@tests/prometheus.sh
	@tests/compiler.sh

# Each worker of the tests would compile every one of them for itself. One core is busy with it, as with mypy and with an
# installation: .ci/run has them share two.
compiled: $(STAMP)
	@said=$$($(BIN)/python -m pytest --collect-only -qq 2>&1) || { echo "$$said"; exit 1; }

crash-points: $(STAMP) ## end the executor at every step of an order's life, and compare with the exchange (minutes)
	@$(BIN)/python -m pytest tests/e2e/test_crash_points.py -m sweep -q

simulate: $(STAMP) ## the whole daemon in virtual time, ten thousand seeds with faults (SEEDS=1..100 plays fewer)
	@mkdir -p build/reports
	@$(BIN)/kangbot simulate --seeds $(SEEDS) --jobs $(JOBS) --json > build/reports/simulate.json || { echo "promises were broken: build/reports/simulate.json"; exit 1; }
	@cat build/reports/simulate.json

simulate-mutants: $(STAMP) ## take each safeguard out, until a seed notices (minutes)
	@mkdir -p build/reports
	@$(BIN)/kangbot simulate --seeds 1..500 --mutant all --json > build/reports/mutants.json || { echo "not all were noticed: build/reports/mutants.json"; exit 1; }

kills: $(STAMP) ## kill -9 the daemon 100 times and the database 15 times, stop the process for 30 s (15 minutes)
	@$(BIN)/python -m pytest tests/e2e/test_kill.py tests/e2e/test_stopped_process.py tests/conformance/history/test_mariadb.py -m sweep -q
	@$(BIN)/python -m pytest tests/e2e/test_small_disk.py -q

config-mutations: $(STAMP) ## break the configuration's file in 900 ways under a daemon that trades (15 minutes)
	@$(BIN)/python -m pytest tests/e2e/test_config_mutations.py -m sweep -q

test-container: $(STAMP) ## docker-compose.yml for real: kills, a dead database, a hung loop, limits (needs a container engine)
	@tests/prometheus.sh
	@$(BIN)/python -m pytest tests/container -m "engine and not sweep" -q -s

small-server: $(STAMP) ## daemon and MariaDB on one vCPU and 1 GB with faults, drawn in docs/small-server.svg (MINUTES=20)
	@$(BIN)/python -m pytest tests/container -m "engine and sweep" -q -s

test-systemd: $(STAMP) ## the unit for real, under a systemd of its own (needs a container engine)
	@$(BIN)/python -m pytest tests/systemd -m engine -q -s -p no:randomly

faults: $(STAMP) ## the daemon as a process against what networks, venues and machines do: a table (18 minutes)
	@$(BIN)/python -m pytest tests/faults -m "sweep or process" -n 4 --dist worksteal -p no:randomly

soak: $(STAMP) ## 27 markets under faults on the real loop: all live at the end, memory and handles flat (MINUTES=15)
	@$(BIN)/python -m pytest tests/e2e/test_soak.py -m sweep -q -s

check: $(STAMP) ## format, lint, types, import contracts: in the order of speed
	@$(BIN)/ruff format --check --quiet . || { echo "make fmt puts this right"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@said=$$($(BIN)/lint-imports --no-cache 2>&1) && tail -n 1 <<<"$$said" || { echo "$$said"; exit 1; }
	@$(BIN)/mypy

fmt: $(STAMP) ## put the layout right
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

bench: $(STAMP) ## measure, against the old design in the same run (a quarter of an hour)
	@$(BIN)/python -m benchmarks

lock: $(STAMP) ## renew the locked requirements (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml --group pyproject.toml:dev -o requirements/dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml --extra notify -c requirements/dev.txt -o requirements/run.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --group pyproject.toml:build -c requirements/dev.txt -o requirements/build.txt

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .coverage .import_linter_cache
