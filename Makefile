# SPDX-License-Identifier: GPL-2.0
# The front door of hello_rust; `make help` shows the rooms.
# Kbuild does not read this file: what it stitches is in Kbuild.

# The kernel that `make` builds the module for: the running one, as everywhere.
KREL ?= $(shell uname -r)

# Ours on make's command line alone: a CI system has names such as TIMEOUT in its environment. The lab
# and the tests read them as LAB_KERNEL and so on.
OURS := ACCEL ARGS CC CPUS DEBUG JUNIT KERNEL KSRC LIST MEM PARAMS PART RUNS TESTS TIMEOUT
is_told = $(findstring command,$(origin $1))
$(foreach name,$(OURS),$(if $(call is_told,$(name)),$(eval export LAB_$(name) := $$($(name)))))

# It says why, where such a folder cannot be the cache; a module needs none.
NEEDS_CACHE := $(filter-out modules clean help,$(or $(MAKECMDGOALS),modules))
CACHE := $(shell . ./tools/path.sh && cache_folder $(if $(NEEDS_CACHE),,2>/dev/null))
$(if $(NEEDS_CACHE),$(if $(CACHE),,$(error there is no cache)))
# Where `make rust-metadata` has made what that kernel's headers lacked, and else the headers.
KDIR ?= $(or $(if $(CACHE),$(wildcard $(CACHE)/rust-metadata/$(KREL)/build)),/lib/modules/$(KREL)/build)

# Kbuild's clean removes objects wherever they are below, so cargo's stay outside. Each checkout has its
# own: cargo would take what another one has built for this one's, wherever that is newer.
export CARGO_TARGET_DIR := $(CACHE)/target/$(firstword $(shell pwd -P | cksum))
export HELLO_RUST_DIR := $(CURDIR)
# The host's programs. cargo knows which of them are stale; in another BIN, they are there already.
BIN := $(CARGO_TARGET_DIR)/debug
LAB := '$(BIN)/lab'
cargo_build = @$(if $(call is_told,BIN),:,tools/cargo.sh build --quiet --locked $2 $(addprefix --package ,$1))

# Kbuild heeds these only on the command line, never in the environment, and its CC= may be any.
AS_KBUILD := env -u LAB_CC $(foreach tool,CC RUSTC BINDGEN,$(if $(call is_told,$(tool)),,-u $(tool)))

.PHONY: modules clean run shell test test-all stitch walkthrough docs/walkthrough.md rust-metadata doctor bench-loop bench-stitch kernel help
.DELETE_ON_ERROR:

modules: ## hello_rust.ko for your kernel: make [LLVM=1] [KDIR=/path/to/linux | KREL=release]
	@$(AS_KBUILD) tools/kdir.sh --problems '$(KDIR)'
	+@$(MAKE) -C '$(KDIR)' M="$$PWD" modules

clean: ## remove what `make` built here (not the lab's cache)
	+@$(MAKE) -C '$(KDIR)' M="$$PWD" clean

rust-metadata: ## what the headers of a Debian kernel lack for `make` to work  [KREL=7.3.4+deb13-amd64]
	@tools/stock/rust-metadata --into '$(CACHE)/rust-metadata' '$(KREL)'

run: ## the whole way: kernel, module, QEMU, insmod, rmmod, dmesg  [KERNEL= CC=gcc PARAMS= KSRC=]
	$(call cargo_build,lab)
	@$(LAB) run

shell: ## a shell in that machine, with hello_rust.ko at hand  [the same]
	$(call cargo_build,lab)
	@$(LAB) shell

test: ## what proves it on one kernel  [KERNEL= CC=gcc TESTS=word TESTS==name LIST=1 JUNIT=file]
	$(call cargo_build,lab stitch walkthrough proof)
	@'$(BIN)/proof'

test-all: ## what proves it on all kernels  [LIST=1 JUNIT=file]
	$(call cargo_build,lab stitch walkthrough proof)
	@'$(BIN)/proof' --all

stitch: ## the objects of hello_rust.ko, and what crosses between them  [KERNEL= CC=gcc ARGS=--json]
	$(call cargo_build,lab stitch)
	@module=$$($(LAB) module) && \
		'$(BIN)/stitch' report "$$module" --symvers "$$($(LAB) kernel)/Module.symvers" $(LAB_ARGS)

# In user space, the host's own compilers do.
USER_SPACE := $(and $(LAB_PART),$(if $(filter-out 1 2 3 4 5 6,$(LAB_PART)),,yes))

walkthrough: ## what objects and libraries are, in C, Rust and the kernel, proven step by step  [PART=3 CC=gcc]
	$(call cargo_build,stitch $(if $(USER_SPACE),walkthrough,lab))
	@$(if $(USER_SPACE),'$(BIN)/walkthrough' --stitch '$(BIN)/stitch',$(LAB) walkthrough) $(LAB_PART:%=--part %)

docs/walkthrough.md:
	$(call cargo_build,lab stitch)
	@$(LAB) --kernel 7.3 --cc gcc walkthrough --markdown > $@.new || { rm $@.new; exit 1; }
	@mv $@.new $@

doctor: ## what is there, what is missing, and how to fix it  [KDIR=]
	$(call cargo_build,lab)
	@$(AS_KBUILD) $(LAB) doctor $(if $(filter-out file,$(origin KDIR)),--kdir '$(KDIR)')

bench-loop: ## how long a change takes to reach dmesg, step by step  [RUNS=5]
	$(call cargo_build,lab)
	@$(LAB) bench

bench-stitch: ## how long stitch takes, beside other programs on the same objects  [KERNEL= CC=gcc RUNS=5]
	$(call cargo_build,lab stitch)
	$(call cargo_build,stitch,--release)
	@$(LAB) bench-stitch

kernel: ## only provide the lab's kernel, and say where it is  [KERNEL= CC=gcc]
	$(call cargo_build,lab)
	@$(LAB) kernel

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 21
