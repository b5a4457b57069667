# Tool versions are pinned here, not in go.mod: they are not part of the program.
STATICCHECK   = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT       = mvdan.cc/gofumpt@v0.12.0
GOLANGCI_LINT = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: build test race lint golangci fuzz bench dist ci

build:
	go build -trimpath -buildvcs=true -o emberwatch ./cmd/emberwatch

test:
	go test ./...

race:
	go test -race ./...

lint:
	test -z "$$(gofmt -l .)"
	test -z "$$(go run $(GOFUMPT) -l .)"
	go vet ./...
	go run $(STATICCHECK) ./...

golangci:
	go run $(GOLANGCI_LINT) run

# Every fuzz target for a short while; FUZZTIME=10m for a long one.
FUZZTIME ?= 10000x
fuzz:
	FUZZTIME=$(FUZZTIME) sh .ci/fuzz

bench:
	go test -run '^$$' -bench . -benchmem ./...

dist:
	CGO_ENABLED=0 go build -trimpath -buildvcs=true -ldflags '-s -w' -o dist/emberwatch ./cmd/emberwatch

ci:
	bash .ci/run
