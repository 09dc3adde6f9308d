# `make help` lists the targets. Everything expensive is built once and cached outside the checkout.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Prerequisites are an order here, also with -j: images go into the cluster that was made before them.
.NOTPARALLEL:

CLUSTER ?= chainlit
TEST_CLUSTER ?= chainlit-test
IPV6_CLUSTER ?= chainlit-ipv6
IP_FAMILIES ?= ipv6 dual
PYTHON ?= python3
BIN := .venv/bin
TOOL := $(BIN)/python -m tests.cluster
RELEASE := $(BIN)/python -m tests.release
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes
export CLUSTER
export PYTHONPATH := operator/src

E2E_ARGS ?= -m "not slow"
CHARTS_MARK ?= "not slow"
DOCS_MARK ?= "not slow"
DRAIN_MARK ?= "not slow"
FAULTS_MARK ?= "not slow"
ADMISSION_ARGS ?= -m "not slow"
SOURCES := operator/src tests
SERVED_EXAMPLES ?= 20000
FUZZ_INPUTS ?= 1000000

##@ Use

.PHONY: up
up: cluster images ## Make a cluster with the operator and a demo chat, and prove that the chat answers
	found="$$($(TOOL) env)"; eval "$$found"
	tests/demo/up.sh
	$(BIN)/python -m tests.e2e.chat --wait 30 "$$EDGE/chat/"

.PHONY: down
down: .venv/ready ## Remove the cluster and all that belongs to it (the cache stays)
	$(TOOL) down

.PHONY: env
env: .venv/ready ## Print what a shell needs: eval "$(make -s env)"
	@$(TOOL) env

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Test

.PHONY: test
test: lint unit charts drain docs admission field e2e faults ## Run all checks: lint, types, unit, charts, drain, docs, admission, field, e2e, faults

.PHONY: test-all
test-all: lint workflows unit served charts-all drain-all values monitoring docs-all admission-all field openshift e2e-all ipv6 stranger release-rehearsal judge-short bench-smoke faults-all ## Run everything, also what takes long

.PHONY: lint
lint: .venv/ready ## Check style, types, layers and shell scripts
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports --no-logo
	$(BIN)/yamllint --strict kind-config.yaml charts/*.yaml charts/*/Chart.yaml charts/*/values.yaml charts/*/files charts/*/tests tests/cluster/files
	$(BIN)/shellcheck .ci/run tests/demo/up.sh

.PHONY: workflows
workflows: .venv/ready ## Check the workflows of GitHub for mistakes and weaknesses
	$(RELEASE) workflows

.PHONY: release-rehearsal
release-rehearsal: tools ## Publish to a registry on loopback, install from it in a fresh cluster, and chat; ten minutes
	found="$$($(TOOL) env)"; eval "$$found"
	$(RELEASE) rehearse

.PHONY: unit
unit: .venv/ready ## Run the unit tests, and a sample of the fuzzing
	$(BIN)/pytest -n 2 tests/unit tests/fuzz tests/*/tests

.PHONY: fuzz
fuzz: .venv/ready ## Give a million odd objects, texts and answers to all that reads such (FUZZ_INPUTS); half an hour
	FUZZ_INPUTS=$(FUZZ_INPUTS) $(BIN)/pytest -n 2 tests/fuzz

.PHONY: served
served: .venv/ready ## Judge 20,000 routes that were made up by a model of edges and Chainlit (SERVED_EXAMPLES)
	SERVED_EXAMPLES=$(SERVED_EXAMPLES) $(BIN)/pytest -s tests/unit/test_served.py

.PHONY: mutants
mutants: .venv/ready ## Change each decision a little and see whether a test notices; an hour (MODULES="paths kinds/service")
	$(INSTALL) -r tests/mutants/requirements.txt
	nice -n 19 $(BIN)/python -m tests.mutants $(MODULES)

.PHONY: charts
charts: tools ## Run the chart tests
	found="$$($(TOOL) env)"; eval "$$found"
	$(BIN)/pytest -n 2 -m $(CHARTS_MARK) tests/charts

.PHONY: charts-all
charts-all: ## Run the chart tests with what takes long
	$(MAKE) charts CHARTS_MARK='"slow or not slow"'

.PHONY: values
values: tools .venv/checkov/ready ## Render values files as teams have them, try each on a bare API server, and run four linters
	found="$$($(TOOL) env)"; eval "$$found"
	$(BIN)/pytest -n 2 --dist loadfile tests/values

# Its many requirements are not those of the other tests.
.venv/checkov/ready: .venv/ready tests/values/requirements.txt
	$(BIN)/python -m venv --clear .venv/checkov
	.venv/checkov/bin/pip install --quiet --disable-pip-version-check --require-hashes -r tests/values/requirements.txt
	touch $@

.PHONY: drain
drain: .venv/ready ## End a Chainlit process with the drain while answers are running, and count what is lost; two minutes
	$(BIN)/pytest -m $(DRAIN_MARK) tests/drain

.PHONY: drain-all
drain-all: ## The same with each release of Chainlit
	$(MAKE) drain DRAIN_MARK='"slow or not slow"'

.PHONY: monitoring
monitoring: tools ## Test the alerts by promtool, and scrape an operator with a real Prometheus
	found="$$($(TOOL) env)"; eval "$$found"
	$(BIN)/pytest tests/monitoring

.PHONY: docs
docs: tools ## Run every command of README and docs as it is printed, on a bare API server, and check every YAML block
	found="$$($(TOOL) env)"; eval "$$found"
	$(BIN)/pytest -m $(DOCS_MARK) tests/docs

.PHONY: docs-all
docs-all: ## The same, and the releases of the page on GitOps by Flux's helm-controller
	$(MAKE) docs DOCS_MARK='"slow or not slow"'

.PHONY: admission
admission: tools ## Try what the operator may and may not write, on a bare API server with the chart's policies and roles
	found="$$($(TOOL) env)"; eval "$$found"
	$(BIN)/pytest $(ADMISSION_ARGS) tests/admission

.PHONY: admission-all
admission-all: ## The same with every row
	$(MAKE) admission ADMISSION_ARGS=

.PHONY: field
field: tools ## Try the set-ups that people run, on a bare API server with the chart's policies and roles
	found="$$($(TOOL) env)"; eval "$$found"
	$(BIN)/pytest tests/field

.PHONY: openshift
openshift: .venv/ready ## Compare the operator's answers for Routes with a real HAProxy, set up as OpenShift's router does
	$(BIN)/pytest tests/openshift

.PHONY: e2e
e2e: export CLUSTER := $(TEST_CLUSTER)
e2e: cluster images edges ## Run the end-to-end tests in a cluster of their own (TEST_CLUSTER)
	found="$$($(TOOL) env)"; eval "$$found"
	$(BIN)/pytest -n 2 --dist loadgroup $(E2E_ARGS) --ignore tests/e2e/tests tests/e2e

.PHONY: e2e-all
e2e-all: ## Run the end-to-end tests with every row of their tables
	$(MAKE) e2e E2E_ARGS=

.PHONY: ipv6
ipv6: export CLUSTER := $(IPV6_CLUSTER)
ipv6: .venv/ready ## Chat in clusters with IPv6, alone and beside IPv4, that are made for it and removed; ten minutes
	trap '$(TOOL) down' EXIT
	for family in $(IP_FAMILIES); do
	  export IP_FAMILY=$$family
	  $(TOOL) down
	  $(TOOL) up
	  $(TOOL) images
	  found="$$($(TOOL) env)"; eval "$$found"
	  $(BIN)/pytest tests/ipv6 tests/e2e/test_login.py
	done

.PHONY: stranger
stranger: .venv/ready ## Clone the repository and go to a chat by the commands of README; print what each takes
	$(BIN)/python -m tests.stranger

.PHONY: judge
judge: export CLUSTER := $(TEST_CLUSTER)
judge: cluster images edges ## Chat each second for half an hour while faults are planted, and compare with Ready (JUDGE_ARGS)
	found="$$($(TOOL) env)"; eval "$$found"
	$(BIN)/python -m tests.judge $(JUDGE_ARGS)

.PHONY: judge-short
judge-short: ## The same for eight minutes
	$(MAKE) judge JUDGE_ARGS="--minutes 8"

.PHONY: faults
faults: .venv/ready ## Plant a few faults between the operator and an API server, and look for leaks for two minutes
	$(BIN)/pytest -m $(FAULTS_MARK) --ignore tests/chaos/tests tests/chaos

.PHONY: faults-all
faults-all: ## Plant every fault
	$(MAKE) faults FAULTS_MARK='"slow or not slow"'

.PHONY: chaos
chaos: .venv/ready ## Plant every fault, and write what each costs to tests/chaos/README.md
	$(BIN)/python -m tests.chaos --write

.PHONY: soak
soak: .venv/ready ## 100,000 route changes and 1,000,000 irrelevant events: nothing may grow (SOAK_CHANGES, SOAK_EVENTS); hours
	$(BIN)/python -m tests.chaos.soak

.PHONY: bench
bench: .venv/ready ## Measure the operator beside a Go peer and write the tables (BENCH_ARGS, see tests/bench/README.md)
	$(BIN)/python -m tests.bench --write $(BENCH_ARGS)

.PHONY: bench-smoke
bench-smoke: .venv/ready ## Count the operator's writes on a bare control plane with a few apps; and try the oldest Kubernetes
	$(BIN)/pytest --ignore tests/bench/tests tests/bench

.PHONY: audit
audit: .venv/ready ## Look up known faults of the operator's packages (needs the package index)
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	.venv/audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement operator/requirements.txt

##@ Develop

.PHONY: cluster
cluster: .venv/ready ## Make the kind cluster with Traefik at its edge
	$(TOOL) up

.PHONY: edges
edges: .venv/ready ## Install the edges beside Traefik that the end-to-end tests need
	$(TOOL) edges

.PHONY: images
images: .venv/ready ## Build the operator's and the demo app's images and load them into the cluster
	$(TOOL) images

.PHONY: tools
tools: .venv/ready ## Fetch kind, helm and kubectl
	$(TOOL) tools

.PHONY: generate
generate: .venv/ready ## Write what is generated: schemas and READMEs of the charts, and pages of docs/reference
	$(BIN)/python -m tests.charts.generated
	$(BIN)/python -m tests.docs.generate

.PHONY: package
package: tools ## Write what a release has to dist/: charts, install.yaml, crds.yaml, the Python package, the operator's source
	found="$$($(TOOL) env)"; eval "$$found"
	$(RELEASE) package
	version="$$($(BIN)/python -c 'import chainlit_operator; print(chainlit_operator.__version__)')"
	git archive -9 --format=zip --output="dist/chainlit_operator-$$version.zip" HEAD operator/src/chainlit_operator

.PHONY: golden
golden: tools ## Write the app chart's golden files, and the table in docs/reference/controllers.md, anew
	found="$$($(TOOL) env)"; eval "$$found"
	$(BIN)/python -m tests.charts.controllers

.PHONY: format
format: .venv/ready ## Format the code
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

.PHONY: lock
lock: ## Pin the requirements anew, with hashes (needs pip-tools)
	for place in operator charts/chainlit/image tests/demo tests/releases/*/ tests tests/mutants tests/values; do
	  (cd $$place && $(COMPILE) -o requirements.txt requirements.in)
	done

COMPILE := pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate

.venv/ready: tests/requirements.txt
	$(PYTHON) -m tests.cluster python
	$(PYTHON) -m venv --clear .venv
	$(INSTALL) -r tests/requirements.txt
	touch $@
