# Everything here needs Go, and Python for moto and the tools of AWS, which are installed
# into .venv. `make` lists the targets.

GO ?= go

# How many packages are built or tested at once. The Graph SDK has one package whose
# compilation takes 4 GB; more than one neighbour does not fit beside it on a laptop
# with 8 GB.
JOBS ?= 2

# golangci-lint is built from source at this version, and kept in Go's cache.
LINT_VERSION := v2.15.0
LINT := $(GO) run -p $(JOBS) github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

# The Python tools are installed again when their versions change.
PYTHON ?= python3
TOOLS := .venv/installed

# ARGS are passed to the demonstration: make demo ARGS='-users 2000 -seed 7'.
ARGS ?=

# The browser in which the page of a report is looked at.
CHROMIUM ?= $(or $(shell command -v chromium),$(shell command -v google-chrome),chromium)

# How many seeds of each plan the simulation plays in test, check and nightly. Of the plan
# that costs more than others it plays fewer.
SEEDS ?= 20
CHECK_SEEDS ?= 60
NIGHTLY ?= 5000

# How long nightly runs each fuzz target. It is a number of calls, because before Go 1.27
# a target whose time is up may fail having found nothing (https://go.dev/issue/75804).
FUZZTIME ?= 30000x
FUZZ ?=

# How far ahead nightly sets the clock.
DAYS ?= 400

# How often bench starts each program, and how many users its sweeps list.
STARTS ?= 5
SWEEP_USERS ?= 100000
SWEEP_MEMORY_USERS ?= 1000000
FULL_LOAD ?= 1h

# How many signals come at once in bench.
BURST ?= 10000

# How many users the command stamps in bench, in virtual time.
STAMP_USERS ?= 10000

# The systems that a release is made for.
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

# All tests run through it: nothing that they print may hold a secret or a name.
SCAN := $(GO) run ./infra/check/scan

# The race detector needs a C compiler. Without one the tests run without it.
RACE := $(shell [ "$$($(GO) env CGO_ENABLED 2>/dev/null)" = 1 ] && echo -race)

# The packages that link the Graph SDK with their tests. They are only compiled once,
# without the race detector and without changes for fuzzing: each would compile the SDK again.
LINKED = $(GO) list -test -f '{{.ImportPath}} {{.Deps}}' ./... | grep github.com/microsoftgraph/ | \
	sed 's/ .*//; s/\.test$$//; s/_test$$//' | sort -u
LIGHT = { $(GO) list ./... >.light.all && $(LINKED) >.light.linked && grep -vxFf .light.linked .light.all; rm -f .light.all .light.linked; }

SDK_NOTE := The first build compiles the Microsoft Graph SDK. That takes minutes and about 4 GB of memory; later builds take seconds.

# SAM builds with what the environment says. Everybody who builds a commit so gets the
# same programs.
SAM := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-central-1 CGO_ENABLED=0 \
	GOFLAGS="-p=$(JOBS) -trimpath -tags=lambda.norpc '-ldflags=-s -w'" .venv/bin/sam

.PHONY: help go demo test check nightly bench build release lint race page deployment fuzz clock fmt tools

help:
	@echo "make demo     the whole system, with an emulated Graph: ARGS='-users 2000 -json'"
	@echo 'make test     all that proves the product: format, vet, tests'
	@echo 'make check    lint, race detector, browser, build for arm64, more seeds; run it after make test'
	@echo 'make nightly  fuzzing, thousands of seeds, benchmarks, the clock $(DAYS) days ahead'
	@echo 'make bench    webhook and signals, the calls of Graph, the cold starts'
	@echo 'make build    the functions for AWS Lambda, for .venv/bin/sam deploy --guided'
	@echo "make release  what is given to people, in dist: PLATFORMS='linux/amd64 windows/amd64'"
	@echo 'make fmt      format all code'
	@echo 'make tools    install SAM, cfn-lint and moto into .venv, once'

go:
	@command -v $(GO) >/dev/null || { echo 'Go is missing. Install 1.26 or later: https://go.dev/dl/' >&2; exit 1; }
	@$(GO) list -m >/dev/null || { echo 'This Go cannot read go.mod: see above. Install 1.26 or later: https://go.dev/dl/' >&2; exit 1; }

# What is no result goes to standard error, so that -json can be piped into a program.
demo: go
	@echo '$(SDK_NOTE)' | fold -s -w 79 >&2
	@echo >&2
	@$(GO) run -p $(JOBS) ./infra/local $(ARGS)

# Fuzz targets run over their seeds.
test: go $(TOOLS)
	@echo '$(SDK_NOTE)' | fold -s -w 79
	@echo '== gofmt'
	@unformatted=$$("$$($(GO) env GOROOT)/bin/gofmt" -l .) || exit 1; \
	if [ -n "$$unformatted" ]; then echo "not formatted (make fmt):"; echo "$$unformatted"; exit 1; fi
	@echo '== go vet'
	@$(GO) vet -p $(JOBS) -tags page,keycloak ./...
	@echo '== go test'
	@$(SCAN) $(GO) test -p $(JOBS) -shuffle=on -timeout=20m $$($(GO) list ./... | grep -v /infra/local$$)
	@$(SCAN) $(GO) test -p $(JOBS) -shuffle=on -timeout=20m ./infra/local -seeds $(SEEDS)
	@echo 'all is well'

check: go lint race page deployment
	@echo '== the simulation, $(CHECK_SEEDS) seeds of each plan'
	@$(SCAN) $(GO) test -p $(JOBS) -count=1 -timeout=60m ./infra/local -run Simulation -seeds $(CHECK_SEEDS)
	@echo 'all is checked'

lint:
	@echo '== golangci-lint $(LINT_VERSION)'
	@$(LINT) run --allow-serial-runners

race: $(TOOLS)
	@echo '== go test $(RACE), what does not link the Graph SDK'
	@[ -n '$(RACE)' ] || echo 'no C compiler: the race detector is left out'
	@$(SCAN) $(GO) test -p $(JOBS) $(RACE) -shuffle=on -timeout=20m $$($(LIGHT))

# It needs Chromium, which nothing else does, so its tests have a build tag.
page: go
	@echo '== the page of a report, in Chromium'
	@command -v '$(CHROMIUM)' >/dev/null || { \
		echo 'Chromium is missing: install it (Debian: apt-get install chromium fonts-noto-cjk),' >&2; \
		echo 'or name a browser like it: make page CHROMIUM=google-chrome' >&2; exit 1; }
	@$(SCAN) $(GO) test -p $(JOBS) -count=1 -tags page ./infra/sessionstamp/report -chromium '$(CHROMIUM)'

# Building for arm64 compiles the Graph SDK once more.
build: $(TOOLS)
	@$(SAM) build

# Each platform compiles the Graph SDK once.
release: go
	@$(GO) run ./infra/release -p $(JOBS) $(PLATFORMS)
	@$(SCAN) $(GO) test -tags release -count=1 ./infra/sessionstamp/bundle

deployment: $(TOOLS)
	@echo '== sam validate, cfn-lint, sam build'
	@$(SAM) validate --lint
	@.venv/bin/cfn-lint template.yaml
	@out=$$($(SAM) build 2>&1) || { echo "$$out"; exit 1; }
	@$(SCAN) $(GO) test -p $(JOBS) -count=1 ./infra/e2e -run '^TestBuiltPrograms$$' -sam-build .aws-sam/build

nightly: fuzz clock simulation bench

fuzz:
	@echo '== go test -fuzz, $(FUZZTIME)'
	@for package in $(or $(FUZZ),$$($(LIGHT))); do \
		targets=$$($(GO) test -p $(JOBS) -list '^Fuzz' "$$package") || { echo "$$targets"; exit 1; }; \
		for target in $$(echo "$$targets" | grep '^Fuzz'); do \
			echo "$$target in $$package"; \
			out=$$($(SCAN) $(GO) test -p $(JOBS) -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package" 2>&1) || { echo "$$out"; exit 1; }; \
		done; \
	done

# Tests that hold a date against the real clock fail here long before they fail for a
# person. time.Now is replaced by one that adds a constant, but for virtual time, which
# begins in 2000. moto and the programs under test don't follow, so packages that start
# them are left out.
clock:
	@echo '== go test, the clock $(DAYS) days ahead'
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && root=$$($(GO) env GOROOT) && \
	awk '/^func Now\(\) Time \{/ { in_now = 1 } { print } \
		in_now && /:= runtimeNow\(\)/ { print "\tif sec > 1500000000 { sec += $(DAYS) * 86400 }"; in_now = 0; n++ } \
		END { exit n != 1 }' "$$root/src/time/time.go" >"$$dir/time.go" || { echo 'time.Now is written otherwise in this Go'; exit 1; }; \
	printf '{"Replace": {"%s/src/time/time.go": "%s/time.go"}}' "$$root" "$$dir" >"$$dir/overlay.json" && \
	$(SCAN) $(GO) test -overlay "$$dir/overlay.json" -p $(JOBS) -count=1 -timeout=30m $$($(LIGHT) | grep -v '/infra/e2e$$')

# What passes says its totals and its time; what fails, how to replay it.
.PHONY: simulation
simulation:
	@echo '== the simulation, $(NIGHTLY) seeds of each plan'
	@out=$$($(SCAN) $(GO) test -p $(JOBS) -count=1 -timeout=6h -v ./infra/local -run Simulation -seeds $(NIGHTLY)) || \
		{ printf '%s\n' "$$out" | grep -Ev '^ *(===|--- PASS)'; exit 1; }; \
	printf '%s\n' "$$out" | sed -n -e 's/^ *sim_test\.go:[0-9]*:/ /p' -e 's/^--- PASS: /  /p' -e '/^ok/p'

bench: $(TOOLS)
	@echo 'The webhook, from the first byte of a delivery to the answer:'
	@echo '(best of 5; to be at most 30 µs for a delivery of 1 item and 300 µs for one of 100)'
	@out=$$($(SCAN) $(GO) test -v -p $(JOBS) -count=5 -benchtime=0.5s -run '^$$' -bench . -benchmem ./shared/webhook) || { echo "$$out"; exit 1; }; \
	table=$$(echo "$$out" | sed -n '/ns\/op/s/^Benchmark//p' | awk '{ name = $$1; sub(/-[0-9]+$$/, "", name) } \
		!(name in best) || $$3 < best[name] { best[name] = $$3 } \
		END { for (name in best) printf "  %-18s %8.1f µs\n", name, best[name] / 1000; \
			exit best["Handler/items=1"] > 30e3 || best["Handler/items=100"] > 300e3 }') || \
		{ echo "$$table"; echo 'too slow, or the machine is busy'; exit 1; }; \
	echo "$$table" | sort
	@echo
	@echo 'Calls of Graph, counted in virtual time, and the memory of the sweep:'
	@out=$$($(SCAN) $(GO) test -p $(JOBS) -count=1 -timeout=30m -v ./infra/local -run '^(TestRequestsPerUser|TestQuotaUse|TestSweepRequests|TestSweepMemory)$$' \
		-full-load $(FULL_LOAD) -sweep-users $(SWEEP_USERS) -sweep-memory-users $(SWEEP_MEMORY_USERS)) || { echo "$$out"; exit 1; }; \
	echo "$$out" | sed -n 's/^ *[a-z_]*_test\.go:[0-9]*:/ /p'
	@echo
	@echo 'The receiver alone, 10,000 signals as fast as they are answered:'
	@echo '(to be at most 100 ms for 99 of 100)'
	@out=$$($(SCAN) $(GO) test -v -p $(JOBS) -count=1 -benchtime=1x -run '^$$' -bench '^BenchmarkReceive$$' ./shared/signal/receiver) || { echo "$$out"; exit 1; }; \
	echo "$$out" | awk '/p99-ms/ { name = $$1; sub(/^BenchmarkReceive\//, "", name); sub(/-[0-9]+$$/, "", name); \
		for (i = 2; i < NF; i++) { if ($$(i+1) == "p99-ms") p99 = $$i; if ($$(i+1) == "allocs/POST") allocs = $$i }; \
		printf "  %-8s %8.2f ms at the 99th percentile, %d allocations each\n", name, p99, allocs; n++; if (p99 > 100) slow = 1 } \
		END { exit slow || n == 0 }' || { echo 'too slow, or the machine is busy'; exit 1; }
	@echo
	@echo 'A burst of $(BURST) signals, worked off by two processes each at 200 ms a call, in virtual time:'
	@out=$$($(SCAN) $(GO) test -p $(JOBS) -count=1 -timeout=30m -v ./infra/local -run '^TestSignalBurst$$' -burst $(BURST)) || { echo "$$out"; exit 1; }; \
	echo "$$out" | sed -n 's/^ *[a-z_]*_test\.go:[0-9]*:/ /p'
	@echo
	@echo 'The command stamps $(STAMP_USERS) users at 80 ms a call, in virtual time; and is killed ten times:'
	@out=$$($(SCAN) $(GO) test -p $(JOBS) -count=1 -timeout=30m -v ./infra/sessionstamp -run '^TestTenThousand' -users $(STAMP_USERS)) || { echo "$$out"; exit 1; }; \
	echo "$$out" | sed -n 's/^ *[a-z_]*_test\.go:[0-9]*:/ /p'
	@echo
	@echo 'Cold starts on this machine, from before the process is made to its first answer at the Runtime API:'
	@echo '(best time and most memory of $(STARTS); AWS and Graph answer from this machine, without delay)'
	@out=$$($(SCAN) $(GO) test -p $(JOBS) -count=1 -v ./infra/e2e -run '^TestColdStarts$$' -starts $(STARTS)) || { echo "$$out"; exit 1; }; \
	echo "$$out" | sed -n 's/^ *start_test\.go:[0-9]*:/ /p'

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
