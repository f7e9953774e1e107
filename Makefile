# Needs Python 3.11 or newer and make. Another Python: make test PYTHON=python3.13

VENV := .venv
BIN  := $(VENV)/bin

# An environment that stands is kept with the Python it has, unless PYTHON says otherwise.
PYTHON  ?= $(if $(wildcard $(VENV)/.python-*),$(BIN)/python,python3)
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

# Stamps: a step runs again only when the file it was made from has changed.
MADE    := $(VENV)/.python-$(or $(VERSION),none)
RUNTIME := $(VENV)/.runtime
DEV     := $(VENV)/.dev
CLIENTS := $(VENV)/clients/.made
NODE    := $(addsuffix /node_modules/.package-lock.json,$(addprefix tests/,browser clients deploy))

PIP     = $(BIN)/python -m pip --disable-pip-version-check --no-input
INSTALL = $(PIP) install --quiet --require-hashes --only-binary :all:
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
          --generate-hashes --no-emit-index-url --no-header $(LOCK_FLAGS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run demo test test-fast check audit sbom wheels reference docs bench bench-statistics bench-monitoring \
        torture laws screenshots image-test manifests lock system

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) \
		| while IFS='|' read -r name text; do printf '  make %-16s %s\n' "$$name" "$$text"; done

setup: $(RUNTIME)  ## create .venv from the locks, with the kullback command in it

run: $(RUNTIME)  ## serve on http://127.0.0.1:8000
	$(BIN)/kullback serve

demo: $(RUNTIME)  ## look around on http://127.0.0.1:8000, with example data
	$(BIN)/kullback demo

# Each core runs tests, a file of them at a time, and one more process while others wait for their
# servers. WORKERS=0: one after the other, in one process.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST  := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadscope --no-loadscope-reorder
FAST    := $(addprefix tests/,numerics scoring tally payload requests api/test_every_operation.py)

# Servers that tests start read what was compiled, whatever the environment says.
test test-fast: export PYTHONDONTWRITEBYTECODE :=

# Branch coverage is gated on Python 3.12 and newer: 3.11 loses the line event of some
# statements after an `await` and reports branches as missed that did run.
test: check $(CLIENTS) $(NODE)  ## lint, types, tests and branch coverage: what CI runs
	@$(BIN)/coverage erase
	@COVERAGE_PROCESS_START=pyproject.toml $(PYTEST)
	@$(BIN)/coverage combine --quiet
	@if $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 12))'; then \
		$(BIN)/coverage report; \
	else \
		$(BIN)/coverage report --fail-under=0; \
		echo 'Python 3.11: coverage is shown, not gated; use 3.12 or newer for the gate.'; \
	fi

test-fast: $(DEV)  ## the pure core and one request of each kind, in 90 seconds
	@$(PYTEST) --hypothesis-profile fast $(FAST)

check: $(DEV) audit  ## formatting, lint, types and known flaws
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

audit: $(DEV)  ## compare the locks with requirements/advisories.toml, offline
	$(BIN)/python -m requirements.audit

sbom: $(DEV)  ## write sbom.cdx.json, the bill of materials of what is shipped
	$(BIN)/python requirements/sbom.py $(BIN)/python sbom.cdx.json

wheels: $(DEV)  ## write what is released into dist
	@rm -rf dist build/lib build/bdist.* client/build  # setuptools would ship what is left there
	$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . ./client

reference: $(DEV)  ## write docs/openapi.json, docs/reference and the types of client/ from the code
	$(BIN)/python -m docs.generate
	$(BIN)/python -m tests.client.write_schemas

docs: $(DEV)  ## build the documentation into build/docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --jobs auto docs build/docs

bench: $(DEV)  ## measure against the rivals
	$(BIN)/python -m bench

bench-statistics: $(DEV)  ## thousands of experiments whose truth is known: coverage, peeking, power
	$(BIN)/python -m tests.statistics

bench-monitoring: $(DEV)  ## years of monitors whose truth is known: false alarms, time to detection
	$(BIN)/python -m tests.statistics.monitoring
	$(BIN)/python -m tests.deploy

torture: $(DEV)  ## kills, power cuts, network faults, races, and a count (TORTURE_SEED=n repeats a run)
	$(BIN)/python -m tests.torture

laws: $(DEV)  ## try every law of the pure core on 300 examples: ten times those of make test
	@$(PYTEST) --hypothesis-profile thorough $(addprefix tests/,numerics scoring tally requests)

screenshots: $(DEV) $(NODE)  ## take the pictures in docs/images again, with a browser
	$(BIN)/python -m tests.browser docs/images

system:  ## install the Debian packages that some tests use (as root)
	requirements/system.sh

image-test: $(DEV)  ## make the image of the Dockerfile and run it, as root and in minutes
	$(BIN)/python -m pytest --verbose -rP tests/deploy/image.py

manifests:  ## write the rules again for the Prometheus operator, after a change of deploy/prometheus
	@{ printf '%s\n' 'apiVersion: monitoring.coreos.com/v1' 'kind: PrometheusRule' \
		'metadata:' '  name: kullback' 'spec:'; sed 's/^\(.\)/  \1/' deploy/prometheus/rules.yml; } \
		> deploy/kubernetes/monitoring/prometheusrule.yaml

lock: $(DEV)  ## rewrite requirements/*.txt (LOCK_FLAGS=--upgrade takes newer versions)
	$(COMPILE) --group build --output-file requirements/build.txt
	$(COMPILE) pyproject.toml --output-file requirements/runtime.txt
	$(COMPILE) --group dev --constraint requirements/runtime.txt --output-file requirements/dev.txt
	$(COMPILE) --group sbom --constraint requirements/dev.txt --output-file requirements/sbom.txt
	$(COMPILE) --group clients --output-file requirements/clients.txt

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Kullback needs Python 3.11 or newer, but $(PYTHON) is $(or $(VERSION),not there)." >&2; \
		echo "Name another one: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12" >&2; \
		exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

# Both projects are installed in place: a change in app/ or client/ needs no second install.
$(RUNTIME): $(MADE) requirements/build.txt requirements/runtime.txt pyproject.toml client/pyproject.toml
	$(INSTALL) -r requirements/build.txt -r requirements/runtime.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable . --editable ./client
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.txt
	$(INSTALL) -r requirements/dev.txt
	@touch $@

# What makes a caller's client needs an older typer than the service does.
$(CLIENTS): $(MADE) requirements/clients.txt
	$(BIN)/python -m venv --clear $(@D)
	$(subst $(BIN),$(@D)/bin,$(INSTALL)) -r requirements/clients.txt
	@touch $@

# Where node cannot be had, some tests are skipped and say so.
tests/%/node_modules/.package-lock.json: tests/%/package.json tests/%/package-lock.json
	@{ npm ci --prefix tests/$* --ignore-scripts --no-audit --no-fund && touch $@; } \
		|| echo '*** npm failed or is missing: TESTS IN tests/$* WILL BE SKIPPED ***' >&2
