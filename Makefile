# `make demo` shows the main job, `make test` runs the tests; both set up .venv first.

PYTHON ?= python3
# What `make test` installs. PyTorch is large, so the tests of training are skipped without it; EXTRAS=dev,train runs all.
EXTRAS ?= dev
BIN := $(if $(filter Windows_NT,$(OS)),.venv/Scripts,.venv/bin)
# A folder of mirrored models beside the checkout is used where there is one; else publishers are asked.
ifneq ($(wildcard ../shared/models),)
export MIEN_MODEL_MIRROR ?= $(abspath ../shared/models)
endif

.PHONY: demo test check clean

demo: .venv/installed-demo
	$(BIN)/mien demo $(if $(SOURCE),--source "$(SOURCE)") $(if $(FACES),--faces "$(FACES)")

test: .venv/installed-$(EXTRAS)
	$(BIN)/python -m pytest

check: .venv/installed-$(EXTRAS)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/bin/python .venv/Scripts/python:
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { echo "mien needs Python 3.11 or later; PYTHON=python3.12 make ..." >&2; exit 2; }
	$(PYTHON) -m venv .venv

.venv/installed-%: $(BIN)/python pyproject.toml starter/pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[$*]" --editable ./starter
	@touch $@

clean:
	rm -rf .venv demo-output
