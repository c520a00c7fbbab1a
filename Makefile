# `make help` lists the targets.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
GO ?= go
WEB := $(shell find web/src web/package.json web/tsconfig.json 2>/dev/null)
# Packages that decide about access or hold answers; tools/cover asks for 90 %,
# of their own tests.
GUARDED := ./internal/policy ./internal/sigv4 ./internal/access ./internal/labeling/queue
# Requests, with their documents, that make policydiff puts to each engine.
QUESTIONS ?= 100000
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

export GOFLAGS ?= -trimpath

.PHONY: help build demo test tests check command unit browser web-test cover bench soak generate policydiff s3tests setup clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

build: ## build bin/fiducial
	@$(GO) build -trimpath -ldflags "-X fiducial/internal/cli.version=$(VERSION)" -o bin/fiducial ./cmd/fiducial

demo: build ## start Fiducial on embedded defaults with two sample labeling jobs
	@exec bin/fiducial demo

setup: ## install what the tests need and is missing (Debian packages, npm packages)
	@tools/setup

test: setup check tests cover ## everything: checks, unit, database, browser and client tests
	@echo "make test: all passed"

# One way to compile for all of `make test`, so that nothing is compiled twice.
# SQLite is C turned into Go: to check each step of its pointers, and to watch its
# virtual machine's accesses to memory that is its own, finds nothing of ours and
# takes most of the time of every test with a database. So these are compiled without;
# the driver, which hands on what is ours, and database/sql keep the detector. (More
# cannot go without: of generic code, and sqlite/lib has none, the linker keeps one
# copy for all packages, and a copy without the detector makes it see false races.)
# Nobody opens the programs in a debugger: they are linked without its tables.
RACE := -race -trimpath -ldflags=-w -gcflags=modernc.org/...=-d=checkptr=0 '-gcflags=modernc.org/sqlite/lib=-d=checkptr=0 -race=false'
# What drives a browser does it with chromedp, which reads a map of a page's nodes
# without the lock that it has for it (domEvent, up to 0.23.1). So these are compiled
# without the detector; the server that they test is not.
DRIVING := ./test/browser ./test/templates
COMMAND := $(CURDIR)/.cache/fiducial
# Packages tested at once: many tests wait for servers or the disk, so that one more
# than there are cores keeps these busy.
AT_ONCE := $(shell expr $$(nproc) + 1)

check: web/node_modules ## gofmt, vet, staticcheck, generated Go code
	@echo "== check"
	bad=$$(git ls-files -z -- '*.go' | xargs -0 gofmt -l); [ -z "$$bad" ] || { echo "gofmt: $$bad"; exit 1; }
	staticcheck=$$($(GO) tool -n staticcheck)
	GOFLAGS="$(RACE)" $(GO) vet ./...
	GOFLAGS="$(RACE)" "$$staticcheck" ./...
	tools/generate --check

command: ## the server that the tests run, in .cache
	@mkdir -p .cache
	GOFLAGS="$(RACE)" $(GO) build -o "$(COMMAND)" ./cmd/fiducial

# Tests keep their databases and objects in memory where there is plenty: that a
# write has reached a disk is waited for, ten thousands of times, and kill -9 loses
# nothing of a file in memory either.
define in-memory
export GOTMPDIR="$${TMPDIR:-/tmp}"
if [ "$$(df --output=avail -BG /dev/shm 2>/dev/null | tail -1 | tr -dc 0-9)" -ge 6 ] 2>/dev/null && [ -w /dev/shm ]; then
	export TMPDIR=$$(mktemp -d /dev/shm/fiducial-XXXXXX)
	chmod 711 "$$TMPDIR"
	trap 'rm -rf "$$TMPDIR"' EXIT
fi
endef

unit: command ## Go tests with the race detector; those of the guarded packages are counted
	@echo "== go test"
	export GOFLAGS="$(RACE)" FIDUCIAL_TEST_COMMAND="$(COMMAND)"
	$(in-memory)
	failed=0
	$(GO) test -vet=off -timeout 20m -coverprofile=.cache/cover.out $(GUARDED) || failed=1
	$(GO) test -p $(AT_ONCE) -vet=off -timeout 20m $$($(GO) list ./... | grep -vxF "$$($(GO) list $(GUARDED) $(DRIVING))") || failed=1
	exit $$failed

browser: command ## Go tests that drive a browser
	@echo "== go test, in a browser"
	$(in-memory)
	GOFLAGS="-trimpath -ldflags=-w" FIDUCIAL_TEST_COMMAND="$(COMMAND)" $(GO) test -vet=off -timeout 20m $(DRIVING)

web-test: web/node_modules ## TypeScript checks, and tests of the elements in a real browser
	@echo "== web tests"
	cd web && npm run --silent test

# What drives a browser waits for it half of the time: beside the others it costs
# little.
tests: command web/node_modules
	@failed=0
	$(MAKE) --no-print-directory -k browser web-test >.cache/browser.log 2>&1 & browser=$$!
	$(MAKE) --no-print-directory unit || failed=1
	wait $$browser || failed=1
	cat .cache/browser.log
	exit $$failed

cover: ## coverage of the packages that decide about access
	@tools/cover .cache/cover.out

generate: web/node_modules ## write generated code again: wire types, web bundles
	@tools/generate

web/node_modules: web/package-lock.json
	@cd web && npm ci --no-audit --no-fund --silent
	touch node_modules

bench: build ## side by side with nginx and a bare Go server; queue and engine; grants; consolidation
	@$(GO) run ./bench/media
	$(GO) run ./bench/labeling
	$(GO) run ./bench/grants
	$(GO) run ./bench/consolidation

policydiff: test/policydiff/node_modules ## compare the policy engine with two others: make policydiff QUESTIONS=3000
	@cd test/policydiff && $(GO) vet ./... && $(GO) test -count=1 -timeout 2h -v -questions $(QUESTIONS) ./...

test/policydiff/node_modules: test/policydiff/package-lock.json
	@cd test/policydiff && npm ci --no-audit --no-fund --silent
	touch node_modules

s3tests: build ## ceph/s3-tests against the S3 endpoint: make s3tests S3TESTS=<checkout>
	@tools/s3tests/run "$(S3TESTS)"

# Faults of a soak, and the time after which there are no more.
FAULTS ?= 1000
LIMIT ?= 2h

soak: ## random faults while people label: make soak FAULTS=100 LIMIT=30m
	@export GOFLAGS="$(RACE)" FIDUCIAL_SOAK=1 FIDUCIAL_SOAK_FAULTS="$(FAULTS)" FIDUCIAL_SOAK_TIME="$(LIMIT)"
	$(GO) test -vet=off -count=1 -timeout 4h -v ./test/soak

clean: ## remove what was built
	@rm -rf bin .cache web/node_modules
