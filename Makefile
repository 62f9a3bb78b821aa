# What is run on Tollgate, by hand and in CI:
#
#   make check     format, lints, licences, unit and HTTP tests: before every commit
#   make test      every test but the long ones: before every merge; installs what the tests need
#   make nightly   the long tests
#   make semver    what others build on, beside the last release
#   make msrv      the oldest Rust that is said to do
#   make run       the server, from tollgate.toml
#   make docs      the crates' documentation
#   make bench     CPU and latency beside nginx, from bench/
#
# `make check test` runs what the two share once. What tests need beyond Rust, Python 3.11, Node 20 with npm, Go 1.24,
# a C++ compiler and cmake is fetched by scripts/ from package registries into a cache outside the checkout: $TOLLGATE_CACHE,
# by default ~/.cache/tollgate.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.PHONY: check test nightly run docs format lint deny msrv semver unit interleavings fuzz mutants mutants-rules mutants-hold mutants-book blackbox \
	release conformance bench

CONFIG ?= tollgate.toml
TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
export TOLLGATE_BIN ?= $(TARGET)/release/tollgate

check: format lint deny unit

test: unit interleavings fuzz blackbox conformance
	@scripts/msrv --if-there

# The long tests, the older generations of the SDKs and a client that takes long to build, twenty times the requests to
# each operation, the laws of money and of the ledger with a hundred times the cases, ten minutes of fuzzing for each
# parser, and the mutants of what money rests on (about four hours).
nightly: release msrv semver
	scripts/system-packages
	cargo test --workspace -- --ignored
	"$$(scripts/python-env)/python" -m pytest -m older_client conformance/python
	OPERATION_EXAMPLES=500 "$$(scripts/python-env)/python" -m pytest conformance/python/test_operations.py
	PROPTEST_CASES=25600 cargo test --package tollgate-money --package tollgate-ledger --test properties
	scripts/fuzz 600
	$(MAKE) --keep-going mutants

run:
	cargo run --release --package tollgate-cli -- serve --config $(CONFIG)

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --features tollgate/blocking

format:
	cargo fmt --all --check
	rustfmt --edition 2024 --check fuzz/fuzz_targets/*.rs

lint:
	cargo clippy --workspace --all-targets --features tollgate/blocking -- -D warnings

# Without advisories, which needs git: deny.toml says why.
deny:
	"$$(scripts/cargo-deny)" check --hide-inclusion-graph bans licenses sources

unit:
	cargo test --workspace --exclude tollgate-cli --features tollgate/blocking

# The oldest Rust that will do, as is said: for all of it, and for the SDK.
msrv:
	scripts/msrv

# What others build on, beside the last release: docs/releasing.md.
semver:
	scripts/semver

# The ledger's locks, in thousands of the orders threads can take them.
interleavings:
	cargo test --package tollgate-ledger --features shuttle --test interleavings

# What strangers' bytes meet first, fed what a fuzzer makes of fuzz/corpus.
fuzz:
	scripts/fuzz 10

# Every small change to what money rests on must make a test fail: to its arithmetic and the ledger (half an hour on two
# cores), to the path of a hold from admission to settlement (an hour and a half), and to how SQLite keeps its sums (a
# few minutes).
mutants: mutants-rules mutants-hold mutants-book

HOLD_PATH ?= meter/{admission,attempt,bound,call,charge,settle}.rs {journal,writer}.rs {journal,writer}/*.rs core.rs

mutants-rules:
	PROPTEST_CASES=64 scripts/mutants rules --package tollgate-money --package tollgate-ledger

mutants-hold:
	PROPTEST_CASES=16 scripts/mutants hold --package tollgate-gateway \
		$$(printf -- '--file crates/gateway/src/%s ' $(HOLD_PATH)) -- --lib --test http

mutants-book:
	scripts/mutants book --package tollgate-store-sqlite \
		--file 'crates/store-sqlite/src/{commit,sums,entries}.rs' -- --lib --test sqlite

# The built binary as a user has it: started, asked, killed, started again.
blackbox:
	scripts/system-packages
	cargo test --package tollgate-cli

release:
	cargo build --release --package tollgate-cli

# The newest official SDKs, unmodified, what stands in for Go's, and our own for Rust, against a running server; behind it a
# fake provider, then a real model. Every operation is called with requests made from its schema.
conformance: release
	scripts/system-packages
	scripts/model-server >/dev/null
	scripts/rust-driver >/dev/null
	"$$(scripts/python-env)/python" -m pytest -m "not older_client" conformance/python

# CPU a request and a stream, beside nginx in the same run: needs wrk, nginx and oha (bench/README.md).
bench: release
	cargo build --release --manifest-path bench/upstream/Cargo.toml
	cd bench && ./run.py $(or $(BENCH),nginx tollgate)
