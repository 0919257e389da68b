# What a checkout can do; `make` alone lists it. Needs python3 (3.11 or later), python3-venv and make, nothing else.

PYTHON ?= python3
# Of `make test`: more than the two processors of the smallest machines, as tests often wait for the programs they run.
WORKERS ?= 3
BIN    := .venv/bin
KERNELS := $(wildcard src/caulk/_core/*.py)
PAGE   := src/caulk/views/page/index.html
FRONT  := $(shell find frontend -path frontend/node_modules -prune -o -type f -print 2>/dev/null)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install page pictures test lint demo bench fuzz probe-versions e2e wheel clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "PYTHON=/path/to/python3 chooses the interpreter that .venv is made with."

install: .venv/.made $(PAGE) .venv/.installed ## Make .venv with caulk, every extra, the tests' tools, and the web page where npm is

page: $(PAGE) ## Build the web page (Node.js 20.19 and npm; without them it is served in its plain form)

pictures: install ## Take the pictures of the docs anew, and those that the tests compare; look at each
	PYTHONPATH=tests $(BIN)/python tests/page/pictures.py
	CAULK_GOLDEN=write $(BIN)/pytest tests/page/test_pictures.py

test: install lint ## Lint, types, import layers, docs and every test (CAULK_REQUIRE=all: nothing may be skipped)
	@[ ! -d frontend/node_modules ] || npm --prefix frontend test --silent
	@# Whole files, as each makes its programs once; in their order: by their numbers of tests the longest would be last.
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: install ## Ruff, mypy and the import layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@[ ! -d frontend/node_modules ] || npm --prefix frontend run --silent check

demo: install ## Run a leaking program of every runtime found here, and find each leak
	$(BIN)/python demo/run

bench: install ## Measure caulk beside its peers, in ratios
	$(BIN)/python bench/profiles.py
	$(BIN)/python bench/native.py
	$(BIN)/python bench/heaps.py
	$(BIN)/python bench/captures.py
	$(BIN)/python bench/costs.py
	$(BIN)/python bench/watch.py --out bench/watch.md
	$(BIN)/python bench/probe.py
	$(BIN)/python bench/web/run.py

fuzz: install ## Read CAULK_FUZZ (20000) mutants of each dump (no traceback, no hang, both forms of the kernels agree), and ask the API
	CAULK_FUZZ=$${CAULK_FUZZ:-20000} $(BIN)/pytest -n 2 tests/fuzz tests/web/test_openapi.py

probe-versions: install ## Test the probe under every Python (3.9 to 3.14) that is here, with Django 4.2 and 5.2
	$(BIN)/python tests/probe/versions.py

e2e: install ## Capture every runtime in the engine of DOCKER_HOST and the cluster of KUBECONFIG, and write the matrix
	CAULK_E2E_MATRIX=docs/matrix.json $(BIN)/pytest tests/e2e -m "cluster or not cluster"
	$(BIN)/python tests/e2e/matrix.py docs/matrix.json docs/matrix.md

wheel: $(PAGE) .venv/.made ## Build the wheel into dist/ (CAULK_PURE=1: without compiled kernels)
	rm -rf build/lib* build/bdist*
	$(BIN)/pip wheel -q --no-deps -w dist .
	@ls dist/*.whl

clean: ## Remove everything that was made here
	rm -rf frontend/node_modules src/caulk/views/page
	rm -rf .venv build dist out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis src/*.egg-info
	rm -f src/caulk/_core/*.so
	find src tests bench demo -name __pycache__ -prune -exec rm -rf {} +

$(PAGE): $(FRONT)
	frontend/build

# pip 25.1 is the first that installs dependency groups; Debian 12 brings an older one.
.venv/.made:
	@command -v $(PYTHON) >/dev/null \
	|| { echo "caulk needs Python 3.11 or later, and there is no $(PYTHON): apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| { echo "caulk needs Python 3.11 or later, and $(PYTHON) is older: apt-get install python3 python3-venv" \
	          "(Debian 12 or later), or make PYTHON=/path/to/a/newer/python3 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	|| { echo "$(PYTHON) cannot make virtual environments: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install -q 'pip>=25.1'
	@touch $@

# Editable, with the kernels compiled in place: a changed kernel is compiled again here, a changed module needs nothing.
.venv/.installed: .venv/.made pyproject.toml setup.py $(KERNELS)
	$(BIN)/pip install -q --group dev -e .
	$(BIN)/python -m compileall -q src
	@$(BIN)/python -c 'from caulk import _core; _core.COMPILED or print("caulk: without a C compiler and the Python" \
	" headers the kernels run uncompiled, slowly (apt-get install gcc python3-dev, then make clean install)")'
	@touch $@
