# One path for people and for CI: every environment is made by requirements/install.sh from a lock in requirements/,
# and made again only when that lock or pyproject.toml has changed.

PYTHON ?= python3
export PYTHON
# Arguments for pytest, as in: make test-dev PYTEST=tests/usage
PYTEST ?=

BIN := .venv/bin
STEP := .ci/step
# The development environment holds the newest generation; these are the others.
GENERATIONS := 1.40 1.109 2
RIVALS := 1.109 2 3
WIRE_TESTS := $(wildcard tests/wire tests/e2e)
RIVAL_TESTS := $(wildcard tests/rivals)

.DEFAULT_GOAL := help
.PHONY: help demo test test-dev test-generations test-rivals test-wheel coverage lint format types check bench lock \
	wheel clean
.DELETE_ON_ERROR:
.SECONDARY:

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venvs/demo/.stamp ## see it work: record, check, explain; no key, no Docker
	@$(STEP) "demo" .venvs/demo/bin/tallyspan demo

test: test-dev test-generations test-rivals ## every test on the newest openai, the wire's on every generation

# The safety proof rewrites the source that it loads, so it runs without coverage; and it collects garbage after each of
# its eleven thousand tries, so it runs in a process of its own: behind the wire's tests it took twice as long.
test-dev: .venv/.stamp
	@$(STEP) "tests on the newest openai" $(BIN)/coverage run -m pytest --ignore=tests/rivals --ignore=tests/safety $(PYTEST)
	@$(if $(PYTEST),,$(STEP) "safety on the newest openai" $(BIN)/python -m pytest tests/safety)

test-generations: $(GENERATIONS:%=test-openai-%)

test-openai-%: .venvs/openai-%/.stamp
	@$(STEP) "wire tests on openai $*" .venvs/openai-$*/bin/python -m pytest $(or $(PYTEST),$(WIRE_TESTS),tests/wire)
	@$(if $(PYTEST),,$(STEP) "safety on openai $*" .venvs/openai-$*/bin/python -m pytest tests/safety)

test-rivals: $(if $(RIVAL_TESTS),$(RIVALS:%=test-rivals-%))

test-rivals-%: .venvs/rivals-%/.stamp
	@$(STEP) "rivals on openai $*" .venvs/rivals-$*/bin/python -m pytest $(or $(PYTEST),$(RIVAL_TESTS))

test-wheel: .venv/.stamp ## build the wheel and run the tests against it, with no source tree near
	@$(STEP) "tests on the installed wheel" .ci/test-wheel

coverage: ## gate the branches of the pure rooms; reads what the last `make test-dev` left
	@code=0; for room in books usage reconcile; do \
	  $(STEP) "branch coverage of $$room" $(BIN)/coverage report --include="*/tallyspan/$$room/*" || code=1; \
	done; exit $$code

lint: .venv/.stamp ## style, form, and the walls between the rooms
	@$(STEP) "ruff check" $(BIN)/ruff check
	@$(STEP) "ruff format" $(BIN)/ruff format --check
	@$(STEP) "contracts" $(BIN)/lint-imports --no-cache

format: .venv/.stamp ## let ruff put things in form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: .venv/.stamp ## mypy and pyright, both strict
	@$(STEP) "mypy" $(BIN)/mypy
	@$(STEP) "pyright" $(BIN)/pyright

check: lint types test coverage ## all that must be green before a commit

bench: .venvs/bench/.stamp ## what recording costs, beside the official plugin
	@$(STEP) "bench" .venvs/bench/bin/python -m benchmarks

lock: ## compile the locks again; UPGRADE=--upgrade takes the newest in range
	requirements/lock.sh $(UPGRADE)

wheel: .venv/.stamp
	@rm -rf dist
	@$(STEP) "wheel" "$$(requirements/uv.sh)" build --quiet --no-build-isolation --python $(BIN)/python --out-dir dist

clean: ## remove all that was made here
	rm -rf .venv .venvs dist tallyspan-demo .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.stamp: requirements/dev.txt pyproject.toml requirements/install.sh
	@$(STEP) "install .venv" requirements/install.sh .venv $<
	@touch $@

.venvs/%/.stamp: requirements/%.txt pyproject.toml requirements/install.sh
	@$(STEP) "install .venvs/$*" requirements/install.sh .venvs/$* $<
	@touch $@
