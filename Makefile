# Every target is one line; each installs what it needs. `make` alone lists them.
SHELL := /bin/bash -o pipefail
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
# A company's own certificate authority counts for npm as it does for everything else.
export NODE_USE_SYSTEM_CA := 1
# A cache of compiled JavaScript saves about an eighth of the time of `cdk synth`.
export NODE_COMPILE_CACHE := $(CURDIR)/.venv/node-cache
CODE := app.py conftest.py lambda_fn stacks k8s_manifests cli examples scripts testbed tests
# What git tracks, or would.
TEXTS = $(shell git ls-files --cached --others --exclude-standard | grep -Ev '\.(json|png|sum|svg)$$|requirements.*\.txt$$')
SCRIPTS = .ci/run scripts/audit scripts/install scripts/sbom scripts/venv $(shell git ls-files '*.sh')
CONFIG ?= frontdoor.toml
PLAN ?= full
# The suites on real parts need root on Linux; elsewhere pytest shows them as skipped, with the reason.
ABLE := $(shell [ "$$(uname)" = Linux ] && [ "$$(id -u)" = 0 ] && echo yes)
# A sandbox for each suite: they run side by side, and beside one of `make sandbox`.
INSIDE = $(if $(ABLE),python -m testbed.sandbox --state /var/lib/ecr-frontdoor-$@-suite run $(PARTS) --)
# Suites that start nginx themselves need no cluster.
proxy-cache proxy-clients proxy-page proxy-requests double: PARTS := --without-kubernetes
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

.PHONY: help install check lint lint-python lint-words lint-markdown lint-javascript lint-shell lint-nginx lint-workflows types imports unit njs template bundle test test-heavy parts lifecycle proxy proxy-cache proxy-clients proxy-page proxy-requests double cluster e2e e2e-operation e2e-doctor clients clients-short soak soak-short mutants bench demo deploy-local sandbox sandbox-down doctor synth deploy destroy snapshots scan audit versions sbom release first-steps manifests docs pictures lock clean
.DEFAULT_GOAL := help

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/installed node_modules/installed ## Install what every target needs

check: lint types imports unit njs template ## The quick inner loop: lint, types, imports, unit, njs and template tests

lint: lint-python lint-words lint-markdown lint-javascript lint-shell lint-nginx lint-workflows ## Lint everything that people read or machines run

lint-python: .venv/installed ## Lint Python and check its formatting
	ruff check $(CODE) && ruff format --check $(CODE)

lint-words: .venv/installed ## Check the spelling, and for wordings that the house style replaces
	codespell $(filter-out LICENSE,$(TEXTS)) && python scripts/check_terms.py

lint-markdown: .venv/installed ## Lint the documents
	pymarkdown --strict-config scan $(filter %.md,$(TEXTS))

lint-javascript: node_modules/installed ## Lint the njs modules
	biome lint --error-on-warnings k8s_manifests tests/njs

lint-shell: .venv/installed ## Lint the shell scripts
	shellcheck $(SCRIPTS)

# Left out of gixy's checks, because nginx and gixy see it differently here: upstream hosts come from njs's allow-list and paths from
# anchored expressions on normalized names (ssrf, http_splitting, proxy_pass_normalized); add_header_inherit is newer than the check
# of it; the `if` blocks hold only add_header and return; $$second always matches; the expressions are bounded (regex_redos); one
# look for a file costs a pull of 1 GB nothing (try_files_is_evil_too); a client that waits has a connection and no file
# (worker_rlimit_nofile_vs_connections).
lint-nginx: .venv/installed ## Lint the rendered nginx configurations of the examples
	gixy --nginx-version 1.30.6 --skips ssrf,http_splitting,proxy_pass_normalized,add_header_redefinition,if_is_evil,hash_without_default,regex_redos,try_files_is_evil_too,worker_rlimit_nofile_vs_connections tests/template/reference/*.nginx.conf

# The first run builds actionlint, whose source comes from the Go module proxy.
lint-workflows: .venv/installed ## Check the workflows: their schema, expressions and scripts, and what an attacker could use
	check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml && check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml && zizmor --offline --quiet .github && go -C scripts/tools tool actionlint $(CURDIR)/.github/workflows/*.yml

types: .venv/installed ## Check the types
	python scripts/check_types.py $(CODE)

imports: .venv/installed ## Check the import contracts
	lint-imports

unit: .venv/installed ## Unit tests: no sockets, seconds; with the coverage floor of scripts/coverage.toml
	pytest tests/unit testbed/tests/unit -m "not long" --cov=lambda_fn --cov=k8s_manifests --cov=cli --cov-report= --cov-report=json:.coverage.json && python scripts/check_coverage.py .coverage.json

njs: .venv/installed ## Unit tests of the njs modules, in Node
	node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON --test --test-reporter=dot tests/njs/*.test.mjs

# The Lambda's bundle is built and described from the network or a cache; the rest of the suite needs neither.
BUNDLE_TESTS := tests/template/test_sbom.py tests/template/test_stack_bundle.py

template: .venv/installed node_modules/installed ## Tests of what CDK and cdk8s write
	pytest tests/template $(addprefix --ignore=,$(BUNDLE_TESTS))

bundle: .venv/installed ## Tests of the Lambda's bundle and its bill of materials
	pytest $(BUNDLE_TESTS)

# Seven at once fill two processors, since the suites on real parts mostly wait for pods and for times to expire. The longest come
# first. The parts are there already, and looking for them again would let the others start before them.
test: parts node_modules/installed ## Tests and checks of the product, side by side; those on real parts run in the sandbox
	$(MAKE) --no-print-directory --jobs=7 --output-sync=line PARTS_READY=yes template e2e-operation proxy-clients proxy-requests proxy-cache proxy-page e2e-doctor cluster unit types lint imports njs

# CI calls it after `make test`. The first run downloads and builds the clients, which takes minutes.
test-heavy: parts ## What `make test` leaves out: tests of the test bed itself and of the bundle, and pulls with dockerd and other real clients
	$(MAKE) --no-print-directory --jobs=3 --output-sync=line PARTS_READY=yes lifecycle double clients-short soak-short bundle

parts: .venv/installed ## Install and build the sandbox's real parts, once (Kubernetes takes minutes)
	$(if $(PARTS_READY),,$(if $(ABLE),python -m testbed.sandbox setup))

lifecycle: parts ## Tests of the sandbox's own life cycle
	pytest testbed/tests/lifecycle

proxy: proxy-cache proxy-clients proxy-page proxy-requests ## Tests of real nginx against the ECR double, inside the sandbox

# Four parts, because in each nginx mostly waits: each file of tests/proxy is in one of them.
CACHE_TESTS := test_cache_*.py test_circuit_*.py test_revalidation*.py
CLIENT_TESTS := test_client_*.py test_hostile_*.py test_limits*.py test_metrics.py test_scrub.py
PAGE_TESTS := test_page*.py

proxy-cache: parts ## The part of `make proxy` about the caches, their agreement with ECR, and the circuit breaker
	$(INSIDE) pytest $(wildcard $(addprefix tests/proxy/,$(CACHE_TESTS))) -m "not long"

proxy-clients: parts ## The part about hostile clients and their limits, and about damaged files
	$(INSIDE) pytest $(wildcard $(addprefix tests/proxy/,$(CLIENT_TESTS)))

proxy-page: parts node_modules/installed ## The part about the page, most of it in Chromium
	$(INSIDE) pytest $(wildcard $(addprefix tests/proxy/,$(PAGE_TESTS)))

proxy-requests: parts ## The other part of `make proxy`
	$(INSIDE) pytest tests/proxy $(foreach name,$(CACHE_TESTS) $(CLIENT_TESTS) $(PAGE_TESTS),--ignore-glob='*/$(name)')

double: parts ## Tests of the ECR double itself and of the benchmark in small, inside the sandbox
	$(if $(ABLE),python -m testbed.clients &&) $(INSIDE) pytest testbed/tests/ecr_double testbed/tests/bench

cluster: parts ## Tests of the Lambda on the real API server, inside the sandbox
	$(INSIDE) pytest tests/cluster

e2e: e2e-operation e2e-doctor ## Tests of everything together on the real node, inside the sandbox

e2e-operation: parts node_modules/installed ## The half of `make e2e` about installing, refreshing and pulling
	$(INSIDE) pytest tests/e2e --ignore=tests/e2e/doctor -m "not long"

e2e-doctor: parts ## The half of `make e2e` about the doctor
	$(INSIDE) pytest tests/e2e/doctor

clients-short: parts ## Pulls of real clients by tag and digest, and from what one of them has left: the part that `make test-heavy` runs
	python -m testbed.clients && $(INSIDE) pytest tests/clients -m "not long"

# Beside `make test`, not in it: all pairs of clients take minutes.
clients: parts ## Pulls of real docker, containerd, podman, skopeo, crane, oras, regctl, BuildKit and Renovate, also from each other's cache without ECR
	python -m testbed.clients --renovate && $(INSIDE) pytest tests/clients

soak: parts ## On the real node: load every volume of the pods for three minutes at full rate, then pull two layers of 52,000 MiB (half an hour); damage a full cache; simulate 60 days; attack a pod in 18 ways, with 17,000 connections or 300 requests a second; read a catalogue of 5,000 repositories; let a region fail during 220 pulls
	$(INSIDE) sh -c 'python -m testbed.soak.volumes && python -m testbed.soak.large_layers && python -m testbed.soak.damage && python -m testbed.soak.hostile --on-node && pytest tests/proxy tests/unit/lambda_fn tests/e2e -m long'

soak-short: parts ## The same for seconds, with layers of 2 GiB, less memory, a small cache and a quarter of three attacks: the part that `make test-heavy` runs
	$(INSIDE) sh -c 'python -m testbed.soak.volumes --seconds 10 && python -m testbed.soak.large_layers --mib 2048 --memory-limit 96Mi --cache-gib 1 && python -m testbed.soak.hostile --seconds 12 --part 4 --kind body --kind 7k-header --kind missing'

# Beside `make test`, not in it: its data is checked there, and this takes its time. MUTANTS=FILE writes the whole table.
mutants: parts ## Take each rule out of the product and mutate modules of the Lambda: a test has to fail each time (an hour)
	python -m testbed.mutants $(if $(MUTANTS),--markdown $(MUTANTS)) && python -m testbed.mutants.modules

# On a machine with nothing else to do; PLAN=short for a look in three minutes.
bench: parts ## Compare with the alternatives, and write testbed/bench/results and docs/performance.md (half an hour)
	python -m testbed.clients && $(INSIDE) python -m testbed.bench --plan $(PLAN)

demo: .venv/installed ## The whole story on one machine, step by step
	python -m testbed.sandbox demo

# Beside `make test`, not in it: it takes a quarter of an hour.
deploy-local: parts node_modules/installed ## Deploy, update, roll back and destroy on MiniStack's CloudFormation, in every reference configuration
	python -m testbed.sandbox.deployment

sandbox: .venv/installed ## Start the local world with the front door in it, and leave it running
	python -m testbed.sandbox install

sandbox-down: .venv/installed ## End the local world; nothing stays behind
	python -m testbed.sandbox down

doctor: .venv/installed ## Examine a deployed front door, read-only (CONFIG=frontdoor.toml IMAGE=team/app:1.4)
	@frontdoor doctor --config $(CONFIG) $(if $(IMAGE),--image $(IMAGE))

synth: .venv/installed node_modules/installed ## Synthesize the CloudFormation template (CONFIG=frontdoor.toml)
	cdk synth --quiet -c config=$(CONFIG) && ls cdk.out/*.template.json

deploy: .venv/installed node_modules/installed ## Deploy to the account of your AWS credentials; asks before rights are widened, unless CI=true (CONFIG=frontdoor.toml)
	cdk deploy --all --require-approval=$(if $(CI),never,broadening) -c config=$(CONFIG)

# The check decides: CDK reports success when kubectl could delete nothing. A folder has many environments, and one command should
# not remove all of them.
destroy: .venv/installed node_modules/installed ## Delete what `make deploy` made, and check that nothing of it serves (CONFIG=frontdoor.toml)
	@if [ -d '$(CONFIG)' ]; then echo 'CONFIG=$(CONFIG) is a folder, and this removes one environment. Fix: make destroy CONFIG=$(CONFIG:/=)/NAME.toml' >&2; exit 2; fi
	cdk destroy --force -c config=$(CONFIG); frontdoor doctor --removed --config $(CONFIG)

snapshots: .venv/installed node_modules/installed ## Write the reviewed templates of the reference configurations again
	python -m tests.template.snapshots

# What cfn-lint, cdk-nag, checkov and kube-score say of the templates and the manifests; after the first run, without a network.
scan: .venv/installed .venv/checkov/installed node_modules/installed ## Check the templates and the manifests of the examples with cfn-lint, cdk-nag, checkov and kube-score
	pytest -q tests/template/test_stack_lint.py && python scripts/scan.py

# The lists of PyPI and npm have to answer; where one does not, it fails and says so.
audit: scan .venv/audit/installed node_modules/installed ## What `make scan` does, then ask PyPI and npm for known vulnerabilities of what is pinned
	scripts/audit

versions: .venv/installed ## Say whether there is a kubectl layer or Lambda runtime that is neither used nor declined
	python -m scripts.versions

sbom: .venv/audit/installed ## Write the software bill of materials of the Lambda's bundle, CycloneDX JSON (sbom.json)
	scripts/sbom "$$(python -c 'from stacks.bundling import bundle; print(bundle())')" sbom.json

# The workflow `release` calls it; the tag is checked out, and pyproject.toml and CHANGELOG.md have its version.
release: sbom ## Write what a release consists of to dist: source archive, bill of materials, sums, notes (TAG=v0.2.0)
	python -m scripts.release $(TAG)

# Beside `make test`, not in it: it installs everything anew.
first-steps: parts ## Go from a bare clone to a synthesized stack as a new operator does, and fail if that takes more than five minutes or three questions
	python -m testbed.sandbox.first_steps

manifests: .venv/installed ## Print the Kubernetes objects as YAML (CONFIG=frontdoor.toml)
	@frontdoor manifests --config $(CONFIG)

docs: .venv/installed node_modules/installed ## Write everything in the documents that is generated: settings, schema, costs, alerts, permissions, RBAC, dashboard
	python -m cli.reference && python -m scripts.costs && python -m scripts.alerts && python -m tests.template.permissions && python -m tests.template.rbac && python -m tests.template.dashboard_picture

pictures: parts ## Write the pictures of the page and of the metrics in the documents, in Chromium and by Prometheus from real pods
	$(INSIDE) sh -c 'python -m tests.pictures && python -m tests.metrics_picture'

lock: .venv/installed ## Pin every dependency again, with hashes
	for of in lambda_fn/requirements requirements requirements-dev requirements-audit requirements-checkov requirements-ministack; do $(COMPILE) $$of.in -o $$of.txt; done

clean: ## Remove what was built in this folder (the sandbox's cache stays)
	rm -rf .venv node_modules cdk.out dist sbom.json

.venv/installed: requirements-dev.txt scripts/venv
	scripts/venv

.venv/audit/installed .venv/checkov/installed: .venv/%/installed: requirements-%.txt .venv/installed
	python -m venv .venv/$* && scripts/install .venv/$*/bin/python $< && touch $@

node_modules/installed: package-lock.json .venv/installed
	npm ci --no-audit --no-fund && ln -sf ../../node_modules/.bin/cdk .venv/bin/cdk && touch $@
