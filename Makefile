# `make` lists the targets. T=tests/unit/domain narrows any test target. Each target calls one tool;
# what needs more than a line is in .ci/setup or in the saml-idp command.
.DEFAULT_GOAL := help
T ?= tests
BIN := .venv/bin
VERSIONS := saml_idp/adapters/db/migrations/versions
PYTEST := $(BIN)/python -m pytest -n auto

.PHONY: help
help:
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' Makefile

##@ start
.PHONY: install run serve keys-dev db-upgrade shell
install: ## make .venv: locked dependencies, and this project editable
	@.ci/setup
run: install ## the whole demonstration: IdP, a service, a user with a phone; says where to click
	@$(BIN)/python -m saml_idp.demo
serve: install ## the IdP alone, with the settings of this folder
	@$(BIN)/saml-idp serve
keys-dev: install ## signing, seal and cookie keys for development
	@$(BIN)/saml-idp keys new
db-upgrade: install ## bring the database to the newest tables
	@$(BIN)/saml-idp database upgrade
shell: install ## Python with saml_idp on the path
	@$(BIN)/python -i -c "import saml_idp"

##@ check
.PHONY: fix format-check lint imports types browser test quick flows model live coverage sure bench screenshots
fix: install ## format, and mend what the linter can mend
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --fix .
format-check: install ## is everything formatted
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run make fix"; exit 1; }
lint: install ## the linter
	@$(BIN)/ruff check --quiet .
imports: install ## who may import whom (the contracts in setup.cfg)
	@$(BIN)/lint-imports --config setup.cfg --no-cache --no-logo
types: install ## mypy, strict
	@$(BIN)/mypy
browser: install
	@$(BIN)/python tests/chromium.py
test: browser imports format-check lint types ## everything: contracts, format, lint, types, every test
	@$(PYTEST) $(T)
quick: install ## the tests without servers and browsers
	@$(PYTEST) -m "not live and not slow" $(T)
flows: install ## whole logins in process
	@$(PYTEST) -m flows $(T)
model: install ## any order of login events, 20,000 times over
	@MODEL_EXAMPLES=20000 $(PYTEST) -o faulthandler_timeout=0 tests/flows/test_model.py
live: browser ## real servers, real service providers, a real browser
	@$(PYTEST) -m live $(T)
coverage: browser ## every test, with branch coverage
	@$(BIN)/coverage erase && $(BIN)/coverage run -m pytest -n auto $(T) && $(BIN)/coverage combine --quiet && $(BIN)/coverage report
sure: imports format-check lint types metadata policies coverage ## all of it, before you stop
bench: install ## the performance table, as ratios to one RSA signature of this machine
	@$(BIN)/python -m tests.bench
screenshots: browser ## a picture of every page into screenshots/
	@$(BIN)/python -m tests.live.preview_pages shoot screenshots

##@ data
.PHONY: db-revision db-check metadata policies
db-revision: install ## a new migration, m="what changes"
	@$(BIN)/alembic -c setup.cfg revision -m "$(m)" --rev-id $$(printf %04d $$(($$(ls $(VERSIONS)/*.py | wc -l) + 1)))
db-check: install ## do the migrations make the tables that the code has
	@$(PYTEST) tests/migrations
metadata: install ## check the files in metadata/
	@SAML_IDP_BASE_URL=$${SAML_IDP_BASE_URL:-https://idp.example.com} $(BIN)/saml-idp sp check
policies: install ## check the files in policies/
	@SAML_IDP_BASE_URL=$${SAML_IDP_BASE_URL:-https://idp.example.com} $(BIN)/saml-idp policy check

##@ keep
.PHONY: lock audit-deps diagram clean
lock: install ## compile both lock files anew from setup.cfg
	@.ci/lock
audit-deps: install ## known vulnerabilities of the locked packages
	@.ci/tool pip-audit --disable-pip --require-hashes -r requirements.lock
diagram: install ## who imports whom, as a graph in DOT on standard output
	@$(BIN)/import-linter drawgraph saml_idp
clean: ## remove what was made here, .venv too
	@rm -rf .venv build dist screenshots htmlcov .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
