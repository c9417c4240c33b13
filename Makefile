# make            what can be asked
# make demo       the program on its demonstration year; make demo ARGS="--exit" stops afterwards
# make test       every test, on SQLite and on a PostgreSQL of our own, then the contract
# make contract   the API held to its OpenAPI document: linter, generated client, every route tried
# make crash      kill -9 in the middle of acts in number; ROUNDS=50 kills for each act on each database
# make bench      what the program costs beside the barest alternatives; make bench ARGS="acts sqlite 9" chooses
.DEFAULT_GOAL := help
SHELL := /bin/bash
ARGS ?=
ROUNDS ?= 50

.PHONY: help demo test contract bench crash check fmt clippy doc deny clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## Build, load the Gard, show a year, serve on 127.0.0.1:8080 (ARGS="--exit" to stop there)
	@scripts/install-build-packages.sh
	@test -x target/debug/ent-backoffice || printf '%s\n' \
	  'First build: about 450 libraries, 8 to 9 minutes on two cores; the next ones take seconds to a minute.' \
	  'Then the year of the Gard takes about 3 seconds, and the program says where it listens.'
	@cargo build --locked
	@cargo run --locked --quiet -- demo $(ARGS)

test: ## All the tests, on both databases (ARGS="-E 'test(…)'" to choose)
	@scripts/install-test-packages.sh
	scripts/with-postgres.sh cargo nextest run --locked $(ARGS)
	cargo test --doc --locked
	$(if $(ARGS),,@$(MAKE) --no-print-directory contract)

contract: ## The API held to its OpenAPI document (CONTRACT="lint year routes" to choose)
	@scripts/install-test-packages.sh
	@cargo build --locked
	scripts/with-postgres.sh tests/contract/run.sh

crash: ## Kill -9 during issue, approval and sealing, ROUNDS=50 times each on each database (ARGS="--acts seal --seed 1")
	@scripts/install-test-packages.sh
	cargo build --locked
	scripts/with-postgres.sh scripts/crash.py --rounds $(ROUNDS) $(ARGS)

bench: ## Ratios beside bare SQL, bare Typst, bare actix (ARGS="acts|documents|reading|nation|idle sqlite|postgres RUNS")
	@scripts/install-test-packages.sh
	scripts/with-postgres.sh cargo bench --locked --bench year -- $(ARGS)

check: fmt clippy doc deny ## Everything that runs no test

fmt: ## Formatting, as it should be
	cargo fmt --all --check

clippy: ## Lints, warnings refused
	cargo clippy --all-targets --locked -- -D warnings

doc: ## Documentation of the code, broken links refused
	RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --document-private-items --locked

deny: ## Licences, banned crates and sources
	@if command -v cargo-deny >/dev/null; then cargo deny --locked check licenses bans sources; \
	else .ci/licences.py; fi

clean: ## Remove what was built; ./data stays
	cargo clean
