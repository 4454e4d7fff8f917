# Everything there is to do in this project; plain `make` tells what. Each target first sets up
# what it needs (scripts/setup.sh), which takes no time when nothing is to do.

TOOLS  := scripts/with-tools
PYTHON_IN_TOOLS := $(TOOLS) python
OAE    := $(TOOLS) oae

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

.PHONY: help
help:
	@echo 'OAE link testbed. Start with `make demo`; before a commit, `make test`.'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p; s/^## \(.*\)/\n\1/p' Makefile | \
	  awk -F'|' 'NF == 2 { printf "%-24s%s\n", $$1, $$2; next } { print }'
	@echo
	@echo 'The command line: .venv/bin/oae --help'

## Everyday

.PHONY: setup setup-tests demo test explore prove synth synth-board
setup: ## prepare this clone: .venv with the pinned packages, Debian packages
	@scripts/setup.sh

setup-tests: setup
	@scripts/setup.sh tests

demo: setup ## watch a link survive a faulty run (FILE=path sends your own file)
	@$(OAE) run $(if $(FILE),--file "$(FILE)")

test: setup-tests ## the whole regression with its time budgets (ONLY=lint for a part)
	@$(PYTHON_IN_TOOLS) scripts/test.py $(if $(ONLY),--only "$(ONLY)")

explore: setup ## one lane of two reference ends with crashes of both, exhaustively
	@$(OAE) explore --ids 3 --crashes-a 1 --crashes-b 1

prove: setup ## prove the promises on the RTL, without a bound; and that each ingredient is needed
	@$(OAE) prove
	@$(OAE) prove --ablations

synth: setup ## synthesize one end for an FPGA: size and speed
	@$(PYTHON_IN_TOOLS) -m oae.synth

synth-board: setup ## the same for an end with its board around it
	@$(PYTHON_IN_TOOLS) -m oae.synth --board

## Sources

.PHONY: lint format generate check-generated requirements
lint: setup ## style, format and types of Python; style, format and warnings of Verilog
	@$(PYTHON_IN_TOOLS) scripts/lint.py

format: setup ## format Python and Verilog
	@$(PYTHON_IN_TOOLS) scripts/lint.py --fix

generate: setup ## write every file that is made from link.toml, requirements/ and the tests
	@$(PYTHON_IN_TOOLS) -m oae.spec.generate
	@$(PYTHON_IN_TOOLS) -m oae.spec.matrix

check-generated: setup ## fail if one of those files is stale
	@$(PYTHON_IN_TOOLS) -m oae.spec.generate --check
	@$(PYTHON_IN_TOOLS) -m oae.spec.matrix --check

requirements: setup ## list the requirements that no test names
	@$(PYTHON_IN_TOOLS) -m oae.spec.matrix --open

## Long runs, before a release

.PHONY: long-test long-hashes long-campaign long-explore long-soak long-serial long-epoch
long-test: setup-tests ## tests that are too long for every change
	@$(PYTHON_IN_TOOLS) -m pytest -m long -n 2 host/tests cocotb_tests

long-hashes: setup ## the same event log on every engine, over many seeds
	@$(PYTHON_IN_TOOLS) -m pytest -m long_hashes -n 2 host/tests cocotb_tests

long-campaign: setup ## ten million transactions under faults, over random parameters
	@$(OAE) campaign --seed 1 --runs 15000

long-explore: setup ## the exhaustive exploration with larger bounds
	@$(OAE) explore --ids 4 --crashes-a 1 --crashes-b 1 --cancels 1
	@$(OAE) explore --all

long-serial: setup-tests ## ten million bytes with noise through the register bridge, twice
	@$(PYTHON_IN_TOOLS) -m pytest -m long -s cocotb_tests/register_bridge

long-soak: setup ## a million transactions between two live ends under every kind of fault
	@$(PYTHON_IN_TOOLS) -m oae.bench.soak

long-epoch: setup ## every claim of the seed paper at its long size: build/epoch.html
	@mkdir -p build
	@$(OAE) epoch report --long --out build/epoch.html

## Cleaning

.PHONY: clean distclean
clean: ## remove what builds, tests and runs wrote
	rm -rf build runs .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -path ./.venv -prune -o \( -name __pycache__ -o -name sim_build -o -name obj_dir \) \
	  -type d -print0 | xargs -0 rm -rf

distclean: clean ## and the Python environment too
	rm -rf .venv host/oae.egg-info
