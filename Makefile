# SPDX-License-Identifier: GPL-2.0
# The front door of hello_rust; `make help` shows the rooms.
# Kbuild does not read this file: what it stitches is in Kbuild.

# The kernel that `make` builds the module for: the running one, as everywhere.
KREL ?= $(shell uname -r)

# `make run CC=gcc`: the lab's kernel and module by gcc instead of clang.
ifeq ($(origin CC),command line)
export LAB_CC := $(CC)
endif

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/hello_rust
# Where `make rust-metadata` has made what that kernel's headers lacked, and else the headers.
KDIR ?= $(or $(if $(word 2,$(CACHE)),,$(wildcard $(CACHE)/rust-metadata/$(KREL)/build)),/lib/modules/$(KREL)/build)

# Kbuild's clean removes objects wherever they are below, so cargo's stay outside.
export CARGO_TARGET_DIR := $(CACHE)/target
export HELLO_RUST_DIR := $(CURDIR)
LAB := $(CARGO_TARGET_DIR)/debug/lab
STITCH := $(CARGO_TARGET_DIR)/debug/stitch
WALKTHROUGH := $(CARGO_TARGET_DIR)/debug/walkthrough

define BAD_CACHE
the cache cannot be used: make and Kbuild stand no space or colon in a path
  seen: $(CACHE)
  mend: set XDG_CACHE_HOME to a folder without them
endef
ifneq ($(words $(subst :, : ,$(CACHE))),1)
ifneq ($(filter-out modules clean help,$(MAKECMDGOALS)),)
$(error $(BAD_CACHE))
endif
endif

# Kbuild heeds these only on the command line, never in the environment, and its CC= may be any.
AS_KBUILD := env -u LAB_CC $(foreach tool,CC RUSTC BINDGEN,$(if $(findstring command,$(origin $(tool))),,-u $(tool)))

.PHONY: modules clean run shell test stitch walkthrough docs/walkthrough.md rust-metadata doctor bench-loop bench-stitch kernel help
.DELETE_ON_ERROR:

modules: ## hello_rust.ko for your kernel: make [LLVM=1] [KDIR=/path/to/linux | KREL=release]
	@$(AS_KBUILD) qemu/kdir.sh --problems '$(KDIR)'
	+@$(MAKE) -C '$(KDIR)' M="$$PWD" modules

clean: ## remove what `make` built here (not the lab's cache)
	+@$(MAKE) -C '$(KDIR)' M="$$PWD" clean

rust-metadata: ## what the headers of a Debian kernel lack for `make` to work  [KREL=7.3.4+deb13-amd64]
	@stock/rust-metadata --into '$(CACHE)/rust-metadata' '$(KREL)'

run: $(LAB) ## the whole way: kernel, module, QEMU, insmod, rmmod, dmesg  [KERNEL= CC=gcc PARAMS= KSRC=]
	@$(LAB) run

shell: $(LAB) ## a shell in that machine, with hello_rust.ko at hand  [the same]
	@$(LAB) shell

test: $(LAB) ## everything that proves it; TESTS=word runs those with the word in their name
	@$(LAB) test

stitch: $(LAB) $(STITCH) ## the objects of hello_rust.ko, and what crosses between them  [KERNEL= CC=gcc ARGS=--json]
	@module=$$($(LAB) module) && \
		$(STITCH) report "$$module" --symvers "$$($(LAB) kernel)/Module.symvers" $(ARGS)

# In user space, the host's own compilers do.
USER_SPACE := $(and $(PART),$(if $(filter-out 1 2 3 4 5 6,$(PART)),,yes))

walkthrough: $(if $(USER_SPACE),$(WALKTHROUGH),$(LAB)) $(STITCH) ## what objects and libraries are, in C, Rust and the kernel, proven step by step  [PART=3 CC=gcc]
	@$(if $(USER_SPACE),$(WALKTHROUGH) --stitch $(STITCH),$(LAB) walkthrough) $(PART:%=--part %)

docs/walkthrough.md: $(LAB) $(STITCH)
	@$(LAB) --kernel 7.3 --cc gcc walkthrough --markdown > $@.new || { rm $@.new; exit 1; }
	@mv $@.new $@

doctor: $(LAB) ## what is there, what is missing, and what mends it  [KDIR=]
	@$(AS_KBUILD) $(LAB) doctor $(if $(filter-out file,$(origin KDIR)),--kdir '$(KDIR)')

bench-loop: $(LAB) ## how long a change takes to reach dmesg, step by step
	@$(LAB) bench

bench-stitch: $(LAB) $(STITCH) ## how long stitch takes, beside other programs on the same objects  [KERNEL= CC=gcc]
	@qemu/cargo.sh build --quiet --locked --release --package stitch
	@$(LAB) bench-stitch

kernel: $(LAB) ## only provide the lab's kernel, and say where it is  [KERNEL= CC=gcc]
	@$(LAB) kernel

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 21

$(LAB): Cargo.toml Cargo.lock trouble/src/lib.rs qemu/Cargo.toml $(wildcard qemu/src/*.rs qemu/src/*/*.rs qemu/src/*/*/*.rs qemu/guest/* qemu/config/*)
	@qemu/cargo.sh build --quiet --locked --package lab
	@touch $@

$(STITCH): Cargo.toml Cargo.lock trouble/src/lib.rs stitch/Cargo.toml $(wildcard stitch/src/*.rs stitch/src/*/*.rs)
	@qemu/cargo.sh build --quiet --locked --package stitch
	@touch $@

$(WALKTHROUGH): Cargo.toml Cargo.lock trouble/src/lib.rs walkthrough/Cargo.toml $(wildcard walkthrough/src/*.rs walkthrough/src/*/*.rs walkthrough/[1-9]*/*)
	@qemu/cargo.sh build --quiet --locked --package walkthrough
	@touch $@
