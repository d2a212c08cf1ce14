# `make` says what there is.

export CARGO_TARGET_DIR ?= $(HOME)/.cache/cc-cloud/target

.PHONY: help setup demo demo-down test test-vm test-faults fuzz bench audit lint fmt docs install

help: ## This list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## What this machine lacks: packages, a running Docker, the host image (as root, or with sudo)
	@.ci/setup

demo: setup ## Three hosts as containers with the sample application on them, checked by a request (ENVIRONMENT=monolith: one host)
	@.ci/demo $(or $(ENVIRONMENT),local)

demo-down: ## Remove the demo's hosts
	@$(CARGO_TARGET_DIR)/$$(rustc -vV | sed -n 's/^host: //p')/debug/cc-cloud $(or $(ENVIRONMENT),local) down

test: setup ## Every suite, one line each; logs in ~/.cache/cc-cloud/test-logs
	@.ci/test

test-vm: ## What a container cannot show, in a virtual machine that boots from its own kernel; no KVM needed; 10 to 20 minutes
	@.ci/setup vm
	@.ci/test agent vm

fuzz: ## Property tests with seeds of their own and many cases each (CASES); fuzz/README.md has libFuzzer
	env -u PROPTEST_RNG_SEED PROPTEST_CASES=$(or $(CASES),20000) cargo test --workspace --lib --locked
	env -u PROPTEST_RNG_SEED PROPTEST_CASES=$(or $(CASES),20000) cargo test --locked -p cc-plan -p cc-preflight \
	  --test properties --test robust --test reports

test-faults: setup ## Every place at which a run can be cut, one after the other; half an hour
	@.ci/test agent faults

bench: setup ## cc-cloud against a shell script, Ansible and pyinfra, and on 500 hosts; writes docs/benchmarks.md (RUNS, SLOW_RUNS, HOSTS, TOOLS)
	@bench/run

audit: ## Licences, sources and advisories of the dependencies (needs cargo-deny and its advisory database)
	cargo deny check

lint: ## What `make test` asks of the code before it runs it
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

fmt: ## Format the code
	cargo fmt --all

docs: ## API documentation, in $CARGO_TARGET_DIR/doc
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked

install: ## cc-cloud and the agent that it sends to hosts, into ~/.cargo/bin
	cargo install --path . --locked
	cargo install --path agent --profile agent --locked
