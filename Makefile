# Everything here needs Go, and Python for the tools of AWS that `make tools`
# installs into .venv. `make` lists the targets.

GO ?= go

# How many packages are built or tested at once. The Graph SDK has one package
# whose compilation takes 4 GB; more than one neighbour does not fit beside it on
# a laptop with 8 GB.
JOBS ?= 2

# golangci-lint is built from source at this version, and kept in Go's cache.
LINT_VERSION := v2.15.0
LINT := $(GO) run -p $(JOBS) github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

# The tools of AWS are written in Python. They are installed into .venv, which is
# made anew when their versions change.
PYTHON ?= python3
TOOLS := .venv/installed

# ARGS are passed to the demonstration: make demo ARGS='-users 2000 -seed 7'.
ARGS ?=

# How long each fuzz target runs, and which packages are fuzzed. It is a number of
# calls, some seconds' worth, because before Go 1.27 a target whose time is up now and
# then fails with "context deadline exceeded", having found nothing
# (https://go.dev/issue/75804).
FUZZTIME ?= 30000x
FUZZ ?=

# How many seeds the simulation plays.
SEEDS ?= 200

# How many seeds make nightly plays.
NIGHTLY ?= 5000

# How much virtual time the write quota is measured for.
FULL_LOAD ?= 1h

# How many users the sweep's requests and its memory are measured for.
SWEEP_USERS ?= 100000
SWEEP_MEMORY_USERS ?= 1000000

# All tests are run by it, so that it sees what they print: no secret and no name may
# stand there. With -v it shows everything, without it only what failed.
SCAN := $(GO) run ./internal/leak/scan

# How often each program is started to see how fast that is.
STARTS ?= 5

# The race detector needs a C compiler on some systems. Without one, go env says
# so, and the tests run without the detector.
RACE := $(shell [ "$$($(GO) env CGO_ENABLED)" = 1 ] && echo -race)

SDK_NOTE := The first build compiles the Microsoft Graph SDK. That takes minutes and about 4 GB of memory; later builds take seconds.

# How many stories of the integration tests are played at once. They wait most of
# their time; each has a moto and up to four programs, which together take 150 MB.
STORIES ?= 8

# SAM builds with what the environment says. The programs are right without any of
# this, but larger. Everybody who builds a commit so gets the same programs.
SAM := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-central-1 CGO_ENABLED=0 \
	GOFLAGS="-p=$(JOBS) -trimpath -tags=lambda.norpc '-ldflags=-s -w'" .venv/bin/sam

.PHONY: help demo build test check unit integration deployment lint fuzz bench fmt nightly tools

help:
	@echo "make demo    the whole system, with an emulated Graph: ARGS='-users 2000 -json'"
	@echo 'make build   the functions for AWS Lambda, to be deployed with .venv/bin/sam deploy --guided'
	@echo 'make test    everything that must hold: format, vet, lint, tests, a little fuzzing'
	@echo 'make lint    golangci-lint alone'
	@echo 'make integration, make deployment'
	@echo '             the functions as template.yaml deploys them; template.yaml itself'
	@echo 'make fuzz    fuzz what reads bytes from outside: FUZZTIME=2000000x, FUZZ=./shared/notification'
	@echo 'make bench   the speed of the webhook, the cost in calls of Graph, and the cold starts'
	@echo 'make nightly the simulation with many seeds: NIGHTLY=5000'
	@echo 'make tools   install SAM, cfn-lint and moto into .venv, once'
	@echo 'make fmt     format all code'

# What is no result goes to standard error, so that -json can be piped into a program.
demo:
	@command -v $(GO) >/dev/null || { echo 'Go is missing. Install 1.26 or later: https://go.dev/dl/' >&2; exit 1; }
	@echo '$(SDK_NOTE)' | fold -s -w 79 >&2
	@echo >&2
	@$(GO) run -p $(JOBS) ./infra/local $(ARGS)

test: check lint unit integration deployment fuzz
	@echo 'all is well'

check:
	@echo '$(SDK_NOTE)'
	@echo 'It is compiled twice here, without the race detector and with it.'
	@echo '== gofmt'
	@unformatted=$$("$$($(GO) env GOROOT)/bin/gofmt" -l .) || exit 1; \
	if [ -n "$$unformatted" ]; then echo "not formatted (make fmt):"; echo "$$unformatted"; exit 1; fi
	@echo '== go vet'
	@$(GO) vet -p $(JOBS) ./...

lint:
	@echo '== golangci-lint $(LINT_VERSION)'
	@$(LINT) run --allow-serial-runners

unit: $(TOOLS)
	@echo '== go test $(RACE)'
	@if [ -z '$(RACE)' ]; then echo 'no C compiler: the race detector is left out'; fi
	@$(SCAN) $(GO) test -p $(JOBS) $(RACE) -shuffle=on -timeout=20m $$($(GO) list ./... | grep -v -e /infra/local$$ -e /infra/integration$$)
	@$(SCAN) $(GO) test -p $(JOBS) $(RACE) -shuffle=on -timeout=20m ./infra/local -seeds $(SEEDS)

# The programs, as template.yaml deploys them, against moto and the emulated Graph.
integration: $(TOOLS)
	@echo '== the functions, as template.yaml deploys them'
	@$(SCAN) $(GO) test -p $(JOBS) $(RACE) -parallel $(STORIES) -timeout=20m ./infra/integration

# Building for arm64 compiles the Graph SDK once more.
build: $(TOOLS)
	@$(SAM) build

deployment: $(TOOLS)
	@echo '== sam validate, cfn-lint, sam build'
	@$(SAM) validate --lint
	@.venv/bin/cfn-lint template.yaml
	@out=$$($(SAM) build 2>&1) || { echo "$$out"; exit 1; }
	@$(SCAN) $(GO) test -p $(JOBS) -count=1 ./infra/integration -run '^TestBuiltPrograms$$' -sam-build .aws-sam/build

# Fuzzing builds a package and all that it links once more, instrumented. So
# packages that link the Graph SDK are left out. They have no fuzz targets: what
# reads Graph's answers is shared/msgraph/answer, which links no SDK.
fuzz:
	@echo '== go test -fuzz, $(FUZZTIME)'
	@listed=$$($(GO) list $(or $(FUZZ),./...)) || exit 1; \
	for package in $$listed; do \
		if [ -z '$(FUZZ)' ] && $(GO) list -deps -test "$$package" | grep -q '^github.com/microsoftgraph/'; then continue; fi; \
		targets=$$($(GO) test -p $(JOBS) -list '^Fuzz' "$$package") || { echo "$$targets"; exit 1; }; \
		for target in $$(echo "$$targets" | grep '^Fuzz'); do \
			echo "$$target in $$package"; \
			out=$$($(SCAN) $(GO) test -p $(JOBS) -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package" 2>&1) || { echo "$$out"; exit 1; }; \
		done; \
	done

bench: $(TOOLS)
	@echo 'The webhook, from the first byte of a delivery to the answer, and reading alone:'
	@echo '(best of 5; to be at most 30 µs for a delivery of 1 item and 1,500 µs for one of 100)'
	@out=$$($(SCAN) $(GO) test -v -p $(JOBS) -count=5 -benchtime=0.5s -run '^$$' -bench . -benchmem ./shared/webhook ./shared/notification) || { echo "$$out"; exit 1; }; \
	table=$$(echo "$$out" | sed -n '/ns\/op/s/^Benchmark//p' | awk '{ name = $$1; sub(/-[0-9]+$$/, "", name) } \
		!(name in best) || $$3 < best[name] { best[name] = $$3 } \
		END { for (name in best) printf "  %-18s %8.1f µs\n", name, best[name] / 1000; \
			exit best["Handler/items=1"] > 30e3 || best["Handler/items=100"] > 1500e3 }') || \
		{ echo "$$table"; echo 'too slow, or the machine is busy'; exit 1; }; \
	echo "$$table" | sort
	@echo
	@echo 'Calls of Graph, counted in virtual time, and the memory of the sweep:'
	@out=$$($(SCAN) $(GO) test -p $(JOBS) -count=1 -timeout=30m -v ./infra/local -run '^(TestRequestsPerUser|TestQuotaUse|TestSweepRequests|TestSweepMemory)$$' \
		-full-load $(FULL_LOAD) -sweep-users $(SWEEP_USERS) -sweep-memory-users $(SWEEP_MEMORY_USERS)) || { echo "$$out"; exit 1; }; \
	echo "$$out" | sed -n 's/^ *[a-z_]*_test\.go:[0-9]*:/ /p'
	@echo
	@echo 'Cold starts on this machine, from before the process is made to its first answer at the Runtime API:'
	@echo '(best time and most memory of $(STARTS), with the limit where there is one; AWS and Graph answer from this'
	@echo 'machine, without delay. Graph takes 20 revocations a second: only the last row keeps to that.)'
	@out=$$($(SCAN) $(GO) test -p $(JOBS) -count=1 -v ./infra/integration -run '^TestColdStarts$$' -starts $(STARTS)) || { echo "$$out"; exit 1; }; \
	echo "$$out" | sed -n 's/^ *[a-z_]*_test\.go:[0-9]*:/ /p'

# Without the race detector, which takes several times as long. What passes says
# its totals and its time; what fails, how to replay it. Goroutines don't run in the
# same order again, so its log is kept.
nightly:
	@echo '== the simulation, $(NIGHTLY) seeds for each plan'
	@rm -rf .nightly && mkdir .nightly
	@out=$$($(SCAN) $(GO) test -p $(JOBS) -count=1 -timeout=6h -v ./infra/local -run Simulation -seeds $(NIGHTLY) -logs '$(CURDIR)/.nightly') || \
		{ printf '%s\n' "$$out" | grep -Ev '^ *(===|--- PASS)'; [ -z "$$(ls .nightly)" ] || echo 'the logs of the failed seeds are in .nightly'; exit 1; }; \
	printf '%s\n' "$$out" | sed -n -e 's/^ *sim_test\.go:[0-9]*:/ /p' -e 's/^--- PASS: /  /p' -e '/^ok/p'

tools: $(TOOLS)

$(TOOLS): infra/tools/requirements.txt infra/tools/constraints.txt
	@echo '== $(PYTHON) -m venv .venv'
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' || \
		{ echo 'SAM, cfn-lint and moto need Python 3.10 or later with venv and pip: install python3 and python3-venv,'; \
		echo 'or name another interpreter: make tools PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check \
		--requirement infra/tools/requirements.txt --constraint infra/tools/constraints.txt
	@touch $@

fmt:
	@$(LINT) fmt
