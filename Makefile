# What is done again and again, with what .venv holds where there is one. `make` alone lists it.

export PATH := $(CURDIR)/.venv/bin:$(PATH)
PYTEST := python3 -m pytest -q

.PHONY: help setup fast check test snapshots bench wheel

help:  ## list what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## make .venv and install Carrel there, with what training and testing need
	python3 -m venv .venv && .venv/bin/pip install -q -e '.[training,test]'

fast:  ## the unit tests that wait for no process and no server, train no model and fit none
	$(PYTEST) tests/unit -m "not processes and not training" $(ARGS)

check:  ## style, format, types, and who may import whom
	ruff check .
	ruff format --check .
	mypy
	lint-imports

test:  ## everything; ARGS='-k words' chooses
	$(PYTEST) $(ARGS)

snapshots:  ## compare the pictures of the screen; UPDATE=1 keeps the new ones
	$(PYTEST) tests/app -m picture $(if $(UPDATE),--snapshot-update) $(ARGS) || \
		{ echo "Look at snapshot_report.html: what is drawn now, and what was kept. To keep the new: make snapshots UPDATE=1"; exit 1; }
	git --no-pager diff --stat -- tests/app/__snapshots__

bench:  ## every benchmark on little; NAME=keys ARGS='--library FILE' runs one
	$(if $(NAME),python3 tests/bench/$(NAME).py $(ARGS),CARREL_SLOW=1 $(PYTEST) tests/bench $(ARGS))

wheel:  ## build what is released, into dist/
	python3 -m build
