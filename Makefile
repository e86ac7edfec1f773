# The developer's commands. A bare `make` lists them.

PY := .venv/bin/python
UV := .uv/bin/uv
# The node and npm of .venv, not those of the system.
NPM := PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/npm --silent

# Words for pytest: make test ARGS="tests/lessons -k moment"
ARGS ?=
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV NODE_ENV

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format front watch wheel lock pictures bench

help: ## List these commands.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## Bring this checkout up to date: Python, packages, and the front end (quick when nothing changed).
	@tools/setup

demo: setup ## Start Staffroom with a made-up school district, at http://localhost:8000.
	@.venv/bin/staffroom demo

test: setup ## Run the tests; ARGS="tests/lessons -k moment" runs some of them.
	@if CHROMIUM=$$(tools/browser); then \
	    export CHROMIUM; .venv/bin/pytest $(ARGS); \
	else \
	    .venv/bin/pytest -m "not browser" $(ARGS); code=$$?; \
	    echo "No Chromium was found: the tests marked 'browser' were left out. (On Debian: apt-get install chromium)"; \
	    exit $$code; \
	fi

check: setup ## Check style, types, who imports whom, and templates; print sizes.
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports --no-logo
	.venv/bin/mypy
	.venv/bin/djlint --quiet --lint --allow-empty-input staffroom
	@echo "tsc --noEmit"
	@$(NPM) run check
	@$(PY) tools/sizes

format: setup ## Put the code into its one form, and mend what the linter can mend.
	.venv/bin/ruff check --fix-only --quiet .
	.venv/bin/ruff format .

front: setup ## Build the front end, if what it is made from has changed.
	@$(PY) tools/front_end.py

watch: setup ## Build the front end again at every change of its sources.
	@$(NPM) run watch

wheel: setup ## Build the source distribution and the wheel into dist.
	@$(UV) build --quiet --clear --python $(PY)
	@ls -sh dist/*.whl dist/*.tar.gz

lock: setup ## Choose the newest allowed versions of all packages, and write both lock files.
	$(UV) lock --upgrade --python $(PY)
	@$(NPM) update --package-lock-only
	@! grep -hoE 'https?://[^/"]+' uv.lock | sort -u | grep -vE '^https://(pypi\.org|files\.pythonhosted\.org)$$' \
	    || { echo "uv.lock names hosts other than PyPI's; do not commit it." >&2; exit 1; }

pictures: setup ## Take pictures of the running demo's pages, phone and desk, light and dark; ARGS="--help" tells more.
	@$(PY) tools/pictures $(ARGS)

bench: setup ## Run what is in benchmarks, one after the other: how long the analysis and the pages take.
	@for file in $(or $(ARGS),benchmarks/[a-z]*.py); do \
	    [ -e "$$file" ] || { echo "There is nothing in benchmarks."; exit 1; }; \
	    echo "== $$file"; PYTHONPATH=. $(PY) "$$file" || exit $$?; \
	done
