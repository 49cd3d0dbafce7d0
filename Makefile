# The two commands that matter: `make run` starts everything on this machine, `make test` tests everything.

GO ?= go
TOOL = $(GO) tool -modfile=deploy/tools/go.mod
# Options for `aftercare up`, such as ARGS='--data ./data'.
ARGS ?=

.PHONY: run build test bench-rebuild bench-log lint format generate

run: build
	@bin/aftercare up $(ARGS)

build:
	$(GO) build -o bin/aftercare ./cmd/aftercare

test:
	$(GO) test -race -count=1 -timeout=15m ./...

# All views are rebuilt from a fresh log of at least 100,000 events, next to only reading it; then a view of the tests alone.
bench-rebuild: build
	@set -e; work=$$(mktemp -d); chmod 711 "$$work"; trap 'rm -rf "$$work"' EXIT; \
	export AFTERCARE_DATA="$$work/data" AFTERCARE_NODE_LISTEN=127.0.0.1:0 AFTERCARE_EVENTSTORE_URL= AFTERCARE_POSTGRES_URL=; \
	bin/aftercare demo --cases 8000 --weeks 26 --until 2026-01-01; \
	bin/aftercare rebuild --check --runs 3
	$(GO) test -run '^$$' -bench '^BenchmarkRebuild$$' -benchtime 3x ./projections

# The event node next to a bare loop, a table in Postgres and a server that stores nothing. With EVENTS=10000000 it measures one
# large store instead. ARGS='--help' tells the options.
bench-log:
	$(GO) build -o bin/logbench ./deploy/logbench
	@bin/logbench $(if $(EVENTS),--events $(EVENTS)) $(ARGS)

lint:
	$(TOOL) golangci-lint run ./...

format:
	$(TOOL) golangci-lint fmt ./...

generate:
	$(GO) generate ./...
