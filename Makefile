# Enigm Device. Two commands matter: `make run` and `make test`; `make help` lists the others.
#
# The user brings git, make and any npm with Node >= 18. Everything runs on the Node.js and npm that tools/node pins.
# What people read goes to standard error, so that JSON=1 leaves nothing but JSON on standard output.

ARCH := $(shell uname -m | sed -e s/x86_64/x64/ -e s/aarch64/arm64/)
NODE_BIN := $(CURDIR)/tools/node/node_modules/node-linux-$(ARCH)/bin
NPM := $(NODE_BIN)/node $(CURDIR)/tools/node/node_modules/npm/bin/npm-cli.js
export PATH := $(NODE_BIN):$(CURDIR)/node_modules/.bin:$(PATH)

DAY = $(if $(ONCE),--once) $(if $(JSON),--json) $(if $(BREAK),--break $(BREAK)) $(if $(TPM),--tpm $(TPM)) $(if $(filter qemu,$(SIM)),--qemu)

.DEFAULT_GOAL := help
.PHONY: help run test test-full image dev dist unit setup setup-tests setup-machine modules build-unit bench-quote bench-boot clean sweep setup-bench bench-ota fuzz-ota

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name what; do printf '  make %-12s %s\n' "$$name" "$$what"; done

run: $(if $(filter qemu,$(SIM)),setup-machine,setup) ## live one day of a simulated device (ONCE=1, JSON=1, TPM=embedded|swtpm, SIM=qemu, BREAK=list|NAME)
	@exec node --no-warnings dist/sim/enigm-sim.cjs day $(DAY)

test: setup-machine ## set up, then run every test that one machine can run
	@exec node --no-warnings tools/test/main.ts unit parts day page warm

test-full: setup-machine ## all that, and machines booted cold again and again
	@exec node --no-warnings tools/test/main.ts unit parts day page warm machine

sweep: modules ## cut the power of an update three and four times over, for some two hours of a processor (SEED=word, PARTS="record/delta …")
	@exec tsx ota-client/sweep/main.ts $(if $(SEED),--seed '$(SEED)') $(PARTS)

image: setup-machine ## build the image of a machine into build/image; needs no root
	@exec tsx sim/image/main.ts

dev: setup-machine ## edit programs of a running machine: saved sources are built, swapped and started again there
	@exec tsx tools/dev/main.ts

dist: setup ## pack what was built for devices into build/dist: a Debian package, a tarball, a bill of materials
	@exec tsx tools/dist/main.ts

unit: build-unit ## the tests that need no root and no Debian package
	@exec node --no-warnings tools/test/main.ts unit

setup: modules ## install what `make run` needs, and build
	@node --no-warnings tools/setup/main.ts day
	@node --no-warnings tools/build/main.ts

setup-tests: modules
	@node --no-warnings tools/setup/main.ts tests
	@node --no-warnings tools/build/main.ts

setup-machine: modules
	@node --no-warnings tools/setup/main.ts machine
	@node --no-warnings tools/build/main.ts

setup-bench: modules
	@node --no-warnings tools/setup/main.ts bench
	@node --no-warnings tools/build/main.ts

build-unit: modules
	@node --no-warnings tools/build/main.ts --without-addon

modules: node_modules/.installed

node_modules/.installed: package-lock.json tools/node/package-lock.json tools/node/ensure.sh tools/node/SHA256SUMS
	@tools/node/ensure.sh
	@test "$$(node -v)" = v24.21.0 || { echo "the pinned Node.js is not the one that runs: $$(command -v node) $$(node -v)" >&2; exit 1; }
	@echo "installing the libraries …" >&2
	@$(NPM) ci >&2
	@touch $@

bench-quote: setup-tests ## what a TPM quote costs here, against its floor and against tpm2_quote
	@exec tsx bench/quote/main.ts

bench-boot: setup-machine ## what a cold start of the machine costs, phase by phase
	@exec tsx bench/boot/main.ts

bench-ota: setup-bench ## what an update costs in bytes, CPU and memory, against other update programs (JSON=1, WORKS=…, PARTS=…, LEVEL=…)
	@exec tsx bench/ota/main.ts $(if $(JSON),--json) $(if $(WORKS),--works $(WORKS)) $(if $(PARTS),--parts $(PARTS)) $(if $(LEVEL),--level $(LEVEL))

fuzz-ota: build-unit ## a million spoilt inputs for each parser of an update
	@exec npm run --silent fuzz-ota

clean: ## remove what was built and every simulated device; what was installed stays
	@if [ -f dist/sim/enigm-sim.cjs ]; then ./enigm-sim down >&2; fi
	@rm -rf build dist protos/gen .enigm
