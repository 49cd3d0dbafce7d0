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

# Rebuilds of 1,000,000 events, or EVENTS=…, next to what bounds them and to other libraries. ARGS='--help' tells the options;
# ARGS='--memory 1000000,10000000' measures memory instead.
bench-rebuild:
	$(GO) build -o bin/bench-rebuild ./projections/bench
	cd projections/bench/peers && $(GO) build -o ../../../bin/bench-peers .
	@bin/bench-rebuild $(if $(EVENTS),--events $(EVENTS)) --peers bin/bench-peers $(ARGS)

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
