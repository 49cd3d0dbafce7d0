# The two commands that matter: `make run` starts everything on this machine, `make test` tests everything.

GO ?= go
TOOL = $(GO) tool -modfile=deploy/tools/go.mod
# Options for `aftercare up`, such as ARGS='--data ./data'.
ARGS ?=

.PHONY: run build test lint format generate

run: build
	@bin/aftercare up $(ARGS)

build:
	$(GO) build -o bin/aftercare ./cmd/aftercare

test:
	$(GO) test -race -count=1 -timeout=15m ./...

lint:
	$(TOOL) golangci-lint run ./...

format:
	$(TOOL) golangci-lint fmt ./...

generate:
	$(GO) generate ./...
