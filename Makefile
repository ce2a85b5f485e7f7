# `make` lists the targets; the text after ## is a target's help.

GO ?= go
# ARGS are flags for `make run`, `make demo` and `make bench`, as in
#   make run ARGS='--listen 127.0.0.1:9000'
#   make bench ARGS='-users 100000'
ARGS ?=

# The tools of `make check`, pinned so that a check says the same everywhere.
# Their files carry the version, so that a change here installs the new one.
GOLANGCI_LINT_VERSION := v2.15.0
GOFUMPT_VERSION       := v0.12.0
GOVULNCHECK_VERSION   := v1.8.0

TOOLS         := bin/tools
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
GOFUMPT       := $(TOOLS)/gofumpt-$(GOFUMPT_VERSION)
GOVULNCHECK   := $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets.
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

.PHONY: build
build: ## Build bin/ringdown.
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ringdown ./cmd/ringdown

.PHONY: run
run: build ## Run the server; ARGS are its flags.
	bin/ringdown serve $(ARGS)

.PHONY: demo
demo: build ## Show a contact centre from nothing to a call, in seconds; ARGS are flags of "ringdown demo".
	bin/ringdown demo $(ARGS)

.PHONY: tour
tour: build ## Start a server in a temporary folder and work through a tour of "aws connect"; TOUR_ONCE=1 ends it then.
	scripts/tour.sh

# RACE watches for data races everywhere but inside of SQLite, which is C made into
# Go, with memory and locks of its own: there the detector takes half of the tests'
# time and more, and has nothing of ours to see. What is handed to SQLite is watched
# on its way there, in the driver too.
SQLITE   := modernc.org/sqlite/lib modernc.org/libc/... modernc.org/memory
RACE     := -race $(SQLITE:%=-gcflags=%=-race=false)
PACKAGES ?= ./...

.PHONY: test
test: race ## Run the tests.
	$(GO) test -run "^(TestPaging|TestStock)$$" ./internal/conformance ./internal/numbering # in full, for which the race detector is too slow

.PHONY: race
race: ## Run the tests of PACKAGES (all) with the race detector; ARGS are flags of "go test".
	$(GO) test $(RACE) -shuffle=on $(ARGS) $(PACKAGES)

.PHONY: check
check: lint tidy generated ## Check formatting, linters, module files, generated files and architecture.
	$(GO) test ./internal/archtest

.PHONY: lint
lint: $(GOLANGCI_LINT) $(GOFUMPT) ## Check formatting and run the linters, "go vet" among them.
	@unformatted=$$($(GOFUMPT) -l .); [ -z "$$unformatted" ] || { echo "not formatted, see \"make fmt\":"; echo "$$unformatted"; exit 1; }
	$(GOLANGCI_LINT) run ./...

.PHONY: fmt
fmt: $(GOFUMPT) ## Format the code.
	$(GOFUMPT) -l -w .

.PHONY: tidy
tidy: # go.mod and go.sum list what is needed, no more
	$(GO) mod tidy -diff

.PHONY: generated
generated: # what is generated is what the generators write
	scripts/generated.sh

.PHONY: docs
docs: ## Write the generated files and pages anew.
	$(GO) generate ./...

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZ_TIME (10s), the most exposed for FUZZ_EXPOSED_TIME.
	scripts/fuzz.sh

.PHONY: bench
bench: ## Measure the server beside its floors; ARGS are flags of cmd/bench.
	$(GO) run ./cmd/bench $(ARGS)

.PHONY: soak
soak: ## Make 20,000 short calls and look for what they leave behind; ARGS are flags of cmd/bench, as ARGS='-soak 2000'.
	$(GO) run ./cmd/bench -part soak $(ARGS)

.PHONY: vulncheck
vulncheck: $(GOVULNCHECK) ## Look for known vulnerabilities, where their database can be reached.
	scripts/vulncheck.sh $(GOVULNCHECK)

.PHONY: aws-cli
aws-cli: build ## Check the server with the real AWS CLI.
	scripts/aws-cli.sh
	scripts/aws-cli-configuration.sh
	scripts/aws-cli-contacts.sh
	scripts/aws-cli-signin.sh
	scripts/chat.sh

.PHONY: sip
sip: build ## Hold calls with sipp and baresip: 1,000 each way, and those that fail.
	scripts/sip.sh
	scripts/baresip.sh

.PHONY: tools
tools: $(GOLANGCI_LINT) $(GOFUMPT) ## Install the tools of "make check" into bin/tools.

.PHONY: clean
clean: ## Remove what was built.
	rm -rf bin

# install puts the command of the package $(1) where the target is.
define install
	GOBIN=$(CURDIR)/$(TOOLS) GOFLAGS= $(GO) install $(1)
	mv $(TOOLS)/$(notdir $(firstword $(subst @, ,$(1)))) $@
endef

$(GOLANGCI_LINT):
	$(call install,github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION))

$(GOFUMPT):
	$(call install,mvdan.cc/gofumpt@$(GOFUMPT_VERSION))

$(GOVULNCHECK):
	$(call install,golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION))
